#!/bin/sh
# usage: setup.sh [ENVIRONMENT]
#
# Gradescope runs this once, as root, when it builds the autograder's image. A second run changes nothing.
#
# It makes a virtual environment (the platform needs the system's Python unchanged), makes private what students must
# not read, and proves itself by grading the model answer: an error then shows here, and not on the due date.
set -eu
umask 022 # student code runs as another user, who must be able to read Python and NumPy
cd "$(dirname "$0")"
environment=${1:-/opt/autograder} # where run_autograder looks for it

fail() {
    echo "setup.sh: $*" >&2
    exit 1
}

# patiently COMMAND…: try a command that needs the network up to three times.
patiently() {
    for pause in 5 15 0; do
        if "$@"; then return 0; fi
        sleep "$pause"
    done
    return 1
}

if ! python=$(sh requirements/python.sh 2>/dev/null); then
    export DEBIAN_FRONTEND=noninteractive
    patiently apt-get update -qq || fail "apt-get update failed, see above. Build the image again."
    patiently apt-get install -qq -y --no-install-recommends python3 python3-venv ||
        fail "python3 and python3-venv cannot be installed, see above. Build the image again."
    python=$(sh requirements/python.sh) || fail "choose a base image with one of these Pythons: Ubuntu 22.04 has one."
fi

echo "setup.sh: Python is $python"
if ! cmp -s requirements/grading.txt "$environment/installed.txt"; then
    rm -rf "$environment"
    "$python" -m venv "$environment" || fail "no virtual environment, see above."
    patiently "$environment/bin/python" -m pip install -q --disable-pip-version-check --no-cache-dir \
        --require-hashes --only-binary :all: -r requirements/grading.txt ||
        fail "the packages of requirements/grading.txt cannot be installed, see above. Build the image again."
    cp requirements/grading.txt "$environment/installed.txt"
fi

# Compile now, so that no submission has to.
"$environment/bin/python" -m compileall -q "$environment/lib" autograder solutions tests >/dev/null || true

chmod -R go= . # hidden tests, expected arrays, the model answer
"$environment/bin/python" -m autograder doctor || fail "no isolated process can be started, see above."
"$environment/bin/python" -m autograder self-check || fail "this autograder does not grade rightly here, see above."
echo "setup.sh: ready"
