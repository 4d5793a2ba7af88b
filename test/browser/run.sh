#!/bin/sh
# run.sh [PARLEY [WORD…]]: installs what the tests need of npm, runs those whose names hold one of the words (default:
# all) against that binary, and ends with the line "N passed, N failed". With UI_REACT=1 it is the page as it is built with React.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 0 ] || {
    PARLEY=$(realpath "$1")
    export PARLEY
    shift
}
for folder in "$here" "$here/../../src/ui"; do
    cd "$folder"
    cmp -s package-lock.json node_modules/.installed || {
        npm ci --no-audit --no-fund --loglevel=error
        cp package-lock.json node_modules/.installed
    }
done
cd "$here"
exec node run.js "$@"
