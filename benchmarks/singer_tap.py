"""A Singer tap for the fixtures of one season, written with the Singer SDK: one stream per table.

Fixtures come 50 a page, as dlt reads them. The rows of their sections are streams of their own (children of the
fixtures, which make no request), so that the target has the tables that this package and dlt fill. Only for
`singer_client.py`, in an environment with the SDK.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from singer_sdk import RESTStream, Stream, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import BasePageNumberPaginator

SECTIONS = ("participants", "scores", "events", "statistics", "periods", "lineups", "details")

_KINDS = {
    int: th.IntegerType,
    str: th.StringType,
    bool: th.BooleanType,
    dict: th.ObjectType(additional_properties=True),
}
_INTEGERS = (
    "sport_id league_id season_id stage_id round_id group_id aggregate_id venue_id state_id type_id sub_type_id"
    " participant_id player_id related_player_id coach_id period_id team_id position_id lineup_id country_id minute"
    " extra_minute sort_order jersey_number formation_position counts_from time_added minutes seconds started ended"
    " length starting_at_timestamp founded"
).split()
_FLAGS = "placeholder has_odds has_premium_odds injured on_bench rescinded ticking has_timer".split()
_TEXTS = (
    "name starting_at result_info leg details description location short_code image_path type gender last_played_at"
    " player_name related_player_name result info addition section formation_field"
).split()
_OBJECTS = ("meta", "score", "data")
_COLUMNS = {
    "fixtures": (
        "sport_id league_id season_id stage_id round_id group_id aggregate_id venue_id state_id name starting_at"
        " result_info leg details length placeholder has_odds has_premium_odds starting_at_timestamp"
    ),
    "participants": (
        "country_id venue_id name short_code image_path type gender founded placeholder last_played_at meta sport_id"
    ),
    "scores": "type_id participant_id score description",
    "events": (
        "period_id participant_id type_id sub_type_id player_id related_player_id coach_id player_name"
        " related_player_name result info addition minute extra_minute injured on_bench rescinded sort_order section"
    ),
    "statistics": "type_id participant_id location data",
    "periods": "type_id description started ended counts_from ticking sort_order time_added minutes seconds has_timer",
    "lineups": (
        "player_id team_id position_id type_id formation_field formation_position player_name jersey_number sport_id"
    ),
    "details": "lineup_id player_id team_id type_id data",
}


def _schema(name: str, *keys: str) -> dict[str, Any]:
    kinds = dict.fromkeys(_INTEGERS, int) | dict.fromkeys(_FLAGS, bool) | dict.fromkeys(_TEXTS, str)
    kinds |= dict.fromkeys(_OBJECTS, dict)
    columns = [th.Property(each, _KINDS[kinds[each]]) for each in _COLUMNS[name].split()]
    return th.PropertiesList(*(th.Property(key, th.IntegerType, required=True) for key in keys), *columns).to_dict()


class _Pages(BasePageNumberPaginator):
    def has_more(self, response: Any) -> bool:
        # Behind the rows: a second decoding of the body only for this would be unfair.
        return response.content.rpartition(b'"has_more":')[2].startswith(b"true")


class Fixtures(RESTStream):
    name = "fixtures"
    path = "/football/fixtures"
    primary_keys = ("id",)
    records_jsonpath = "$.data[*]"
    schema = _schema("fixtures", "id")

    @property
    def url_base(self) -> str:
        return self.config["url"]

    @property
    def http_headers(self) -> dict[str, str]:
        return {"Authorization": self.config["key"], "User-Agent": "sportmonks-etl-bench"}

    def get_new_paginator(self) -> _Pages:
        return _Pages(1)

    def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
        return {
            "filters": f"fixtureSeasons:{self.config['season_id']}",
            "include": self.config["includes"],
            "per_page": 50,
            "page": next_page_token or 1,
        }

    def post_process(self, row: dict[str, Any], context: Any = None) -> dict[str, Any]:
        """The fixture alone; its sections wait for the child streams, which follow at once."""
        rows = {name: row.pop(name, None) or [] for name in SECTIONS if name != "details"}
        # Of every player, taken out of its line-up.
        rows["details"] = [detail for lineup in rows["lineups"] for detail in lineup.pop("details", None) or []]
        self._tap.rows = rows
        return row

    def get_child_context(self, record: dict[str, Any], context: Any) -> dict[str, Any]:
        return {"fixture_id": record["id"]}


class _Section(Stream):
    """The rows of a section of the fixture that was read last."""

    parent_stream_type = Fixtures
    primary_keys = ("fixture_id", "id")
    state_partitioning_keys = ()

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        for row in self._tap.rows[self.name]:
            yield {**row, "fixture_id": context["fixture_id"]}


class SeasonTap(Tap):
    """``config``: `url`, `key`, `season_id`, `includes`."""

    name = "tap-season"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("key", th.StringType, required=True, secret=True),
        th.Property("season_id", th.IntegerType, required=True),
        th.Property("includes", th.StringType, required=True),
    ).to_dict()
    rows: dict[str, list[dict[str, Any]]]

    def discover_streams(self) -> list[Stream]:
        sections = [
            type(name.title(), (_Section,), {"name": name, "schema": _schema(name, "fixture_id", "id")})
            for name in SECTIONS
        ]
        return [Fixtures(self), *(section(self) for section in sections)]
