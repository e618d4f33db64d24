"""The whole path: a season out of the API into PostgreSQL, ours against dlt (REST source, merge), client by client.

dlt gets an environment of its own, made at the first run (`benchmarks/requirements-dlt.in`). Each client is a process
of its own; API and PostgreSQL run beside it on the same cores.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from benchmarks.ground import ROOT, child, client_of, ids_of, postgres, season_of, table, warehouse

if TYPE_CHECKING:
    from sportmonks.api.calls import CallRecord
    from sportmonks.collect.context import RunContext
    from sportmonks.config.catalog import Season

REQUIREMENTS = Path(__file__).with_name("requirements-dlt.in")
DLT_CLIENT = Path(__file__).with_name("dlt_client.py")
MIB = 1024  # ru_maxrss comes in KiB


class _Checkpoints(dict[str, str]):
    def set(self, key: str, value: str) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


def season_run(told: dict[str, Any], on_call: Callable[[CallRecord], None] | None = None) -> tuple[RunContext, Season]:
    """A run over one season, begun in the warehouse, as the operators make it."""
    from sportmonks.api.budget import UnlimitedBudget
    from sportmonks.api.client import SportmonksClient
    from sportmonks.collect.context import RunContext
    from sportmonks.config.catalog import CollectSettings, League, Season, TaskSettings
    from sportmonks.config.settings import DEFAULT_INCLUDES
    from sportmonks.planning.run_params import read_params
    from sportmonks.warehouse.connection import open_connection

    season = Season(id=told["season_id"], name="Season", group="season")
    league = League(
        id=told["league_id"],
        name="League",
        slug="league",
        schedule=None,
        deadline_minutes=60,
        includes=DEFAULT_INCLUDES,
        seasons=(season,),
    )
    threads = told["threads"]
    settings = TaskSettings(collect=CollectSettings(fetchers=threads, writers=threads, in_flight=2 * threads))
    client = SportmonksClient(told["url"], told["key"], budget=UnlimitedBudget(), on_call=on_call)
    run = RunContext(
        execution_id="etl_20260101_000000_abcdef",
        league=league,
        settings=settings,
        params=read_params({}, league, settings),
        connect=lambda: open_connection(told["dsn"], autocommit=True),
        client=lambda: client,
        checkpoints=_Checkpoints(),
    )
    with run.connect() as conn:
        conn.execute("SELECT etl.start_etl_execution(%s)", (run.execution_id,))
    return run, season


def ours(told: dict[str, Any]) -> dict[str, Any]:
    """In the child: index, plan and collect one season."""
    from sportmonks.collect.collect import collect
    from sportmonks.collect.discover import discover
    from sportmonks.collect.plan import plan

    run, season = season_run(told)
    begun = time.perf_counter()
    discover(run)
    plan(run)
    result = collect(run, season, "bench")
    seconds = time.perf_counter() - begun
    return {
        "fixtures": sum(result.outcomes.values()),
        "seconds": seconds,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB,
    }


def run(asked: argparse.Namespace) -> None:
    if asked.child:
        print(json.dumps(ours(json.loads(sys.stdin.read()))))
        return
    from sportmonks.config.settings import DEFAULT_INCLUDES

    dlt = None if asked.no_dlt else dlt_python()
    rows: dict[str, list[dict[str, Any]]] = {}
    with season_of(asked.fixtures) as (box, league_id, season_id), postgres() as server:
        with client_of(box) as client:
            ids = ids_of(client, season_id)
            for start in range(0, len(ids), 50):  # every payload made once
                client.fixtures_multi(ids[start : start + 50], DEFAULT_INCLUDES)
        told: dict[str, Any] = {"url": box.base_url, "key": box.key, "league_id": league_id, "season_id": season_id}
        told["includes"] = ";".join(DEFAULT_INCLUDES)
        for repeat in range(asked.repeats):
            for threads in (1, 2):
                dsn = warehouse(server, f"ours_{threads}_{repeat}")
                name = f"this package, {threads} fetcher{'s' * (threads > 1)}, {threads} writer{'s' * (threads > 1)}"
                command = [sys.executable, "-m", "benchmarks", "path", "--child"]
                rows.setdefault(name, []).append(child(command, {**told, "dsn": dsn, "threads": threads}))
            if dlt is not None:
                dsn = server.ensure_database(f"dlt_{repeat}")
                rows.setdefault("dlt", []).append(
                    child([str(dlt), str(DLT_CLIENT)], {**told, "database_url": _url(dsn)})
                )
    for name, found in rows.items():
        assert {row["fixtures"] for row in found} == {len(ids)}, (name, found)
    table(
        f"The whole path: a season of {len(ids)} fixtures with every default include, index and plan included, "
        f"median of {asked.repeats}",
        ("", "seconds", "fixtures/s", "client's peak memory"),
        [
            (
                f"dlt {found[0]['version']} (REST source, merge)" if name == "dlt" else name,
                f"{median(row['seconds'] for row in found):.1f}",
                f"{len(ids) / median(row['seconds'] for row in found):,.0f}",
                f"{median(row['mib'] for row in found):,.0f} MiB",
            )
            for name, found in rows.items()
        ],
    )


def _url(dsn: str) -> str:
    """A conninfo as a URL."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(dsn)
    user, password = quote(str(parts["user"])), quote(str(parts["password"]))
    return f"postgresql://{user}:{password}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def dlt_python() -> Path | None:
    """The interpreter that has dlt; None, with a word of why, when it cannot be installed."""
    home = Path(os.environ.get("ETL_HOME") or ROOT / ".etl") / "bench-dlt"
    python = home / "bin" / "python"
    works = [str(python), "-c", "import dlt, dlt.destinations"]
    if python.exists() and subprocess.run(works, capture_output=True, check=False).returncode == 0:
        return python
    print(f"installing dlt into {home}", flush=True)
    try:
        venv.create(home, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"dlt is left out: {error}")
        return None
    if done.returncode:
        print(f"dlt is left out, pip cannot install it: {done.stderr.strip()[-300:]}")
        return None
    return python


def add_arguments(make: argparse.ArgumentParser) -> None:
    make.add_argument("--fixtures", type=int, default=760)
    make.add_argument("--repeats", type=int, default=3)
    make.add_argument("--no-dlt", action="store_true", help="only this package")
    make.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
