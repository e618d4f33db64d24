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

# Two of them at once would spoil each other's environment. A lock whose owner is gone counts as none.
lock=.venv.lock
waited=
while ! mkdir "$lock" 2>/dev/null; do
    if [ ! -d "$lock" ]; then
        echo "error: nothing can be written into $(pwd)" >&2
        echo "hint:  clone into a folder of yours, and see that the disk is not full (df -h .)" >&2
        exit 1
    fi
    # Between the making of the lock and its first line there is an instant.
    owner=$(cat "$lock/pid" 2>/dev/null || { sleep 1; cat "$lock/pid" 2>/dev/null || true; })
    if [ -z "$owner" ] || ! kill -0 "$owner" 2>/dev/null; then
        rm -rf "$lock"
        continue
    fi
    [ -n "$waited" ] || echo "another installation is under way here (process $owner); waiting for it"
    waited=1
    sleep 1
done
echo $$ >"$lock/pid"
trap 'rm -rf "$lock"' EXIT
trap 'exit 130' INT TERM

# An environment that was left half made, or whose interpreter is gone or too old, is made anew.
if ! "$venv/bin/python" -c 'import pip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
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

# A line every ten seconds (PROGRESS_SECONDS), so that nobody takes a slow network for a standstill. The installation
# itself stays in the foreground, where Ctrl-C reaches it.
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
trap 'kill $progress 2>/dev/null; rm -rf "$lock"' EXIT

# uv lives in a corner of its own: it is a tool of this script, not one of the locked packages.
tools="$venv/tools"
if [ ! -x "$tools/bin/uv" ]; then
    "$PYTHON" -m venv "$tools" >/dev/null 2>&1 && "$tools/bin/python" -m pip install --quiet \
        --disable-pip-version-check uv >/dev/null 2>&1 || true
fi
# Without a home of their own (a container, a service account) both work without a cache.
cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
if ! { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null; then
    export UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1
fi
# The system's certificates, as pip and git take them: a company's own authority may be among them.
export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1
if [ -x "$tools/bin/uv" ] && "$tools/bin/uv" pip install --quiet --python "$venv/bin/python" --compile-bytecode \
    --require-hashes -r "$file"; then
    exit 0
fi
echo "not with uv, so pip takes over"
if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$file"; then
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
    echo "error: $file could not be installed; the lines above say why" >&2
    if [ "${free:-9999}" -lt 1500 ]; then
        echo "hint:  the disk has $free MB left, and about 1,500 are needed" >&2
    else
        echo "hint:  check the network and its proxy (HTTPS_PROXY), then run the same command again" >&2
    fi
    exit 1
fi
