"""Plan: what is due, in which order and at what price; branches to the seasons that have something to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.branch import BranchMixIn

from sportmonks import checkpoints
from sportmonks.chunks import Chunk, Quote, make_quote, plan_chunks
from sportmonks.operators.base import LeagueOperator, airflow_errors, execution_of

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

    from sportmonks.params import RunParams


class PlanOperator(LeagueOperator, BranchMixIn):
    """Writes the plan and its quote, and goes on with the groups of the seasons in it; a dry run with none."""

    inherits_from_skipmixin = True

    def execute(self, context: Context) -> Any:
        """The quote (also the XCom ``return_value``)."""
        with airflow_errors():
            params = self._params(context)
            unread = self._unread(context)
            with self._connector()() as conn:
                chunks, quote = self._plan(conn, params, execution_of(context))
                self._write(conn, execution_of(context), chunks, quote, unread, dry_run=params.dry_run)
        self._tell(quote, params)
        groups = {season.id: season.group for season in self._league.seasons}
        chosen = [] if params.dry_run else [*(chunk.season_id for chunk in chunks), *unread]
        followed = [f"{groups[season_id]}.open" for season_id in dict.fromkeys(chosen) if season_id in groups]
        self.do_branch(context, followed)
        return asdict(quote)

    def _unread(self, context: Context) -> list[int]:
        """Seasons whose index ``discover`` could not read."""
        found = context["ti"].xcom_pull(task_ids="discover") or {}
        return [int(season_id) for season_id in found.get("failed", ())]

    def _plan(self, conn: psycopg.Connection[Any], params: RunParams, execution_id: str) -> tuple[list[Chunk], Quote]:
        from sportmonks.load.plan import read_facts

        now = datetime.now(UTC)
        store = checkpoints.VariableStore()
        self._clear_checkpoints(store, params)
        rows = list(read_facts(conn, self._league.id, params.narrowing.seasons))
        if params.narrowing.force and params.continue_from_checkpoint:
            rows = self._without_done(store, rows)
        chunks, left_out = plan_chunks(rows, params.narrowing, self._dials.refetch, self._dials.guard, now)
        return chunks, self._quote(conn, chunks, left_out, params)

    def _clear_checkpoints(self, store: checkpoints.VariableStore, params: RunParams) -> None:
        if not params.clear_checkpoint or params.dry_run:
            return
        for season in self._league.seasons:
            if not params.narrowing.seasons or season.id in params.narrowing.seasons:
                checkpoints.clear(store, self._league.id, season.id)

    def _without_done(self, store: checkpoints.VariableStore, rows: list[Any]) -> list[Any]:
        """A forced collection that stopped half-way goes on: what it has read since it began is not read again."""
        begun: dict[int, datetime] = {}
        for season_id in {row[0] for row in rows}:
            found = checkpoints.read(store, self._league.id, season_id)
            if found and not found.finished and found.forced:
                begun[season_id] = datetime.fromisoformat(found.started_at)
        kept = [
            row
            for row in rows
            if not (row[0] in begun and row[2].last_asked_at and row[2].last_asked_at >= begun[row[0]])
        ]
        if len(kept) < len(rows):
            self.log.info("Continuing from the checkpoint: %d fixtures are done already", len(rows) - len(kept))
        return kept

    def _quote(
        self, conn: psycopg.Connection[Any], chunks: Sequence[Chunk], left_out: dict[str, int], params: RunParams
    ) -> Quote:
        from sportmonks.db import sql

        row = conn.execute(sql("plan/budget"), {"connection": self.api_conn_id}).fetchone()
        remaining, limit, seconds = row or (None, None, 0.0)
        return make_quote(
            chunks,
            names={season.id: season.name for season in self._league.seasons},
            batch_size=params.batch_size,
            remaining=remaining,
            call_limit=limit or self._dials.budget.default_limit,
            reserve=self._dials.budget.reserve,
            seconds_to_reset=float(seconds or 0),
            window_seconds=self._dials.budget.window_seconds,
            left_out=left_out,
        )

    def _write(
        self,
        conn: psycopg.Connection[Any],
        execution_id: str,
        chunks: Sequence[Chunk],
        quote: Quote,
        unread: Sequence[int],
        *,
        dry_run: bool,
    ) -> None:
        from sportmonks.load.plan import write_plan

        planned = {chunk.season_id for chunk in chunks}
        empty = [Chunk(season_id, ()) for season_id in unread if season_id not in planned]
        write_plan(
            conn, execution_id, self._league.id, [*chunks, *empty], quote, now=datetime.now(UTC), dry_run=dry_run
        )

    def _tell(self, quote: Quote, params: RunParams) -> None:
        self.log.info(
            "%s%d fixtures due in %d seasons: %s",
            "Dry run. " if params.dry_run else "",
            quote.fixtures,
            len(quote.chunks),
            ", ".join(f"{count} {reason}" for reason, count in quote.by_reason.items()) or "nothing",
        )
        for chunk in quote.chunks:
            self.log.info("%(season)s: %(fixtures)d fixtures, %(calls)d calls, priority %(priority)d", chunk)
        self.log.info(
            "%s calls in about %.1f minutes; the budget allows %s now",
            quote.calls["Fixture"],
            quote.minutes,
            quote.available_now,
        )
        if quote.left_out:
            self.log.info("Left out by limits: %s", quote.left_out)
