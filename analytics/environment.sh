# For the scripts beside it: `environment NAME VARIABLE HINT` checks that VARIABLE holds a connection string, and installs
# analytics/NAME/requirements.txt into build/NAME when it is not there yet, or has changed. Sets $work and $venv.
environment() {
    python=${PYTHON:-python3}
    work="$here/../../build/$1"
    venv="$work/venv"
    eval "dsn=\${$2:-}"
    if [ -z "$dsn" ]; then
        echo "error: $2 is not set" >&2
        echo "hint:  $2=\$($3) sh analytics/$1/$(basename -- "$0")" >&2
        exit 2
    fi
    if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
        echo "installing what $1 needs into build/$1"
        mkdir -p "$work"
        "$python" -m venv --clear "$venv"
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
        cp "$here/requirements.txt" "$venv/installed.txt"
    fi
}
