"""A seeded warehouse for the commands that read one."""

from tests.harness.dashboard_seed import seeded  # noqa: F401 (a fixture)
