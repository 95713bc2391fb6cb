#!/bin/sh
# Print the path of a Python that can make our virtual environment, or explain on stderr what to install.
#
# PYTHON=<name or path> chooses one. Otherwise every candidate on the PATH is run to try it, because a pyenv shim also
# exists for versions that are not installed. Versions up to 3.13 come first, because with them NumPy is the one of
# Gradescope's image. Root prefers a Python that other users can run, too: student code runs as another user, who cannot
# reach an interpreter in a private home folder.
set -euf

# Prints "yes <path>", "root-only <path>", or the reason why this Python cannot be used.
probe='
import os, sys

def answer():
    version = "Python " + ".".join(map(str, sys.version_info[:3]))
    if not (3, 10) <= sys.version_info[:2] <= (3, 15):
        return version
    if sys.implementation.name != "cpython":
        return version + " of another kind: " + sys.implementation.name
    try:
        import ensurepip, venv
        ensurepip.version()
    except ImportError:
        return version + " without venv (Debian, Ubuntu: sudo apt install python%d.%d-venv)" % sys.version_info[:2]
    path = os.path.realpath(sys.executable)
    return ("yes " if others_can_run(path) else "root-only ") + path

def others_can_run(path):
    if os.geteuid() != 0:
        return True
    import subprocess
    identity = dict(user=20000, group=20000, extra_groups=[], cwd="/", env={})
    try:
        subprocess.run([path, "-I", "-c", "import enum"], check=True, stderr=subprocess.DEVNULL, **identity)
    except (OSError, subprocess.SubprocessError):
        return False
    return True

print(answer())
'

reasons=
second_best=

consider() { # consider PATH: print it and exit if it is the right one
    answer=$("$1" -c "$probe" 2>/dev/null </dev/null) || answer='does not run'
    case $answer in
        'yes '*) printf '%s\n' "${answer#yes }"; exit 0 ;;
        'root-only '*) second_best=${second_best:-${answer#root-only }} ;;
        *) reasons="$reasons
  $1: $answer" ;;
    esac
}

if [ -n "${PYTHON:-}" ]; then
    consider "$PYTHON"
else
    seen=:
    for name in python3.13 python3.12 python3.11 python3.10 python3.14 python3.15 python3; do
        IFS=:
        for directory in $PATH; do
            path=$directory/$name
            case $seen in *":$path:"*) continue ;; esac
            seen=$seen$path:
            if [ -f "$path" ] && [ -x "$path" ]; then consider "$path"; fi
        done
    done
fi

if [ -n "$second_best" ]; then
    printf '%s\n' "$second_best"
    exit 0
fi

cat >&2 <<END
No usable Python: this needs CPython 3.10 to 3.15, with venv. Tried:${reasons:-
  nothing called python3 is on the PATH}

Install one:
  Debian, Ubuntu  sudo apt install python3 python3-venv
  Fedora          sudo dnf install python3.13
  macOS           brew install python@3.13
or name one: make … PYTHON=/path/to/python3.13
END
exit 1
