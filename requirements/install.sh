#!/bin/sh
# usage: sh requirements/install.sh ta|dask|dev|instructor
#
# Install the packages that requirements/<level>.txt pins into .venv. The level dev includes ta, dask includes ta, and
# instructor includes all. If everything is installed already, no Python is started. The script writes a copy of the
# lock into .venv last. An interrupted run leaves no copy, and a changed lock differs from the copy; in both cases .venv
# is made anew. PYTHON=… chooses an interpreter (see python.sh).
set -eu
cd "$(dirname "$0")/.."
level=$1

case $level in
    ta) enough='ta dask dev instructor' ;;
    dask) enough='dask instructor' ;;
    dev) enough='dev instructor' ;;
    *) enough=instructor ;;
esac

# installed LEVEL…: whether .venv holds one of these levels.
installed() {
    for lock in "$@"; do
        if cmp -s "requirements/$lock.txt" ".venv/$lock.txt"; then return 0; fi
    done
    return 1
}

# standing: whether .venv can be used. bin/python is a link, which leads nowhere when its interpreter was removed.
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
if ! .venv/bin/python -m pip install --require-hashes --only-binary :all: --no-compile --disable-pip-version-check -q \
    -r "requirements/$level.txt"; then
    echo "Could not install requirements/$level.txt; pip says why above. Running the same command again starts afresh." >&2
    exit 1
fi
# On all processors; pip would use one. Some packages contain files that cannot be compiled; Python never imports them.
.venv/bin/python -m compileall -qq -j 0 .venv/lib >/dev/null 2>&1 || true
cp "requirements/$level.txt" .venv/copy
mv .venv/copy ".venv/$level.txt"
