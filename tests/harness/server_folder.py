"""A folder for the files of a test's PostgreSQL server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30


@contextmanager
def server_folder() -> Iterator[Path]:
    """A temporary folder that other accounts may enter, in memory where 4 GiB are free there.

    A database of its own for each test means some hundred files made and removed a test, which a disk does at half the
    speed.
    """
    with tempfile.TemporaryDirectory(prefix="sportmonks-etl-test-", dir=_in_memory()) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def _in_memory() -> Path | None:
    try:
        return _MEMORY if shutil.disk_usage(_MEMORY).free >= _ROOM else None
    except OSError:
        return None
