"""Address and credentials of a route's API: the ways to authenticate. Credentials travel in headers wherever the API
allows it; those that it wants in the query are added when a request is sent, behind everything that is logged."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from sportmonks.api.transport import HttpResponse, Transport, url_parts
from sportmonks.coerce import as_seconds
from sportmonks.errors import ConfigurationError, TransientApiError
from sportmonks.redaction import add_secret, mask_known, mask_text
from sportmonks.routes.spec import AuthSpec

# A token is renewed before it ends, so that it does not end on the way.
_MARGIN_S = 60.0
_ASSUMED_S = 3600.0


@dataclass(frozen=True)
class RouteAccess:
    """An Airflow connection as a route needs it. ``base_url`` may have a path."""

    base_url: str
    login: str = ""
    password: str = ""
    verify: bool | str = True
    proxies: Mapping[str, str] | None = None

    @classmethod
    def of_connection(
        cls,
        *,
        host: str | None,
        schema: str | None = None,
        port: int | None = None,
        conn_type: str | None = None,
        login: str | None = None,
        password: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> RouteAccess:
        """From the fields of an Airflow connection of type HTTP; of its extra, ``verify`` and ``proxies`` count."""
        url = url_parts(host or "", schema, port, conn_type or "")
        extra = extra or {}
        return cls(
            base_url=url._replace(query="", fragment="").geturl(),
            login=login or "",
            password=(password or "").strip(),
            verify=extra.get("verify", True),
            proxies=extra.get("proxies"),
        )

    def auth(self, spec: AuthSpec, connection: str, timeout: float = 60.0) -> RouteAuth:
        """The authentication of requests. Raises ConfigurationError that names ``connection`` without a password."""
        kind = spec.type
        if kind == "auto":
            kind = ("basic" if self.login else "bearer") if self.password else "none"
        if kind == "none":
            return RouteAuth()
        if not self.password:
            raise ConfigurationError(
                f"The connection {connection} has no password.", hint="Put the API's key or token there."
            )
        add_secret(self.password)
        if kind == "oauth2":
            return ClientCredentials(spec, self, connection, timeout)
        if kind == "query":
            return QueryKey(spec.name, self.password)
        if kind == "basic":
            return BasicAuth(self.login, self.password)
        if kind == "bearer":
            return HeaderAuth("Authorization", f"Bearer {self.password}")
        return HeaderAuth(spec.name, f"{spec.prefix}{self.password}")


class RouteAuth(AuthBase):
    """No authentication, and the base of the others. As ``auth`` of a session it keeps a .netrc from adding its own."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    def prepare(self) -> None:
        """Get ready for the next request; may call the API."""

    def accepted(self) -> None:
        """The API has taken a request."""

    def refused(self) -> bool:
        """The API has refused a request with 401; whether another one may help."""
        return False

    def close(self) -> None:
        """Close what is open."""


class HeaderAuth(RouteAuth):
    """One header."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[self._name] = self._value
        return request


class BasicAuth(RouteAuth):
    """Login and password in the Authorization header."""

    def __init__(self, login: str, password: str) -> None:
        self._basic = HTTPBasicAuth(login, password)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self._basic(request)
        return request


class QueryKey(RouteAuth):
    """The key as a query parameter, added to the request that leaves and to nothing else."""

    def __init__(self, name: str, value: str) -> None:
        self._pair = f"{quote(name, safe='')}={quote(value, safe='')}"
        # The only one that logs addresses with their query.
        logger = logging.getLogger("urllib3.connectionpool")
        if not any(isinstance(one, _MaskArguments) for one in logger.filters):
            logger.addFilter(_MaskArguments())

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = request.url or ""
        request.url = f"{url}{'&' if urlsplit(url).query else '?'}{self._pair}"
        return request


class _MaskArguments(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(mask_known(part) if isinstance(part, str) else part for part in record.args)
        return True


class ClientCredentials(RouteAuth):
    """OAuth 2 client credentials: a token is fetched when it is needed, kept until shortly before it ends, and fetched
    anew after a 401."""

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
        form = {"grant_type": "client_credentials", **({"scope": spec.scope} if spec.scope else {})}
        form = {name: value for name, value in form.items() if name not in self._query}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if spec.credentials != "basic":
            form |= {"client_id": access.login, "client_secret": access.password}
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
            hint=f"Check token_url in the route, login (client id) and password (secret) of {self._connection}.",
        )


def _reason(answer: Any) -> str:
    text = (answer.get("error_description") or answer.get("error")) if isinstance(answer, dict) else None
    return f" ({mask_text(str(text))[:200]})" if text else ""


def open_transport(origin: str, auth: AuthBase, timeout: float, access: RouteAccess) -> Transport:
    """The package's transport (deadline, size limit, no redirects) for any host and any way to authenticate."""
    transport = Transport(
        origin,
        "replaced-below",
        connect_timeout=10.0,
        read_timeout=timeout,
        total_timeout=3 * timeout,
        verify=access.verify,
        proxies=access.proxies,
    )
    transport.base_url = origin
    transport.session.auth = auth
    return transport
