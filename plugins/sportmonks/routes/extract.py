"""One run of a route: its plan, its stream of pages, its summary. Nothing here depends on Airflow."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sportmonks.api.page_spec import PageSpec
from sportmonks.errors import BudgetWait, ConfigurationError, LostLeaseError
from sportmonks.redaction import mask_text
from sportmonks.routes.counters import END, unproven_from
from sportmonks.routes.empty_listings import EmptyListings
from sportmonks.routes.items import kept_items, read_items, read_watermark
from sportmonks.routes.page import Page
from sportmonks.routes.period import Window, local_today, moved_watermark, resolve_period, unit_of, windows
from sportmonks.routes.pipeline import Pipeline
from sportmonks.routes.request import Slice, shown_request
from sportmonks.routes.source import Source
from sportmonks.routes.spec import Route
from sportmonks.routes.store import Connect, ResumePoint, RouteStore, ensure_table
from sportmonks.routes.stream import read_pages
from sportmonks.routes.summary import Summary, summary_of, summary_text
from sportmonks.routes.unpublished import NOT_PUBLISHED, days_of, late_doubt, not_there

log = logging.getLogger(__name__)

# Fields of PageSpec that version 0.1 did not know.
_LATER_PAGING = ("until", "done", "total_pages")


@dataclass(frozen=True)
class RouteRequest:
    """The parameters of a run. ``interval``: first and last day of its data interval, where it has one."""

    date_from: date | None = None
    date_to: date | None = None
    interval: tuple[date, date] | None = None
    force: bool = False


@dataclass(frozen=True)
class RoutePlan:
    """The listings of a run, in order. A later try whose plan has the same ``hash`` resumes where this one stopped."""

    period: Window | None
    slices: tuple[Slice, ...]
    hash: str
    watermark: date | None
    items: tuple[Mapping[str, Any], ...] | None = None  # those that a later try could not read again


def make_plan(
    route: Route, request: RouteRequest, items: Sequence[Mapping[str, Any]], watermark: date | None, today: date
) -> RoutePlan:
    """Items times windows, oldest window first. Raises ConfigurationError naming a parameter."""
    period: Window | None = None
    cut: list[Window | None] = [None]
    if route.period is not None:
        period = resolve_period(
            route.period,
            date_from=request.date_from,
            date_to=request.date_to,
            watermark=watermark,
            interval=request.interval,
            today=today,
        )
        cut = list(windows(period, route.period.max_days, route.period.max_hours, unit_of(route.period.format)))
    elif request.date_from or request.date_to:
        raise ConfigurationError(
            f"{route.name} has no period, so date_from and date_to do not apply.", hint="Leave them empty."
        )
    pairs = [(item, window) for item in items for window in cut]
    slices = tuple(Slice(index, window, item) for index, (item, window) in enumerate(pairs))
    work = {
        "route": [route.client, route.route, route.connection, route.path, route.query, route.include],
        "paging": _paging(route.paging),
        "slices": [[dict(part.item), str(part.window)] for part in slices],
    }
    added = {"method": route.method, "body": route.body, "headers": route.headers}
    work |= {name: value for name, value in added.items() if value not in ("GET", None, ())}
    digest = sha256(json.dumps(work, sort_keys=True, default=str).encode()).hexdigest()[:16]
    read = route.for_each is not None and not route.for_each.values
    return RoutePlan(period, slices, digest, watermark, tuple(items) if read else None)


def _paging(spec: PageSpec) -> dict[str, Any]:
    """The paging as it belongs to the plan's hash: fields that version 0.1 did not know count where they are set, so
    that runs under way go on after an upgrade."""
    found = asdict(spec)
    return {name: value for name, value in found.items() if name not in _LATER_PAGING or value is not None}


def plan_run(
    connect: Connect,
    route: Route,
    request: RouteRequest,
    today: date | None = None,
    execution_id: str | None = None,
) -> RoutePlan:
    """The plan of a run; the items of for_each and the watermark are read from the warehouse. The next try of an
    unfinished execution has the items of the one before."""
    with connect() as conn:
        conn.autocommit = True
        kept = kept_items(conn, route, execution_id)
        items = read_items(conn, route) if kept is None else kept
        watermark = read_watermark(conn, route) if route.period else None
    return make_plan(route, request, items, watermark, today or local_today(datetime.now(UTC), route.period))


def estimate(route: Route, plan: RoutePlan) -> Summary:
    """What a run would do, found without a call: listings, least number of calls, first and last request."""
    shown = [shown_request(route, part) for part in (plan.slices[:1] + plan.slices[-1:])]
    return {
        "dry_run": True,
        "table": f"raw.{route.table}",
        "period": str(plan.period) if plan.period else None,
        "collected_to": plan.watermark.isoformat() if plan.watermark else None,
        "listings": len(plan.slices),
        "calls_at_least": len(plan.slices),
        "first_request": shown[0] if shown else None,
        "last_request": shown[-1] if shown else None,
    }


def run_route(
    route: Route,
    source: Source,
    connect: Connect,
    plan: RoutePlan,
    *,
    execution_id: str | None = None,
    force: bool = False,
    today: date | None = None,
    now: datetime | None = None,
    on_page: Callable[[Mapping[str, float]], None] = lambda _: None,
) -> Summary:
    """Carry out the plan from where an earlier try stopped; returns the summary of the run with its earlier tries.

    On an error the records stored so far stay, the failure is recorded and the error is raised. BudgetWait leaves the
    run open: call again later with the same plan and execution id. ``on_page`` is called after each stored page with
    what it has added to the counters; of pages that were stored together, the first one has it all. ``now``: when an
    empty listing is found, for what later runs believe of it.
    """
    today = today or local_today(datetime.now(UTC), route.period)
    with connect() as conn:
        conn.autocommit = True
        ensure_table(conn, route)
    store = RouteStore(connect, route, plan_hash=plan.hash, execution_id=execution_id)
    try:
        start = store.begin(len(plan.slices), plan.period, force=force, items=plan.items)
        _announce(route, plan, start.slice_index, start.resumed)
        before = store.counters["pages"]
        number = [int(before)]
        seen = dict(store.counters)

        def log_page(page: Page, counters: Mapping[str, float]) -> None:
            if not page.counted.get("pages"):
                return
            on_page({name: value - seen.get(name, 0) for name, value in counters.items()})
            seen.update(counters)
            number[0] += 1
            _progress(page, number[0], counters)

        def pages_of(slices: Sequence[Slice], start: ResumePoint) -> Iterator[Page]:
            return read_pages(source, route, slices, start, today, plan.period, watermark=plan.watermark)

        def write(pages: Iterator[Page]) -> None:
            batch, waiting = route.batch_export, route.queue_pages
            Pipeline(pages, store, batch=batch, queue_pages=waiting, on_page=log_page).run()

        try:
            write(pages_of(plan.slices, start))
            timestamp = now or datetime.now(UTC)
            position = start.state if start.slice_index >= len(plan.slices) else None
            empty = EmptyListings(store, route, plan.slices, plan.period, plan.watermark, today, timestamp, position)
            if again := empty.suspected():
                log.warning("%d listings are empty, which is unusual: requesting them again", len(again))
                # Read alone, a listing that is refused now still counts as one of all.
                others = len(plan.slices) - 1
                write(
                    empty.once_more(
                        lambda part, at: pages_of(
                            [part],
                            ResumePoint(start.fence, 0, at, {"skipped": store.counters["skipped"] - others}, False),
                        )
                    )
                )
            with store.together():
                suspected = empty.settle()
                _wait_for_newest(store, plan, today)
                refused = store.counters["skipped"] >= len(plan.slices) > 0
                moved = plan.watermark if refused else _watermark(plan, unproven_from(store.counters), today)
                left: dict[str, Any] = {"date_to": moved.isoformat()} if moved else {}
                if suspected or empty.known_before:
                    left["empty"] = suspected
                store.finish("DONE", watermark=left or None)
        except (BudgetWait, LostLeaseError):
            raise
        except BaseException as error:
            _note_failure(store, error)
            raise
        summary = {
            **summary_of(route, len(plan.slices), plan.period, store.counters, start.resumed),
            "doubts": store.doubts(),
        }
        log.info("%s", summary_text(summary))
        return summary
    finally:
        store.close()


def record_failure(
    route: Route, connect: Connect, plan: RoutePlan, error: BaseException, *, execution_id: str | None, force: bool
) -> None:
    """Record a run that failed before its first request, because of its connection, so that it shows like others."""
    with connect() as conn:
        conn.autocommit = True
        ensure_table(conn, route)
    with closing(RouteStore(connect, route, plan_hash=plan.hash, execution_id=execution_id)) as store:
        store.begin(len(plan.slices), plan.period, force=force, items=plan.items)
        _note_failure(store, error)


def _watermark(plan: RoutePlan, unproven: date | None, today: date) -> date | None:
    """The watermark after the run: it stays before days that may not be complete. None where it does not exist."""
    if plan.period is None:
        return None
    if not plan.slices:
        return plan.watermark  # for_each gave nothing yet, so no day was collected
    last = plan.period.last if unproven is None else min(plan.period.last, unproven - timedelta(days=1))
    if last < plan.period.first:
        return plan.watermark
    return moved_watermark(plan.watermark, Window(plan.period.first, last), today)


def _wait_for_newest(store: RouteStore, plan: RoutePlan, today: date) -> None:
    """Note the newest windows in which the API has no item of for_each yet: the watermark stays before them. In the
    transaction that ends the run."""
    waiting = not_there(plan.slices, store.counters)
    if not waiting:
        return
    log.info("Not published yet (HTTP 404), the next run requests it again: %s", days_of(waiting))
    doubts = [doubt for doubt in (late_doubt(waiting[0], today),) if doubt]
    counted = {f"{END}{NOT_PUBLISHED}": len(waiting), "unproven": len(doubts)}
    store.write([], [], counted, len(plan.slices), None, unproven=waiting[0].first, doubts=doubts)


def _note_failure(store: RouteStore, error: BaseException) -> None:
    store.close()  # the connection may be broken; the failure is recorded over a new one
    try:
        store.finish("FAILED", error=mask_text(f"{type(error).__name__}: {error}")[:2000])
    except Exception as fault:
        log.warning("The failure could not be recorded: %s", mask_text(str(fault)))
    counters = store.counters
    log.error(
        "Stopped after %d pages: %d records are kept (%d new). Clear the task to go on from there.",
        counters["pages"],
        counters["records"],
        counters["inserted"],
    )


def _announce(route: Route, plan: RoutePlan, slice_index: int, resumed: bool) -> None:
    log.info("Route %s of client %s into raw.%s", route.route, route.client, route.table)
    log.info("Period: %s | %d listings", plan.period or "none", len(plan.slices))
    log.info("Settings: retry_max=%d, batch_export=%d", route.retry_max, route.batch_export)
    if resumed:
        log.info("Resuming with listing %d of %d, where an earlier try stopped", slice_index + 1, len(plan.slices))
    if not plan.slices:
        of_route = route.for_each is not None and route.for_each.table
        source = "the route that fills it" if of_route else "the DAG sportmonks_catalog"
        log.warning("for_each %s gave nothing: has %s run?", route.for_each, source)


def _progress(page: Page, number: int, counters: Mapping[str, float]) -> None:
    seconds, records = counters["seconds"], counters["records"]
    rate = records / seconds if seconds else 0.0
    log.info(
        "Page %d | %.0f s | %s records | %.1f records/s | %s", number, seconds, f"{int(records):,}", rate, page.place
    )
