"""What the containers run besides Airflow itself (docker-compose.yaml): check, init, healthy.

python -m local.deploy.container check                     what is missing in .env or cannot be read, a line each; exit
                                                           code 1 when there is anything
python -m local.deploy.container init                      databases up to date, login file written
python -m local.deploy.container healthy URL [COMPONENT]   exit code 0 when the component (metadatabase, scheduler,
                                                           triggerer, dag_processor) of the API server at URL is healthy
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.deploy.make_secrets import expanded

# Names in .env; compose makes a file of each, with the same name in small letters.
SECRETS = (
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_API_SECRET_KEY",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_ADMIN_PASSWORD",
    "POSTGRES_PASSWORD",
    "AIRFLOW_DATABASE_PASSWORD",
    "WAREHOUSE_PASSWORD",
    "WAREHOUSE_READER_PASSWORD",
    "REDIS_PASSWORD",
)
MAKE = "Run: python3 local/deploy/make_secrets.py >> .env"
HEALTH_SECONDS = 10
# Mounted folders that containers read (`local` in another place, because this module must run without it), and volumes
# that they write.
READ = ("config", "dags", "include/sql", "plugins/sportmonks", "checkout/local/deploy")
WRITTEN = ("auth", "logs")


@dataclass(frozen=True)
class Files:
    """The files that compose makes of `secrets` and `configs`, in the folders ``secrets`` and ``settings``."""

    folder: Path

    def secret(self, name: str) -> str:
        """The value of this line of .env; "" where it has none."""
        return self._text(self.folder / "secrets" / name.lower())

    @property
    def metadata(self) -> str:
        return self._text(self.folder / "settings" / "metadata")

    @property
    def connections(self) -> str:
        """JSON with the connections of the package, by id."""
        return self._text(self.folder / "settings" / "connections.json")

    @staticmethod
    def _text(file: Path) -> str:
        return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def problems(env: Mapping[str, str], files: Files) -> list[str]:
    """Settings that are missing or unusable, each with its hint; no value of a secret is repeated."""
    executor = env.get("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")
    needed = [name for name in SECRETS if name != "REDIS_PASSWORD" or executor == "CeleryExecutor"]
    found = [f"{name} is not set in .env. {MAKE}" for name in needed if not files.secret(name)]
    if executor not in ("LocalExecutor", "CeleryExecutor"):
        found.append(f"AIRFLOW_EXECUTOR={executor!r} is not provided for. Set LocalExecutor or CeleryExecutor.")
    uid = env.get("AIRFLOW_UID") or "0"
    if not (uid.isascii() and uid.isdigit()):
        found.append(f"AIRFLOW_UID={uid!r} is not the number of a user. Set it to 50000, or to what `id -u` prints.")
    try:
        connections = json.loads(files.connections)
    except ValueError:
        found.append(
            "SPORTMONKS_API_KEY, SPORTMONKS_BASE_URL or SUPABASE_CONNECTION_STRING holds a quotation mark or a"
            " backslash. Copy it again."
        )
        return found
    if not connections["sportmonks_api"].get("password"):
        found.append(
            "SPORTMONKS_API_KEY is not set in .env. Set your key, or the three lines for the sandbox "
            "that stand at the top of docker-compose.yaml."
        )
    if not connections["sportmonks_warehouse"].startswith(("postgresql://", "postgres://")):
        found.append("SUPABASE_CONNECTION_STRING does not begin with postgresql://. Write it as a URL, or unset it.")
    return found


def misread_lines(dotenv: Path, files: Files) -> list[str]:
    """Lines of ``dotenv`` that compose takes for something else than what is written, or that have changed since the
    containers were made, each with its hint. Nothing where this user cannot read the file."""
    try:
        text = dotenv.read_text(encoding="utf-8")
    except OSError:
        return []
    found = [
        f"{name} in .env holds a $, which docker compose takes for the begin of a variable. Write $$ for each $."
        for name in expanded(text)
    ]
    written = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        written[name.strip()] = value.strip().replace("$$", "$")
    found += [
        f"{name} in .env has changed since the containers were made. Run: docker compose up --detach --force-recreate"
        f" (if that says the same, the shell has another {name}, which docker compose prefers: unset it)"
        for name in SECRETS
        if re.fullmatch(r"[\w$.~=-]+", written.get(name, "")) and files.secret(name) not in ("", written[name])
    ]
    return found


def become(uid: int) -> None:
    """From now on this process is the user of the other containers, in group 0."""
    if os.getuid() == 0 != uid:
        os.setgroups([])
        os.setgid(0)
        os.setuid(uid)


def unusable_folders(airflow_home: Path) -> list[str]:
    """Folders below ``airflow_home`` that this container's user cannot read or write, each with its hint."""
    user = f"the containers' user ({os.getuid()}, group {os.getgid()})"
    found = [
        f"{airflow_home / name} cannot be read by {user}. Run in the checkout: chmod -R go+rX config dags include local"
        " plugins"
        for name in READ
        if not os.access(airflow_home / name, os.R_OK | os.X_OK)
    ]
    return found + [
        f"{airflow_home / name} cannot be written by {user}. Its volume was made for another AIRFLOW_UID: set"
        " that one again, or remove the volume (docker volume rm)."
        for name in WRITTEN
        if not os.access(airflow_home / name, os.W_OK | os.X_OK)
    ]


def check(env: Mapping[str, str], *, preflight: bool = False) -> int:
    """Print what is wrong with the settings and, in `preflight`, with .env and the folders; 1 when anything is."""
    files = Files(Path(env.get("DEPLOY_FILES", "/run")))
    found = problems(env, files)
    if preflight:
        home = Path(env.get("AIRFLOW_HOME", "/opt/airflow"))
        found += misread_lines(home / "checkout" / ".env", files)
        if env.get("AIRFLOW_UID", "").isdigit():
            become(int(env["AIRFLOW_UID"]))
        found += unusable_folders(home)
    for line in found:
        print(f"error: {line}", file=sys.stderr)
    return 1 if found else 0


def init(env: Mapping[str, str]) -> int:
    """Give Airflow and the warehouse their databases and accounts, migrate both and write the login file; it may run at
    every start."""
    files = Files(Path(env.get("DEPLOY_FILES", "/run")))
    _write_logins(Path(env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]), files)
    import psycopg

    # Before accounts and Airflow's own database are changed by a version that does not belong here.
    if refusal := _newer_warehouse(files):
        print(f"error: {refusal}", file=sys.stderr)
        return 1
    try:
        _prepare_databases(env, files)
    except psycopg.OperationalError as error:
        print(
            f"error: {error}\nThe superuser keeps the password that the volume `postgres` was made with. Set that one"
            " as POSTGRES_PASSWORD in .env, or change it in the database (ALTER ROLE postgres).",
            file=sys.stderr,
        )
        return 1
    done = subprocess.run(["airflow", "db", "migrate"], check=False)
    if done.returncode != 0:
        print(f"error: `airflow db migrate` ended with code {done.returncode}", file=sys.stderr)
        return 1
    from sportmonks.errors import SportmonksError
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.migrations import migrate

    try:
        with open_connection(json.loads(files.connections)["sportmonks_warehouse"]) as connection:
            applied = migrate(connection)
    except SportmonksError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"warehouse: {len(applied)} files of the schema applied" if applied else "warehouse: up to date")
    return 0


def _newer_warehouse(files: Files) -> str:
    """Why this version must not touch the warehouse; "" when it may, and where there is none yet."""
    import psycopg

    from sportmonks.errors import SportmonksError
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.migrations import NewerWarehouseError, is_current

    try:
        with open_connection(json.loads(files.connections)["sportmonks_warehouse"]) as connection:
            is_current(connection)
    except NewerWarehouseError as error:
        return str(error)
    except (SportmonksError, psycopg.Error):
        pass  # there is none, or not yet the account for it: what follows makes both, or says what is wrong
    return ""


def _write_logins(path: Path, files: Files) -> None:
    # Made anew: the file of another AIRFLOW_UID could not be opened, only replaced.
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"admin": files.secret("AIRFLOW_ADMIN_PASSWORD")}, file)


def _prepare_databases(env: Mapping[str, str], files: Files) -> None:
    """Databases and accounts on the server of POSTGRES_ADMIN, for the connections that lead to it; others are left
    alone: a warehouse elsewhere has its account and its database already."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    from local.accounts import ensure_database, prepare_metadata, prepare_warehouse

    server = make_conninfo(env["POSTGRES_ADMIN"], password=files.secret("POSTGRES_PASSWORD"))
    admin = conninfo_to_dict(server)
    metadata = conninfo_to_dict(files.metadata.replace("+psycopg2", "", 1))
    warehouse = conninfo_to_dict(json.loads(files.connections)["sportmonks_warehouse"])
    for parts in (metadata, warehouse):
        if _place(parts) != _place(admin):
            continue
        if not parts.get("password") or parts.get("user") in (None, admin["user"]):
            continue  # an own setting: it logs in without a password, or works as the superuser
        account, password = str(parts["user"]), str(parts["password"])
        name = str(parts.get("dbname") or account)
        with psycopg.connect(server, autocommit=True, connect_timeout=10) as connection:
            ensure_database(connection, name)
        place = make_conninfo(server, dbname=name)
        with psycopg.connect(place, autocommit=True, connect_timeout=10) as connection:
            if parts is metadata:
                prepare_metadata(connection, password, account)
            else:
                prepare_warehouse(connection, password, files.secret("WAREHOUSE_READER_PASSWORD"), account)


def _place(parts: Mapping[str, Any]) -> tuple[Any, str]:
    """Host and port of a connection string's parts."""
    return parts.get("host"), str(parts.get("port") or 5432)


def healthy(url: str, component: str = "metadatabase") -> int:
    """The API server answers with status 200 whatever the state, so the state is read from its body.

    Asking it costs a few milliseconds; `airflow jobs check` imports Airflow, which takes 3 s of CPU time.
    """
    try:
        with urllib.request.urlopen(f"{url}/api/v2/monitor/health", timeout=HEALTH_SECONDS) as answer:
            state: dict[str, Any] = json.load(answer)
    except (OSError, ValueError) as error:
        print(f"error: {url} does not answer: {error}", file=sys.stderr)
        return 1
    status = (state.get(component) or {}).get("status")
    print(f"{component}: {status}")
    return 0 if status == "healthy" else 1


def main(arguments: Sequence[str]) -> int:
    match list(arguments):
        case ["check"]:
            return check(os.environ, preflight=True)
        case ["init"]:
            return check(os.environ) or init(os.environ)
        case ["healthy", url]:
            return healthy(url)
        case ["healthy", url, component]:
            return healthy(url, component)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
