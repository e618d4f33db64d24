"""Since when a task instance has been waiting, over all its tries.

What a deferred task is resumed with ends with its try, its XComs too, and a warehouse that is away takes nothing. So
the time of the first wait is in an Airflow Variable, which is deleted when the task has succeeded. There is one per
task and not per run: what a run that failed for good has left is written over by the next one that waits.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

log = logging.getLogger(__name__)

CALLS, WAREHOUSE = "calls", "warehouse"


class FirstWaits:
    """The first waits of one task instance for each reason: CALLS or WAREHOUSE.

    ``resumed``: this attempt goes on after a wait. A task that a person clears begins anew. Airflow's Variables may be
    out of reach: then the waits of this attempt count alone. So they do while another run of the same task waits, too.
    """

    def __init__(self, context: Mapping[str, Any], *, resumed: bool) -> None:
        ti = context["ti"]
        place = f"{ti.dag_id}/{ti.task_id}/{getattr(ti, 'map_index', -1)}"
        self._name = f"sportmonks_waiting_{blake2b(place.encode(), digest_size=12).hexdigest()}"
        self._place = place
        tries = getattr(ti, "max_tries", None)
        # Clearing a task raises its number of tries, a retry does not.
        self._owner = {"run_id": ti.run_id, "max_tries": tries if isinstance(tries, int) else None}
        number = getattr(ti, "try_number", 1)
        self._may_exist = resumed or (isinstance(number, int) and number > 1)

    def since(self, reason: str, now: datetime) -> datetime:
        """The first wait for this reason, ``now`` if there was none; it is recorded."""
        stored = self._read()
        try:
            # A time in the future was written before the clock was set back.
            since = min(datetime.fromisoformat(stored[reason]), now)
        except (KeyError, TypeError, ValueError):
            since = now
        if stored.get(reason) != since.isoformat():
            self._write({**stored, reason: since.isoformat()})
        return since

    def forget(self, *reasons: str) -> None:
        """These waits are over; all of them without ``reasons``."""
        if not self._may_exist:
            return
        stored = self._read()
        left = {name: at for name, at in stored.items() if reasons and name not in reasons}
        if left != stored:
            self._write(left)

    def _read(self) -> dict[str, Any]:
        if not self._may_exist:
            return {}
        from airflow.sdk import Variable

        try:
            found = json.loads(Variable.get(self._name, default=None) or "{}")
        except Exception as error:
            log.warning("Since when %s has been waiting is not known: %s", self._place, type(error).__name__)
            return {}
        if not isinstance(found, dict) or any(found.get(name) != value for name, value in self._owner.items()):
            return {}
        return {name: at for name, at in found.items() if name in (CALLS, WAREHOUSE)}

    def _write(self, waits: Mapping[str, Any]) -> None:
        from airflow.sdk import Variable

        self._may_exist = True
        try:
            if waits:
                description = f"First waits of {self._place}; deleted when it succeeds"
                Variable.set(self._name, json.dumps({**waits, **self._owner}), description=description)
            else:
                Variable.delete(self._name)
        except Exception as error:
            log.warning("Since when %s has been waiting is not recorded: %s", self._place, type(error).__name__)
