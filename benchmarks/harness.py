"""What the benchmarks share: a PostgreSQL server, a sandbox with one large season, child processes and tables.

Servers and seed data that tests use as well come from `tests.harness`.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import psutil
import psycopg

from tests.harness.paths import REPO

if TYPE_CHECKING:
    from local.stack.postgres import EmbeddedPostgres
    from sandbox.testing import RunningSandbox
    from sportmonks.api.client import SportmonksClient

# In summer the last season is over and each of its fixtures has all its sections.
SUMMER = "2026-07-15T12:00:00Z"


@contextmanager
def postgres(keep: Path | None = None) -> Iterator[EmbeddedPostgres]:
    """A server with the settings of the local stack; durable, so that a commit waits for the disk.

    ``keep``: a folder whose data is used again and stays.
    """
    from local.stack.postgres import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        server = EmbeddedPostgres(keep or home)
        server.start()
        try:
            yield server
        finally:
            if keep:
                server.stop()
            else:
                server.destroy()


class ServerMeter:
    """CPU seconds and bytes of WAL of a server between ``begin`` and ``end``."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._before = (0.0, 0)

    def begin(self) -> None:
        self._before = self._now()

    def end(self) -> dict[str, float]:
        cpu, wal = self._now()
        return {"server_cpu": cpu - self._before[0], "wal": wal - self._before[1]}

    def _now(self) -> tuple[float, int]:
        assert self._server.data_dir is not None
        number = int((self._server.data_dir / "postmaster.pid").read_text().split()[0])
        postmaster = psutil.Process(number)
        cpu = 0.0
        for process in (postmaster, *postmaster.children()):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                # Those of sessions that have ended are among the postmaster's.
                cpu += (
                    times.user + times.system + (times.children_user + times.children_system) * (process is postmaster)
                )
        with psycopg.connect(self._server.conninfo("postgres")) as conn:
            row = conn.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
        assert row is not None
        return cpu, int(row[0])


def warehouse(server: EmbeddedPostgres, name: str) -> str:
    """Conninfo of a new migrated database."""
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.migrations import migrate

    with open_connection(server.ensure_database("postgres"), autocommit=True) as conn:
        conn.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    dsn = server.ensure_database(name)
    with open_connection(dsn) as conn:
        migrate(conn)
    return dsn


def filled_database(server: EmbeddedPostgres, name: str, fill: Callable[[str], None]) -> str:
    """Conninfo of a database that ``fill(conninfo)`` has filled, now or in an earlier run that came to its end."""
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            started = time.monotonic()
            admin.execute(f"DROP DATABASE IF EXISTS {name}_part WITH (FORCE)".encode())
            admin.execute(f"CREATE DATABASE {name}_part".encode())
            fill(server.conninfo(f"{name}_part"))
            admin.execute(f"ALTER DATABASE {name}_part RENAME TO {name}".encode())
            print(f"filled {name} in {time.monotonic() - started:.0f} s\n")
    return str(server.conninfo(name))


def print_times(head: str, questions: Iterable[tuple[str, Sequence[float]]], *, limit_ms: float) -> int:
    """Print the median and the worst of each question's times, in ms, as they come.

    Returns the exit code: 1 when a median is over the limit.
    """
    slow = []
    print(f"{head:<40} {'median':>8} {'worst':>8}   ms")
    for label, times in questions:
        middle = median(times)
        print(f"{label:<40} {middle:>8.1f} {max(times):>8.1f}", flush=True)
        if middle > limit_ms:
            slow.append(label)
    print(f"\nover {limit_ms} ms: {', '.join(slow)}" if slow else f"\nevery median under {limit_ms} ms")
    return 1 if slow else 0


@contextmanager
def season_of(fixtures: int, *, latency: float = 0.0) -> Iterator[tuple[RunningSandbox, int, int]]:
    """A sandbox with a finished season of this many fixtures, as (sandbox, league_id, season_id)."""
    from sandbox.testing import running_sandbox

    options: dict[str, Any] = {"leagues": 1, "seasons": 2, "limit": 1_000_000, "now": SUMMER, "cache_mb": 1024}
    with running_sandbox(big_chunk=fixtures, latency=latency, **options) as box:
        chunk = max(box.admin("GET", "/truth?states=0")["chunks"], key=lambda row: int(row["fixtures"]))
        yield box, int(chunk["league_id"]), int(chunk["season_id"])


def client_of(box: RunningSandbox) -> SportmonksClient:
    """A client that no budget slows down."""
    from sportmonks.api.budget import UnlimitedBudget
    from sportmonks.api.client import SportmonksClient

    return SportmonksClient(box.base_url, box.key, budget=UnlimitedBudget())


def ids_of(client: SportmonksClient, season_id: int) -> list[int]:
    """Fixture ids of a season in the order of its index."""
    return [int(row["id"]) for page in client.season_index(season_id) for row in page]


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table whose columns are aligned in the terminal as well."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (cell.rjust(width) if place else cell.ljust(width)
                        for place, (cell, width) in enumerate(zip(cells, widths, strict=True)))  # fmt: skip
        return f"| {' | '.join((first, *rest))} |"

    print(f"\n{title}\n")
    print(line(lines[0]))
    print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for cells in lines[1:]:
        print(line(cells))
    sys.stdout.flush()


def ms(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1000:,.0f} ms"


def child(command: list[str], inputs: dict[str, Any]) -> dict[str, Any]:
    """Run a command with ``inputs`` as JSON on standard input and return its last line of output, decoded from JSON.

    SystemExit with the end of its error output when the command fails.
    """
    done = subprocess.run(command, cwd=REPO, input=json.dumps(inputs), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[1:]} failed: {done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def machine() -> str:
    """Date, cores, architecture, Python version and load of this machine in one line."""
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}; load before: {load:.1f}"
    )
