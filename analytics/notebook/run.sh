#!/bin/sh
# Runs the notebook on a warehouse and writes it, with its pictures, to build/notebook/season.html and season.ipynb.
#
#   ETL_NOTEBOOK_DSN=postgresql://…  sh analytics/notebook/run.sh
#
# What it needs is installed into build/notebook when it is not there yet, or when requirements.txt has changed. To work in
# it: `build/notebook/venv/bin/python -m pip install jupyterlab`, then `build/notebook/venv/bin/jupyter lab analytics/notebook`.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
python=${PYTHON:-python3}
work="$here/../../build/notebook"
venv="$work/venv"
if [ -z "${ETL_NOTEBOOK_DSN:-}" ]; then
    echo "error: ETL_NOTEBOOK_DSN is not set" >&2
    echo "hint:  ETL_NOTEBOOK_DSN=\$(./etl dsn --read-only) sh analytics/notebook/run.sh" >&2
    exit 2
fi
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
    echo "installing what the notebook needs into build/notebook"
    mkdir -p "$work"
    "$python" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed.txt"
fi
export JUPYTER_DATA_DIR="$venv/share/jupyter" IPYTHONDIR="$work/ipython" MPLCONFIGDIR="$work/matplotlib" JUPYTER_PLATFORM_DIRS=1
"$venv/bin/python" -m nbconvert --log-level ERROR --to notebook --execute --output-dir "$work" --output season.ipynb "$here/season.ipynb"
"$venv/bin/python" -m nbconvert --log-level ERROR --to html "$work/season.ipynb"
echo "build/notebook/season.html"
