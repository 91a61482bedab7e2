#!/usr/bin/env bash
# Make or bring up to date a virtual environment of this project:  make_venv.sh FOLDER STACK
#   STACK: stack, onedl or numpy2, the file of pins in this folder. PYTHON names the interpreter to take.
# FOLDER/.installing is there while this runs: one that finds it takes up a broken-off installation and starts anew.
# FOLDER/.ready is written last; make compares its age.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
stack=$2

fail() {
    echo "error: $*" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 11))' >/dev/null 2>&1
}

# Prints the interpreter to take. The version is asked of the program itself: names promise nothing (pyenv's shims).
find_python() {
    local name
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.10 or 3.11 (the pinned xtcocotools has no newer wheels)"
        echo "$PYTHON"
        return
    fi
    for name in python3.11 python3.10 python3 python; do
        if fits "$name"; then
            echo "$name"
            return
        fi
    done
    fail 'no Python 3.10 or 3.11 among python3.11, python3.10, python3 and python; install one, or say' \
        'where it is: make PYTHON=/path/to/python3.11 ...'
}

step() {
    echo "[$venv] $*"
}

# -qq keeps pip's errors and drops the rest; mmpose's lack of chumpy is no conflict that matters here
pip_install() {
    "$venv/bin/python" -m pip --disable-pip-version-check install -qq --no-warn-conflicts "$@"
}

make_new() {
    local python
    python=$(find_python)
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "$python has no venv module; on Debian and Ubuntu: apt-get install python3-venv"
    step "1/4 new environment with $("$python" --version)"
    "$python" -m venv --clear "$venv"
}

if [ -e "$venv/.installing" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    make_new
elif ! fits "$venv/bin/python"; then
    fail "$venv is of $("$venv/bin/python" --version), not 3.10 or 3.11; remove it: rm -rf $venv"
fi
touch "$venv/.installing"
rm -f "$venv/.ready"
step '2/4 torch and the libraries around it (about 3 GB to fetch the first time)'
pip_install --only-binary=:all: -c requirements/constraints.txt -r "requirements/$stack.txt" -r requirements/test.txt
step '3/4 mmpose, mmdet, mmcv-lite, openmim'
pip_install --only-binary=:all: --no-deps -r requirements/no_deps.txt
step '4/4 cid_mmpose, as a link to this folder'
pip_install --no-deps --no-build-isolation -e .
rm "$venv/.installing"
touch "$venv/.ready"
