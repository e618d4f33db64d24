"""The commands of `./etl`: every module here is one (see local/cli/main.py)."""
