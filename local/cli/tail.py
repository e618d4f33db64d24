"""Reads the end of log files, and what is appended to them, without holding them in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

BLOCK = 64 * 1024
# A line that never ends is cut there.
LONGEST_LINE = 1024 * 1024


def last_lines(file: Path, count: int) -> list[str]:
    """The last `count` lines; none when there is no such file."""
    try:
        with file.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            found = b""
            while end > 0 and found.count(b"\n") <= count and len(found) < LONGEST_LINE * max(count // 100, 1):
                start = max(end - BLOCK, 0)
                log.seek(start)
                found = log.read(end - start) + found
                end = start
    except FileNotFoundError:
        return []
    return found.decode("utf-8", "replace").splitlines()[-count:]


class Tail:
    """What is appended to a file from now on, also after it has been replaced or emptied."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._rest = b""
        self._inode, self._offset = self._now()

    def new_lines(self) -> Iterator[str]:
        """Complete lines since the last call."""
        inode, size = self._now()
        if inode is None:
            return
        if inode != self._inode or size < self._offset:
            self._inode, self._offset, self._rest = inode, 0, b""
        if size == self._offset:
            return
        with self.file.open("rb") as log:
            log.seek(self._offset)
            while block := log.read(BLOCK):
                self._offset += len(block)
                *lines, self._rest = (self._rest + block).split(b"\n")
                if len(self._rest) > LONGEST_LINE:
                    lines, self._rest = [*lines, self._rest], b""
                yield from (line.decode("utf-8", "replace") for line in lines)

    def _now(self) -> tuple[int | None, int]:
        try:
            status = self.file.stat()
        except OSError:
            return None, 0
        return status.st_ino, status.st_size
