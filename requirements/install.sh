#!/bin/sh
# usage: sh requirements/install.sh ta|dask|dev|instructor
#
# Make .venv hold what requirements/<level>.txt pins; each of ta, dev and instructor includes all of the one before,
# dask includes ta, and instructor dask.
# When it does already, no Python is started. A copy of the lock inside .venv, written last, says what is installed: an
# interrupted run leaves no copy, a changed lock differs from it, and either way .venv is made anew. PYTHON=… asks for
# an interpreter (see python.sh).
set -eu
cd "$(dirname "$0")/.."
level=$1

case $level in
    ta) enough='ta dask dev instructor' ;;
    dask) enough='dask instructor' ;;
    dev) enough='dev instructor' ;;
    *) enough=instructor ;;
esac

# installed LEVEL…: one of these is what .venv holds.
installed() {
    for lock in "$@"; do
        if cmp -s "requirements/$lock.txt" ".venv/$lock.txt"; then return 0; fi
    done
    return 1
}

# bin/python is a link: it dangles when its interpreter is gone.
standing() {
    [ -x .venv/bin/python ] || return 1
    [ -z "${PYTHON:-}" ] || [ "$PYTHON" = "$(cat .venv/asked-for 2>/dev/null)" ]
}

if standing && installed $enough; then exit 0; fi

if standing && installed ta dask dev; then
    echo "Adding the pinned packages of requirements/$level.txt to .venv, once; this may take a minute." >&2
else
    python=$(sh requirements/python.sh)
    echo "Making .venv with $python and requirements/$level.txt, once; this may take a minute." >&2
    rm -rf .venv
    "$python" -m venv .venv
    printf '%s\n' "${PYTHON:-}" >.venv/asked-for
fi

rm -f .venv/ta.txt .venv/dask.txt .venv/dev.txt .venv/instructor.txt
if ! .venv/bin/python -m pip install --require-hashes --only-binary :all: --compile --disable-pip-version-check -q \
    -r "requirements/$level.txt"; then
    echo "Could not install requirements/$level.txt; pip says why above. Running the same command again starts afresh." >&2
    exit 1
fi
cp "requirements/$level.txt" .venv/copy
mv .venv/copy ".venv/$level.txt"
