"""Environments with the packages of other tools, each made at its first use from its `requirements-NAME.in`."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

from tests.harness.paths import REPO


def python_with(name: str, modules: str) -> Path | None:
    """The interpreter of the environment NAME, in which ``modules`` can be imported.

    None, with the reason printed, when its packages cannot be installed.
    """
    home = Path(os.environ.get("ETL_HOME") or REPO / ".etl") / f"bench-{name}"
    python = home / "bin" / "python"
    works = [str(python), "-c", f"import {modules}"]
    if python.exists() and subprocess.run(works, capture_output=True, check=False).returncode == 0:
        return python
    print(f"installing {name} into {home}", flush=True)
    requirements = Path(__file__).with_name(f"requirements-{name}.in")
    try:
        venv.create(home, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{name} is left out: {error}")
        return None
    if done.returncode:
        print(f"{name} is left out, pip cannot install it: {done.stderr.strip()[-300:]}")
        return None
    return python
