"""Structure: stages, rounds, teams and venues of the seasons whose turn it is."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sportmonks.config.settings import MANIFEST_VARIABLE
from sportmonks.hooks.errors import airflow_errors
from sportmonks.operators.catalog import ApiOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class StructureOperator(ApiOperator):
    """Lists that fixtures refer to. See ``sportmonks.reference.season_lists``."""

    def execute(self, context: Context) -> dict[str, Any]:
        """Per list: rows by what became of them, seasons read and still due."""
        from airflow.sdk import Variable

        from sportmonks.config.manifest import decode_manifest
        from sportmonks.reference.season_lists import Structure

        with airflow_errors():
            manifest = decode_manifest(Variable.get(MANIFEST_VARIABLE))
            with closing(self.hook(manifest.settings.budget)) as hook:
                job = Structure(
                    connect=self.connector(),
                    client=hook.client,
                    leagues=[league.id for league in manifest.leagues],
                    sweep=manifest.settings.sweep,
                    execution_id=self.run_name(context),
                    log=self.log,
                )
                return {name: asdict(result) for name, result in job.read().items()}
        raise AssertionError("unreachable: an error leaves above")
