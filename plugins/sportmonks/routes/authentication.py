"""How the requests of a route authenticate: the way that its file names, and OAuth 2."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import requests
from requests.auth import HTTPBasicAuth

from sportmonks.api.transport import HttpResponse
from sportmonks.coerce import as_seconds
from sportmonks.errors import ConfigurationError, TransientApiError
from sportmonks.redaction import add_secret, mask_text
from sportmonks.routes.access import RouteAccess, open_transport
from sportmonks.routes.credentials import BasicAuth, HeaderAuth, QueryKeys, RouteAuth
from sportmonks.routes.request import credentials_in, filled, is_credential, names_in, templates_of
from sportmonks.routes.spec import AuthSpec, Route

log = logging.getLogger(__name__)

# A token is renewed before it ends, so that it does not end on the way.
_MARGIN_S = 60.0
_ASSUMED_S = 3600.0


def authentication(route: Route, access: RouteAccess) -> RouteAuth:
    """The authentication of a route's requests. Raises ConfigurationError that names the connection where it has no
    password."""
    spec, connection = route.auth, route.connection
    kind, login, password = spec.type, access.login, access.password
    if kind == "auto":
        # What the route sends somewhere itself is not meant for the Authorization header.
        named = credentials_in(templates_of(route), route)
        login = "" if "login" in named else login
        kind = "none" if "password" in named else "basic" if login else "bearer" if password else "none"
    if kind == "none":
        return RouteAuth()
    if kind == "basic" and login and not password:
        add_secret(login)  # a key in place of a name, as some APIs have it
        return BasicAuth(login, "")
    if not password and spec.grant != "refresh_token":  # such a client may have no secret
        raise ConfigurationError(
            f"The connection {connection} has no password.", hint="Put the API's key or token there."
        )
    add_secret(password)
    if kind == "oauth2":
        return OAuth2(spec, access, connection, route.timeout_seconds)
    if kind == "query":
        return QueryKeys([(spec.name, password)])
    if kind == "basic":
        return BasicAuth(login, password)
    if kind == "bearer":
        return HeaderAuth("Authorization", f"Bearer {password}")
    return HeaderAuth(spec.name, f"{spec.prefix}{password}")


class OAuth2(RouteAuth):
    """OAuth 2 with client credentials or a refresh token: a token is fetched when it is needed, kept until shortly
    before it ends, and fetched anew after a 401. A refresh token that comes with it replaces the one before, as long as
    this object lives."""

    def __init__(
        self,
        spec: AuthSpec,
        access: RouteAccess,
        connection: str,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spec = spec
        self._access = access
        self._connection = connection
        self._clock = clock
        url = urlsplit(urljoin(access.base_url.rstrip("/") + "/", spec.token_url))
        self._path = urlunsplit(("", "", url.path or "/", url.query, ""))
        self._query = dict(parse_qsl(url.query))
        self._transport = open_transport(f"{url.scheme}://{url.netloc}", RouteAuth(), timeout, access)
        self._parameters = _with_credentials(spec.parameters, access, connection)
        self._refresh = ""
        if spec.grant == "refresh_token":
            self._refresh = access.credentials(["extra.refresh_token"], connection)["extra.refresh_token"]
        self._token = ""
        self._worked = False
        self._valid_until = -1e9

    def close(self) -> None:
        self._transport.close()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def accepted(self) -> None:
        self._worked = True

    def refused(self) -> bool:
        # A token that never worked says that the credentials are wrong.
        self._valid_until = -1e9
        return self._worked

    def prepare(self) -> None:
        """Fetch a token unless one is valid. Raises ConfigurationError, TransientApiError."""
        if self._clock() < self._valid_until:
            return
        access, spec = self._access, self._spec
        form = {"grant_type": spec.grant, **({"scope": spec.scope} if spec.scope else {})}
        form |= {"refresh_token": self._refresh} if self._refresh else {}
        form = {name: value for name, value in form.items() if name not in self._query} | self._parameters
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if spec.credentials != "basic":
            secret = {"client_secret": access.password} if access.password else {}
            form = {"client_id": access.login, **secret} | form
        else:
            basic = requests.Request("POST", "http://x", auth=HTTPBasicAuth(access.login, access.password)).prepare()
            headers["Authorization"] = basic.headers["Authorization"]
        label = f"The token of {self._connection}"
        body = urlencode(form).encode()
        if spec.credentials == "json":
            body, headers["Content-Type"] = json.dumps(form).encode(), "application/json"
        response = self._transport.fetch(
            self._path, label=label, method="POST", body=body, headers=headers, masked=False
        )
        self._keep(response, label)

    def _keep(self, response: HttpResponse, label: str) -> None:
        try:
            answer = json.loads(response.body)
        except ValueError:
            answer = None
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if response.status // 100 == 2 and isinstance(answer, dict) and isinstance(token, str) and token:
            add_secret(token)
            self._keep_refresh(answer.get("refresh_token"))
            seconds = as_seconds(answer.get("expires_in"))
            self._worked = False
            self._token, life = token, _ASSUMED_S if seconds is None else seconds
            self._valid_until = self._clock() + max(life - _MARGIN_S, life / 2)
            return
        text = f"{label}: HTTP {response.status}{_reason(answer)}"
        if response.status in (408, 425, 429) or response.status >= 500:
            raise TransientApiError(text)
        raise ConfigurationError(
            f"{text}, and no access_token.",
            hint=f"Check token_url in the route, login (client id) and password (secret) of {self._connection}"
            + (", and refresh_token in its extra." if self._refresh else "."),
        )

    def _keep_refresh(self, following: Any) -> None:
        if self._refresh and isinstance(following, str) and following and following != self._refresh:
            add_secret(following)
            self._refresh = following
            log.warning(
                "The API has renewed the refresh token of %s. If it takes each one only once, put a new one into the"
                " connection before the next run.",
                self._connection,
            )


def _with_credentials(pairs: Iterable[tuple[str, str]], access: RouteAccess, connection: str) -> dict[str, str]:
    """Names and values with what they name of the connection."""
    pairs = tuple(pairs)
    names = {name for name in names_in(text for _, text in pairs) if is_credential(name)}
    values = access.credentials(names, connection)
    return {name: filled(text, values) for name, text in pairs}


def _reason(answer: Any) -> str:
    text = (answer.get("error_description") or answer.get("error")) if isinstance(answer, dict) else None
    return f" ({mask_text(str(text))[:200]})" if text else ""
