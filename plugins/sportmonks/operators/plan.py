"""Plan: what is due; branches to the seasons that have something to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.branch import BranchMixIn

from sportmonks.operators.base import LeagueOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class PlanOperator(LeagueOperator, BranchMixIn):
    """Writes the plan and its estimate and goes on with the groups of its seasons; see ``sportmonks.collect.plan``."""

    inherits_from_skipmixin = True

    def execute(self, context: Context) -> dict[str, Any]:
        """The estimate."""
        from sportmonks.collect.plan import plan

        discovered = context["ti"].xcom_pull(task_ids="discover") or {}
        with self._airflow_terms():
            run = self._make_run(context)
            planned = plan(run, [int(season_id) for season_id in discovered.get("failed", ())])
            groups = {season.id: season.group for season in run.league.seasons}
            self.do_branch(context, [f"{groups[key]}.open" for key in planned.seasons if key in groups])
            return asdict(planned.estimate)
        raise AssertionError("unreachable: an error leaves above")
