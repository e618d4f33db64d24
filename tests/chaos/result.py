"""The result of one scenario."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class ScenarioResult:
    """Counts of one scenario; losses, duplicates, wrong rows and the like should be 0.

    ``problems`` holds the violated expectations in words.
    """

    seed: int
    seconds: float = 0.0
    fixtures: int = 0
    kills: int = 0
    crashes: int = 0
    corrections: int = 0
    deletions: int = 0
    lost: int = 0
    duplicates: int = 0
    wrong: int = 0
    unrecorded: int = 0
    holes: int = 0
    touched: int = 0
    over_quota: int = 0
    refused: int = 0
    unbooked: int = 0
    fetched_twice: int = 0
    most_fetched_twice: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.problems
