"""What every command of `./etl` is given: the settings and the local stack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from local.cli.console import step, warn
from local.stack.settings import Settings
from local.stack.stack import Stack


@dataclass
class Context:
    """Settings and stack; they are read at their first use, so that `--help` needs no valid settings."""

    quiet: bool = False

    @cached_property
    def settings(self) -> Settings:
        settings = Settings.load()
        for message, hint in settings.warnings:
            warn(message, hint)
        return settings

    @cached_property
    def stack(self) -> Stack:
        return Stack(self.settings, (lambda line: None) if self.quiet else step())
