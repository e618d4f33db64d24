"""Who may see the page and who may change something. Airflow's permissions decide. Also protects against requests
that a foreign page makes in a logged-in browser."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSRF_HEADER = "X-CSRF-Token"
CSRF_SECONDS = 8 * 3600
# The DAG whose owners look after alerts: who may edit it may acknowledge them.
WATCH_DAG_ID = "etl_watch"

HEADERS = {
    # No content from other hosts, nothing inline, framed by Airflow's own page only.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Access:
    """``user``: FastAPI dependency that returns the user or refuses with 401 or 403; the others answer for a user."""

    user: Callable[..., Any]
    may_write: Callable[[Any], bool]
    name: Callable[[Any], str]
    secret: bytes = b""
    # Whether a user may trigger the DAG with this id.
    may_start: Callable[[Any, str], bool] = lambda user, dag_id: False


def airflow_access() -> Access:
    """Airflow's own login and permissions: view of plugins to read, edit of ``etl_watch`` to acknowledge, runs of a
    league's DAG to start one."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, DagAccessEntity, DagDetails
    from airflow.api_fastapi.core_api.security import get_user
    from airflow.configuration import conf

    def permitted(user: Annotated[Any, Depends(get_user)]) -> Any:
        if not get_auth_manager().is_authorized_view(access_view=AccessView.PLUGINS, user=user):
            raise HTTPException(403, "Your Airflow role may not see plugin pages.")
        return user

    def may_write(user: Any) -> bool:
        details = DagDetails(id=WATCH_DAG_ID)
        return bool(get_auth_manager().is_authorized_dag(method="PUT", details=details, user=user))

    def may_start(user: Any, dag_id: str) -> bool:
        details = DagDetails(id=dag_id)
        return bool(
            get_auth_manager().is_authorized_dag(
                method="POST", access_entity=DagAccessEntity.RUN, details=details, user=user
            )
        )

    secret = str(conf.get("api", "secret_key", fallback="") or "")
    return Access(permitted, may_write, lambda user: str(user.get_name()), secret.encode(), may_start)


class Csrf:
    """Tokens bound to a user and eight hours. Without a shared secret they hold for this process only."""

    def __init__(self, secret: bytes) -> None:
        self._key = hashlib.sha256(b"sportmonks-dashboard-csrf|" + (secret or secrets.token_bytes(32))).digest()

    def issue(self, user: str, now: float | None = None) -> str:
        until = int((time.time() if now is None else now) + CSRF_SECONDS)
        return f"{until}.{self._sign(user, until)}"

    def valid(self, token: str | None, user: str, now: float | None = None) -> bool:
        until, _, signature = (token or "").partition(".")
        if (
            not (until.isascii() and until.isdigit())
            or len(until) > 12
            or int(until) < (time.time() if now is None else now)
        ):
            return False
        return hmac.compare_digest(signature, self._sign(user, int(until)))

    def _sign(self, user: str, until: int) -> str:
        return hmac.new(self._key, f"{user}|{until}".encode(), hashlib.sha256).hexdigest()


def check_origin_of_change(request: Request, csrf: Csrf, user: str) -> None:
    """Refuse a change that another page could have sent, with status 403.

    A browser sends cookies along by itself, but never an Authorization header and never a header of our own.
    """
    if request.headers.get("sec-fetch-site") not in (None, "same-origin", "none"):
        raise HTTPException(403, "Changes are taken from this page only.")
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    if not csrf.valid(request.headers.get(CSRF_HEADER), user):
        raise HTTPException(403, f"The {CSRF_HEADER} header is missing or has run out. Reload the page and try again.")


class SecurityHeaders:
    """Adds HEADERS to every answer of the app, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    if name not in headers:
                        headers[name] = value
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
