"""Faults on demand: failures of the provider. `KINDS` lists them with their settings.

A fault is posted as {"kind": ..., "match": {...}, "count": n | "rate": p, "for_seconds": s, ...settings}.
`match` limits it to some requests (all given conditions must hold): `path` (contained in the path), `entity` (the
budget), `season` (the request is about it, or about one of its fixtures), `fixture_id` (requested by id or multi).
`count` is the number of requests it applies to (default 1; no limit for poison, season_down, forbidden_include,
unauthorized), `rate` the share of matching requests, drawn from the sandbox's seed. A fault that changes rows and has
a `fixture_id` applies to lists as well (use `rate` 1.0 there: a count would be used up by pages without that fixture).
GET /_admin/faults?help=1 prints the kinds.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

import msgspec

from sandbox.odd_text import OddRows, with_objects
from sandbox.outcome import PLAYED

KINDS: dict[str, str] = {
    "status": "HTTP `status` (default 500; 502, 503, 504...) with an HTML body",
    "rate_limited": "429 though quota is left; `where` = both|header|body|none and `seconds` (default 1) to wait; with"
    " `remaining` (0: as if the window were used up) instead of what is left",
    "unauthorized": "401 though the key is right",
    "hang": "no response for `seconds` (default 60), then the connection is closed",
    "slow": "the right response after `seconds` (default 2)",
    "cut": "the connection ends after `share` (default 0.5) of the body",
    "truncated_json": "200 whose body is complete for HTTP but cut JSON",
    "invalid_json": "200 whose body is JSON but for three characters in it",
    "html_200": "200 with an HTML page",
    "content_type": "good JSON labelled text/html",
    "no_result": "a response without a result although there are rows",
    "empty_index": "a list of the fixtures of a season answers as if there were none",
    "other_season": "a list of a season's fixtures answers with those of another season of its league; with `all` with"
    " those of all seasons",
    "wrong_place": "rows name the `fields` (default season_id) of another season or league: each number is one more",
    "missing_ids": "multi and lists leave out `ids`, else `n` rows (default 1)",
    "short_page": "a list has the first `share` (default 0.5) of the rows that its pagination counts",
    "poison": "any request for match.fixture_id answers `status` (default 500), alone or in a batch",
    "season_down": "everything about match.season answers `status` (default 503)",
    "forbidden_include": "403 with code 5002 for `include` (default lineups) as long as the fault lasts",
    "refused_once": "403 with code 5002 for `include` (default lineups), once unless `count` or `rate` says otherwise",
    "shuffle": "rows in another order",
    "duplicate": "`n` rows (default 1) come twice",
    "repeated_page": "a page after the first repeats the page before it, pagination says it did not",
    "overlapping_page": "a page after the first begins `n` rows (default 3) too early",
    "empty_strings": 'integers of base fields become "" (`fields`, default venue_id, round_id, length)',
    "unknown_keys": "rows and their nested rows carry keys nobody knows",
    "null_fields": "base `fields` (default name, starting_at, starting_at_timestamp, state_id) become null",
    "degraded": "the includes in `drop` (default lineups, events) come empty",
    "empty_lists": "every list of a row comes empty",
    "null_rows": "every row of the includes in `sections` (default all lists) is null; with `empty` an empty object",
    "half_match": "played matches have one team, its half of the lineups and no current score (`parts`, default all)",
    "set_fields": "base fields get `values`, e.g. {state_id: 99}; with `part` the first row of that include instead",
    "php_lists": "lists within rows come as objects with numbers as keys; with `data` the list of rows, too",
    "bad_text": "names that are not UTF-8, hold half a surrogate pair, NUL or a control character",
    "odd_numbers": "NaN, -Infinity, 1e400 or 5,000 digits in the place of `length`",
    "odd_dates": "kick-offs and ends of periods at the ends of the calendar, or no date at all",
    "deep_nesting": "a key nobody knows holds 7,000 nested lists",
    "no_id": "`n` rows (default 1) come without their id",
    "offset_times": "kick-offs as ISO 8601 with an offset of `hours` (default 2) from UTC; with `at` (24:00:00 or"
    " 23:59:60) as that time of their day, in the zone where it is the same time (not those before 08:01)",
    "called_off": "played matches in state `state_id` (default 10), without scores and without the includes in `drop`"
    " (default events, lineups)",
    "huge": "each row carries `megabytes` (default 5) more",
    "error_200": "200 with an error and no rows; `body` = message|errors|status",
    "limited_403": "403 whose message speaks of the rate limit; with `seconds` (default none) it says how long to wait",
    "missing_page": "a page after the first: 404 with code 5003",
    "empty_page": "a page after the first comes without rows, pagination says that more follow",
    "cut_list": "pagination says that no page follows although one does",
    "stuck_cursor": "the page names itself as the next one (`next_cursor`, `next_page`)",
    "wrong_total": "with the variant `total`, the list counts `n` rows more (default 7; less where negative)",
    "no_rate_limit": "neither body nor headers say what remains",
    "wrong_rate_limit": "body and headers say `remaining` (default 999999)",
    "echo_key": "an error with `status` (default 500; `code`) whose body, headers and links repeat the key, written as"
    " `form` = raw|upper|percent|base64; with status 200 the right response that does so",
}
LASTING = {"poison", "season_down", "forbidden_include", "unauthorized"}
REPLACING = (
    "unauthorized",
    "status",
    "rate_limited",
    "hang",
    "html_200",
    "no_result",
    "poison",
    "season_down",
    "forbidden_include",
    "echo_key",
    "refused_once",
    "empty_index",
    "error_200",
    "limited_403",
    "missing_page",
)
# Kinds that need a page after the first, and those that change what a list says about its pages.
LATER_PAGES = ("missing_page", "empty_page")
PAGE_FAULTS = ("empty_page", "short_page", "cut_list", "stuck_cursor", "wrong_total")
ROW_FAULTS = (
    "missing_ids",
    "shuffle",
    "duplicate",
    "empty_strings",
    "unknown_keys",
    "null_fields",
    "degraded",
    "empty_lists",
    "null_rows",
    "half_match",
    "huge",
    "set_fields",
    "php_lists",
    "no_id",
    "offset_times",
    "called_off",
    "wrong_place",
)
# Those that write rows as no JSON library does.
TEXT_FAULTS = ("bad_text", "odd_numbers", "odd_dates", "deep_nesting")
# Kinds that refuse an include: they apply to requests with it only.
REFUSING = ("forbidden_include", "refused_once")
# Those that apply to lists of a season's fixtures only.
OF_AN_INDEX = ("empty_index", "other_season")
ERRORS_WITH_200: dict[str, dict[str, Any]] = {
    "message": {"message": "Something went wrong on our side. Please try again later."},
    "errors": {"data": [], "errors": {"server": ["The request could not be completed."]}},
    "status": {"status": "error", "message": "The request could not be completed.", "data": []},
}
MATCHES = ("path", "entity", "season", "fixture_id")
REQUIRED = {"poison": "fixture_id", "season_down": "season"}


@dataclass
class RequestSubject:
    """What a request is about, as far as the `match` of a fault can tell."""

    path: str
    entity: str
    fixture_ids: set[int] = field(default_factory=set)
    seasons: set[int] = field(default_factory=set)
    includes: set[str] = field(default_factory=set)
    page: int = 1


@dataclass
class Fault:
    id: int
    kind: str
    match: dict[str, Any]
    left: int | None
    rate: float | None
    until: float | None
    settings: dict[str, Any]
    hits: int = 0

    def matches(self, subject: RequestSubject) -> bool:
        match = self.match
        if self.kind in REFUSING and str(self.settings.get("include", "lineups")).lower() not in subject.includes:
            return False
        if self.kind in LATER_PAGES and subject.page < 2:
            return False
        if self.kind in OF_AN_INDEX and (subject.entity != "Fixture" or subject.fixture_ids or not subject.seasons):
            return False
        return (
            match.get("path", "") in subject.path
            and match.get("entity", subject.entity) == subject.entity
            and ("season" not in match or int(match["season"]) in subject.seasons)
            and ("fixture_id" not in match or self._names_fixture(int(match["fixture_id"]), subject))
        )

    def _names_fixture(self, fixture_id: int, subject: RequestSubject) -> bool:
        """Whether the fixture is requested by id; in a list it may be one of the rows, which faults of rows look at."""
        in_a_list = self.kind in (*ROW_FAULTS, *TEXT_FAULTS) and subject.entity == "Fixture" and not subject.fixture_ids
        return in_a_list or fixture_id in subject.fixture_ids

    def get(self, name: str, default: Any) -> Any:
        return self.settings.get(name, default)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "kind": self.kind,
            "match": self.match,
            "left": self.left,
            "rate": self.rate,
            "settings": self.settings,
            "hits": self.hits,
        }


class Faults:
    """The faults that may still apply, in the order they were posted."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._next = 1
        self._odd_rows = OddRows()
        self.pending: list[Fault] = []

    def add(self, spec: dict[str, Any]) -> Fault:
        """Add the fault of a specification. ValueError says what is wrong with it."""
        settings = dict(spec)
        kind, match = settings.pop("kind", None), settings.pop("match", None) or {}
        if kind not in KINDS:
            raise ValueError(f"unknown fault kind {kind!r}: choose one of {', '.join(KINDS)}")
        unknown = set(match) - set(MATCHES)
        if unknown:
            raise ValueError(f"unknown match {sorted(unknown)}: choose from {', '.join(MATCHES)}")
        if REQUIRED.get(kind, "path") not in match and kind in REQUIRED:
            raise ValueError(f"{kind} needs match.{REQUIRED[kind]}")
        count, rate, lasts = settings.pop("count", None), settings.pop("rate", None), settings.pop("for_seconds", None)
        if count is not None and (not isinstance(count, int) or count < 1):
            raise ValueError(f"count is {count!r}: give a number of at least 1")
        if rate is not None and not 0 < float(rate) <= 1:
            raise ValueError(f"rate is {rate!r}: give a share above 0 up to 1")
        left = count if count is not None else None if rate is not None or lasts is not None or kind in LASTING else 1
        until = None if lasts is None else time.monotonic() + float(lasts)
        fault = Fault(self._next, kind, match, left, None if rate is None else float(rate), until, settings)
        self._next += 1
        self.pending.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> int:
        before = len(self.pending)
        self.pending = [] if fault_id is None else [fault for fault in self.pending if fault.id != fault_id]
        return before - len(self.pending)

    def apply_to(self, subject: RequestSubject) -> list[Fault]:
        """The faults that apply to this request: the first that replaces the response, else all that change it."""
        applied: list[Fault] = []
        now = time.monotonic()
        self.pending = [f for f in self.pending if (f.until is None or f.until > now) and f.left != 0]
        for fault in self.pending:
            if not fault.matches(subject) or (fault.rate is not None and self._rng.random() >= fault.rate):
                continue
            if fault.kind in REPLACING:
                applied = [fault]
                break
            applied.append(fault)
        for fault in applied:
            fault.hits += 1
            if fault.left is not None:
                fault.left -= 1
        return applied

    def change_rows(self, fault: Fault, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of a response after a fault of ROW_FAULTS."""
        if fault.kind == "missing_ids":
            ids = set(fault.get("ids", ())) or {
                row.get("id") for row in self._rng.sample(rows, min(len(rows), fault.get("n", 1)))
            }
            return [row for row in rows if row.get("id") not in ids]
        if fault.kind == "shuffle":
            order = list(rows)
            self._rng.shuffle(order)
            return order if order != rows else rows[::-1]
        if fault.kind == "duplicate":
            return rows + [dict(row) for row in rows[: fault.get("n", 1)]]
        if fault.kind == "no_id":
            spoilt = {id(row) for row in self._rng.sample(rows, min(len(rows), fault.get("n", 1)))}
            return [
                {key: value for key, value in row.items() if key != "id"} if id(row) in spoilt else row for row in rows
            ]
        only = fault.match.get("fixture_id")
        for row in rows:
            if only is None or row.get("id") == int(only):
                _change_row(fault, row)
        return rows

    def write_rows(self, fault: Fault, rows: list[dict[str, Any]]) -> list[bytes]:
        """The JSON of each row after a fault of TEXT_FAULTS."""
        only = fault.match.get("fixture_id")
        return [
            self._odd_rows.write(fault.kind, row)
            if only is None or row.get("id") == int(only)
            else msgspec.json.encode(row)
            for row in rows
        ]


def _change_row(fault: Fault, row: dict[str, Any]) -> None:
    if fault.kind == "empty_strings":
        row.update({name: "" for name in fault.get("fields", ("venue_id", "round_id", "length")) if name in row})
    elif fault.kind == "null_fields":
        names = fault.get("fields", ("name", "starting_at", "starting_at_timestamp", "state_id"))
        row.update({name: None for name in names if name in row})
    elif fault.kind == "degraded":
        row.update({name: [] for name in fault.get("drop", ("lineups", "events")) if name in row})
    elif fault.kind == "empty_lists":
        row.update({name: [] for name, value in row.items() if isinstance(value, list)})
    elif fault.kind == "null_rows":
        names = fault.get("sections", [name for name, value in row.items() if isinstance(value, list)])
        row.update(
            {name: [{} if fault.settings.get("empty") else None] * len(row[name]) for name in names if row.get(name)}
        )
    elif fault.kind == "half_match":
        _halve(row, fault.get("parts", ("participants", "lineups", "scores")))
    elif fault.kind == "set_fields":
        part = row.get(fault.get("part", "")) if "part" in fault.settings else [row]
        for target in (part or [])[:1]:
            target.update(fault.get("values", {"state_id": 99}))
    elif fault.kind == "php_lists":
        row.update(with_objects(row))
    elif fault.kind == "offset_times":
        _with_offset(row, float(fault.get("hours", 2)), fault.get("at", None))
    elif fault.kind == "called_off" and row.get("state_id") in PLAYED:
        dropped = ("scores", *fault.get("drop", ("events", "lineups")))
        row.update({"state_id": fault.get("state_id", 10), "result_info": None})
        row.update({name: [] for name in dropped if name in row})
    elif fault.kind == "wrong_place":
        names = fault.get("fields", ("season_id",))
        row.update({name: row[name] + 1 for name in names if isinstance(row.get(name), int)})
    elif fault.kind == "huge":
        row["padding"] = "x" * int(fault.get("megabytes", 5) * 1_000_000)
    elif fault.kind == "unknown_keys":
        for value in list(row.values()):
            for inner in value if isinstance(value, list) else ():
                if isinstance(inner, dict):
                    inner["unheard_of"] = {"new": [1, None]}
        row["brand_new_field"] = {"nested": True, "list": [1, 2, 3]}


def _halve(row: dict[str, Any], parts: Collection[str]) -> None:
    if row.get("state_id") not in PLAYED:
        return
    teams = row.get("participants") or []
    if "participants" in parts and teams:
        row["participants"] = teams[:1]
    if "lineups" in parts and row.get("lineups"):
        team = row["lineups"][0].get("team_id")
        row["lineups"] = [each for each in row["lineups"] if each.get("team_id") == team]
    if "scores" in parts and row.get("scores"):
        row["scores"] = [each for each in row["scores"] if each.get("description") != "CURRENT"]


def _with_offset(row: dict[str, Any], hours: float, at: str | None) -> None:
    if not isinstance(row.get("starting_at"), str):
        return
    kick_off = datetime.fromisoformat(row["starting_at"]).replace(tzinfo=UTC)
    if at is not None:
        offset = 1440 - kick_off.hour * 60 - kick_off.minute
        # No zone is further from UTC than this.
        if kick_off.second == 0 and offset <= 16 * 60 - 1:
            row["starting_at"] = f"{kick_off:%Y-%m-%d}T{at}+{offset // 60:02d}:{offset % 60:02d}"
    else:
        row["starting_at"] = kick_off.astimezone(timezone(timedelta(hours=hours))).isoformat()
