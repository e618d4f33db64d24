"""Connection strings of libpq: made of the parts that an Airflow connection has, checked, and described for people.

Every option that libpq knows is passed on. What this package cannot use is refused by name, because an option that is
dropped without a word may be the one that demands encryption.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from psycopg import ProgrammingError, conninfo, pq

from sportmonks.errors import ConfigurationError

# Keys of the extra that only choose how Airflow's own PostgreSQL hook returns rows.
_AIRFLOW_ONLY = frozenset({"cursor", "sqlalchemy_scheme", "sqlalchemy_query"})
# Keys of the extra with which that hook gets a password from a cloud's login service.
_CLOUD_LOGINS = frozenset({"iam", "redshift", "redshift-serverless", "azure_conn_id"})
# Accompany a key of _CLOUD_LOGINS and mean nothing without it.
_CLOUD_DETAILS = frozenset({"aws_conn_id", "cluster-identifier", "workgroup-name"})
_UTF8 = frozenset({"utf8", "utf-8", "unicode", "auto"})


def libpq_options() -> frozenset[str]:
    """The names of all connection options of the installed libpq."""
    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())


def connection_string(
    *,
    host: str | None,
    port: int | None,
    user: str | None,
    password: str | None,
    dbname: str | None,
    extra: Mapping[str, Any],
) -> str:
    """The connection string of an Airflow connection's parts.

    ``host`` may be several, separated by commas, each with a port of its own (``h1:5433,h2:5434``); ``extra`` may hold
    any option of libpq, among them ``port`` with a list of ports. Raises ConfigurationError for an option that is
    unknown or cannot be used.
    """
    options = _options(extra)
    hosts, ports = _split_hosts(host or "", port)
    defaults: dict[str, Any] = {"port": ports, "user": user, "password": password, "dbname": dbname}
    if "service" not in options:
        # A service file may name any of these.
        defaults |= {"port": ports or "5432", "dbname": dbname or "postgres"}
    if hosts or not options.keys() & {"service", "hostaddr"}:
        defaults["host"] = hosts or "localhost"
    parts = {name: value for name, value in defaults.items() if value}
    try:
        text = conninfo.make_conninfo("", **{**parts, **options})
    except ProgrammingError:
        raise _unreadable() from None
    refuse_unusable(conninfo.conninfo_to_dict(text))
    return text


def parse(info: str) -> dict[str, Any]:
    """The options of a connection string. Raises ConfigurationError, without the text, which holds a password."""
    try:
        parts = conninfo.conninfo_to_dict(info)
    except ProgrammingError:
        raise _unreadable() from None
    refuse_unusable(parts)
    return dict(parts)


def settled_options(info: str) -> dict[str, str]:
    """Every option as libpq would use it: of the connection string, else of its service file, else of the environment
    (``PGSSLMODE`` and the like), else libpq's own default. Empty when the service is unknown."""
    # By libpq's own rules: of a connection that can only fail, on this machine, before any network.
    attempt = pq.PGconn.connect_start(conninfo.make_conninfo(info, host="/", hostaddr="").encode())
    try:
        return {part.keyword.decode(): part.val.decode() for part in attempt.info if part.val}
    finally:
        attempt.finish()


def refuse_unusable(parts: Mapping[str, Any]) -> None:
    """Raise ConfigurationError for an option with which this package could not work, and for host, port or database
    that are part of a password."""
    if _holds_password(parts):
        raise _unreadable()
    encoding = str(parts.get("client_encoding") or "utf8")
    if encoding.lower() not in _UTF8:
        raise ConfigurationError(
            f"The option client_encoding={encoding} of the warehouse's connection cannot be used.",
            hint="Remove it: this package always sends and reads UTF-8.",
        )
    if str(parts.get("replication") or "false").lower() not in ("false", "off", "no", "0"):
        raise ConfigurationError(
            "The option replication of the warehouse's connection cannot be used.",
            hint="Remove it: a replication connection runs no queries.",
        )


def _holds_password(parts: Mapping[str, Any]) -> bool:
    """Whether libpq has taken a part of the password for host, port or database.

    It does so where the password of a URI holds an unescaped ``/`` or ``@``. A port is a number then by chance only,
    and the ``@`` before the real host ends up in the host or the database. A host that begins with ``@`` is a socket.
    """
    ports = str(parts.get("port") or "").split(",")
    return (
        any(port.strip() and not port.strip().isdigit() for port in ports)
        or "@" in str(parts.get("host") or "")[1:]
        or "@" in str(parts.get("dbname") or "")
    )


def describe(info: str) -> str:
    """Hosts, ports and database for messages: ``h1:5433,h2:5434/etl``. Never the account or the password."""
    try:
        parts = conninfo.conninfo_to_dict(info)
    except ProgrammingError:
        return "an unreadable address"
    if _holds_password(parts):
        return "an unreadable address"
    if parts.get("service") and not parts.get("host"):
        return f"service {parts['service']}"
    hosts = str(parts.get("host") or parts.get("hostaddr") or "localhost").split(",")
    ports = str(parts.get("port") or 5432).split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    places = ",".join(f"{host}:{port or 5432}" for host, port in zip(hosts, ports, strict=False))
    return f"{places}/{parts.get('dbname') or 'postgres'}"


def nearest_option(name: str) -> str:
    """The option of libpq whose name is most like ``name``; empty when none is."""
    return next(iter(difflib.get_close_matches(name, sorted(libpq_options()), n=1)), "")


def _options(extra: Mapping[str, Any]) -> dict[str, str]:
    known = libpq_options()
    options: dict[str, str] = {}
    for name, value in extra.items():
        if name in _AIRFLOW_ONLY | _CLOUD_DETAILS or value is None or value == "":
            continue
        if name in _CLOUD_LOGINS:
            if value:
                raise ConfigurationError(
                    f"The warehouse's connection asks for a login with {name}, which this package does not support.",
                    hint="Use a password, a client certificate or a service file.",
                )
            continue
        if name not in known:
            near = nearest_option(name)
            raise ConfigurationError(
                f"The warehouse's connection has the option {name!r}, which the installed libpq does not know.",
                hint=f"Did you mean {near}?" if near else "Remove it from the connection's extra.",
            )
        if isinstance(value, (dict, list)):
            raise ConfigurationError(
                f"The option {name!r} of the warehouse's connection is not a text or a number.",
                hint="Correct the connection's extra.",
            )
        options[name] = str(int(value)) if isinstance(value, bool) else str(value)
    return options


def _split_hosts(text: str, port: int | None) -> tuple[str, str]:
    """Hosts and ports as libpq takes them: two lists of equal length, or one port for all hosts."""
    hosts: list[str] = []
    ports: list[str] = []
    for part in text.split(",") if text else ():
        host, own = _host_and_port(part.strip())
        hosts.append(host)
        ports.append(own)
    common = str(port) if port else ""
    if any(ports):
        return ",".join(hosts), ",".join(own or common or "5432" for own in ports)
    return ",".join(hosts), common


def _host_and_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    # A socket's folder, or an IPv6 address without brackets, has no port here.
    if text.startswith(("/", "@")) or text.count(":") != 1:
        return text, ""
    host, _, port = text.partition(":")
    return host, port


def _unreadable() -> ConfigurationError:
    return ConfigurationError(
        "The connection string of the warehouse cannot be read.",
        hint="Write it as postgresql://user:password@host:5432/database, special signs of the password as %40 for @, "
        "%2F for /, %23 for #, %3A for :.",
    )
