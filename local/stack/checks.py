"""Checks before anything starts: port, disk, catalog, warehouse, API. Each returns a problem with its hint, or None."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from local.errors import LocalError
from local.stack.disk import START_MB, free_mb
from local.stack.files import port_is_free
from local.stack.queries import query
from local.stack.settings import Settings, SettingsError

if TYPE_CHECKING:
    from sportmonks.api.client import SportmonksClient
    from sportmonks.config.catalog import Catalog

LIMIT_SECONDS = 5
OLDEST_POSTGRES = 14
SCHEMAS = ("etl", "raw", "football")
PROXIES = tuple(word for name in ("http_proxy", "https_proxy", "all_proxy") for word in (name, name.upper()))

Problem = tuple[str, str]


def check_all(settings: Settings, *, port_is_ours: bool) -> None:
    """Run all checks at once. SettingsError with every problem found."""
    checks: list[Callable[[], Problem | None]] = [lambda: check_port(settings, port_is_ours=port_is_ours)]
    checks += [check_catalog, lambda: check_proxies(os.environ)]
    if not port_is_ours:
        checks.append(lambda: check_disk(settings))
    if settings.warehouse:
        checks.append(lambda: check_warehouse(settings.warehouse))
    if not settings.sandbox:
        checks.append(lambda: check_api(settings))
    answers: list[Problem | None] = [None] * len(checks)

    def ask(index: int) -> None:
        answers[index] = checks[index]()

    threads = [threading.Thread(target=ask, args=(index,), daemon=True) for index in range(len(checks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    problems = [answer for answer in answers if answer]
    if problems:
        raise SettingsError(problems)


def read_catalog() -> Catalog:
    """The catalog file. Raises ConfigurationError with file, line and key."""
    from sportmonks.config.catalog_file import parse_catalog
    from sportmonks.config.settings import CATALOG_FILE
    from sportmonks.errors import ConfigurationError

    try:
        text = CATALOG_FILE.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{CATALOG_FILE} cannot be read: {error.strerror}."
        raise ConfigurationError(message, hint="Restore it: git checkout include/catalog.yaml.") from None
    return parse_catalog(text)


def catalog_or_error() -> Catalog:
    """The catalog file. LocalError with file, line and key."""
    from sportmonks.errors import ConfigurationError

    try:
        return read_catalog()
    except ConfigurationError as error:
        raise LocalError(error.message, hint=error.hint) from None


def check_catalog() -> Problem | None:
    from sportmonks.errors import ConfigurationError

    try:
        read_catalog()
    except ConfigurationError as error:
        return error.message, error.hint
    return None


def check_port(settings: Settings, *, port_is_ours: bool) -> Problem | None:
    if port_is_ours or port_is_free(settings.port):
        return None
    return (
        f"ETL_PORT={settings.port}: another program listens on port {settings.port}",
        f"set ETL_PORT to a free port (ETL_PORT={settings.port + 1}), or end that program",
    )


def check_disk(settings: Settings) -> Problem | None:
    left = free_mb(settings.home)
    if left >= START_MB:
        return None
    return (
        f"ETL_HOME={settings.home}: the disk has {left} MB left, and a start needs {START_MB}",
        "make space, or set ETL_HOME to a folder on another disk",
    )


def check_proxies(env: Mapping[str, str]) -> Problem | None:
    """Whether Airflow's HTTP client can be made with these proxies; it cannot start a task otherwise.

    Their values are not named, because they may hold a password.
    """
    given = {name: env[name] for name in PROXIES if env.get(name)}
    if not given:
        return None
    import httpx

    for name, value in given.items():
        try:
            httpx.Client(proxy=value if "://" in value else f"http://{value}", trust_env=False).close()
        except Exception:  # an address, a scheme, a package for SOCKS: each has an error of its own
            return (
                f"{name} is not the address of a proxy that Airflow can use",
                f"set it to http://host:port (SOCKS is not installed), or go without it: env -u {name} ./etl up",
            )
    return None


def check_warehouse(conninfo: str) -> Problem | None:
    """Whether the warehouse can be reached, is new enough, and the account may create what is missing there.

    The password is not named.
    """
    from sportmonks.warehouse.conninfo import describe

    place = describe(conninfo)
    answer: list[Problem | None] = []
    # connect_timeout does not cover the name lookup: the limit of the thread does.
    thread = threading.Thread(target=lambda: answer.append(_ask_warehouse(conninfo, place)), daemon=True)
    thread.start()
    thread.join(LIMIT_SECONDS + 1)
    if answer:
        return answer[0]
    return _unreachable(place, f"no answer within {LIMIT_SECONDS} s")


def _unreachable(place: str, reason: str) -> Problem:
    return (
        f"SUPABASE_CONNECTION_STRING: {place} cannot be used: {reason}",
        "check host, port, database, account and password, and that this machine may connect; "
        "unset it for the embedded PostgreSQL",
    )


def _ask_warehouse(conninfo: str, place: str) -> Problem | None:
    from sportmonks.errors import ConfigurationError
    from sportmonks.warehouse.migrations import is_current

    options: dict[str, Any] = {"connect_timeout": LIMIT_SECONDS, "prepare_threshold": None}
    try:
        with psycopg.connect(conninfo, **options) as connection:
            version = connection.info.server_version
            row = connection.execute(query("server/rights"), {"schemas": list(SCHEMAS)}).fetchone()
            # An account that only writes needs no more when there is nothing to create.
            may_work = row == (True,) or (version >= OLDEST_POSTGRES * 10000 and is_current(connection))
    except ConfigurationError as error:
        return f"SUPABASE_CONNECTION_STRING: {error.message}", error.hint
    except psycopg.Error as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        causes = [line for line in lines if "FATAL" in line] or [line for line in lines if "failed:" in line] or lines
        reason = causes[0] if causes else type(error).__name__
        return _unreachable(place, reason.removeprefix("connection failed: "))
    if version < OLDEST_POSTGRES * 10000:
        found = f"PostgreSQL {version // 10000}, older than {OLDEST_POSTGRES}"
        return (
            f"SUPABASE_CONNECTION_STRING: {place} is {found}",
            f"use a server of version {OLDEST_POSTGRES} or newer",
        )
    if not may_work:
        account = conninfo_to_dict(conninfo).get("user") or "the account"
        schemas = ", ".join(SCHEMAS)
        return (
            f"SUPABASE_CONNECTION_STRING: {account!r} may not create the schemas {schemas} in {place}",
            f"GRANT CREATE ON DATABASE … TO {account}, or use an account that has the right",
        )
    return None


def check_api(settings: Settings) -> Problem | None:
    """One inexpensive call with the key."""
    from sportmonks.api.budget import UnlimitedBudget
    from sportmonks.api.client import SportmonksClient
    from sportmonks.errors import SportmonksError

    try:
        with SportmonksClient(
            settings.base_url,
            settings.api_key,
            budget=UnlimitedBudget(),
            attempts=1,
            connect_timeout=LIMIT_SECONDS,
            read_timeout=2 * LIMIT_SECONDS,
            total_timeout=3 * LIMIT_SECONDS,
        ) as client:
            client.check_access()
            return _leagues_problem(settings, client)
    except SportmonksError as error:
        key_is_wrong = "SPORTMONKS_API_KEY" in error.hint
        name = "SPORTMONKS_API_KEY" if key_is_wrong else f"SPORTMONKS_BASE_URL={settings.base_url!r}"
        hint = error.hint or "Check the address and this machine's way to the internet."
        return f"{name}: {error.message}", hint


def check_leagues(settings: Settings, api_url: str, key: str) -> Problem | None:
    """Whether this API covers every league that the settings name."""
    from sportmonks.api.budget import UnlimitedBudget
    from sportmonks.api.client import SportmonksClient

    with SportmonksClient(api_url, key, budget=UnlimitedBudget(), attempts=2) as client:
        return _leagues_problem(settings, client)


def followed_ids(settings: Settings) -> tuple[int, ...]:
    """The leagues that ETL_LEAGUES names, else those of the catalog; empty when all are followed."""
    from sportmonks.config.settings import parse_leagues
    from sportmonks.errors import ConfigurationError

    try:
        chosen = parse_leagues(settings.leagues) if settings.leagues else read_catalog().league_ids()
    except ConfigurationError:
        return ()  # reported by the check of the catalog
    return chosen or ()


def _leagues_problem(settings: Settings, client: SportmonksClient) -> Problem | None:
    """Names the leagues that are not covered, with all that are."""
    from sportmonks.errors import SportmonksError

    wanted = followed_ids(settings)
    if not wanted:
        return None
    try:
        covered = {int(row["id"]): str(row.get("name") or row["id"]) for row in client.my_leagues()}
    except SportmonksError:
        return None  # what the API cannot say now, the catalog's DAG finds out
    # A list without rows is an accident of the provider; the catalog's DAG reads the leagues one by one.
    missing = [league_id for league_id in wanted if league_id not in covered] if covered else []
    if not missing:
        return None
    name = "ETL_LEAGUES" if settings.leagues else "include/catalog.yaml"
    which = f"leagues {', '.join(map(str, missing))}" if len(missing) > 1 else f"league {missing[0]}"
    listed = ", ".join(f"{text} ({league_id})" for league_id, text in sorted(covered.items()))
    return f"{name} names {which}, which this key does not cover", f"covered are: {listed}"


def require_known_options(args: tuple[str, ...]) -> None:
    """ETL_SANDBOX_ARGS may not move what the stack itself decides."""
    taken = {"--port", "--host", "--key"}
    for word in args:
        if word.split("=")[0] in taken:
            raise LocalError(
                f"ETL_SANDBOX_ARGS holds {word!r}, which the stack sets itself",
                hint="leave out --port, --host and --key; run `python -m sandbox` for one of your own",
            )
