"""Work for others' servers that may accept a connection and then say nothing, or one byte a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Attempt:
    """``work`` in a thread of its own, from now on. A time-out of a socket would count anew with each byte that comes.

    The thread ends with the process. ``work`` must not look up Airflow connections: that works in some threads only.
    """

    def __init__(self, work: Callable[[], object], seconds: float) -> None:
        self._work = work
        self._deadline = time.monotonic() + seconds
        self._seconds = seconds
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            self._error = error

    def wait(self) -> None:
        """Return when the work is done. Raises its error, and TimeoutError ``seconds`` after its beginning."""
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        if self._thread.is_alive():
            raise TimeoutError(f"no answer within {self._seconds:g} s")
        if self._error is not None:
            raise self._error
