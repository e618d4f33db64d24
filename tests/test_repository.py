"""The repository's own files hold together: links and anchors, one version, hooks and workflows."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import sportmonks
from sportmonks.api.transport import USER_AGENT
from tests.harness.paths import REPO

PAGES = [*sorted(REPO.glob("*.md")), *sorted((REPO / "docs").rglob("*.md"))]
PAGES_AND_NOTES = [*PAGES, *sorted((REPO / ".github").rglob("*.md"))]
PACKAGE = REPO / "plugins" / "sportmonks"
FOLDERS = (
    *(".ci", ".github"),
    *"analytics benchmarks config dags deploy docs include local plugins sandbox tests".split(),
)
# Files that exist only where the stack has run, or in other places than the repository.
MADE = (
    "sportmonks_control.py",
    "sportmonks_data.py",
    ".etl/airflow/passwords.json",
    "docker-compose.override.yaml",
)
VERSION_FILE = "plugins/sportmonks/__init__.py"
# Helm reads no Python; tests/deploy compares the two.
VERSION_OF_THE_IMAGE = "deploy/helm/values.yaml"
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.M | re.S)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")


def name_of(file: Path) -> str:
    return file.relative_to(REPO).as_posix()


@cache
def text_of(page: Path) -> str:
    """A page without its code blocks, in which brackets are not links."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


@cache
def anchors_of(page: Path) -> frozenset[str]:
    """The anchors that hosting sites make of a page's headings; a repeated heading gets -1, -2, ..."""
    seen: Counter[str] = Counter()
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*$", text_of(page), re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", words))
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def links_of(page: Path) -> list[str]:
    """Targets inside the repository, in the order of the page."""
    return [target for target in LINK.findall(text_of(page)) if not re.match(r"[a-z]+:", target)]


@pytest.mark.parametrize("page", PAGES_AND_NOTES, ids=name_of)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in links_of(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_relative_to(REPO), f"{name_of(page)}: {target} leaves the repository."
        assert file.exists(), f"{name_of(page)}: {target} names no file."
        if anchor:
            assert anchor in anchors_of(file), f"{name_of(page)}: {target}: no such heading in {name_of(file)}."


def test_the_index_leads_to_every_page() -> None:
    """By one step, or over the list of decision records."""
    index = REPO / "docs" / "index.md"
    reached = {index}
    for page in (index, REPO / "docs" / "adr" / "README.md"):
        reached |= {(page.parent / target.partition("#")[0]).resolve() for target in links_of(page)}
    lost = [name_of(page) for page in (REPO / "docs").rglob("*.md") if page not in reached]
    assert not lost, f"Add to docs/index.md: {lost}"


def paths_of(page: Path) -> list[str]:
    """File and folder names in code style, as `load/batch.py` or `tests/chaos/`; patterns (`<name>`, `*`) are none."""
    text = text_of(page)
    if page.name == "older-systems.md":
        # The first column names files of the systems before this package.
        text = re.sub(r"^\|[^|]*\|", "", text, flags=re.M)
    spans = re.findall(r"`([^`\n]+)`", text)
    return [
        span for span in spans if re.fullmatch(r"[\w.-]+(/[\w.-]+)*(/|\.(py|sql|yaml|yml|toml|md|sh|txt|json))", span)
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_pages_name_exist(page: Path) -> None:
    """Below the repository, the package, or the page's own folder."""
    for name in paths_of(page):
        places = (REPO / name, PACKAGE / name, page.parent / name)
        assert any(place.exists() for place in places) or name in MADE, f"{name_of(page)} names {name}: no such file."


def test_the_architecture_page_has_every_folder_of_the_package() -> None:
    """And in the order of the import contract: what stands above may import what stands below."""
    section = (
        text_of(REPO / "docs" / "architecture.md").partition("## The layers of the package")[2].partition("\n## ")[0]
    )
    rows = [re.findall(r"`(\w+)(?:/|\.py)`", line.split("|")[1]) for line in section.splitlines() if line[:2] == "| "]
    contracts = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert [sorted(row) for row in rows if row] == [sorted(re.split(r"\s*\|\s*", layer)) for layer in layers]


def files_of(*endings: str) -> list[Path]:
    """Files that people write, by the end of their names; generated folders and local state are left out."""
    folders = [REPO / name for name in FOLDERS if (REPO / name).is_dir()]
    inside = [file for folder in folders for file in folder.rglob("*") if "__pycache__" not in file.parts]
    return [file for file in (*REPO.glob("*"), *inside) if file.is_file() and file.name.endswith(endings)]


def test_the_version_stands_in_one_place() -> None:
    version = sportmonks.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev\d+|rc\d+)?", version)
    files = files_of(
        ".py", ".toml", ".yaml", ".yml", ".sql", ".in", ".sh", ".js", "Makefile", "Dockerfile", "etl", "run"
    )
    assert REPO / VERSION_FILE in files
    found = [
        name_of(file)
        for file in files
        if re.search(rf"(?<![\d.]){re.escape(version)}(?![\d.])", file.read_text(encoding="utf-8"))
    ]
    assert sorted(found) == [VERSION_OF_THE_IMAGE, VERSION_FILE], (
        f"Take the version from sportmonks.__version__: {found}"
    )


def test_the_package_takes_its_version_from_there() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == VERSION_FILE


def test_the_user_agent_names_the_version() -> None:
    assert f"sportmonks-etl/{sportmonks.__version__} (Apache Airflow)" == USER_AGENT


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\](.*)$", (REPO / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert headings[0][0] == sportmonks.__version__, "Begin CHANGELOG.md with a section for sportmonks.__version__."
    for version, rest in headings:
        assert re.fullmatch(r" - (\d{4}-\d\d-\d\d|unreleased)", rest), f"{version}: write its date, or unreleased."


def yaml_of(name: str) -> Any:
    return yaml.safe_load((REPO / name).read_text(encoding="utf-8"))


def test_licence_files_exist() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    for name in project["license-files"]:
        assert (REPO / name).is_file(), name
    assert "Apache License" in (REPO / "LICENSE").read_text(encoding="utf-8")


def test_hooks_run_what_make_runs() -> None:
    hooks = [hook for repo in yaml_of(".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    makefile = (REPO / "Makefile").read_text(encoding="utf-8")
    assert hooks
    for hook in hooks:
        assert hook["language"] == "system", f"{hook['id']}: a hook uses the tools of .venv."
        words = hook["entry"].split()
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", makefile, re.M), hook["entry"]
        else:
            assert words[0].startswith(".venv/bin/"), hook["entry"]
        for word in words:
            assert not word.endswith(".py") or (REPO / word).is_file(), hook["entry"]


def test_the_workflow_runs_what_everybody_can_run() -> None:
    steps = yaml_of(".github/workflows/ci.yml")["jobs"]["test"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    assert (REPO / ".ci" / "run").stat().st_mode & 0o111, ".ci/run must be executable."
    release = yaml_of(".github/workflows/release.yml")["jobs"]
    assert release["test"]["uses"] == "./.github/workflows/ci.yml"
    assert release["build"]["needs"] == "test", "Nothing is released that has not passed the tests."


@pytest.mark.parametrize(
    ("oldest", "tests", "code", "expected"),
    [
        (0, 0, 0, ("VERSION=3.1.8: green", "make test: green")),
        (3, 0, 3, ("VERSION=3.1.8: failed (code 3)", "make test: green")),
        (0, 2, 2, ("VERSION=3.1.8: green", "make test: failed (code 2)")),
        (3, 2, 2, ("VERSION=3.1.8: failed (code 3)", "make test: failed (code 2)")),
    ],
)
def test_the_run_fails_with_either_of_its_parts(
    tmp_path: Path, oldest: int, tests: int, code: int, expected: tuple[str, str]
) -> None:
    """The script itself, with a `make` that only ends; the summary of all tests is the last one."""
    make = (
        "#!/bin/sh\n"
        f'case "$*" in *test-airflow*) echo "2 passed in 1.00s"; exit {oldest} ;; esac\n'
        f'[ "$1" = test ] && echo "==== 70 passed in 9.00s ====" && exit {tests}\n'
    )
    for name, text in {"make": make, "apt-get": "#!/bin/sh\nexit 1\n"}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run([REPO / ".ci" / "run"], env=env, capture_output=True, text=True, check=False, timeout=60)
    lines = done.stdout.splitlines()
    assert done.returncode == code, done.stdout + done.stderr
    assert all(any(text.endswith(line) for text in lines[-3:]) for line in expected)
    assert [line for line in lines if " passed in " in line][-1] == "==== 70 passed in 9.00s ===="
    assert not list(tmp_path.glob("sportmonks-etl-ci.*"))


@pytest.mark.parametrize("name", ["ci", "release"])
def test_workflows_may_only_do_what_they_need(name: str) -> None:
    workflow = yaml_of(f".github/workflows/{name}.yml")
    assert workflow["permissions"] == {"contents": "read"}


def test_files_have_the_line_ends_that_are_hashed() -> None:
    """Migrations are pinned by a hash of their bytes: CRLF would make another file of each."""
    wrong = [name_of(file) for file in files_of(".sql", ".sh", ".py", "etl", "run") if b"\r" in file.read_bytes()]
    assert not wrong, f"Write LF line ends: {wrong}"
