"""The simple ways to authenticate a request. Credentials travel in headers wherever an API allows it; those that it
wants in the query are added when a request is sent, behind everything that is logged."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from sportmonks.redaction import mask_known


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


class QueryKeys(RouteAuth):
    """Credentials as query parameters, added to the request that leaves and to nothing else. ``then``: authentication
    of another way beside them."""

    def __init__(self, pairs: Iterable[tuple[str, str]], then: RouteAuth | None = None) -> None:
        self.pairs = tuple(pairs)
        self._then = then or RouteAuth()
        # The only one that logs addresses with their query.
        logger = logging.getLogger("urllib3.connectionpool")
        if not any(isinstance(one, _MaskArguments) for one in logger.filters):
            logger.addFilter(_MaskArguments())

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = request.url or ""
        added = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.pairs)
        request.url = f"{url}{'&' if urlsplit(url).query else '?'}{added}" if added else url
        return self._then(request)

    def prepare(self) -> None:
        self._then.prepare()

    def accepted(self) -> None:
        self._then.accepted()

    def refused(self) -> bool:
        return self._then.refused()

    def close(self) -> None:
        self._then.close()


class _MaskArguments(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(mask_known(part) if isinstance(part, str) else part for part in record.args)
        return True
