"""Command line of the sandbox: `python -m sandbox --port 8090`."""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn

from sandbox.admin import set_variant
from sandbox.app import Api
from sandbox.clock import Clock, parse_time
from sandbox.limits import Limits
from sandbox.state import VARIANTS, Sandbox
from sandbox.world import Options


def _ids(text: str) -> set[int]:
    return {int(item) for item in text.split(",") if item.strip()}


def parser() -> argparse.ArgumentParser:
    make = argparse.ArgumentParser(
        prog="python -m sandbox", description="A sandbox of the Sportmonks Football API v3 on this machine."
    )
    add: Any = make.add_argument
    add("--port", type=int, default=0, help="port to listen on, 0 takes a free one (default)")
    add("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    add("--leagues", type=int, default=5, help="number of leagues (default 5)")
    add("--seasons", type=int, default=3, help="seasons per league, the running one included (default 3)")
    add("--teams", type=int, default=10, help="teams per season, even (default 10: 90 fixtures)")
    add("--fixtures-per-season", type=int, help="fixtures per season (default: a double round robin)")
    add("--big-chunk", type=int, default=0, metavar="N", help="gives the first league one season of N fixtures")
    add(
        "--scale",
        choices=("small", "full"),
        default="small",
        help="full: 490 seasons, 67,085 fixtures, one season of 5,326",
    )
    add("--seed", type=int, default=1, help="seed of all that is drawn at random (default 1)")
    add("--limit", type=int, default=3_000, help="calls per entity and window (default 3000)")
    add("--window", type=float, default=3_600, help="length of a window in seconds (default 3600)")
    # A real key belongs into the variable: command lines are seen by every process of the machine.
    own = os.environ.get("SANDBOX_KEY", "").strip() or "demo-key"
    add("--key", default=own, help="the API key that is accepted (default: SANDBOX_KEY, else demo-key)")
    add("--now", help="where the clock starts, ISO (default: the real time)")
    add("--frozen", action="store_true", help="the clock stands still until it is moved")
    add("--plan-leagues", type=_ids, metavar="IDS", help="league ids the plan covers (default: all)")
    add(
        "--forbidden-includes",
        default="odds,premiumOdds,inplayOdds,predictions,xGFixture",
        help="includes outside the plan",
    )
    add("--latency", type=float, default=0.0, metavar="S", help="seconds that every response is delayed (default 0)")
    add("--cache-mb", type=int, default=96, help="memory for encoded fixtures in MB (default 96)")
    add("--multi-maximum", type=int, default=50, help="ids that one multi request may hold (default 50)")
    add(
        "--variant",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"open points of the documentation: {', '.join(VARIANTS)}",
    )
    add("--access-log", action="store_true", help="one line per request")
    return make


def build(arguments: argparse.Namespace) -> Sandbox:
    """The sandbox of these arguments. ValueError names the wrong value and what to choose."""
    options = Options(
        arguments.leagues,
        arguments.seasons,
        arguments.teams,
        arguments.fixtures_per_season,
        arguments.big_chunk,
        arguments.scale,
        arguments.seed,
    )
    for name, least in (("limit", 1), ("window", 0.1), ("cache_mb", 1), ("multi_maximum", 1), ("latency", 0)):
        if getattr(arguments, name) < least:
            raise ValueError(f"{name} is {getattr(arguments, name)}: choose at least {least}")
    if not arguments.key.strip():
        raise ValueError("key is empty: choose any text")
    clock = Clock(parse_time(arguments.now) if arguments.now else None, arguments.frozen)
    sandbox = Sandbox(
        options,
        clock,
        Limits(arguments.limit, arguments.window),
        key=arguments.key,
        cache_mb=arguments.cache_mb,
        forbidden=tuple(filter(None, arguments.forbidden_includes.split(","))),
        plan_leagues=arguments.plan_leagues,
        latency=arguments.latency,
        multi_maximum=arguments.multi_maximum,
    )
    unknown = (arguments.plan_leagues or set()) - sandbox.world.league_by_id.keys()
    if unknown:
        known = ", ".join(map(str, list(sandbox.world.league_by_id)[:10]))
        raise ValueError(f"plan_leagues names {sorted(unknown)}: this world has {known}")
    for item in arguments.variant:
        name, _, value = item.partition("=")
        set_variant(sandbox, name, value)
    sandbox.remember()
    return sandbox


def listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except (OSError, OverflowError) as problem:
        raise ValueError(f"cannot listen on {host}:{port} ({problem}): choose another --port or --host") from None
    return listener


class Server(uvicorn.Server):
    """Leaves signals to `main`: the process ends at once instead of waiting for responses that hang on purpose."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main(argv: Sequence[str] | None = None) -> int:
    make = parser()
    arguments = make.parse_args(argv)
    try:
        sandbox = build(arguments)
        listener = listen(arguments.host, arguments.port)
    except ValueError as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        # all data is in memory: the process may end at once, also within a response
        signal.signal(number, lambda *_: os._exit(0))
    gc.set_threshold(100_000, 50, 100)  # a fixture is thousands of small dicts and no cycles
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # cut connections are faults on demand
    config = uvicorn.Config(
        Api(sandbox),
        log_level="critical" if not arguments.access_log else "info",
        access_log=arguments.access_log,
        lifespan="off",
        timeout_keep_alive=75,
        ws="none",
        server_header=False,
    )
    server = Server(config)
    port = listener.getsockname()[1]
    print(f"Sandbox: http://{arguments.host}:{port}/v3 (admin at /_admin/health)", flush=True)
    server.run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
