#!/usr/bin/env bash
# Print a Python interpreter that has a version in a range and can make environments:  find_python.sh LOWEST HIGHEST
# PYTHON, when it is set, is the only one looked at. The version is asked of the program itself: names promise nothing
# (pyenv's shims). Without one: one line that says what to do, and status 2.
set -euo pipefail
lowest=$1
highest=$2
range=$lowest
[ "$lowest" = "$highest" ] || range="$lowest to $highest"

fail() {
    echo "error: $*" >&2
    exit 2
}

# Whether a program is a Python in the range, with all that venv needs.
fits() {
    "$1" - "${lowest#3.}" "${highest#3.}" >/dev/null 2>&1 <<'PYTHON'
import ensurepip, sys, venv
lowest, highest = map(int, sys.argv[1:])
in_range = sys.version_info[0] == 3 and lowest <= sys.version_info[1] <= highest
sys.exit(not in_range)
PYTHON
}

# What a user would get first, then the versions by name, then the folders of pyenv and uv.
candidates() {
    local minor folder
    echo python3
    echo python
    for minor in $(seq "${highest#3.}" -1 "${lowest#3.}"); do
        echo "python3.$minor"
        for folder in "${PYENV_ROOT:-$HOME/.pyenv}/versions/3.$minor" \
            "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}/cpython-3.$minor"; do
            ls -d "$folder".*/bin/python3 2>/dev/null || true
        done
    done
}

if [ -n "${PYTHON:-}" ]; then
    if fits "$PYTHON"; then
        echo "$PYTHON"
        exit
    fi
    found=$("$PYTHON" --version 2>/dev/null) || fail "PYTHON=$PYTHON does not run"
    fail "PYTHON=$PYTHON is $found; needed here: Python $range with its venv module" \
        '(on Debian and Ubuntu: apt-get install python3-venv)'
fi

while read -r candidate; do
    if fits "$candidate"; then
        echo "$candidate"
        exit
    fi
done < <(candidates)
fail "no Python $range with its venv module is to be found (on Debian and Ubuntu: apt-get install python3-venv);" \
    "install one, or say where it is: make PYTHON=/path/to/python$highest ..."
