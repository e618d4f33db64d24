"""Stop everything that `up`, `run` or `demo` started; the data stay. No process is left running."""

from __future__ import annotations

import argparse

from local.cli.context import Context

HELP = "stop everything; data stay"


def configure(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace, context: Context) -> int:
    ended = context.stack.down()
    context.stack.say(f"stopped: {', '.join(ended)}" if ended else "nothing was running")
    return 0
