"""Address and credentials of a route's API, as an Airflow connection holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from requests.auth import AuthBase

from sportmonks.api.transport import Transport, url_parts
from sportmonks.errors import ConfigurationError
from sportmonks.redaction import add_secret


@dataclass(frozen=True)
class RouteAccess:
    """An Airflow connection as a route needs it. ``base_url`` may have a path."""

    base_url: str
    login: str = ""
    password: str = ""
    verify: bool | str = True
    proxies: Mapping[str, str] | None = None
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)

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
        """From the fields of an Airflow connection of type HTTP. Of its extra, ``verify`` and ``proxies`` count, and
        routes may name the texts and numbers in it."""
        url = url_parts(host or "", schema, port, conn_type or "")
        extra = extra or {}
        return cls(
            base_url=url._replace(query="", fragment="").geturl(),
            login=login or "",
            password=(password or "").strip(),
            verify=extra.get("verify", True),
            proxies=extra.get("proxies"),
            extra={
                name: str(value)
                for name, value in extra.items()
                if isinstance(value, str | int | float) and not isinstance(value, bool)
            },
        )

    def credentials(self, names: Iterable[str], connection: str) -> dict[str, str]:
        """The values of placeholders such as ``login`` and ``extra.account``, masked in every text from now on. Raises
        ConfigurationError that names what ``connection`` lacks."""
        fields = {"login": self.login, "password": self.password}
        found = {}
        for name in sorted(names):
            value = fields[name] if name in fields else self.extra.get(name.removeprefix("extra."), "")
            if not value:
                kind = f"no {name}" if name in fields else f"no {name.removeprefix('extra.')} in its extra"
                raise ConfigurationError(
                    f"The connection {connection} has {kind}, which the route names as {{{name}}}.",
                    hint="Put it there (Admin, Connections), or correct the name in the route.",
                )
            add_secret(value)
            found[name] = value
        return found


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
