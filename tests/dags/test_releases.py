"""What the package imports from Airflow is in every supported release."""

from __future__ import annotations

import pytest

from tests.dags import releases


def test_every_import_from_airflow_was_tried_on_all_supported_releases() -> None:
    listed, imported = set(releases.listed_names()), releases.imported_names()
    new = sorted(imported - listed)
    assert not new, (
        f"Try these on Airflow 3.1 and 3.2 (python -m tests.dags.releases there), then add them to"
        f" {releases.NAMES_FILE.name}; what a release lacks belongs in airflow_compat.py: {new}"
    )
    assert not listed - imported, f"Nothing imports these any more: {sorted(listed - imported)}"


@pytest.mark.filterwarnings("default")  # what modules of Airflow warn of when they are imported first
def test_this_release_has_every_listed_name() -> None:
    assert list(releases.missing_names()) == []
