"""A seeded warehouse for the commands that read one."""

from tests.dashboard.conftest import seeded  # noqa: F401 (a fixture)
