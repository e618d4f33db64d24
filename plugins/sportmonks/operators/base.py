"""What every operator of the package shares: connections, errors in Airflow's terms, and the wait for the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from airflow.sdk import BaseOperator

from sportmonks.config.settings import API_CONN_ID, WAREHOUSE_CONN_ID
from sportmonks.errors import BudgetWait, CircuitOpenError, TransientApiError, WarehouseDownError
from sportmonks.hooks.errors import airflow_errors
from sportmonks.operators.first_wait import CALLS, WAREHOUSE, FirstWaits
from sportmonks.planning.execution_id import execution_id

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

    from sportmonks.api.calls import CallRecord
    from sportmonks.config.catalog import BudgetSettings
    from sportmonks.hooks.sportmonks import SportmonksHook
    from sportmonks.warehouse.session import Session


# Deferrals in a row because the API keeps failing (CircuitOpenError), after which the try counts as failed.
MAX_OUTAGES = 2
# Waits for calls in a row may take so long while no call succeeds; then the try counts as failed. Windows of the API
# last an hour, so an API that refuses every call for a day is not busy: it refuses the account.
MAX_WAIT = timedelta(hours=24)
# The same while the warehouse is away, and the seconds of such a wait.
MAX_ABSENCES = 5
ABSENCE_S = 60.0


class Closable(Protocol):
    def close(self) -> None: ...


ResourceT = TypeVar("ResourceT", bound=Closable)


class WarehouseOperator(BaseOperator):
    """Base of the package's operators. A subclass implements ``perform``; ``execute`` and ``resume`` call it.

    - What ``perform`` opens with ``close_later`` (``hook`` does so) is closed when it ends, also after an error.
    - The package's errors become Airflow's: see ``sportmonks.hooks.errors``.
    - A ``BudgetWait`` (no call may be made for longer than the client waits by itself) defers the task: a trigger waits
      without a worker slot, then ``perform`` runs again. What it stored before the wait must therefore stay valid, and
      it must find by itself where to go on. When the API still keeps failing (``CircuitOpenError``) after
      ``MAX_OUTAGES`` deferrals in a row, or no call has succeeded over ``MAX_WAIT`` of waits, the try fails and
      Airflow's retries apply; ``MAX_WAIT`` counts from the first wait of the task, whatever try that was in.
    - While the warehouse is away (restart, failover, read only, silent), the task is deferred too, up to
      ``MAX_ABSENCES`` times in a row and for ``MAX_WAIT`` since the first one; then the try fails. A call that
      succeeds, and a wait for calls, which the warehouse itself has required, end such a row: it was back in between.
    - Work that may be left to the next DAG run does not have to wait: ``perform`` handles ``BudgetWait`` itself and
      returns what it has done. ``StructureOperator`` does, because one list without calls must not hold up the others.

    Airflow serves connections on the main thread of a task only. Call ``connector`` and ``hook`` there; what they
    return may be used by any thread.
    """

    def __init__(self, *, warehouse_conn_id: str = WAREHOUSE_CONN_ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id

    def perform(self, context: Context) -> Any:
        """The work of the task; the return value is its XCom. May be called again after a wait."""
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """The result of ``perform``. Raises Airflow's exceptions, TaskDeferred among them."""
        self._waits = FirstWaits(context, resumed=False)
        return self._attempt(context, outages=0, absences=0, waiting_since=None)

    def resume(
        self,
        context: Context,
        event: Mapping[str, Any] | None = None,
        outages: int = 0,
        absences: int = 0,
        waiting_since: str | None = None,
    ) -> Any:
        """The same after a wait. Airflow stores this method's name and arguments with every deferred task: keep them.

        ``outages``: deferrals in a row because the API kept failing; ``absences``: because the warehouse was away;
        ``waiting_since``: ISO 8601, the first wait for calls since a call last succeeded. Each is kept by a deferral
        for another reason unless a call has succeeded meanwhile; a wait for calls begins ``absences`` anew.
        """
        self._waits = FirstWaits(context, resumed=True)
        return self._attempt(context, outages, absences, waiting_since)

    def call_succeeded(self) -> None:
        """``perform``, or what it calls, says with this that the API has answered a call as it should."""
        self._called = True

    def _attempt(self, context: Context, outages: int, absences: int, waiting_since: str | None) -> Any:
        self._called = False
        self._session: Session | None = None

        def kept() -> dict[str, Any]:
            return {"outages": 0} if self._called else {"outages": outages, "waiting_since": waiting_since}

        with airflow_errors(), waiting_for_the_warehouse(self, self._waits, absences, kept, lambda: self._called):
            try:
                with ExitStack() as self._resources:
                    result = self.perform(context)
                self._waits.forget()
                return result
            except BudgetWait as wait:
                is_outage = isinstance(wait, CircuitOpenError)
                if self._called or not is_outage:
                    absences = 0
                    self._waits.forget(WAREHOUSE)
                if self._called:
                    waiting_since = None
                    outages = outages if is_outage else 0
                self._defer_until_calls_are_left(wait, outages, absences, waiting_since)

    def _defer_until_calls_are_left(
        self, wait: BudgetWait, outages: int, absences: int, waiting_since: str | None
    ) -> None:
        from sportmonks.triggers.budget import BudgetTrigger

        outages += isinstance(wait, CircuitOpenError)
        if outages > MAX_OUTAGES:
            raise TransientApiError(f"The API has kept failing over {MAX_OUTAGES} waits. {wait}") from wait
        now = datetime.now(UTC)
        if self._called:
            self._waits.forget(CALLS)
        since = self._waits.since(CALLS, now)
        if waiting_since:
            since = min(datetime.fromisoformat(waiting_since), since)
        if now - since >= MAX_WAIT:
            raise TransientApiError(
                f"No call has succeeded since {since:%Y-%m-%d %H:%M} UTC, over waits of"
                f" {MAX_WAIT.total_seconds() / 3600:g} hours. {wait}",
                hint="Check the subscription, and whether another program uses the same key.",
            ) from wait
        self.log.info("%s The worker slot is free until %s.", wait, wait.until.isoformat(timespec="seconds"))
        self.defer(
            trigger=BudgetTrigger(wait.until, wait.entity, wait.message),
            method_name="resume",
            kwargs={"outages": outages, "absences": absences, "waiting_since": since.isoformat()},
        )

    def close_later(self, resource: ResourceT) -> ResourceT:
        """``resource``, which is closed when ``perform`` ends."""
        return self._resources.enter_context(closing(resource))

    def warehouse_session(self) -> Session:
        """The session of this attempt, for what the task does on its main thread; open until the attempt ends."""
        from sportmonks.warehouse.session import Session

        if self._session is None:
            self._session = self.close_later(Session(self.connector()))
        return self._session

    def connector(self) -> Callable[[], psycopg.Connection[Any]]:
        """A function that opens autocommit connections to the warehouse."""
        from sportmonks.warehouse.connection import open_connection, warehouse_conninfo

        info = warehouse_conninfo(self.warehouse_conn_id)
        self._open_warehouse = lambda: open_connection(info, autocommit=True)
        return self._open_warehouse


class ApiOperator(WarehouseOperator):
    """Base of the operators that call the Sportmonks API."""

    def __init__(self, *, api_conn_id: str = API_CONN_ID, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.api_conn_id = api_conn_id

    def hook(
        self,
        budget: BudgetSettings | None = None,
        on_call: Callable[[CallRecord], None] | None = None,
        **settings: Any,
    ) -> SportmonksHook:
        """The API behind ``api_conn_id``, with the budget that all tasks share. ``settings`` go to the hook."""
        from sportmonks.config.catalog import BudgetSettings
        from sportmonks.hooks.sportmonks import SportmonksHook

        def called(record: CallRecord) -> None:
            if record.status == 200:
                self.call_succeeded()
            _count_call(record)
            if on_call is not None:
                on_call(record)

        hook = SportmonksHook(
            self.api_conn_id,
            warehouse_conn_id=self.warehouse_conn_id,
            on_call=called,
            budget_settings=(budget or BudgetSettings()).for_client(),
            session=self.warehouse_session,
            **settings,
        )
        return self.close_later(hook)


def _count_call(record: CallRecord) -> None:
    """A call among Airflow's own metrics."""
    from sportmonks.monitoring import airflow_stats

    tags: dict[str, Any] = {"entity": record.entity, "status": record.status or "none"}
    airflow_stats.count("calls", **tags)
    airflow_stats.count("retries", record.attempt > 1, **tags)
    airflow_stats.count("failed_calls", record.status != 200, **tags)
    airflow_stats.timing("call", record.seconds, **tags)


@contextmanager
def waiting_for_the_warehouse(
    operator: BaseOperator,
    waits: FirstWaits,
    absences: int,
    kept: Callable[[], dict[str, Any]] = dict,
    worked: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """Within the block: while the warehouse is away, the operator's task is deferred and calls ``resume`` later.

    ``absences``: such deferrals in a row so far; after ``MAX_ABSENCES`` the error is raised, and at once when the task
    has been waiting for the warehouse for ``MAX_WAIT``, over all its tries (``waits``). ``kept``: further
    arguments of ``resume``. ``worked``: whether the warehouse has done its part of some work in this attempt; then it
    was back, and both counts begin anew. An error that a person has to correct in the database is raised as
    ConfigurationError.
    """
    import psycopg

    from sportmonks.warehouse.sqlstate import as_configuration_error, is_away, with_hint

    try:
        yield
    except (WarehouseDownError, psycopg.Error) as error:
        if isinstance(error, psycopg.Error):
            if (wrong := as_configuration_error(error)) is not None:
                raise wrong from error
            if not is_away(error):
                with_hint(error)
                raise
        if worked():
            absences = 0
            waits.forget(WAREHOUSE)
        now = datetime.now(UTC)
        if now - waits.since(WAREHOUSE, now) >= MAX_WAIT or absences >= MAX_ABSENCES:
            raise
        reason = str(error).strip().partition("\n")[0]
    else:
        return
    _defer_until_the_warehouse_is_back(operator, {**kept(), "absences": absences + 1}, reason)


def _defer_until_the_warehouse_is_back(operator: BaseOperator, kwargs: dict[str, Any], reason: str) -> None:
    from sportmonks.triggers.budget import BudgetTrigger

    until = datetime.now(UTC) + timedelta(seconds=ABSENCE_S)
    operator.log.warning("%s The worker slot is free until %s.", reason, until.isoformat(timespec="seconds"))
    operator.defer(trigger=BudgetTrigger(until, "the warehouse", reason), method_name="resume", kwargs=kwargs)


def execution_of(context: Context) -> str:
    """The execution id of the DAG run that a task belongs to."""
    run = context["dag_run"]
    return execution_id(run.dag_id, run.run_id, run.run_after)


def origin_of(context: Context) -> dict[str, str | None]:
    """How and by whom the DAG run of a task was started: ``run_type`` and ``triggered_by``, None where Airflow knows no
    user."""
    run = context["dag_run"]
    return {
        "run_type": str(getattr(run.run_type, "value", run.run_type)),
        "triggered_by": getattr(run, "triggering_user_name", None),
    }


def record_origin(connect: Callable[[], psycopg.Connection[Any]], context: Context) -> None:
    """Store the same for a run that has no execution of its own, so that the list of runs has it. Where the table for
    it is not there yet, or not this account's to write, the run goes on without."""
    import psycopg

    from sportmonks.warehouse.queries import sql

    run = context["dag_run"]
    row = {"execution_id": execution_of(context), "dag_id": run.dag_id, "run_id": run.run_id, **origin_of(context)}
    missing = (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege)
    with connect() as conn, suppress(*missing):
        conn.execute(sql("monitoring/record_origin"), row)
