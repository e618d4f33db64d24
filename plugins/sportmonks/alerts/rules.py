"""ETLAlertManager: runs the rules (one SQL query each) and updates etl.etl_alerts by their results."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from sportmonks.config.catalog import Thresholds
from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """``kind`` as stored; name of its ``query``; ``per_dag``: it can be checked for one DAG alone."""

    kind: str
    query: str
    per_dag: bool = False
    # A condition that returns within this time reopens its alert instead of raising a new one.
    reopen_minutes: float = 0.0


RULES = (
    Rule("ERROR_RATE", "alerts/error_rate", per_dag=True),
    Rule("SUCCESS_RATE", "alerts/success_rate", per_dag=True),
    Rule("DURATION", "alerts/duration", per_dag=True),
    Rule("CONSECUTIVE_FAILURES", "alerts/consecutive_failures", per_dag=True),
    Rule("QUALITY_CHECKS", "alerts/quality_checks", per_dag=True),
    Rule("BUDGET_EXHAUSTED", "alerts/budget_exhausted", reopen_minutes=360),
    Rule("API_FAILING", "alerts/api_failing", reopen_minutes=360),
    Rule("INCLUDES_REFUSED", "alerts/includes_refused"),
    Rule("STALE_LEAGUE", "alerts/stale_leagues"),
    Rule("STALE_ROUTE", "alerts/stale_routes"),
    Rule("UNPROVEN_ROUTE", "alerts/unproven_routes"),
    Rule("SUSPECTED_DATA", "alerts/suspected_data"),
    Rule("FEWER_ROWS", "alerts/fewer_rows"),
    Rule("UNKNOWN_IDS", "alerts/unknown_ids"),
    Rule("DEADLINE", "alerts/deadline", per_dag=True),
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One open or acknowledged alert: what, where, since when, what to do."""

    alert_id: int
    dedupe_key: str
    kind: str
    severity: str
    status: str
    subject: str
    message: str
    hint: str
    opened_at: datetime
    last_seen_at: datetime
    seen_count: int
    execution_id: str | None = None
    league_id: int | None = None
    season_id: int | None = None
    dag_id: str | None = None
    run_id: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    opened: bool = False  # by this very check

    @classmethod
    def from_row(cls, row: Mapping[str, Any], *, opened: bool = False) -> Alert:
        """From a row of etl.etl_alerts, joined with its execution's dag_id and run_id or not."""
        names = {entry.name for entry in fields(cls)} - {"opened"}
        values = {name: row[name] for name in names if name in row}
        values["dag_id"] = row.get("dag_id") or (row["details"] or {}).get("dag_id")
        values["run_id"] = row.get("run_id") or (row["details"] or {}).get("run_id")
        return cls(**values, opened=opened)


def raise_alert(
    conn: psycopg.Connection[Any],
    kind: str,
    subject: str,
    message: str,
    *,
    hint: str,
    details: Mapping[str, Any],
    execution_id: str | None = None,
    league_id: int | None = None,
    now: datetime | None = None,
) -> tuple[int, bool]:
    """Open the CRITICAL alert ``kind:subject`` or refresh it: (alert_id, newly opened)."""
    row = conn.execute(
        sql("alerts/raise"),
        {
            "dedupe_key": f"{kind}:{subject}",
            "kind": kind,
            "subject": subject,
            "message": message,
            "hint": hint,
            "details": Jsonb(dict(details)),
            "execution_id": execution_id,
            "league_id": league_id,
            "now": now or datetime.now(UTC),
        },
    ).fetchone()
    assert row is not None
    return int(row[0]), bool(row[1])


class ETLAlertManager:
    """Runs the rules over one connection, each in its own transaction, so that one failing rule stops no other.

    ``includes``: (entity, include) of what is configured now; only these can be alerted of as refused. None = unknown,
    then every refusal counts. ``routes``: raw routes with a schedule (``routes.parse.scheduled_routes``); only these
    can be stale.
    """

    def __init__(
        self,
        conn: psycopg.Connection[Any],
        thresholds: Thresholds | Mapping[str, float] | None = None,
        includes: Iterable[tuple[str, str]] | None = None,
        routes: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self.conn = conn
        self.routes = Jsonb(list(routes))
        self.configured = None
        if includes is not None:
            self.configured = Jsonb([{"entity": entity, "include": include} for entity, include in includes])
        self.thresholds = thresholds if isinstance(thresholds, Thresholds) else Thresholds.from_mapping(thresholds)
        self.failed_rules: list[str] = []
        self.resolved = 0

    def check_execution_alerts(self, execution_id: str, *, now: datetime | None = None) -> list[Alert]:
        """Run the rules about runs for the DAG of this execution. Returns live alerts, new ones marked ``opened``."""
        row = self.conn.execute(sql("alerts/dag_of_execution"), {"execution_id": execution_id}).fetchone()
        if row is None or row[0] is None:
            return []
        return self._check([rule for rule in RULES if rule.per_dag], row[0], now or datetime.now(UTC))

    def check_system_alerts(self, *, now: datetime | None = None) -> list[Alert]:
        """Run every rule for all DAGs. Returns the live alerts, new ones marked ``opened``."""
        return self._check(RULES, None, now or datetime.now(UTC))

    def _check(self, rules: tuple[Rule, ...] | list[Rule], dag_id: str | None, now: datetime) -> list[Alert]:
        parameters = {**self.thresholds.parameters(), "now": now, "dag_id": dag_id, "configured": self.configured}
        parameters["routes"] = self.routes
        opened: dict[int, bool] = {}
        self.failed_rules = []
        self.resolved = 0
        for rule in rules:
            try:
                with self.conn.transaction(), self.conn.cursor(row_factory=dict_row) as cursor:
                    # One check per rule at a time: an older check must not reopen what a newer one has just resolved.
                    cursor.execute(sql("alerts/lock_rule"), {"kind": rule.kind})
                    found = cursor.execute(sql(rule.query), parameters).fetchall()
                    result = {
                        "kind": rule.kind,
                        "rows": Jsonb(found, dumps=_dumps),
                        "dag_id": dag_id,
                        "reopen_minutes": int(rule.reopen_minutes),
                        "now": now,
                    }
                    outcomes = cursor.execute(sql("alerts/apply"), result).fetchall()
            except psycopg.Error as error:
                self.failed_rules.append(rule.kind)
                log.error("Alert rule %s failed: %s", rule.kind, str(error).splitlines()[0])
                continue
            for outcome in outcomes:
                if outcome["outcome"] == "resolved":
                    self.resolved += 1
                else:
                    opened[outcome["alert_id"]] = outcome["outcome"] == "opened"
        return self._load(opened)

    def _load(self, opened: Mapping[int, bool]) -> list[Alert]:
        with self.conn.transaction(), self.conn.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(sql("alerts/by_id"), {"ids": list(opened)}).fetchall()
        return [Alert.from_row(row, opened=opened[row["alert_id"]]) for row in rows]


def _dumps(rows: Any) -> str:
    import json

    return json.dumps(rows, default=str)
