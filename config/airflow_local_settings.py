"""Airflow runs this in each of its processes at its start."""

import contextlib

# Preloading saves time and nothing else: a package that is missing is named where it is needed.
with contextlib.suppress(ImportError):
    from sportmonks.preload import preload

    preload()
