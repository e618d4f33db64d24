"""End to end: a season from the API into PostgreSQL, by this package and by dlt (REST source, merge).

dlt is installed at the first run into an environment of its own (`benchmarks/requirements-dlt.in`). Each client runs in
a process of its own; the API and PostgreSQL run beside it on the same cores.
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

from benchmarks.harness import child, client_of, ids_of, postgres, season_of, table, warehouse
from tests.harness.paths import REPO

if TYPE_CHECKING:
    from sportmonks.api.calls import CallRecord
    from sportmonks.collect.context import RunContext
    from sportmonks.config.manifest import Season

REQUIREMENTS = Path(__file__).with_name("requirements-dlt.in")
DLT_CLIENT = Path(__file__).with_name("dlt_client.py")
MIB = 1024  # ru_maxrss comes in KiB


class _Checkpoints(dict[str, str]):
    def set(self, key: str, value: str) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


def season_run(
    inputs: dict[str, Any], on_call: Callable[[CallRecord], None] | None = None
) -> tuple[RunContext, Season]:
    """A run over one season, recorded in the warehouse, as the operators make it.

    ``inputs``: `url`, `key`, `dsn`, `league_id`, `season_id` and, for another number of fetchers and writers than the
    default, `threads`; `execution_id` where there are several.
    """
    from sportmonks.api.budget import UnlimitedBudget
    from sportmonks.api.client import SportmonksClient
    from sportmonks.collect.context import RunContext
    from sportmonks.config.catalog import CollectSettings, TaskSettings
    from sportmonks.config.manifest import League, Season
    from sportmonks.config.settings import DEFAULT_INCLUDES
    from sportmonks.planning.run_params import read_params
    from sportmonks.warehouse.connection import open_connection

    season = Season(id=inputs["season_id"], name="Season", group="season")
    league = League(
        id=inputs["league_id"],
        name="League",
        slug="league",
        schedule=None,
        deadline_minutes=60,
        includes=DEFAULT_INCLUDES,
        seasons=(season,),
    )
    settings = TaskSettings()
    if threads := inputs.get("threads"):
        settings = TaskSettings(collect=CollectSettings(fetchers=threads, writers=threads, in_flight=2 * threads))
    client = SportmonksClient(inputs["url"], inputs["key"], budget=UnlimitedBudget(), on_call=on_call)
    run = RunContext(
        execution_id=inputs.get("execution_id", "etl_20260101_000000_abcdef"),
        league=league,
        settings=settings,
        params=read_params({}, league, settings),
        connect=lambda: open_connection(inputs["dsn"], autocommit=True),
        client=lambda: client,
        checkpoints=_Checkpoints(),
    )
    with run.connect() as conn:
        conn.execute("SELECT etl.start_etl_execution(%s)", (run.execution_id,))
    return run, season


def collect_season(inputs: dict[str, Any]) -> dict[str, Any]:
    """In the child: index, plan and collect one season."""
    from sportmonks.collect.collect import collect
    from sportmonks.collect.discover import discover
    from sportmonks.collect.plan import plan

    run, season = season_run(inputs)
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


def run(args: argparse.Namespace) -> None:
    if args.child:
        print(json.dumps(collect_season(json.loads(sys.stdin.read()))))
        return
    from sportmonks.config.settings import DEFAULT_INCLUDES

    dlt = None if args.no_dlt else dlt_python()
    rows: dict[str, list[dict[str, Any]]] = {}
    with season_of(args.fixtures) as (box, league_id, season_id), postgres() as server:
        with client_of(box) as client:
            ids = ids_of(client, season_id)
            for start in range(0, len(ids), 50):  # makes every payload once, outside the measured time
                client.fixtures_multi(ids[start : start + 50], DEFAULT_INCLUDES)
        inputs: dict[str, Any] = {"url": box.base_url, "key": box.key, "league_id": league_id, "season_id": season_id}
        inputs["includes"] = ";".join(DEFAULT_INCLUDES)
        for repeat in range(args.repeats):
            for threads in (1, 2):
                dsn = warehouse(server, f"ours_{threads}_{repeat}")
                name = f"this package, {threads} fetcher{'s' * (threads > 1)}, {threads} writer{'s' * (threads > 1)}"
                command = [sys.executable, "-m", "benchmarks", "path", "--child"]
                rows.setdefault(name, []).append(child(command, {**inputs, "dsn": dsn, "threads": threads}))
            if dlt is not None:
                dsn = server.ensure_database(f"dlt_{repeat}")
                rows.setdefault("dlt", []).append(
                    child([str(dlt), str(DLT_CLIENT)], {**inputs, "database_url": _url(dsn)})
                )
    for name, found in rows.items():
        assert {row["fixtures"] for row in found} == {len(ids)}, (name, found)
    table(
        f"End to end: a season of {len(ids)} fixtures with every default include, index and plan included, "
        f"median of {args.repeats}",
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
    """The interpreter of the environment with dlt; None, with the reason printed, when dlt cannot be installed."""
    home = Path(os.environ.get("ETL_HOME") or REPO / ".etl") / "bench-dlt"
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
