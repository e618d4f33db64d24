"""The hook: connection in, typed errors and rows out, over real HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from airflow.sdk import BaseHook

from local.stack.airflow import warehouse_connection
from sportmonks.airflow_compat import AirflowException, AirflowFailException, AirflowSkipException
from sportmonks.api.budget import PostgresBudget, UnlimitedBudget
from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    TransientApiError,
)
from sportmonks.hooks.errors import as_airflow
from sportmonks.hooks.sportmonks import SportmonksHook, base_url_of
from tests.harness.api_server import Handler, Seen, Server, always, answer, serving

KEY = "s3cr3t-Key-0123456789abcdef"
RATE = {"remaining": 41, "resets_in_seconds": 900, "requested_entity": "Fixture"}

StartHook = Callable[..., tuple[SportmonksHook, Server]]


def api_connection(monkeypatch: pytest.MonkeyPatch, **parts: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_API", json.dumps({"conn_type": "http", **parts}))


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[StartHook]:
    """``start(handler, **arguments)`` gives a hook without a warehouse and the server behind its connection."""
    with ExitStack() as stack:

        def begin(handler: Handler, **arguments: Any) -> tuple[SportmonksHook, Server]:
            server = stack.enter_context(serving(handler))
            api_connection(monkeypatch, host=server.url, password=KEY)
            hook = SportmonksHook(**{"warehouse_conn_id": None, "sleep": lambda _: None, **arguments})
            stack.callback(hook.close)
            return hook, server

        yield begin


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        (("https://api.sportmonks.com/v3", None, None), "https://api.sportmonks.com/v3"),
        ((None, None, None), "https://api.sportmonks.com/v3"),
        (("", "", None), "https://api.sportmonks.com/v3"),
        (("http://127.0.0.1/v3/football/", None, 8099), "http://127.0.0.1:8099/v3"),
        (("http://127.0.0.1:8099/v3", None, 8099), "http://127.0.0.1:8099/v3"),
        (("api.sportmonks.com/v3", "https", None), "https://api.sportmonks.com/v3"),
        (("api.sportmonks.com/v3", None, None), "https://api.sportmonks.com/v3"),
        (("localhost", "http", 8099), "http://localhost:8099"),
        # As a URI (http://:key@localhost:8099/v3) the path arrives as the schema.
        (("http://localhost", "v3", 8099), "http://localhost:8099/v3"),
        (("http://[::1]/v3", None, 8099), "http://[::1]:8099/v3"),
    ],
)
def test_base_urls_of_connections(parts: tuple[Any, Any, Any], url: str) -> None:
    assert base_url_of(*parts) == url


def test_a_uri_connection_works_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(always(answer([{"id": 1}]))) as server:
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_API", f"http://:{KEY}@127.0.0.1:{server.port}/v3")
        hook = SportmonksHook(warehouse_conn_id=None)
        assert hook.client.base_url == server.url or hook.client.base_url.startswith("https://127.0.0.1")


def test_the_key_is_sent_in_the_header_and_masked(start: StartHook, monkeypatch: pytest.MonkeyPatch) -> None:
    masked: list[str] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", lambda secret, name=None: masked.append(secret))
    hook, server = start(always(answer([{"id": 1}])))
    assert hook.get_states() == [{"id": 1}]
    assert server.seen[0].headers["authorization"] == KEY
    assert KEY in masked
    assert KEY not in f"{hook!r} {hook.client!r}"


def test_one_client_and_one_connection_for_all_calls(start: StartHook) -> None:
    hook, server = start(always(answer([{"id": 1}])))
    for _ in range(5):
        hook.get_types()
    assert server.connections == 1
    assert hook.get_conn() is hook.client.transport.session


def test_batches(start: StartHook) -> None:
    hook, server = start(always(answer([{"id": 2}, {"id": 1}], rate_limit=RATE)), max_batch=2)
    result = hook.get_fixtures_multi([1, 2], ("scores",))
    assert set(result.rows) == {1, 2}
    assert server.seen[0].query == {"include": "scores"}
    with pytest.raises(ConfigurationError, match="3 fixture ids in one batch, the maximum is 2"):
        hook.get_fixtures_multi([1, 2, 3])


def test_fixtures_of_a_season_leave_other_leagues_out(start: StartHook, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": 1, "league_id": 8}, {"id": 2, "league_id": 9}, {"id": 3}]
    hook, server = start(always(answer(rows)))
    assert [row["id"] for row in hook.get_fixtures_by_league_season(8, 23026)] == [1, 3]
    assert server.seen[0].query["filters"] == "populate;fixtureSeasons:23026"
    assert "1 fixtures belong to another league than 8" in caplog.text
    assert [row["id"] for row in hook.get_fixtures_by_league_season(8, 23026, ("scores",))] == [1, 3]
    assert server.seen[1].query == {"filters": "fixtureSeasons:23026", "include": "scores", "per_page": "50"}


def test_catalog_listings(start: StartHook) -> None:
    hook, server = start(always(answer([{"id": 8, "seasons": [{"id": 1}]}])))
    assert hook.get_leagues([8]) == hook.get_leagues() == hook.get_my_leagues()
    assert hook.get_seasons(8) == [{"id": 1}]
    assert [seen.path for seen in server.seen] == [
        "/v3/football/leagues/8",
        "/v3/football/leagues",
        "/v3/my/leagues",
        "/v3/football/leagues/8",
    ]


@pytest.mark.parametrize("password", [None, "", "changeme"])
def test_a_missing_key_names_the_setting_and_the_connection(
    monkeypatch: pytest.MonkeyPatch, password: str | None
) -> None:
    api_connection(monkeypatch, host="https://api.sportmonks.com/v3", password=password)
    with pytest.raises(ConfigurationError, match=r"SPORTMONKS_API_KEY.*sportmonks_api"):
        _ = SportmonksHook(warehouse_conn_id=None).client


def test_a_missing_connection_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_NOT_THERE", raising=False)
    from sportmonks.airflow_compat import AirflowNotFoundException

    def lookup(_: str) -> None:
        raise AirflowNotFoundException("not there")

    monkeypatch.setattr(SportmonksHook, "get_connection", staticmethod(lookup))
    with pytest.raises(ConfigurationError, match=r"no Airflow connection not_there.*AIRFLOW_CONN_NOT_THERE"):
        _ = SportmonksHook("not_there", warehouse_conn_id=None).client


def test_an_unreadable_connection_is_named_without_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk import Connection

    def lookup(conn_id: str) -> Connection:
        return Connection.from_uri("http://:not-shown/rest@api.example.org/v3", conn_id=conn_id)

    with pytest.raises(ValueError, match="not-shown"):
        lookup("broken")
    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(lookup))
    with pytest.raises(ConfigurationError, match=r"broken, or it cannot be read.*AIRFLOW_CONN_BROKEN") as caught:
        _ = SportmonksHook("broken", warehouse_conn_id=None).client
    assert caught.value.__cause__ is None
    assert "not-shown" not in str(caught.value)


def test_extras_of_the_connection_do_not_become_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(always(answer([{"id": 1}]))) as server:
        extra = {"verify": False, "reserve": 3, "x-mine": "1"}
        api_connection(monkeypatch, host=server.url, password=KEY, extra=json.dumps(extra))
        hook = SportmonksHook(warehouse_conn_id=None)
        hook.get_states()
        assert hook.client.transport.session.verify is False
        assert not {"reserve", "x-mine", "verify"} & server.seen[0].headers.keys()
        hook.close()


def test_the_connection_test_answers_yes_or_why_not(start: StartHook) -> None:
    hook, server = start(always(answer([{"id": 1}])))
    assert hook.test_connection() == (True, f"The Sportmonks API at {server.url} accepts the key.")
    hook, _ = start(always(answer(status=401, message="Unauthenticated.")))
    good, why = hook.test_connection()
    assert not good
    assert "SPORTMONKS_API_KEY" in why
    assert KEY not in why


def test_without_a_warehouse_there_is_no_shared_budget(start: StartHook) -> None:
    hook, _ = start(always(answer([{"id": 1}])))
    assert isinstance(hook.client.budget, UnlimitedBudget)


def test_the_budget_is_the_warehouses(
    start: StartHook, monkeypatch: pytest.MonkeyPatch, warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(warehouse_dsn))
    hook, _ = start(
        always(answer([{"id": 1}], rate_limit=RATE, headers={"X-RateLimit-Limit": "60"})),
        warehouse_conn_id="sportmonks_warehouse",
        budget_settings={"reserve": 0.5, "max_inline_wait": 0},
    )
    assert isinstance(hook.client.budget, PostgresBudget)
    hook.get_fixtures_multi([1])
    row = "SELECT connection, entity, remaining, call_limit FROM etl.api_budget"
    assert warehouse.execute(row).fetchall() == [("sportmonks_api", "Fixture", 41, 60)]
    warehouse.execute("UPDATE etl.api_budget SET remaining = 30")
    with pytest.raises(BudgetWait, match="kept for live and daily work"):
        hook.get_fixtures_multi([1])
    assert hook.get_fixtures_multi([1], urgent=True).calls == 1


def test_refused_includes_are_remembered_in_the_warehouse_for_a_week(
    start: StartHook, monkeypatch: pytest.MonkeyPatch, warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    def handler(seen: Seen, sock: socket.socket) -> None:
        if "odds" in seen.query.get("include", ""):
            sock.sendall(answer(status=403, message="You do not have access to the 'odds' include", code=5002))
        else:
            sock.sendall(answer([{"id": 1}], rate_limit=RATE))

    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(warehouse_dsn))

    def fetch() -> tuple[int, tuple[str, ...]]:
        hook, _ = start(handler, warehouse_conn_id="sportmonks_warehouse")
        result = hook.get_fixtures_multi([1], ("scores", "odds"))
        return result.calls, result.dropped_includes

    assert fetch() == (2, ("odds",))
    row = "SELECT connection, entity, include, code, confirmed FROM etl.forbidden_includes"
    assert warehouse.execute(row).fetchall() == [("sportmonks_api", "Fixture", "odds", 5002, False)]
    # A second refusal shortly after the first one may be the same accident.
    assert fetch() == (2, ("odds",))
    assert warehouse.execute(row).fetchall()[0][-1] is False
    warehouse.execute("UPDATE etl.forbidden_includes SET learnt_at = learnt_at - interval '2 hours'")
    assert fetch() == (2, ("odds",))
    assert warehouse.execute(row).fetchall() == [("sportmonks_api", "Fixture", "odds", 5002, True)]
    assert fetch() == (1, ("odds",))
    warehouse.execute("UPDATE etl.forbidden_includes SET learnt_at = learnt_at - interval '8 days'")
    assert fetch() == (2, ("odds",))
    assert fetch() == (1, ("odds",))


def test_a_refusal_is_confirmed_by_a_run_after_the_one_that_met_it_and_taken_back_when_the_include_comes(
    start: StartHook, monkeypatch: pytest.MonkeyPatch, warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    refused = True

    def handler(seen: Seen, sock: socket.socket) -> None:
        if refused and "odds" in seen.query.get("include", ""):
            sock.sendall(answer(status=403, message="You do not have access to the 'odds' include", code=5002))
        else:
            sock.sendall(answer([{"id": 1}], rate_limit=RATE))

    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(warehouse_dsn))

    def fetch(execution: str) -> tuple[int, tuple[str, ...]]:
        warehouse.execute("SELECT etl.start_etl_execution(%s)", (execution,))
        hook, _ = start(handler, warehouse_conn_id="sportmonks_warehouse", execution_id=execution)
        result = hook.get_fixtures_multi([1], ("scores", "odds"))
        return result.calls, result.dropped_includes

    def confirmed() -> list[bool]:
        return [row[0] for row in warehouse.execute("SELECT confirmed FROM etl.forbidden_includes").fetchall()]

    assert fetch("one") == (2, ("odds",))
    # Another task of the same run, and a run at the same time.
    assert (fetch("one"), fetch("two"), confirmed()) == ((2, ("odds",)), (2, ("odds",)), [False])
    warehouse.execute("SELECT etl.finish_etl_execution('one', 'COMPLETED')")
    assert (fetch("three"), confirmed()) == ((2, ("odds",)), [True])
    assert fetch("three") == (1, ("odds",))
    warehouse.execute("UPDATE etl.forbidden_includes SET learnt_at = learnt_at - interval '8 days'")
    refused = False
    assert (fetch("four"), confirmed()) == ((1, ()), [])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConfigurationError("x", hint="Do y."), AirflowFailException),
        (FatalApiError("x"), AirflowFailException),
        (OutsidePlanError("x"), AirflowSkipException),
        (TransientApiError("x"), AirflowException),
    ],
)
def test_errors_in_airflows_terms(error: Exception, kind: type[BaseException]) -> None:
    mapped = as_airflow(error)
    assert type(mapped) is kind
    assert str(mapped) == str(error)


def test_waits_fail_with_retries_and_strangers_pass_unchanged() -> None:
    from datetime import UTC, datetime

    wait = CircuitOpenError("rest", entity="Fixture", seconds=30, until=datetime.now(UTC))
    assert type(as_airflow(wait)) is AirflowException
    stranger = KeyError("x")
    assert as_airflow(stranger) is stranger
