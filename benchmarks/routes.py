"""Raw routes: fetching and writing at the same time against one after the other, and memory by the number of records.

    python -m benchmarks.routes [--records 100000] [--page 500] [--delay-ms 10]

Starts an embedded PostgreSQL and a paged API; each part runs in a process of its own. `fetch` reads every page and
drops it, `write` stores pages that were read before, `stream` is what a route's run does.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from datetime import date
from typing import Any

from benchmarks.harness import child, postgres, warehouse
from tests.harness.paths import REPO

ROUTE = """
client: bench
route: orders
connection: none
path: /api/page
date_field: created
key: [id]
batch_export: {batch}
paging: {{style: page, size_parameter: size, size: {page}, more: pagination.has_more}}
"""
TODAY = date(2025, 12, 31)


def part(name: str, args: argparse.Namespace) -> dict[str, float]:
    """One part, in this process: seconds and peak memory in MiB."""
    from sportmonks.routes.access import RouteAccess
    from sportmonks.routes.extract import RouteRequest, plan_run, run_route
    from sportmonks.routes.parse import parse_route
    from sportmonks.routes.source import RestSource
    from sportmonks.routes.store import ResumePoint, RouteStore, ensure_table
    from sportmonks.routes.stream import read_pages
    from sportmonks.warehouse.connection import open_connection

    route = parse_route(ROUTE.format(batch=args.batch, page=args.page))

    def connect() -> Any:
        return open_connection(args.dsn)

    plan = plan_run(connect, route, RouteRequest(), TODAY)
    source = RestSource(route, RouteAccess(args.url))
    with connect() as conn:
        conn.autocommit = True
        ensure_table(conn, route)
        conn.execute(f"TRUNCATE raw.{route.table}")
    begun = time.monotonic()
    if name == "stream":
        run_route(route, source, connect, plan, force=True, today=TODAY)
        seconds = time.monotonic() - begun
    else:
        pages = read_pages(source, route, plan.slices, ResumePoint(0, 0, None, {}, False), TODAY)
        if name == "fetch":
            for _ in pages:
                pass
            seconds = time.monotonic() - begun
        else:
            kept = list(pages)
            store = RouteStore(connect, route, plan_hash="bench", execution_id=None)
            begun = time.monotonic()
            store.begin(1, None, force=True)
            for page in kept:
                store.write(page.rows, page.rejected, page.counted, page.slice_index, page.state)
            seconds = time.monotonic() - begun
    return {"seconds": seconds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def serve(args: argparse.Namespace) -> None:
    """The API, until its standard input ends."""
    from tests.harness.rest_server import RestServer

    with RestServer(args.records, args.page) as server:
        server.delay = args.delay_ms / 1000
        print(server.url, flush=True)
        sys.stdin.read()


def run_part(name: str, records: int, dsn: str, args: argparse.Namespace) -> dict[str, Any]:
    """One part in a process of its own, against an API that serves so many records."""
    base = [sys.executable, "-m", "benchmarks.routes", "--page", str(args.page), "--batch", str(args.batch)]
    base += ["--records", str(records), "--delay-ms", str(args.delay_ms)]
    command = [*base, "--part", "serve"]
    api = subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert api.stdout is not None
        url = api.stdout.readline().strip()
        return child([*base, "--part", name, "--dsn", dsn, "--url", url], {})
    finally:
        assert api.stdin is not None
        api.stdin.close()
        api.wait(10)


def main(args: argparse.Namespace) -> None:
    with postgres() as server:
        dsn = warehouse(server, "routes")
        print(f"{args.records:,} records, {args.page} a page, {args.delay_ms} ms per response, batches of {args.batch}")
        found = {name: run_part(name, args.records, dsn, args) for name in ("fetch", "write", "stream")}
        small = run_part("stream", args.records // 10, dsn, args)
    for name, figures in found.items():
        rate = args.records / figures["seconds"]
        print(f"{name:8} {figures['seconds']:7.2f} s {rate:9,.0f} records/s {figures['mib']:7.0f} MiB")
    row = found["fetch"]["seconds"] + found["write"]["seconds"]
    print(
        f"one after the other {row:.2f} s, streamed {found['stream']['seconds']:.2f} s: "
        f"{row / found['stream']['seconds']:.2f} times as fast"
    )
    print(
        f"peak memory of the stream: {small['mib']:.0f} MiB for {args.records // 10:,} records, "
        f"{found['stream']['mib']:.0f} MiB for {args.records:,}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--page", type=int, default=500)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--delay-ms", type=float, default=10)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--dsn", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part == "serve":
        serve(args)
    elif args.part:
        print(json.dumps(part(args.part, args)))
    else:
        main(args)
