#!/bin/sh
# Runs dbt on a warehouse: checks the freshness of the sources, then builds and tests all models.
#
#   ETL_DBT_DSN=postgresql://…  sh analytics/dbt/build.sh [arguments of `dbt build`]
#
# dbt is installed into build/dbt when it is not there yet, or when requirements.txt has changed; its output goes there, too.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
. "$here/../environment.sh"
environment dbt ETL_DBT_DSN "./etl dsn"
# dbt takes the parts of a connection one by one; the password goes through the environment only.
eval "$("$venv/bin/python" "$here/dsn.py")"
cd "$here"
export DBT_PROFILES_DIR="$here" DBT_TARGET_PATH="$work/target" DBT_LOG_PATH="$work/logs" DBT_SEND_ANONYMOUS_USAGE_STATS=false
# Old data are built all the same, and the command fails at its end.
code=0
"$venv/bin/dbt" --quiet source freshness || code=$?
"$venv/bin/dbt" build "$@" || code=$?
exit "$code"
