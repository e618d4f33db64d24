"""Runs in the warehouse, made by the builder that the tests of alerts use too."""

from tests.harness.runs import run  # noqa: F401 (a fixture)
