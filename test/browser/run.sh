#!/bin/sh
# run.sh [PARLEY [WORD…]]: installs what the tests need of npm, runs those whose names hold one of the words (default:
# all) against that binary, and ends with the line "N passed, N failed".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 0 ] || {
    PARLEY=$(realpath "$1")
    export PARLEY
    shift
}
cd "$here"
cmp -s package-lock.json node_modules/.installed || {
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.installed
}
exec node run.js "$@"
