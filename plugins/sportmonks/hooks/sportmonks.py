"""The hook makes the API's client, with the shared budget, from an Airflow connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.http.hooks.http import HttpHook

from sportmonks.airflow_compat import connection
from sportmonks.config.settings import API_CONN_ID, WAREHOUSE_CONN_ID
from sportmonks.errors import SportmonksError
from sportmonks.hooks.forms import API_FORM, API_TYPE

if TYPE_CHECKING:
    from requests import Session

    from sportmonks.api.batch import BatchResponse
    from sportmonks.api.budget import Budget
    from sportmonks.api.calls import CallRecord
    from sportmonks.api.client import SportmonksClient
    from sportmonks.warehouse.session import Session as WarehouseSession

log = logging.getLogger(__name__)

Row = dict[str, Any]

DEFAULT_BASE_URL = "https://api.sportmonks.com/v3"
HOW_TO_CONNECT = (
    "Create it (type Sportmonks or HTTP, host = base URL, password = key) or set {variable}; with ./etl, set"
    " SPORTMONKS_API_KEY."
)
# The only keys of the connection's extra that are read; the HTTP hook of Airflow would send all others as headers.
_SESSION_EXTRAS = ("verify", "proxies")
# Set by the local stack, whose sandbox gets another port now and then and is the same API all the same.
_IS_SANDBOX = "sandbox"


class SportmonksHook(HttpHook):
    """Sportmonks API v3 behind an Airflow connection of type ``sportmonks``, or ``http`` as in older versions.

    Connection: host = base URL (``https://api.sportmonks.com/v3``; schema and port may be given apart), password =
    API key; of the extra, ``verify`` and ``proxies`` are honoured, and ``sandbox: true`` says that it is this project's
    sandbox. Requests run on the client's own pooled session.

    The budget of calls is kept in the warehouse and shared with every other task of this connection;
    ``warehouse_conn_id=None`` means no shared budget (for tools without a warehouse). ``budget`` replaces it.
    ``budget_settings`` go to ``PostgresBudget`` (``reserve``, ``max_inline_wait``, ...), ``client_settings`` to
    ``SportmonksClient`` (``max_batch``, ``read_timeout``, ...). ``on_call`` is called after every call.
    ``session``: a session of the warehouse that is open anyway; the client looks up over it what it has to know before
    its first call, and without it over a connection of its own.
    ``execution_id`` tells one run from the next: a refused include is believed when a later run is refused it, too.
    """

    conn_name_attr = "conn_id"
    default_conn_name = API_CONN_ID
    conn_type = API_TYPE
    hook_name = "Sportmonks"

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The labels of the connection's form, for Airflow 3.1."""
        return API_FORM.behaviour()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The connection's own fields, for Airflow 3.1."""
        return API_FORM.widgets()

    def __init__(
        self,
        conn_id: str = API_CONN_ID,
        *,
        warehouse_conn_id: str | None = WAREHOUSE_CONN_ID,
        budget: Budget | None = None,
        budget_settings: Mapping[str, Any] | None = None,
        on_call: Callable[[CallRecord], None] | None = None,
        execution_id: str | None = None,
        session: Callable[[], WarehouseSession] | None = None,
        **client_settings: Any,
    ) -> None:
        super().__init__(method="GET", http_conn_id=conn_id)
        self.source = ""  # the API as the warehouse remembers it; known once the client exists
        self.conn_id = conn_id
        self.warehouse_conn_id = warehouse_conn_id
        # False for what writes nothing but tables of its own, such as a raw route with a connection of its own.
        self.claims_warehouse = True
        self._budget = budget
        self._budget_settings = dict(budget_settings or {})
        self._on_call = on_call
        self._execution_id = execution_id
        self._session = session
        self._client_settings = client_settings

    @cached_property
    def client(self) -> SportmonksClient:
        """The client, made on first use. Threads may share it once it exists. Make it on the task's main thread, the
        only one on which Airflow serves connections. Raises ConfigurationError, also when the warehouse holds data of
        another API."""
        from airflow.sdk.log import mask_secret

        from sportmonks.api.client import SportmonksClient
        from sportmonks.api.transport import clean_key
        from sportmonks.redaction import add_secret
        from sportmonks.warehouse.source import SANDBOX, claim_source, source_of

        conn = connection(self.conn_id, HOW_TO_CONNECT)
        key = (conn.password or "").strip()
        if key:
            mask_secret(key)
            add_secret(key)
        clean_key(key, self.conn_id)
        self.base_url = base_url_of(conn.host, conn.schema, conn.port)
        self._base_url_initialized = True
        settings: dict[str, Any] = {name: value for name, value in conn.extra_dejson.items() if name in _SESSION_EXTRAS}
        settings |= self._client_settings
        store = self._warehouse()
        self.source = SANDBOX if conn.extra_dejson.get(_IS_SANDBOX) is True else source_of(self.base_url)
        if store is not None:
            with nullcontext(self._session()) if self._session else store.session() as session:
                if self.claims_warehouse:
                    session.run(lambda conn: claim_source(conn, self.source))
                if "forbidden" not in settings:
                    settings["forbidden"] = store.known(session)
                    settings.setdefault("suspected", store.suspected(session))
                    settings.setdefault("on_forbidden", store.learn)
                    settings.setdefault("on_allowed", store.forget)
        return SportmonksClient(self.base_url, key, budget=self._make_budget(store), on_call=self._on_call, **settings)

    def _warehouse(self) -> _HookWarehouse | None:
        if self.warehouse_conn_id is None:
            return None
        from sportmonks.warehouse.connection import warehouse_conninfo

        return _HookWarehouse(warehouse_conninfo(self.warehouse_conn_id), self.conn_id, self._execution_id)

    def _make_budget(self, store: _HookWarehouse | None) -> Budget:
        from sportmonks.api.budget import PostgresBudget, UnlimitedBudget

        if self._budget is not None:
            return self._budget
        if store is None:
            return UnlimitedBudget()
        return PostgresBudget(store.connect, self.conn_id, **self._budget_settings)

    def get_conn(self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None) -> Session:
        """The session of the client: authenticated, pooled, with a timeout on every request."""
        session = self.client.transport.session
        if headers:
            session.headers.update(headers)
        return session

    def close(self) -> None:
        """Close the client if it was made."""
        client = self.__dict__.pop("client", None)
        if client is not None:
            client.close()

    def get_fixtures_multi(
        self, fixture_ids: Sequence[int], includes: Iterable[str] = (), *, urgent: bool = False
    ) -> BatchResponse:
        """Up to ``max_batch`` fixtures in one call: rows, missing and poisoned ids, number of calls, bytes.

        ``urgent``: may use the part of the budget that is reserved for live and daily work.
        """
        return self.client.fixtures_multi(fixture_ids, includes, urgent=urgent)

    def get_fixtures_by_league_season(
        self, league_id: int, season_id: int, includes: Iterable[str] = (), *, urgent: bool = False
    ) -> Iterator[Row]:
        """The fixtures of a season, without those that belong to another league (their number is logged).

        Without includes these are base rows, 1000 a call; with includes, 50 a call.
        """
        pages: Iterator[list[Row]]
        if includes := tuple(includes):
            pages = self.client.season_fixtures(season_id, includes, urgent=urgent)
        else:
            pages = self.client.season_index(season_id, urgent=urgent)
        foreign = 0
        for rows in pages:
            for row in rows:
                if row.get("league_id") in (league_id, None):
                    yield row
                else:
                    foreign += 1
        if foreign:
            log.warning(
                "Season %d: %d fixtures belong to another league than %d and are left out",
                season_id,
                foreign,
                league_id,
            )

    def get_leagues(self, ids: Iterable[int] | None = None) -> list[Row]:
        """Leagues with their seasons; ``None``: all that the plan covers."""
        return self.client.leagues(ids)

    def get_seasons(self, league_id: int) -> list[Row]:
        """The seasons of a league."""
        return self.client.seasons(league_id)

    def get_states(self) -> list[Row]:
        """All states that a fixture may have."""
        return self.client.states()

    def get_types(self) -> list[Row]:
        """All types (of events, statistics, details)."""
        return self.client.types()

    def get_my_leagues(self) -> list[Row]:
        """The leagues of the subscription."""
        return self.client.my_leagues()

    def check_access(self) -> str:
        """Check address and key with one cheap call. Returns what is limited, empty when nothing is. Raises
        ConfigurationError."""
        return self.client.check_access()

    def test_connection(self) -> tuple[bool, str]:
        """Whether address and key are right, and a message; for Airflow's "Test" button.

        Makes one call, which no budget counts: Airflow tests a connection under a name that it makes up.
        """
        hook = SportmonksHook(self.conn_id, warehouse_conn_id=None, **self._client_settings)
        try:
            limited = hook.check_access()
            return True, f"The Sportmonks API at {hook.client.base_url} accepts the key.{limited and f' {limited}'}"
        except SportmonksError as error:
            return False, str(error)
        finally:
            hook.close()


class _HookWarehouse:
    """The warehouse as the hook needs it: connections for the budget, and the includes that the plan refuses.

    Holds connection parameters, not a connection, so that any thread can open one without Airflow.
    """

    def __init__(self, info: str, connection_name: str, execution_id: str | None) -> None:
        self._info = info
        self._name = connection_name
        self._execution_id = execution_id

    def connect(self) -> Any:
        from sportmonks.warehouse.connection import open_connection

        return open_connection(self._info, autocommit=True)

    def session(self) -> WarehouseSession:
        """One connection for all that the hook has to know before its first call."""
        from sportmonks.warehouse.session import Session as WarehouseSession

        return WarehouseSession(self.connect)

    def known(self, session: WarehouseSession) -> list[tuple[str, str]]:
        """(entity, include) pairs that the API refused during the last week, confirmed by a second run."""
        return self._pairs(session, "budget/forbidden_known")

    def suspected(self, session: WarehouseSession) -> list[tuple[str, str]]:
        """Pairs that it refused once, or longer ago."""
        return self._pairs(session, "budget/forbidden_suspected")

    def _pairs(self, session: WarehouseSession, query: str) -> list[tuple[str, str]]:
        from sportmonks.warehouse.queries import sql

        return [(entity, include) for entity, include in session.execute(sql(query), {"connection": self._name})]

    def learn(self, entity: str, include: str, code: int | None, message: str) -> None:
        """Store that the API refuses ``include``."""
        self._write(
            "budget/forbidden_learn",
            entity=entity,
            include=include,
            code=code,
            message=message,
            execution_id=self._execution_id,
        )

    def forget(self, entity: str, include: str) -> None:
        """Store that the API takes ``include``."""
        self._write("budget/forbidden_forget", entity=entity, include=include)

    def _write(self, query: str, **values: Any) -> None:
        import psycopg

        from sportmonks.warehouse.queries import sql

        try:
            with self.connect() as conn:
                conn.execute(sql(query), {"connection": self._name, **values})
        except (psycopg.Error, SportmonksError) as error:
            # Finding it out again costs one call; an error here would cost the batch.
            log.warning("What the API does with an include could not be stored: %s", type(error).__name__)


def base_url_of(host: str | None, schema: str | None, port: int | None) -> str:
    """The base URL that the parts of a Sportmonks connection make. Raises ConfigurationError."""
    from sportmonks.api.transport import clean_base_url, url_parts

    return clean_base_url(url_parts(host or DEFAULT_BASE_URL, schema, port).geturl())
