"""A real PgBouncer before a PostgreSQL server, as a process of the test's own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from local.stack.files import free_port
from local.stack.postgres_programs import run_as

_CONFIG = """\
[databases]
pooled = host={host} port={port} dbname={dbname} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = any
pool_mode = {pool_mode}
default_pool_size = {pool_size}
"""


@contextlib.contextmanager
def pgbouncer(dsn: str, *, pool_mode: str = "transaction", pool_size: int = 1) -> Iterator[str]:
    """The connection string that leads through the pooler to the database of ``dsn``.

    ``pool_size``: sessions of the server that all clients share. The test is skipped where there is no PgBouncer.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip("there is no pgbouncer on this machine (Debian: apt-get install pgbouncer)")
    parts = conninfo.conninfo_to_dict(dsn)
    port = free_port()
    account = run_as()  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    config = folder / "pgbouncer.ini"
    config.touch(mode=0o600)
    config.write_text(_CONFIG.format(**parts, listen_port=port, pool_mode=pool_mode, pool_size=pool_size))
    for path in (folder, config):
        account.own(path)
    process = subprocess.Popen(  # type: ignore[call-overload]
        [program, "-q", str(config)], stderr=subprocess.PIPE, text=True, cwd="/", **account.popen_arguments()
    )
    try:
        way = conninfo.make_conninfo(host="127.0.0.1", port=port, dbname="pooled", user=str(parts["user"]))
        _wait(way, process)
        yield way
    finally:
        process.terminate()
        process.communicate(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(dsn: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise AssertionError(f"PgBouncer does not start: {error} {process.communicate()[1][-500:]}") from None
            time.sleep(0.05)
