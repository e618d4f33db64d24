"""Who may see the page and who may acknowledge alerts: Airflow's login and roles on a running server."""

from __future__ import annotations

import re
from typing import Any

import jwt
import pytest
import requests
from fastapi.routing import APIRoute

from sportmonks.dashboard.app import create_app
from sportmonks.dashboard.security import Access
from tests.e2e.monitoring import PAGE
from tests.e2e.stack import Etl

pytestmark = pytest.mark.timeout(600)

NO_SUCH_ALERT = f"{PAGE}/api/alerts/0/acknowledge"
VALUES = {"form": "json", "what": "alerts", "name:path": "js/main.js", "name": "events"}
QUERIES = {"/api/form": "?league_id=1", "/api/place": "?dag_id=x"}  # parameters that an address needs


def reading() -> list[str]:
    """Every address of the page that answers to GET, as the app itself lists them."""
    app = create_app(lambda: pytest.fail("no connection is needed"), Access(lambda: None, lambda _: False, str))
    routes = [route for route in app.routes if isinstance(route, APIRoute) and "GET" in route.methods]
    return [
        re.sub(r"\{(\w+(?::\w+)?)\}", lambda found: VALUES.get(found[1], "1"), route.path) + QUERIES.get(route.path, "")
        for route in routes
    ]


def token_of_role(etl: Etl, role: str | None) -> str:
    """The viewer's token with another role, signed with the stack's own key."""
    real = etl.token("viewer")
    claims = jwt.decode(real, options={"verify_signature": False})
    key = (etl.home / "airflow" / "jwt.key").read_text().strip()
    return jwt.encode(claims | {"role": role}, key, algorithm=jwt.get_unverified_header(real)["alg"])


def ask(etl: Etl, path: str, token: str | None = None, method: str = "GET", **how: Any) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= how.pop("headers", {})
    answer = requests.request(method, etl.url + path, headers=headers, timeout=60, allow_redirects=False, **how)
    assert "Traceback" not in answer.text
    return answer.status_code


def test_nothing_is_answered_without_a_login_or_a_role(etl: Etl) -> None:
    nobody = token_of_role(etl, None)
    viewer = etl.token("viewer")
    paths = reading()
    assert len(paths) >= 15
    for path in paths:
        assert ask(etl, PAGE + path) == 401, path
        assert ask(etl, PAGE + path, "nonsense") in (401, 403), path
        assert ask(etl, PAGE + path, nobody) == 403, path
        assert ask(etl, PAGE + path, viewer) in (200, 404), path  # there is no execution, league or season 1


@pytest.mark.parametrize(
    ("role", "may_read", "may_acknowledge"),
    [(None, 403, 403), ("viewer", 200, 403), ("user", 200, 404), ("op", 200, 404), ("admin", 200, 404)],
)
def test_what_a_role_may_do(etl: Etl, role: str | None, may_read: int, may_acknowledge: int) -> None:
    """404: allowed, but there is no such alert."""
    token = token_of_role(etl, role)
    assert ask(etl, f"{PAGE}/api/alerts", token) == may_read
    assert ask(etl, NO_SUCH_ALERT, token, "POST") == may_acknowledge


def test_a_change_needs_more_than_a_cookie(etl: Etl) -> None:
    """Even with the administrator's cookie: a page of another origin could have sent it."""
    for user, allowed in (("admin", 404), ("viewer", 403)):
        cookies = {"_token": etl.token(user)}
        session = requests.get(f"{etl.url}{PAGE}/api/session", cookies=cookies, timeout=60).json()
        assert session["may_acknowledge"] is (user == "admin")
        csrf = {"X-CSRF-Token": session["csrf"]}
        assert ask(etl, NO_SUCH_ALERT, method="POST", cookies=cookies) == 403
        assert ask(etl, NO_SUCH_ALERT, method="POST", cookies=cookies, headers=csrf) == allowed
        foreign = csrf | {"Sec-Fetch-Site": "cross-site"}
        assert ask(etl, NO_SUCH_ALERT, method="POST", cookies=cookies, headers=foreign) == 403
