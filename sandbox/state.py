"""Everything one sandbox holds: world, clock, plan, corrections, budgets, faults and the cache of encoded fixtures."""

from __future__ import annotations

import codecs
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import msgspec

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.fixture_view import FixtureView
from sandbox.limits import Calls, Limits
from sandbox.outcome import Change, moved_indexes
from sandbox.world import League, Options, Season, World

_encoder = msgspec.json.Encoder()

# Behaviours that the public documentation leaves open ([?]): name -> (choices, the first is the default).
VARIANTS: dict[str, tuple[tuple[str, ...], str]] = {
    "no_result": (("missing", "empty", "404"), "200 without data, 200 with data: [] and message, or 404"),
    "outside_plan": (("no_result", "403"), "a league outside the plan looks like no result, or 403 with code 5007"),
    "unknown_id": (("no_result", "404"), "an unknown id: like no result, or 404"),
    "multi_over_maximum": (("400", "truncate"), "more than 50 ids in multi are refused, or silently cut to 50"),
    "over_per_page": (("cap", "refuse"), "a per_page above the maximum is capped, or refused with 400"),
    "cursor": (("opaque", "url"), "next_cursor is an opaque string, or a URL that holds it"),
    "next_page": (("page", "query"), "next_page carries the page only, or the complete query (never the token)"),
    "retry_after": (("both", "header", "body", "none"), "where a 429 says how long to wait"),
    "select_keeps_keys": (("no", "yes"), "field selection returns the id and the fields, or all *_id keys as well"),
    "subscription_meta": (("list", "object"), "subscription[].meta is [] or an object"),
    "total": (("no", "yes"), "pagination has no total, or the number of rows of the complete list"),
    "season_filter": (("yes", "no"), "filters=seasonLeagues is understood, or refused with 5010"),
}


def _escape(problem: UnicodeError) -> tuple[str, int]:
    """The escape of characters outside ASCII: \\uXXXX, two of them beyond the basic plane."""
    assert isinstance(problem, UnicodeEncodeError)
    units = problem.object[problem.start : problem.end].encode("utf-16-be")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2)), problem.end


codecs.register_error("sandbox.json", _escape)


def encode(value: Any) -> bytes:
    """JSON as the provider writes it: `/` and everything beyond ASCII escaped."""
    raw = _encoder.encode(value).replace(b"/", b"\\/")
    return raw if raw.isascii() else raw.decode().encode("ascii", "sandbox.json")


class Encoded:
    """The bytes of one row and their deflated form; deflated pieces can be joined into one gzip body."""

    __slots__ = ("_deflated", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._deflated: bytes | None = None

    @property
    def deflated(self) -> bytes:
        if self._deflated is None:
            self._deflated = deflate(self.raw)
        return self._deflated

    def __len__(self) -> int:
        return len(self.raw) * 5 // 4


def deflate(raw: bytes) -> bytes:
    """A run of deflate blocks that refers to nothing before it and does not end the stream."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return packer.compress(raw) + packer.flush(zlib.Z_FULL_FLUSH)


class Cache:
    """Least recently used rows, bounded by bytes."""

    def __init__(self, limit: int) -> None:
        self.limit, self.size = limit, 0
        self._rows: OrderedDict[tuple[Any, ...], Encoded] = OrderedDict()

    def get(self, key: tuple[Any, ...]) -> Encoded | None:
        found = self._rows.get(key)
        if found is not None:
            self._rows.move_to_end(key)
        return found

    def put(self, key: tuple[Any, ...], row: Encoded) -> None:
        self._rows[key] = row
        self.size += len(row)
        while self.size > self.limit and self._rows:
            _, dropped = self._rows.popitem(last=False)
            self.size -= len(dropped)


class Sandbox:
    """The provider's side of one demo or test."""

    def __init__(
        self,
        options: Options,
        clock: Clock,
        limits: Limits,
        *,
        key: str = "demo-key",
        cache_mb: int = 96,
        forbidden: tuple[str, ...] = ("odds", "premiumodds", "inplayodds", "predictions", "xgfixture"),
        plan_leagues: set[int] | None = None,
        latency: float = 0.0,
        multi_maximum: int = 50,
    ) -> None:
        self.options, self.clock, self.limits, self.key, self.latency = options, clock, limits, key, latency
        self.world = World(options, clock.now())
        self.multi_maximum = multi_maximum
        self.changes: dict[int, Change] = {}
        self.recreated: dict[int, int] = {}
        self.originals: dict[int, int] = {}
        self.canonical: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._moved: dict[int, list[int]] = {}
        self.cache = Cache(cache_mb * 1_000_000)
        self.calls = Calls()
        self.faults = Faults(options.seed)
        self.forbidden = {name.lower() for name in forbidden}
        self.plan_leagues = plan_leagues
        self.variants = {name: choices[0] for name, (choices, _) in VARIANTS.items()}
        self._initial: dict[str, Any] = {}
        self.remember()

    def remember(self) -> None:
        """Save the present settings: `reset` goes back to them."""
        self._initial = {
            "limits": (self.limits.default_limit, self.limits.default_window),
            "plan": self.plan_leagues,
            "forbidden": set(self.forbidden),
            "variants": dict(self.variants),
        }

    def reset(self) -> None:
        """Back to the start: no corrections, faults, calls, open windows; clock, limits, plan and variants as given."""
        self.changes.clear()
        self.recreated.clear()
        self.originals.clear()
        self.canonical.clear()
        self.cache = Cache(self.cache.limit)
        self.faults = Faults(self.options.seed)
        self.calls = Calls()
        limit, window = self._initial["limits"]
        self.limits.set(limit, window, None)
        self.plan_leagues, self.forbidden = self._initial["plan"], set(self._initial["forbidden"])
        self.variants = dict(self._initial["variants"])
        self.clock.reset()

    def now(self) -> float:
        return self.clock.now()

    def in_plan(self, league: League) -> bool:
        return self.plan_leagues is None or league.id in self.plan_leagues

    def league(self, league_id: int) -> League | None:
        found = self.world.league_by_id.get(league_id)
        return found if found is not None and self.in_plan(found) else None

    def leagues(self) -> list[League]:
        return [league for league in self.world.leagues if self.in_plan(league)]

    def season(self, season_id: int) -> Season | None:
        found = self.world.season_by_id.get(season_id)
        return found if found is not None and found.announced <= self.now() and self.in_plan(found.league) else None

    def seasons(self) -> list[Season]:
        return [season for season in self.world.visible_seasons(self.now()) if self.in_plan(season.league)]

    def view(self, fixture_id: int) -> FixtureView | None:
        """The fixture as it is now, deleted ones too; None for unknown, unannounced or outside the plan, and for an id
        under which the match is no longer."""
        if fixture_id in self.recreated:
            return None
        found = self.world.find(self.originals.get(fixture_id, fixture_id))
        if found is None or self.season(found[0].id) is None:
            return None
        return self.view_at(*found)

    def view_at(self, season: Season, index: int) -> FixtureView:
        view = FixtureView(self.world, season, index, self.now(), self.changes.get(season.fixture_id(index)))
        view.id = self.listed_id(view.id)
        return view

    def listed_id(self, fixture_id: int) -> int:
        """The id under which a fixture of the world is listed: its own, or the one that it was created anew under."""
        return self.recreated.get(fixture_id, fixture_id)

    def recreate(self, fixture_id: int) -> int:
        """Give a match another id, which the world does not use: the old one is unknown then, and not deleted."""
        season, index = self.world.find(fixture_id) or (None, 0)
        assert season is not None
        new = season.base + 3 * index + (fixture_id - season.base + 1) % 3
        self.recreated[fixture_id], self.originals[new] = new, fixture_id
        return new

    def season_views(self, season_id: int) -> Iterator[FixtureView]:
        season = self.season(season_id)
        return (self.view_at(season, index) for index in range(season.size)) if season else iter(())

    def moved(self, season: Season) -> list[int]:
        """Indexes of the season's fixtures that get a new date without a correction (postponed, then played later)."""
        found = self._moved.get(season.id)
        if found is None:
            found = self._moved[season.id] = moved_indexes(self.world.seed, season)
        return found

    def change(self, fixture_id: int) -> Change:
        """The record of corrections of a fixture, made when there is none; its revision moves on."""
        change = self.changes.setdefault(self.originals.get(fixture_id, fixture_id), Change())
        change.revision += 1
        change.changed_at = self.now()
        return change
