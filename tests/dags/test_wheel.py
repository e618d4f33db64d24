"""The wheel alone, installed into an empty folder: with the two DAG files of the guide it collects a league."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dags.conftest import Live, live_airflow
from tests.harness.paths import REPO

pytestmark = pytest.mark.slow
UV = Path(sys.prefix) / "tools" / "bin" / "uv"
LEAGUE = "sportmonks_premier_league"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [str(UV), "build", "--wheel", "--quiet", "--out-dir", str(folder), str(REPO)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(
    wheel: Path, databases: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Live, Path]]:
    """An Airflow whose only trace of the repository is the wheel."""
    home, site = tmp_path_factory.mktemp("airflow"), tmp_path_factory.mktemp("site")
    command = [str(UV), "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    (home / "dags").mkdir()
    for name, text in dag_files().items():
        (home / "dags" / name).write_text(text, encoding="utf-8")
    own = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "PYTHONPATH": str(site),
    }
    with live_airflow(home, databases, own) as live:
        yield live, site


def dag_files() -> dict[str, str]:
    """The DAG files that docs/guides/wheel.md shows, by name."""
    text = (REPO / "docs" / "guides" / "wheel.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"`(sportmonks_\w+\.py)`[^`]*```python\n(.*?)```", text, re.DOTALL))
    assert len(found) == 2
    return found


def test_it_holds_the_package_with_its_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name.partition("/")[2] for name in names if name.startswith("sportmonks/")}
    sql = {f"include/{file.relative_to(REPO / 'include')}" for file in (REPO / "include" / "sql").rglob("*.sql")}
    assert inside >= {*sql, "include/catalog.yaml", "py.typed", "dashboard/static/index.html", "dags.py"}
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"sportmonks"}
    (entry_points,) = [name for name in names if name.endswith("entry_points.txt")]
    text = zipfile.ZipFile(wheel).read(entry_points).decode()
    assert "sportmonks.plugin:SportmonksPlugin" in text
    assert "sportmonks.provider:get_provider_info" in text


def test_a_league_is_collected(installed: tuple[Live, Path]) -> None:
    live, _ = installed
    result = live.run("sportmonks_catalog")
    assert result["state"] == "success", (result, live.log[-3000:])
    result = live.run(LEAGUE)
    assert result["state"] == "success", (result, live.log[-3000:])
    assert live.one("SELECT count(*) FROM raw.fixtures") == 24
    assert live.run("etl_watch")["state"] == "success", live.log[-3000:]
    assert live.run("raw_routes_tables")["state"] == "success", live.log[-3000:]


def test_airflow_finds_provider_and_page(installed: tuple[Live, Path]) -> None:
    live, site = installed
    assert "airflow-provider-sportmonks" in live.airflow("providers", "list", "--output", "plain")
    assert "sportmonks_etl" in live.airflow("plugins", "--output", "plain")
    code = (
        "import sportmonks; from sportmonks.plugin import SportmonksPlugin;"
        "print(sportmonks.__file__, SportmonksPlugin().fastapi_apps[0]['url_prefix'])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=dict(live.env), capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == [str(site / "sportmonks" / "__init__.py"), "/sportmonks-etl"]
