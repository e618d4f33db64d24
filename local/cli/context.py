"""What every command of `./etl` is given: the settings and the local stack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from local.cli.console import step, warn
from local.cli.questions import confirm, interactive
from local.stack.settings import Settings
from local.stack.stack import Stack


@dataclass
class Context:
    """Settings and stack; they are read at their first use, so that `--help` needs no valid settings."""

    quiet: bool = False
    yes: bool = False

    @cached_property
    def settings(self) -> Settings:
        settings = Settings.load()
        for message, hint in settings.warnings:
            warn(message, hint)
        return settings

    @cached_property
    def stack(self) -> Stack:
        say = (lambda line: None) if self.quiet else step()
        return Stack(self.settings, say, may_restart=self._may_restart)

    def full_disk(self) -> str:
        """A hint when a disk of the stack is full, else "", also before the settings were read."""
        return self.stack.full_disk() if "settings" in self.__dict__ else ""

    def _may_restart(self, changed: list[str], running: list[str]) -> bool:
        """Ask before processes are restarted; without a terminal only `--yes` allows it."""
        if self.yes:
            return True
        what = ", ".join(changed) or "settings"
        return interactive() and confirm(f"{what} changed. Restart what runs with the old ones ({', '.join(running)})?")
