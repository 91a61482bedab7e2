#!/usr/bin/env bash
# Make or bring up to date a virtual environment of this project:  make_venv.sh FOLDER STACK
#   STACK: stack, numpy1, onedl, oldest or newest, the file of pins in this folder.
#   PYTHON names the interpreter to take; HASHES=no takes whatever file the package index has for a pinned version.
# FOLDER/.ready is written last and says what it was made of; when that has not changed, nothing is done.
# FOLDER/.installing is there while packages change: one that finds it takes up a broken-off installation, from new.
# FOLDER.lock holds the number of the process at work; FOLDER/pip.log what pip had to say.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1
stack=$2
lock=$venv.lock
held=
child=

case $stack in
    numpy1) lowest=3.10 highest=3.11 ;;   # xtcocotools has no wheels for newer ones
    oldest) lowest=3.10 highest=3.10 ;;   # torch 2.0 has none for newer ones with what was current then
    newest) lowest=3.11 highest=3.14 ;;   # the newest torch has none for 3.10
    *) lowest=3.10 highest=3.14 ;;
esac

fail() {
    echo "error: $*" >&2
    exit 2
}

step() {
    echo "[$venv] $*"
}

at_exit() {
    [ -z "$held" ] || rm -rf "$lock"
}

interrupted() {
    trap '' INT TERM HUP
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    wait
    echo "error: interrupted while $venv was being made; the same command takes it up again" >&2
    exit 130
}

# One process at a time; a lock whose process is gone is taken over.
take_lock() {
    local owner said=
    until mkdir "$lock" 2>/dev/null; do
        [ -d "$lock" ] || fail "$venv cannot be made: $PWD is not writable"
        [ -s "$lock/pid" ] || sleep 1   # its owner is about to write its number
        owner=$(cat "$lock/pid" 2>/dev/null) || owner=none
        if ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$lock"
            continue
        fi
        [ -n "$said" ] || step "process $owner is making this environment; waiting for it"
        said=yes
        sleep 1
    done
    held=yes
    echo $$ >"$lock/pid"
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# What an environment depends on: the pins, this script, the folder that it links to, its Python.
made_of() {
    echo "$stack, Python $(version_of "$venv/bin/python"), hashes ${HASHES:-yes}, pins $(pins), $PWD"
}

pins() {
    cat requirements/*.txt requirements/make_venv.sh setup.cfg pyproject.toml | cksum
}

# An environment that is there is of the right Python, or the user hears how to get another.
check_version() {
    local version wanted minor
    version=$(version_of "$venv/bin/python")
    minor=${version#3.}
    if [ "$minor" -lt "${lowest#3.}" ] || [ "$minor" -gt "${highest#3.}" ]; then
        fail "$venv is of Python $version, and Python $lowest to $highest is needed; remove it: rm -rf $venv"
    fi
    [ -n "${PYTHON:-}" ] || return 0
    wanted=$(version_of "$PYTHON") || fail "PYTHON=$PYTHON does not run"
    [ "$wanted" = "$version" ] ||
        fail "$venv is of Python $version and PYTHON=$PYTHON is $wanted: remove it (rm -rf $venv)" \
            "or choose another folder (make VENV=.venv-$wanted ...)"
}

# Runs in the background, so that a signal to this script alone stops it too.
pip() {
    "$venv/bin/python" -m pip --disable-pip-version-check --log "$venv/pip.log" "$@" >/dev/null 2>&1 &
    child=$!
    wait "$child" || explain
    child=
}

# One line for what pip's log says.
explain() {
    local log=$venv/pip.log said
    said=$(grep -oE 'ERROR: .*' "$log" | grep -vE 'No matching distribution|^ERROR: *$' | tail -n 1) || true
    if grep -q 'DO NOT MATCH THE HASHES' "$log"; then
        said=$(grep -A 2 -E 'DO NOT MATCH THE HASHES' "$log" | grep -oE '[A-Za-z0-9_.-]+==[^ ]+' | head -n 1) || true
        fail "the package index has another file for $said than the pinned one;" \
            "if you trust your index: make HASHES=no ... (details: $log)"
    elif grep -qE 'No space left on device|Disk quota exceeded' "$log"; then
        fail "the disk is full: an environment takes 6 GB and pip's cache another 3 (details: $log)"
    elif grep -qE 'NameResolutionError|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError' "$log"; then
        fail "the package index cannot be reached; the same command takes it up again (details: $log)"
    fi
    fail "pip stopped: ${said#ERROR: } (details: $log)"
}

install() {
    pip install --no-warn-conflicts "$@"
}

# The newest versions want the newest Python; for all else what the user would get first.
choose_python() {
    local version
    if [ "$stack" = newest ] && [ -z "${PYTHON:-}" ]; then
        for version in 3.14 3.13 3.12; do
            requirements/find_python.sh "$version" "$version" 2>/dev/null && return
        done
    fi
    requirements/find_python.sh "$lowest" "$highest"
}

make_new() {
    local python
    if [ -n "$(ls -A "$venv" 2>/dev/null)" ] && [ ! -e "$venv/pyvenv.cfg" ]; then
        fail "$venv is there and no environment; nothing was changed: move it away, or choose another: make VENV=..."
    fi
    python=$(choose_python)
    step "1/4 new environment with $("$python" --version)"
    "$python" -m venv --clear "$venv" || fail "$python cannot make an environment in $PWD/$venv"
}

# The default stack is a list of everything with the hash of each file; the others are pinned by version.
install_stack() {
    local wheels=--only-binary=:all:
    step '2/4 torch and the libraries around it (about 3 GB to fetch the first time)'
    if [ "$stack,${HASHES:-yes}" = stack,yes ]; then
        install $wheels --no-deps --require-hashes -r requirements/lock.txt
        return
    fi
    case $stack in
        oldest) install $wheels -r requirements/oldest.txt ;;
        newest) install $wheels --upgrade -r requirements/newest.txt ;;
        *) install $wheels -c requirements/constraints.txt -r "requirements/$stack.txt" -r requirements/test.txt ;;
    esac
    step '3/4 mmpose, mmdet, mmcv-lite, openmim'
    case $stack in
        oldest) install $wheels --no-deps -r requirements/no_deps_oldest.txt ;;
        *) install $wheels --no-deps -r requirements/no_deps.txt ;;
    esac
}

# OpenCV's windows want X libraries that containers and servers lack, and without them it does not load at all: there
# the same version without windows takes its place. The two share their files, hence the reinstallation.
replace_opencv() {
    local said version
    said=$("$venv/bin/python" -c 'import cv2' 2>&1) && return
    [[ $said == *'cannot open shared object file'* ]] || return 0
    version=$("$venv/bin/python" -c 'from importlib.metadata import version; print(version("opencv-python"))' \
        2>/dev/null) || fail "OpenCV does not load here: ${said##*ImportError: }"
    step "no X libraries here (${said##*ImportError: }): opencv-python-headless in place of opencv-python"
    pip uninstall -y opencv-python
    if [ "$stack,${HASHES:-yes}" = stack,yes ]; then
        install --only-binary=:all: --no-deps --force-reinstall --require-hashes -r requirements/lock_headless.txt
    else
        install --only-binary=:all: --no-deps --force-reinstall "opencv-python-headless==$version"
    fi
    said=$("$venv/bin/python" -c 'import cv2' 2>&1) || fail "OpenCV does not load here: ${said##*ImportError: }"
}

# openmim looks for a package's folder in site-packages, where an editable install has none: a link is put there.
install_package() {
    local site
    step '4/4 cid_mmpose, as a link to this folder'
    install --no-deps --no-build-isolation -e .
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    ln -sfn "$PWD/cid_mmpose" "$site/cid_mmpose"
}

# A function, so that bash has read all of this file before it begins: the file may change meanwhile (git pull).
main() {
    trap at_exit EXIT
    trap interrupted INT TERM HUP
    take_lock
    if [ -e "$venv/.installing" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        make_new
    else
        check_version
        [ "$(cat "$venv/.ready" 2>/dev/null)" != "$(made_of)" ] || exit 0
    fi
    local wanted
    wanted=$(made_of)   # asked before, so that pins that change meanwhile are seen the next time
    touch "$venv/.installing"
    rm -f "$venv/.ready" "$venv/pip.log"
    install_stack
    replace_opencv
    install_package
    echo "$wanted" >"$venv/.ready"
    rm "$venv/.installing"
    exit
}

main
