"""Discover: the season indexes of a league."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sportmonks.operators.base import LeagueOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class DiscoverOperator(LeagueOperator):
    """Season indexes into the warehouse; see ``sportmonks.collect.discover``."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Figures by season, and ``failed``: seasons whose group has to read the index itself."""
        from sportmonks.collect.discover import discover

        with self._airflow_terms():
            found = discover(self._make_run(context))
            return {
                "seasons": {str(key): figures for key, figures in found.seasons.items()},
                "failed": sorted(found.failed),
            }
        raise AssertionError("unreachable: a wait or an error leaves above")
