"""The queries of the notebook fit the warehouse, found without Jupyter: `make notebook-trial` runs it with Jupyter."""

from __future__ import annotations

import ast
import json
from datetime import date
from typing import Any

import psycopg

from tests.harness.paths import REPO

CELLS = json.loads((REPO / "analytics" / "notebook" / "season.ipynb").read_text(encoding="utf-8"))["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]


def queries() -> list[str]:
    """The first argument of each call of `query`."""
    calls = [
        node for cell in CODE for node in ast.walk(ast.parse("".join(cell["source"]))) if isinstance(node, ast.Call)
    ]
    texts = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "query"]
    return [text.value for text in texts if isinstance(text, ast.Constant) and isinstance(text.value, str)]


def test_each_query_runs_and_finds_rows(shared: psycopg.Connection[Any]) -> None:
    season, player = shared.execute(
        "SELECT season_id, player_id FROM football.player_match WHERE played ORDER BY minutes DESC NULLS LAST LIMIT 1"
    ).fetchone() or (None, None)
    shared.execute(
        "INSERT INTO football.seasons (id, league_id) SELECT DISTINCT season_id, league_id FROM football.fixtures"
    )
    shared.execute("UPDATE football.fixtures SET round_id = 1")  # those of a cup have none, and stand in no table
    assert len(queries()) == 8
    for text in queries():
        values = {"season_id": season, "player_id": player, "day": date(2026, 6, 30)}
        assert shared.execute(text.encode(), values).fetchall(), text


def test_the_stored_notebook_was_run_to_its_end() -> None:
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))
    kinds = [one["output_type"] for cell in CODE for one in cell["outputs"]]
    assert "error" not in kinds
    pictures = [one for cell in CODE for one in cell["outputs"] if "image/png" in one.get("data", {})]
    assert len(pictures) == 3
