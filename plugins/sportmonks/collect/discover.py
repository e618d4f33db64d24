"""Discover: reads the indexes of the seasons that a run covers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sportmonks.collect.context import RunContext
from sportmonks.config.catalog import GuardSettings
from sportmonks.config.manifest import Season
from sportmonks.errors import OutsidePlanError, TransientApiError
from sportmonks.load.index import store_index
from sportmonks.planning.chunks import seasons_to_index
from sportmonks.planning.recheck import next_look
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.session import Session

if TYPE_CHECKING:
    import psycopg


@dataclass(slots=True)
class Discovered:
    """Counts of indexed fixtures by season id. ``failed``: by season id, why its index could not be read; the tasks of
    that season read it themselves. ``suspected``: seasons whose index is suspected to be an accident; later runs ask
    again."""

    seasons: dict[int, dict[str, int]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    suspected: tuple[int, ...] = ()


def discover(run: RunContext) -> Discovered:
    """Read season indexes into the warehouse, one call per 1000 fixtures.

    A season whose index fails does not stop the others. Raises TransientApiError when several seasons fail and none
    succeeds, because then the API is down, UnknownIncludeError for an include of the run that does not exist, and
    BudgetWait when the call budget is used up; called again, it continues with the seasons that are left.
    """
    found = Discovered()
    run.counted_client().check_includes(run.params.includes)
    _retest_includes(run)
    with run.session() as session:
        _forget_lost(run, session)
        session.run(lambda conn: _read_indexes(run, conn, found))
    if len(found.failed) > 1 and not found.seasons:
        reason = next(iter(found.failed.values()))
        raise TransientApiError(f"No index of {len(found.failed)} seasons could be read: {reason}")
    run.log.info(
        "%d indexes read, %d of them suspected, %d failed", len(found.seasons), len(found.suspected), len(found.failed)
    )
    return found


def _forget_lost(run: RunContext, session: Session) -> None:
    """Tables that were emptied or restored without the marks of what was read into them are read again."""
    for what, number in session.execute(sql("plan/forget_lost"), {"league_id": run.league.id, "now": run.clock()}):
        run.log.warning("The warehouse has lost rows of %s: %d %s. They are read again.", run.league.name, number, what)


def _retest_includes(run: RunContext) -> None:
    """One call for each include that was refused before, but not confirmed or long ago. Its outcome decides whether the
    fixtures that were read without it are due, so it comes before the plan."""
    try:
        run.client().retest_includes(run.params.includes, urgent=True)
    except (OutsidePlanError, TransientApiError) as error:
        run.log.warning("Refused includes could not be requested again: %s", error)


def _read_indexes(run: RunContext, conn: psycopg.Connection[Any], found: Discovered) -> None:
    """Adds to ``found``; repeated after an error of the warehouse, it continues with the seasons that are left."""
    client = run.client()
    started_at, now = _started_at(conn, run), run.clock()
    states = _index_states(conn, run, now)
    done = {key for key, state in states.items() if state.answered_since(started_at)}
    due = seasons_to_index(
        run.league.seasons,
        {key: state.indexed_at for key, state in states.items() if state.indexed_at},
        run.settings.sweep,
        now,
        requested=run.params.run_filter.seasons,
        next_looks={key: at for key, state in states.items() if (at := state.next_look(run.settings.guard))},
    )
    for season in due:
        if season.id not in found.failed and season.id not in done:
            _read_one(run, conn, client, season, found)
    # Once more in the same run, behind all others: many accidents are over by then.
    for season in due:
        if season.id in found.suspected and season.id not in found.failed:
            _read_one(run, conn, client, season, found)


def _read_one(run: RunContext, conn: psycopg.Connection[Any], client: Any, season: Season, found: Discovered) -> None:
    try:
        result = read_index(run, conn, client, season)
    except OutsidePlanError as error:
        run.log.warning("Season %s is outside the subscription and left out: %s", season.name, error)
        reason = f"The subscription does not cover this season: {error}"
        note = {"league": run.league.name, "season": season.name, "error": reason, "now": run.clock()}
        conn.execute(sql("plan/note_unread_index"), {**run.sql_params(season), **note})
    except TransientApiError as error:
        run.log.warning("The index of season %s failed, its own tasks will read it: %s", season.name, error)
        found.failed[season.id] = str(error)
    else:
        found.seasons[season.id] = result
        others = tuple(key for key in found.suspected if key != season.id)
        found.suspected = others if result["believed"] else (*others, season.id)


def read_index(run: RunContext, conn: psycopg.Connection[Any], client: Any, season: Season) -> dict[str, int]:
    """Read and store the index of one season; counts of its fixtures by what the index changed."""
    left_out: list[int] = []
    result = store_index(
        conn,
        league=(run.league.id, run.league.name),
        season=(season.id, season.name),
        pages=client.season_index(season.id, urgent=True, on_left_out=left_out.append),
        left_out=left_out,
        now=run.clock(),
        believed_after=run.settings.guard.rereads,
        apart_hours=run.settings.guard.hours,
    )
    if result.foreign:
        run.log.warning(
            "The index of %s lists %d fixtures of other seasons. They are left out, and the index is believed only if"
            " this persists",
            season.name,
            result.foreign,
        )
    if result.suspected:
        run.log.warning(
            "The index of %s lacks %d known fixtures; they count as gone only if this persists",
            season.name,
            result.suspected,
        )
    elif result.skipped and not result.believed:
        run.log.warning(
            "The index of %s has %d rows without a usable id; it is believed only if this persists",
            season.name,
            result.skipped,
        )
    elif not result.believed and not result.foreign:
        run.log.warning("The index of %s is empty; that is believed only if it persists", season.name)
    return asdict(result)


@dataclass(frozen=True, slots=True)
class _IndexState:
    """What the warehouse knows of a season's index. ``answers``: suspected ones in a row, the newest at
    ``suspected_at``."""

    indexed_at: datetime | None
    answers: int
    suspected_at: datetime | None

    def answered_since(self, started_at: datetime | None) -> bool:
        """Whether the index came in this execution already, before a wait or a retry."""
        return started_at is not None and any(at and at >= started_at for at in (self.indexed_at, self.suspected_at))

    def next_look(self, guard: GuardSettings) -> datetime | None:
        """When to ask again, None while the last answer is believed."""
        return next_look(self.suspected_at, self.answers, guard) if self.suspected_at else None


def _index_states(conn: psycopg.Connection[Any], run: RunContext, now: datetime) -> dict[int, _IndexState]:
    """By season id. A time in the future comes from a clock that has been set back since, so it says nothing."""
    rows = conn.execute(sql("plan/indexed_seasons"), {"league_id": run.league.id}).fetchall()
    return {
        season_id: _IndexState(
            indexed_at if indexed_at and indexed_at <= now else None,
            answers,
            suspected_at if suspected_at and suspected_at <= now else None,
        )
        for season_id, indexed_at, answers, suspected_at in rows
    }


def _started_at(conn: psycopg.Connection[Any], run: RunContext) -> datetime | None:
    """When this execution started; None when nobody has recorded it."""
    row = conn.execute(sql("plan/began"), run.sql_params()).fetchone()
    return row[0] if row else None
