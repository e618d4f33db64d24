"""The release workflow's check that tag, code, Helm values and changelog agree, run as the workflow runs it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import sportmonks
from tests.harness.paths import REPO

TAG = f"v{sportmonks.__version__}"
CODE, VALUES, CHANGES = "plugins/sportmonks/__init__.py", "deploy/helm/values.yaml", "CHANGELOG.md"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that the check reads, the newest section of the changelog dated as at a release."""
    for name in (CODE, VALUES, CHANGES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((REPO / name).read_text(encoding="utf-8"), encoding="utf-8")
    change(tmp_path, CHANGES, " - unreleased", " - 2026-12-01")
    return tmp_path


def change(checkout: Path, name: str, old: str, new: str) -> None:
    text = (checkout / name).read_text(encoding="utf-8")
    assert old in text
    (checkout / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def check(checkout: Path, tag: str = TAG) -> subprocess.CompletedProcess[str]:
    workflow = yaml.safe_load((REPO / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
    (script,) = (step["run"] for step in workflow["jobs"]["build"]["steps"] if "same version" in step.get("name", ""))
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    env = {**os.environ, "GITHUB_REF_NAME": tag}
    return subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, check=False)


def test_files_that_agree_pass_and_give_the_notes(checkout: Path) -> None:
    done = check(checkout)
    assert done.returncode == 0, done.stdout
    notes = (checkout / "notes.md").read_text(encoding="utf-8")
    assert notes.startswith(f"## [{sportmonks.__version__}] - 2026-12-01\n")
    assert len(re.findall(r"(?m)^## ", notes)) == 1


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (CODE, f'__version__ = "{sportmonks.__version__}"', '__version__ = "9.9.9"', "__init__.py says 9.9.9"),
        (
            VALUES,
            f"defaultAirflowTag: {sportmonks.__version__}",
            "defaultAirflowTag: 9.9.9",
            "another version of the image",
        ),
        (CHANGES, " - 2026-12-01", " - unreleased", "no section"),
        (CHANGES, f"## [{sportmonks.__version__}]", "## [9.9.9]", "no section"),
        (CHANGES, " - 2026-12-01\n", " - 2026-12-01\n\n## [0.0.1] - 2026-01-01\n", "is empty"),
    ],
)
def test_what_disagrees_stops_the_release(checkout: Path, name: str, old: str, new: str, message: str) -> None:
    change(checkout, name, old, new)
    done = check(checkout)
    assert done.returncode == 1
    assert f"::error::{'The tag' if name == CODE else ''}" in done.stdout
    assert message in done.stdout


def test_a_tag_of_another_version_stops_the_release(checkout: Path) -> None:
    done = check(checkout, "v9.9.9")
    assert done.returncode == 1
    assert "::error::The tag is v9.9.9" in done.stdout
