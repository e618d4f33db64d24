"""Client and budget against the API sandbox: a server that plays the API, in a process of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg
import pytest

from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.api.budget import PostgresBudget, UnlimitedBudget
from sportmonks.api.client import SportmonksClient
from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    TransientApiError,
)
from sportmonks.warehouse.connection import open_connection

INCLUDES = ("participants", "scores", "events", "statistics", "periods", "lineups.details")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(leagues=2, seasons=2, teams=6, limit=100_000, now="2026-03-01T12:00:00Z") as box:
        yield box


@pytest.fixture
def box(sandbox: RunningSandbox) -> RunningSandbox:
    sandbox.reset()
    return sandbox


@pytest.fixture
def budgeted(box: RunningSandbox, warehouse_dsn: str) -> Iterator[SportmonksClient]:
    """A client on a PostgreSQL budget whose circuit opens after four failures, for a short time."""
    budget = PostgresBudget(
        lambda: open_connection(warehouse_dsn), "c", circuit_failures=4, circuit_open=1.0, circuit_cap=1.0
    )
    with SportmonksClient(box.base_url, box.key, budget=budget, sleep=lambda _: None) as client:
        yield client


@pytest.fixture
def client(box: RunningSandbox) -> Iterator[SportmonksClient]:
    quiet = UnlimitedBudget()
    with SportmonksClient(box.base_url, box.key, budget=quiet, sleep=lambda _: None) as client:
        yield client


def chunks(box: RunningSandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = box.admin("GET", "/truth")["chunks"]
    return found


def truth(box: RunningSandbox, season_id: int) -> list[int]:
    rows = box.admin("GET", f"/truth/fixtures?season={season_id}&brief=1")["fixtures"]
    return sorted(row["id"] for row in rows)


def index(client: SportmonksClient, season_id: int) -> list[int]:
    return sorted(row["id"] for page in client.season_index(season_id) for row in page)


def season(box: RunningSandbox) -> int:
    return int(chunks(box)[0]["season_id"])


def test_the_index_of_every_season_is_complete(box: RunningSandbox, client: SportmonksClient) -> None:
    for chunk in chunks(box):
        assert index(client, chunk["season_id"]) == truth(box, chunk["season_id"])


def test_batches_bring_every_fixture_with_its_includes(box: RunningSandbox, client: SportmonksClient) -> None:
    ids = truth(box, season(box))
    result = client.fixtures_multi(ids, INCLUDES)
    assert (sorted(result.rows), result.missing, result.poisoned, result.calls) == (ids, (), {}, 1)
    row = msgspec.json.decode(next(iter(result.rows.values())))
    assert {"participants", "scores", "events", "statistics", "periods", "lineups"} <= row.keys()


def test_unknown_ids_are_missing(client: SportmonksClient, box: RunningSandbox) -> None:
    good = truth(box, season(box))[0]
    result = client.fixtures_multi([good, 999_999_999])
    assert (set(result.rows), result.missing) == ({good}, (999_999_999,))
    assert client.fixtures_multi([999_999_998, 999_999_999]).missing == (999_999_998, 999_999_999)


def test_every_listing_is_understood(box: RunningSandbox, client: SportmonksClient) -> None:
    season_id = season(box)
    leagues = client.leagues()
    assert len(leagues) == len(client.my_leagues()) == 2
    assert all(league["seasons"] and "currentseason" in league for league in leagues)
    assert [league["id"] for league in client.leagues([leagues[1]["id"], 999_999])] == [leagues[1]["id"]]
    assert {row["id"] for row in client.seasons(leagues[0]["id"])} == {row["id"] for row in leagues[0]["seasons"]}
    assert {1, 5, 20, 26} <= {state["id"] for state in client.states()}
    assert {14, 18, 19} <= {kind["id"] for kind in client.types()}
    assert client.countries()
    assert len(client.teams(season_id)) == 6
    assert client.venues(season_id)
    assert client.stages(season_id)
    assert client.rounds(season_id)
    assert client.schedule(season_id)
    client.check_access()


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error_200", "body": "message"},
        {"kind": "error_200", "body": "errors"},
        {"kind": "error_200", "body": "status"},
        {"kind": "limited_403", "seconds": 0},
        {"kind": "missing_page"},
        {"kind": "empty_page"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_an_accident_of_a_list_does_not_shorten_it(
    box: RunningSandbox, client: SportmonksClient, fault: dict[str, Any]
) -> None:
    complete = [row["id"] for page in client.iterate("players", params={"per_page": "50"}) for row in page.objects()]
    assert len(complete) > 100
    box.fault(count=2, **fault)
    again = [row["id"] for page in client.iterate("players", params={"per_page": "50"}) for row in page.objects()]
    assert again == complete


def test_deleted_fixtures_are_listed(box: RunningSandbox, client: SportmonksClient) -> None:
    season_id = season(box)
    gone = box.admin("POST", "/deletions", {"n": 2, "season": season_id})
    assert gone
    assert len(client.deleted_fixtures(season_id)) == 2


def test_cursor_and_pages_tell_the_same(box: RunningSandbox, client: SportmonksClient) -> None:
    filters = (f"fixtureSeasons:{season(box)}",)

    def ids(cursor: bool) -> list[int]:
        listing = client.iterate("fixtures", filters=filters, params={"per_page": "7"}, cursor=cursor)
        return [row["id"] for page in listing for row in page.objects()]

    for form in ("opaque", "url"):
        choices = box.admin("GET", "/variants")["cursor"]["choices"]
        if form in choices:
            box.admin("POST", "/variants", {"cursor": form})
        assert ids(True) == ids(False) == truth(box, season(box))


def test_all_contradictory_forms_are_accepted(box: RunningSandbox, client: SportmonksClient) -> None:
    good = truth(box, season(box))
    for name, variant in box.admin("GET", "/variants").items():
        for choice in variant["choices"]:
            box.admin("POST", "/variants", {name: choice})
            assert client.fixtures_multi([999_999_999]).missing == (999_999_999,), (name, choice)
            assert sorted(client.fixtures_multi(good, ("scores",)).rows) == good, (name, choice)
            assert index(client, season(box)) == good, (name, choice)
            assert client.leagues(), (name, choice)
        box.admin("POST", "/variants", {name: variant["value"]})


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 502},
        {"kind": "cut"},
        {"kind": "truncated_json"},
        {"kind": "invalid_json"},
        {"kind": "html_200"},
        {"kind": "content_type"},
        {"kind": "shuffle"},
        {"kind": "duplicate", "n": 3},
        {"kind": "unknown_keys"},
        {"kind": "empty_strings"},
        {"kind": "no_rate_limit"},
        {"kind": "rate_limited", "seconds": 0, "where": "both"},
        {"kind": "rate_limited", "seconds": 0, "where": "header"},
        {"kind": "rate_limited", "seconds": 0, "where": "body"},
    ],
)
def test_a_passing_fault_loses_nothing(box: RunningSandbox, client: SportmonksClient, fault: dict[str, Any]) -> None:
    ids = truth(box, season(box))
    box.admin("POST", "/faults", fault)
    result = client.fixtures_multi(ids, INCLUDES)
    assert (sorted(result.rows), result.missing, result.poisoned) == (ids, (), {})
    assert box.admin("GET", "/faults") is not None


@pytest.mark.parametrize("kind", ["repeated_page", "overlapping_page", "html_200", "truncated_json"])
def test_a_listing_with_a_bad_page_is_complete_in_the_end(
    box: RunningSandbox, client: SportmonksClient, kind: str
) -> None:
    season_id = season(box)
    box.fault(kind, match={"path": "fixtures"})
    found = {
        row["id"]
        for page in client.iterate("fixtures", filters=(f"fixtureSeasons:{season_id}",), params={"per_page": "7"})
        for row in page.objects()
    }
    assert sorted(found) == truth(box, season_id)


def test_a_promised_page_that_comes_as_no_result_is_read_again(box: RunningSandbox, client: SportmonksClient) -> None:
    season_id = season(box)
    listing = client.iterate("fixtures", filters=(f"fixtureSeasons:{season_id}",), params={"per_page": "7"})
    found = [row["id"] for row in next(listing).objects()]
    box.fault("no_result", match={"path": "fixtures"})
    found += [row["id"] for page in listing for row in page.objects()]
    assert sorted(found) == truth(box, season_id)


def test_poisoned_ids_stand_alone(box: RunningSandbox, client: SportmonksClient) -> None:
    ids = truth(box, season(box))
    for bad in (ids[3], ids[-1]):
        box.fault("poison", match={"fixture_id": bad})
    result = client.fixtures_multi(ids, ("scores",))
    assert set(result.poisoned) == {ids[3], ids[-1]}
    assert sorted(result.rows) == [each for each in ids if each not in result.poisoned]


def test_a_season_that_is_down_blames_nobody(box: RunningSandbox, client: SportmonksClient) -> None:
    season_id = season(box)
    ids = truth(box, season_id)
    box.fault("season_down", match={"season": season_id})
    with pytest.raises(TransientApiError):
        client.fixtures_multi(ids)


def test_an_open_circuit_is_probed_by_a_call_that_no_fixture_can_spoil(
    box: RunningSandbox, budgeted: SportmonksClient, warehouse: psycopg.Connection[Any]
) -> None:
    ids = truth(box, season(box))
    box.fault("poison", match={"fixture_id": ids[3]})
    result = budgeted.fixtures_multi(ids, ("scores",))
    assert set(result.poisoned) == {ids[3]}
    assert len(result.rows) == len(ids) - 1
    state = warehouse.execute("SELECT state, opened_total > 0 FROM etl.api_circuit").fetchone()
    assert state == ("CLOSED", True)


def test_a_season_that_is_down_ends_in_an_error_and_leaves_the_others_alone(
    box: RunningSandbox, budgeted: SportmonksClient
) -> None:
    down, fine = (int(chunk["season_id"]) for chunk in chunks(box)[:2])
    box.fault("season_down", match={"season": down})
    with pytest.raises(TransientApiError, match="keeps failing"):
        budgeted.fixtures_multi(truth(box, down))
    assert len(budgeted.fixtures_multi(truth(box, fine)).rows) == len(truth(box, fine))


def test_an_api_that_is_down_opens_the_circuit_and_a_later_probe_closes_it(
    box: RunningSandbox, budgeted: SportmonksClient
) -> None:
    ids = truth(box, season(box))
    budgeted.budget._waiting.max_inline_wait = 0  # type: ignore[attr-defined]
    box.fault("status", status=503, count=1000)
    with pytest.raises(CircuitOpenError):
        budgeted.fixtures_multi(ids)
    struck = box.calls()["total"]
    with pytest.raises(CircuitOpenError):
        budgeted.season_index(season(box)).__next__()
    assert box.calls()["total"] == struck
    box.admin("DELETE", "/faults")
    time.sleep(1.1)
    assert len(budgeted.fixtures_multi(ids).rows) == len(ids)


def test_includes_outside_the_plan_are_dropped(box: RunningSandbox, client: SportmonksClient) -> None:
    ids = truth(box, season(box))[:3]
    box.fault("forbidden_include", include="lineups")
    first = client.fixtures_multi(ids, INCLUDES)
    assert first.dropped_includes == ("lineups.details",)
    # One refusal may be an accident: the include is requested once more before it is left out.
    assert [first.calls, *(client.fixtures_multi(ids, INCLUDES).calls for _ in range(2))] == [2, 2, 1]


def test_refusals(box: RunningSandbox, client: SportmonksClient) -> None:
    stranger = SportmonksClient(box.base_url, "another-key-0123", budget=UnlimitedBudget())
    with stranger, pytest.raises(ConfigurationError, match="SPORTMONKS_API_KEY"):
        stranger.check_access()
    with pytest.raises(FatalApiError):
        client.get(f"fixtures/seasons/{season(box)}")
    astray = SportmonksClient(box.root_url, box.key, budget=UnlimitedBudget())
    with astray, pytest.raises(ConfigurationError, match="SPORTMONKS_BASE_URL"):
        astray.check_access()
    box.admin("POST", "/variants", {"outside_plan": "403"})
    first, other = chunks(box)[0], chunks(box)[-1]
    assert first["league_id"] != other["league_id"]
    fixture_id = truth(box, other["season_id"])[0]
    box.admin("POST", "/plan", {"leagues": [first["league_id"]]})
    with pytest.raises(OutsidePlanError):
        client.get(f"fixtures/{fixture_id}")
    assert client.fixtures_multi([fixture_id]).missing == (fixture_id,)
    assert client.leagues([other["league_id"]]) == []
    assert list(client.season_index(other["season_id"])) == []


def test_eight_workers_share_a_short_budget_without_a_429(
    box: RunningSandbox, warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    """Eight workers, 96 calls, 40 a window of 3 s: all get through, none is refused, the API's zero is respected."""
    box.admin("POST", "/limits", {"limit": 40, "window_seconds": 3})
    ids = truth(box, season(box))
    waits: list[float] = []
    lock = threading.Lock()

    def worker(number: int) -> int:
        budget = PostgresBudget(lambda: open_connection(warehouse_dsn), "sandbox", reserve=0.1, max_inline_wait=1)
        done = 0
        with SportmonksClient(box.base_url, box.key, budget=budget) as client:
            while done < 12:
                try:
                    client.fixtures_multi(ids[:2], urgent=number == 0)
                    done += 1
                except BudgetWait as wait:
                    with lock:
                        waits.append(wait.seconds)
                    time.sleep(max(0.05, wait.seconds))
        return done

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(worker, range(8))) == 96
    calls = box.calls()
    assert warehouse.execute("SELECT taken_total, rate_limited_total FROM etl.api_budget").fetchone() == (96, 0)
    assert (calls["total_429"], calls["calls_after_remaining_zero"]) == (0, 0)
    assert waits
