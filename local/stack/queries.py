"""The command line's own queries: ``query("run/summary")`` is in ``local/stack/sql/queries/run.sql``."""

from __future__ import annotations

from pathlib import Path

from sportmonks.warehouse.queries import QueryFiles

query = QueryFiles(Path(__file__).with_name("sql"))
