#!/usr/bin/env bash
# Write lock.txt anew: every package of the default environment, for Python 3.10 to 3.14 and every platform, with the
# hashes of its files as the package index gives them; and lock_headless.txt, the same OpenCV without windows. Run it
# after a change of base.txt, stack.txt, test.txt, no_deps.txt or constraints.txt (make lock).
set -euo pipefail
cd "$(dirname "$0")/.."
tool=.venv-lock
options=(--quiet --python-version 3.10 --generate-hashes --no-annotate --no-header --no-emit-index-url)

if ! "$tool/bin/uv" --version >/dev/null 2>&1; then
    python=$(requirements/find_python.sh 3.10 3.14)
    "$python" -m venv --clear "$tool"
    "$tool/bin/python" -m pip --disable-pip-version-check install -qq uv==0.13.9
fi
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
cd requirements
"../$tool/bin/uv" pip compile "${options[@]}" --universal -c constraints.txt stack.txt test.txt >"$new/with_deps"
"../$tool/bin/uv" pip compile "${options[@]}" --universal --no-deps no_deps.txt >"$new/no_deps"
grep '^opencv-python==' stack.txt | sed 's/opencv-python/opencv-python-headless/' >"$new/headless.txt"
"../$tool/bin/uv" pip compile "${options[@]}" --universal --no-deps "$new/headless.txt" >"$new/headless"
{
    echo '# Made by `make lock`; edit the other files. Everything that make demo and make test install, with the hashes of'
    echo '# its files: pip refuses any other file. The other files hold the same pins with their reasons.'
    cat "$new/with_deps" "$new/no_deps"
} >"$new/lock"
{
    echo '# Made by `make lock`. What make_venv.sh installs in place of opencv-python where the X libraries are missing.'
    cat "$new/headless"
} >"$new/lock_headless"
mv "$new/lock" lock.txt
mv "$new/lock_headless" lock_headless.txt
