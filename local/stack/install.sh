#!/bin/sh
# Installs a locked requirements file into .venv: local/stack/install.sh requirements.txt   (PYTHON: the interpreter)
# With uv where pip can fetch it (seconds), else with pip (a minute or two). Every file is checked by its hash.
set -eu
file=$1
venv=.venv

if [ -z "${PYTHON:-}" ]; then
    echo "error: no Python 3.11, 3.12 or 3.13 was found$(command -v python3 >/dev/null && echo " ($(python3 --version) is)")" >&2
    echo "hint:  install one, or name it: make install PYTHON=/path/to/python3.12" >&2
    exit 1
fi
if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then
    echo "error: $PYTHON is $("$PYTHON" --version 2>&1), but 3.11, 3.12 or 3.13 is needed" >&2
    echo "hint:  make install PYTHON=/path/to/python3.12" >&2
    exit 1
fi

# An environment whose interpreter is gone or too old is made anew.
if ! "$venv/bin/python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
    echo "making $venv with $("$PYTHON" --version)"
    rm -rf "$venv"
    if ! "$PYTHON" -m venv "$venv"; then
        echo "error: $PYTHON cannot make a virtual environment" >&2
        echo "hint:  install its venv module (Debian, Ubuntu: apt-get install python3-venv)" >&2
        exit 1
    fi
fi

count=$(grep -c '==' "$file")
echo "installing $file: $count packages, the first time in about a minute"

# A line every ten seconds (PROGRESS_SECONDS), so that nobody takes a slow network for a standstill. The installation itself stays in the
# foreground, where Ctrl-C reaches it.
seconds=0
every=${PROGRESS_SECONDS:-10}
while sleep 1; do
    kill -0 $$ 2>/dev/null || exit 0
    seconds=$((seconds + 1))
    if [ $((seconds % every)) -eq 0 ]; then
        there=$(find "$venv/lib" -maxdepth 3 -name '*.dist-info' 2>/dev/null | wc -l)
        echo "still installing: $seconds s, $((there)) of about $count packages are in place"
    fi
done &
progress=$!
trap 'kill $progress 2>/dev/null' EXIT
trap 'exit 130' INT TERM

# uv lives in a corner of its own: it is a tool of this script, not one of the locked packages.
tools="$venv/tools"
if [ ! -x "$tools/bin/uv" ]; then
    "$PYTHON" -m venv "$tools" >/dev/null 2>&1 && "$tools/bin/python" -m pip install --quiet \
        --disable-pip-version-check uv >/dev/null 2>&1 || true
fi
# The system's certificates, as pip and git take them: a company's own authority may be among them.
export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1
if [ -x "$tools/bin/uv" ] && "$tools/bin/uv" pip install --quiet --python "$venv/bin/python" --compile-bytecode \
    --require-hashes -r "$file"; then
    exit 0
fi
echo "not with uv, so pip takes over"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$file"
