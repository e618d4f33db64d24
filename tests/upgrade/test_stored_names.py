"""What Airflow's tables and Variables hold of the old code: the present code reads it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent
from cryptography.fernet import Fernet

from sportmonks.collect import checkpoints
from sportmonks.config.catalog_file import parse_catalog
from sportmonks.config.manifest import build_manifest, decode_manifest
from tests.upgrade import restore
from tests.upgrade.restore import FACTS, FOLDER, LEAGUES

TRIGGER = "sportmonks.triggers.budget.BudgetTrigger"
CALLBACK = "sportmonks.monitoring.deadlines.deadline_missed"
REFERENCE = "sportmonks.monitoring.reference.RunQueuedAt"
# Where Airflow keeps a name that it imports later. (Serialized DAGs name operators as well, for people only.)
IMPORTED = re.compile(r'"(?:path|__class_path)": "(sportmonks\.[\w.]+)"')


def imported(path: str) -> Any:
    from airflow.sdk._shared.module_loading import import_string

    return import_string(path)


def variables() -> dict[str, str]:
    fernet = Fernet(FACTS["fernet_key"])
    rows = restore.rows_of("airflow", "public.variable")
    return {row["key"]: fernet.decrypt(row["val"].encode()).decode() for row in rows}


def test_the_dump_names_these_and_no_other() -> None:
    triggers = {row["classpath"] for row in restore.rows_of("airflow", "public.trigger")}
    assert triggers == {TRIGGER}
    assert set(IMPORTED.findall(restore.text_of("airflow"))) == {CALLBACK, REFERENCE}


def test_the_stored_trigger_fires() -> None:
    (row,) = restore.rows_of("airflow", "public.trigger")
    kwargs = json.loads(row["kwargs"])
    trigger = imported(row["classpath"])(**kwargs)
    kwargs["until"] = kwargs.pop("moment")
    assert trigger.serialize() == (TRIGGER, kwargs)

    async def first() -> TriggerEvent:
        return await anext(aiter(trigger.run()))

    assert asyncio.run(first()).payload == {"waited_for": "Fixture"}


def test_the_deferred_task_has_a_method_to_go_on_with() -> None:
    from sportmonks.operators.league import CollectOperator

    (row,) = [row for row in restore.rows_of("airflow", "public.task_instance") if row["state"] == "deferred"]
    assert row["operator"] == CollectOperator.__name__
    method = getattr(CollectOperator, row["next_method"])
    assert set(json.loads(row["next_kwargs"])) <= set(method.__code__.co_varnames)


def test_the_stored_reference_of_deadlines_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among those that the plugin registers: Airflow imports no other."""
    from airflow import plugins_manager
    from airflow.serialization.decoders import decode_deadline_reference

    from sportmonks_plugin import SportmonksPlugin

    monkeypatch.setattr(plugins_manager, "_get_plugins", lambda: ([SportmonksPlugin()], {}))
    look_up = plugins_manager.get_deadline_references_plugins.__wrapped__
    monkeypatch.setattr(plugins_manager, "get_deadline_references_plugins", look_up)
    stored = [json.loads(row["reference"]) for row in restore.rows_of("airflow", "public.deadline_alert")]
    assert len(stored) == 6
    for reference in stored:
        found = decode_deadline_reference(reference)
        assert isinstance(found.inner_ref, imported("sportmonks.alerts.reference.RunQueuedAt"))
        assert found.serialize_reference()["reference_type"] == reference["reference_type"]


def test_the_stored_callback_of_deadlines_is_the_present_one() -> None:
    assert imported(CALLBACK) is imported("sportmonks.alerts.deadlines.deadline_missed")


@pytest.mark.parametrize(
    "path", ["sportmonks.notifiers.alert.AlertNotifier", "sportmonks.notifiers.webhook.WebhookNotifier"]
)
def test_notifiers_are_where_they_were(path: str) -> None:
    from airflow.sdk import BaseNotifier

    assert issubclass(imported(path), BaseNotifier)


# What the first task of a run, and the task that collects a season, have done themselves since.
GONE = {"start_execution", "discover", "plan", "open", "check"}


def test_the_old_manifest_gives_the_same_dags() -> None:
    """With the old names of all tasks that are left, so that a deferred or failed one is found again."""
    from sportmonks.render.manifest import league_dags

    text = variables()["sportmonks_manifest"]
    assert json.loads(text)["version"] == 1
    dags = league_dags(text)
    assert set(dags) == {league["dag_id"] for league in LEAGUES.values()}
    tasks: dict[str, set[str]] = {}
    for row in restore.rows_of("airflow", "public.task_instance"):
        tasks.setdefault(row["dag_id"], set()).add(row["task_id"])
    for dag_id, dag in dags.items():
        kept = {task for task in tasks[dag_id] if task.rpartition(".")[2] not in GONE}
        assert set(dag.task_ids) == kept | {"start"}


def test_the_old_manifest_carries_the_users_settings() -> None:
    found = decode_manifest(variables()["sportmonks_manifest"])
    catalog = parse_catalog((FOLDER / "catalog.yaml").read_text(encoding="utf-8"))
    assert found.settings == build_manifest(catalog, [], only=()).settings
    assert found.settings.retries == 0
    assert found.settings.alerts.consecutive_failures == 1


def test_old_checkpoints_are_read() -> None:
    class Stored:
        def get(self, key: str) -> str | None:
            return variables().get(key)

        def set(self, key: str, value: str) -> None:
            raise AssertionError("reading writes nothing")

        def delete(self, key: str) -> None:
            raise AssertionError("reading deletes nothing")

    key, _ = FACTS["checkpoint"]
    league_id, season_id = (int(part) for part in key.split("__")[1:])
    found = checkpoints.read(Stored(), league_id, season_id)
    assert found is not None
    assert (found.batches, found.done, found.total, found.finished) == (2, 8, 12, False)
    assert found.execution_id == LEAGUES["deferred"]["runs"]["waiting"]["execution_id"]
