#!/bin/sh
# Runs the notebook on a warehouse and writes it, with its pictures, to build/notebook/season.html and season.ipynb.
#
#   ETL_NOTEBOOK_DSN=postgresql://…  sh analytics/notebook/run.sh
#
# What it needs is installed into build/notebook when it is not there yet, or when requirements.txt has changed. To work in
# it: `build/notebook/venv/bin/python -m pip install jupyterlab`, then `build/notebook/venv/bin/jupyter lab analytics/notebook`.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
. "$here/../environment.sh"
environment notebook ETL_NOTEBOOK_DSN "./etl dsn --read-only"
export JUPYTER_DATA_DIR="$venv/share/jupyter" IPYTHONDIR="$work/ipython" MPLCONFIGDIR="$work/matplotlib" JUPYTER_PLATFORM_DIRS=1
"$venv/bin/python" -m nbconvert --log-level ERROR --to notebook --execute --output-dir "$work" --output season.ipynb "$here/season.ipynb"
"$venv/bin/python" -m nbconvert --log-level ERROR --to html "$work/season.ipynb"
echo "build/notebook/season.html"
