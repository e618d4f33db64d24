"""Free space where the stack writes: checked before a start, and when something has failed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

# A first start writes about 150 MB: two databases, their write-ahead log, logs of Airflow.
START_MB = 200
# What fails with less than this is put down to the disk: the server's log alone grows in steps of 16 MB.
FULL_MB = 20


def free_mb(path: Path) -> int:
    """Megabytes that this account may still write at ``path``, or at the nearest folder above it that exists; 0 where
    the file system has no place for another file."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    disk = os.statvfs(there)
    if disk.f_files and not disk.f_favail:
        return 0
    return disk.f_bavail * disk.f_frsize // 2**20


def full_disk(paths: Iterable[Path]) -> str:
    """A hint when one of them lies on a disk that is full, else ""."""
    for path in paths:
        try:
            left = free_mb(path)
        except OSError:
            continue
        if left < FULL_MB:
            return f"the disk of {path} is full ({left} MB left): make space, then run ./etl up; what is stored stays"
    return ""
