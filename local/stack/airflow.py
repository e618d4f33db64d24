"""The Airflow of the local stack: its environment, its secrets, its metadata database."""

from __future__ import annotations

import base64
import json
import os
import secrets
import string
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from local.errors import LocalError
from local.stack.checks import PROXIES
from local.stack.files import read_json, secret, write_json
from local.stack.queries import query
from local.stack.settings import REPO, Settings
from sportmonks.warehouse.conninfo import describe

# In the order of their start. Logs of running tasks are read from the folder that all processes share: no log servers
# needed.
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    "scheduler": ("scheduler", "--skip-serve-logs"),
}
METADATA_DATABASE = "airflow"
# Tasks at once. A task that loads keeps a core busy for half of its time, and more of them take it from each other (on
# two cores the same seasons took 8 % more CPU time with 8 than with 4); a short one holds its place for a second with
# little to do. More than 8 would need more memory than many have.
PARALLELISM = min(8, max(4, 3 * (os.cpu_count() or 1)))
AUTH_MANAGER = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
USERS = {"admin": "admin", "viewer": "viewer"}
# Options of libpq for which an Airflow connection has fields; all others travel in its extra.
AIRFLOW_FIELDS = ("host", "port", "user", "password", "dbname")
LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
# Where libpq finds services and passwords: files of this account, which its connections may refer to.
LIBPQ_FILES = ("PGSERVICEFILE", "PGSYSCONFDIR", "PGPASSFILE")


@dataclass(frozen=True)
class Endpoints:
    """Addresses and credentials of the other parts of the stack, for Airflow's settings."""

    metadata: str
    warehouse: str
    api_url: str
    api_key: str
    sandbox: bool = False


class AirflowHome:
    """`<home>/airflow`: configuration that is generated once and kept (secrets 0600)."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = settings.home / "airflow"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    @property
    def passwords_file(self) -> Path:
        return self.folder / "passwords.json"

    def prepare(self) -> None:
        for folder in (self.folder, self.folder / "logs"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        passwords = read_json(self.passwords_file)
        if set(passwords) != set(USERS):
            fresh = {user: passwords.get(user) or _password() for user in USERS}
            write_json(self.passwords_file, fresh)

    def password(self, user: str = "admin") -> str:
        password = read_json(self.passwords_file).get(user)
        if not password:
            raise LocalError(f"no password of {user!r} in {self.passwords_file}", hint="run `./etl up`")
        return str(password)

    def environment(self, endpoints: Endpoints) -> dict[str, str]:
        """The environment of Airflow's processes, without variables of another Airflow installation."""
        env = clean_environment(os.environ)
        env |= {
            "AIRFLOW_HOME": str(self.folder),
            # Preloading in config/, the package itself in plugins/.
            "PYTHONPATH": os.pathsep.join([str(REPO / "config"), str(REPO / "plugins")]),
            "PYTHONUNBUFFERED": "1",
            # macOS refuses to fork after its network libraries were used; everywhere else this does nothing.
            "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
            "AIRFLOW_CONN_SPORTMONKS_API": json.dumps(
                {"conn_type": "http", "host": endpoints.api_url, "password": endpoints.api_key}
                | ({"extra": {"sandbox": True}} if endpoints.sandbox else {})
            ),
            "AIRFLOW_CONN_SPORTMONKS_WAREHOUSE": warehouse_connection(endpoints.warehouse),
        }
        for section, options in self._configuration(endpoints).items():
            for option, value in options.items():
                env[f"AIRFLOW__{section.upper()}__{option.upper()}"] = str(value)
        env |= self.settings.passed_on
        # Where there can be a proxy (macOS has them in its settings); reading this costs the client of each task time.
        if sys.platform == "darwin" or any(env.get(name) for name in PROXIES):
            env["no_proxy"] = ",".join(filter(None, [env.get("no_proxy"), "127.0.0.1,localhost"]))
        return env

    def _configuration(self, endpoints: Endpoints) -> dict[str, dict[str, Any]]:
        settings = self.settings
        return {
            "core": {
                "dags_folder": settings.dags_folder,
                "plugins_folder": REPO / "plugins",
                "executor": "LocalExecutor",
                "parallelism": PARALLELISM,
                "load_examples": False,
                "dags_are_paused_at_creation": False,
                "max_active_runs_per_dag": 4,
                "test_connection": "Enabled",
                "mp_start_method": "fork",
                "fernet_key": secret(self.folder / "fernet.key", _fernet_key),
                "auth_manager": AUTH_MANAGER,
                "simple_auth_manager_users": ",".join(f"{user}:{role}" for user, role in USERS.items()),
                "simple_auth_manager_passwords_file": self.passwords_file,
                "execution_api_server_url": f"{self.url}/execution/",
            },
            "database": {"sql_alchemy_conn": sqlalchemy_url(endpoints.metadata)},
            "api": {
                "host": "127.0.0.1",
                "port": settings.port,
                "base_url": self.url,
                "workers": 1,
                "secret_key": secret(self.folder / "api-secret.key", lambda: secrets.token_urlsafe(32)),
            },
            "api_auth": {"jwt_secret": secret(self.folder / "jwt.key", lambda: secrets.token_urlsafe(48))},
            "workers": {
                # The supervisor of a short task holds its slot for this long: 5 s by default.
                "min_heartbeat_interval": 1,
                "max_failed_heartbeats": 10,
                # A task outlives an API server that is away for half a minute, not for some seconds only.
                "execution_api_retries": 10,
                "execution_api_retry_wait_max": 10,
            },
            "scheduler": {
                # A task whose supervisor was killed is noticed after a minute and a half, not after five; tasks of a
                # scheduler that was killed once it has been silent for half a minute, not within five more.
                "task_instance_heartbeat_timeout": 90,
                "orphaned_tasks_check_interval": 15,
                "enable_health_check": False,
            },
            # Each parse is a process: every 5 s that was a fifth of a core for ever. A DAG file that has changed is
            # parsed at once whatever is set here. The files of routes and the manifest are none: the command line asks
            # for a parse where it has changed one, and any other change of them shows after this time.
            "dag_processor": {
                "refresh_interval": 5,
                "min_file_process_interval": 120,
                "bundle_refresh_check_interval": 2,
            },
            "logging": {
                "base_log_folder": self.folder / "logs",
                "logging_level": settings.log_level,
                "dag_processor_child_process_log_directory": self.folder / "logs" / "dag_processor",
                "colored_console_log": False,
            },
        }

    # -- the metadata database --------------------------------------------------------------------------

    def is_migrated(self, conninfo: str) -> bool:
        """Whether this version of Airflow has migrated this database already."""
        revision = _alembic_revision(conninfo)
        return bool(revision) and read_json(self._migration_file) == _migration(revision)

    def remember_migration(self, conninfo: str) -> bool:
        """Call it after `airflow db migrate`; False when that has left no schema behind."""
        revision = _alembic_revision(conninfo)
        if not revision:
            return False
        write_json(self._migration_file, _migration(revision))
        return True

    @property
    def _migration_file(self) -> Path:
        return self.folder / "metadata.json"


def _migration(revision: str | None) -> dict[str, Any]:
    return {"airflow": version("apache-airflow-core"), "revision": revision}


def airflow_command(*arguments: str) -> list[str]:
    """The command of the Airflow that is installed for this interpreter, whatever PATH holds."""
    return [sys.executable, "-m", "airflow", *arguments]


def clean_environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` without variables of another Airflow or Python and without this program's secrets, and where this
    interpreter finds its own libraries, if that is a variable."""
    ours = ("AIRFLOW", "_AIRFLOW", "SPORTMONKS_", "SUPABASE_", "ETL_", "PYTHON", "VIRTUAL_ENV", "PG")
    kept = {name: value for name, value in env.items() if name in LIBPQ_FILES or not name.startswith(ours)}
    kept |= {name: os.environ[name] for name in LIBRARY_PATHS if name in os.environ}
    # Tools that a task starts by name are those of this environment.
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    return kept


def sqlalchemy_url(conninfo: str) -> str:
    return conninfo.replace("postgresql://", "postgresql+psycopg2://", 1)


def warehouse_connection(conninfo: str) -> str:
    """An Airflow connection (JSON) from a libpq connection string, with each of its options."""
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items() if value}
    port = parts.get("port", "" if "service" in parts else "5432")
    extra = {name: value for name, value in parts.items() if name not in AIRFLOW_FIELDS}
    if "," in port:
        # Airflow's field takes one number.
        extra["port"] = port
    connection: dict[str, Any] = {
        "conn_type": "postgres",
        "host": parts.get("host"),
        "port": int(port) if port.isdigit() else None,
        "login": parts.get("user"),
        "password": parts.get("password"),
        "schema": parts.get("dbname") or (None if "service" in parts else "postgres"),
    }
    if extra:
        connection["extra"] = extra
    return json.dumps(connection)


def masked(conninfo: str) -> str:
    """The connection string without its password, for output."""
    account = quote(unquote(str(conninfo_to_dict(conninfo).get("user") or "")), safe="")
    return f"postgresql://{account}@{describe(conninfo)}"


def _alembic_revision(conninfo: str) -> str | None:
    try:
        with psycopg.connect(conninfo, connect_timeout=5) as connection:
            row = connection.execute(query("server/airflow_revision")).fetchone()
            return str(row[0]) if row else None
    except psycopg.Error:
        return None


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _password() -> str:
    # Letters and digits without those that look alike: it is typed from a terminal into a browser.
    letters = "".join(set(string.ascii_letters + string.digits) - set("0O1lI"))
    return "".join(secrets.choice(letters) for _ in range(16))
