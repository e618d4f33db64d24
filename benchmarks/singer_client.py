"""The same season collected by a Singer tap and a PostgreSQL target, in an environment that holds only these.

Standard input and output: as of `dlt_client.py`. Tap and target are two processes with a pipe between them, as Singer
means it; both begin with their modules imported. `mib` is the peak memory of both together, `cpu` their CPU seconds.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).parent))
SCHEMA = "bench"


def main(inputs: dict[str, Any]) -> dict[str, Any]:
    import psycopg
    import target_postgres.target  # noqa: F401 (the children find it imported)
    from singer_tap import SeasonTap  # noqa: F401

    reading, writing = os.pipe()
    begun = time.perf_counter()
    target = _fork(lambda: _load(inputs, reading), unused=writing)
    tap = _fork(lambda: _extract(inputs, writing), unused=reading)
    os.close(reading)
    os.close(writing)
    ended = [os.wait4(each, 0) for each in (tap, target)]
    seconds = time.perf_counter() - begun
    if any(status for _, status, _ in ended):
        raise SystemExit(f"tap and target ended with {[status for _, status, _ in ended]}")
    with psycopg.connect(inputs["database_url"]) as conn:
        fixtures, details = (
            conn.execute(f"SELECT count(*) FROM {SCHEMA}.{name}").fetchone()[0] for name in ("fixtures", "details")
        )
    return {
        "fixtures": fixtures,
        "details": details,
        "seconds": seconds,
        "cpu": sum(usage.ru_utime + usage.ru_stime for _, _, usage in ended),
        "mib": sum(usage.ru_maxrss for _, _, usage in ended) / 1024,
        "version": version("meltanolabs-target-postgres"),
    }


def _fork(work: Callable[[], None], *, unused: int) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.close(unused)
        work()
        status = 0
    except BaseException as error:  # a forked child must not return into its parent's code
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _extract(inputs: dict[str, Any], writing: int) -> None:
    from singer_tap import SeasonTap

    os.dup2(writing, 1)
    logging.disable(logging.WARNING)
    names = ("url", "key", "season_id", "includes")
    SeasonTap(config={name: inputs[name] for name in names}).sync_all()


def _load(inputs: dict[str, Any], reading: int) -> None:
    from target_postgres.target import TargetPostgres

    os.dup2(reading, 0)
    os.dup2(2, 1)  # its states
    logging.disable(logging.WARNING)
    parts = urlsplit(inputs["database_url"])
    config = {
        "host": parts.hostname,
        "port": parts.port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": parts.path.strip("/"),
        "default_target_schema": SCHEMA,
        "use_copy": True,
    }
    TargetPostgres(config=config).listen()


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.stdin.read()))))
