"""The manifest: names that stay, groups that are kept, schedules that spread out."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from sportmonks.config.catalog import Catalog, CollectSettings, LeagueChoice, TaskSettings, Thresholds
from sportmonks.config.manifest import Manifest, build_manifest, daily_schedule, decode_manifest, slugify
from sportmonks.errors import ConfigurationError


def season(key: int, name: str, *, current: bool = False, start: str | None = None) -> dict[str, Any]:
    return {"id": key, "name": name, "is_current": current, "starting_at": start}


def league(key: int, name: str, *seasons: dict[str, Any]) -> dict[str, Any]:
    return {"id": key, "name": name, "seasons": list(seasons)}


OFFERED = [
    league(
        8,
        "Premier League",
        season(100, "2024/2025", start="2024-08-16"),
        season(101, "2025/2026", current=True, start="2025-08-15"),
    ),
    league(564, "La Liga", season(200, "2025/2026", current=True)),
]


def slugs(manifest: Manifest) -> dict[int, str]:
    return {found.id: found.slug for found in manifest.leagues}


def groups(manifest: Manifest, league_id: int = 8) -> dict[int, str]:
    (found,) = (row for row in manifest.leagues if row.id == league_id)
    return {row.id: row.group for row in found.seasons}


def test_a_manifest() -> None:
    manifest = build_manifest(Catalog(), OFFERED)
    first, second = manifest.leagues
    assert (first.dag_id, second.dag_id) == ("sportmonks_premier_league", "sportmonks_la_liga")
    assert [(row.id, row.name, row.group, row.is_current) for row in first.seasons] == [
        (101, "2025/2026", "season_2025_2026", True), (100, "2024/2025", "season_2024_2025", False)]  # fmt: skip
    assert (first.schedule, second.schedule) == ("0 5 * * *", "2 5 * * *")
    assert (first.deadline_minutes, first.includes) == (60, Catalog().includes)


@pytest.mark.parametrize(
    ("before", "now", "kept"),
    [("sandbox", "api.sportmonks.com/v3", False), ("sandbox", "sandbox", True), ("", "sandbox", True)],
    ids=["another API", "the same", "an older manifest"],
)
def test_seasons_of_another_api_are_not_kept(before: str, now: str, *, kept: bool) -> None:
    previous = build_manifest(Catalog(), [league(8, "Premier League", season(10035, "2023/2024"))], source=before)
    found = build_manifest(Catalog(), [league(8, "Premier League", season(100, "2024/2025"))], previous, source=now)
    assert (10035 in groups(found)) is kept
    assert found.source == now


def test_it_survives_its_journey() -> None:
    manifest = build_manifest(
        Catalog(alerts=Thresholds(error_rate_percent=3.0), collect=CollectSettings(batch_size=7)), OFFERED
    )
    assert decode_manifest(msgspec.json.encode(manifest).decode()) == manifest
    assert manifest.settings == TaskSettings(
        alerts=Thresholds(error_rate_percent=3.0), collect=CollectSettings(batch_size=7)
    )


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Premier League", "premier_league"),
        ("Süper Lig", "super_lig"),
        ("Série A — Betano", "serie_a_betano"),
        ("2. Bundesliga", "2_bundesliga"),
        ("  U-21  ", "u_21"),
        ("Премьер-лига", "fallback"),
        ("プレミアリーグ", "fallback"),
        ("", "fallback"),
        ("Copa " * 90, "copa_" * 19 + "copa"),
    ],
)
def test_slugs(name: str, slug: str) -> None:
    assert slugify(name, "fallback") == slug


def test_names_are_unique_and_fit_for_airflow() -> None:
    names = ["Cup", "Cup 3", "Cup", "Кубок", "Кубок", "Catalog", "Manifest problem", "CUP!", "Cup 8"]
    manifest = build_manifest(Catalog(), [league(key, name) for key, name in enumerate(names, start=1)])
    found = [row.dag_id for row in manifest.leagues]
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in found)
    assert not {"sportmonks_catalog", "sportmonks_manifest_problem"} & set(found)
    assert slugs(manifest)[4] == "league_4"


def test_two_seasons_of_one_name_have_two_groups() -> None:
    offered = [league(8, "A", season(1, "Apertura"), season(2, "Apertura"), season(3, "Сезон"), season(4, "Сезон"))]
    found = groups(build_manifest(Catalog(), offered))
    assert len(set(found.values())) == 4
    assert found[3] == "season_3"


@pytest.mark.parametrize(
    ("flag", "current"),
    [("false", False), ("0", False), (0, False), ("", False), ("true", True), ("1", True), (1, True)],
)
def test_a_current_season_by_a_flag_in_any_form(flag: Any, current: bool) -> None:
    row = {**season(1, "2025/2026"), "is_current": flag}
    assert build_manifest(Catalog(), [league(8, "A", row)]).leagues[0].seasons[0].is_current is current


def test_a_slug_stays_whatever_comes_and_goes() -> None:
    second = league(9, "Cup")
    before = build_manifest(Catalog(), [second])
    after = build_manifest(Catalog(), [league(3, "Cup"), second], before)
    assert slugs(after) == {3: "cup_3", 9: "cup"}
    renamed = build_manifest(Catalog(), [league(9, "Sponsored Cup")], after)
    assert (slugs(renamed), renamed.leagues[0].name) == ({9: "cup"}, "Sponsored Cup")


def test_groups_are_kept_when_seasons_are_renamed() -> None:
    before = build_manifest(Catalog(), OFFERED)
    renamed = [
        league(
            8, "Premier League", season(100, "2024/25"), season(101, "2025/26", current=True), season(102, "2025/2026")
        )
    ]
    assert groups(build_manifest(Catalog(), renamed, before)) == {
        102: "season_2025_2026_102", 101: "season_2025_2026", 100: "season_2024_2025"}  # fmt: skip


def test_a_season_that_the_provider_no_longer_lists_stays() -> None:
    before = build_manifest(Catalog(), OFFERED)
    gone = [league(8, "Premier League", season(102, "2026/2027", current=True)), OFFERED[1]]
    after = build_manifest(Catalog(), gone, before)
    assert groups(after) == {102: "season_2026_2027", 101: "season_2025_2026", 100: "season_2024_2025"}
    assert [row.is_current for row in after.leagues[0].seasons] == [True, False, False]
    nothing = build_manifest(Catalog(), [league(8, "Premier League")], after)
    assert groups(nothing) == groups(after)


def test_the_same_answer_gives_the_same_manifest_in_any_order() -> None:
    first = build_manifest(Catalog(), OFFERED)
    turned = [{**row, "seasons": row["seasons"][::-1]} for row in OFFERED[::-1]]
    assert build_manifest(Catalog(), turned, first) == first == build_manifest(Catalog(), turned)


def test_an_unknown_league_is_named_with_what_is_covered() -> None:
    with pytest.raises(ConfigurationError) as caught:
        build_manifest(Catalog(leagues=(8, 999, 1000)), OFFERED)
    message = str(caught.value)
    for part in ("999, 1000", "not covered by this subscription", "ETL_LEAGUES", "Premier League (8)", "La Liga (564)"):
        assert part in message
    with pytest.raises(ConfigurationError, match="Covered: none"):
        build_manifest(Catalog(leagues=(8,)), [])


def test_the_environment_wins_over_the_catalog() -> None:
    catalog = Catalog(leagues=(8,))
    assert list(slugs(build_manifest(catalog, OFFERED))) == [8]
    assert list(slugs(build_manifest(catalog, OFFERED, only=(564,)))) == [564]
    assert list(slugs(build_manifest(catalog, OFFERED, only=None))) == [8, 564]
    assert build_manifest(catalog, OFFERED, includes=("scores",)).leagues[0].includes == ("scores",)


def test_a_leagues_own_settings() -> None:
    own = LeagueChoice(id=8, schedule=None, includes=("events",), deadline_minutes=15)
    manifest = build_manifest(Catalog(leagues=(564, own)), OFFERED, includes=("scores",))
    spain, england = manifest.leagues
    assert (england.schedule, england.includes, england.deadline_minutes) == (None, ("events",), 15)
    assert (spain.schedule, spain.includes, spain.deadline_minutes) == ("0 5 * * *", ("scores",), 60)


@pytest.mark.parametrize(
    ("position", "cron"),
    [(0, "55 23 * * *"), (1, "0 0 * * *"), (2, "5 0 * * *"), (13, "0 1 * * *"), (288, "55 23 * * *")],
)
def test_the_stagger_goes_over_midnight(position: int, cron: str) -> None:
    assert daily_schedule("23:55", 5, position) == cron


def test_the_country_of_a_league_stays_known() -> None:
    """An answer without it, and one that is no country, do not forget it."""
    offered = [{**OFFERED[0], "country": {"id": 462, "name": " England "}}, {**OFFERED[1], "country": None}]
    first = build_manifest(Catalog(), offered)
    assert [row.country for row in first.leagues] == ["England", ""]
    again = build_manifest(Catalog(), [{**OFFERED[0], "country": [1]}, OFFERED[1]], first)
    assert [row.country for row in again.leagues] == ["England", ""]
