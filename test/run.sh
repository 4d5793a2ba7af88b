#!/bin/sh
# run.sh [--all] [SUITE…]: installs what is missing, builds, runs the tests and ends with the line "N passed, N failed".
#
#   layers   an include that goes up does not compile
#   unit     test/unit with AddressSanitizer and UBSan
#   api      test/api against the release and the sanitized binary: Payload's recorded cases, its client, requests, streams, starting,
#            the API's description
#   original test/api/original: the real Payload and Parley on one database file
#   browser  test/browser: the page and the original's client in Chromium
#   fault    test/fault: kill -9 under load; streams cut off, stopped, misused and behind proxies; floods, leaks, no descriptors left
#   tsan     test/unit and test/api with ThreadSanitizer (only with --all or by name)
#   fuzz     test/fuzz, some seconds each, built by clang (the same)
#
# --all: also tsan and fuzz, and the long versions of fault and of the random queries in unit.
set -eu
cd "$(dirname "$0")/.."
. third_party/packages.sh

suites=
for argument in "$@"; do
    case $argument in
    --all) export PARLEY_TEST_ALL=1 ;;
    layers | unit | api | original | browser | fault | tsan | fuzz) suites="$suites $argument" ;;
    *)
        echo "test/run.sh: there is no suite $argument; there are layers, unit, api, original, browser, fault, tsan, fuzz." >&2
        exit 2
        ;;
    esac
done
[ -n "$suites" ] || suites="layers unit api original browser fault${PARLEY_TEST_ALL:+ tsan fuzz}"

# shellcheck disable=SC2086
need_packages "testing it" $build_packages $page_packages $test_packages
build release
build dev

passed=0
failed=0
work=$(mktemp -d)
log=$work/log
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

# suite NAME COMMAND…: a command whose last line is "N passed, N failed".
suite() {
    name=$1
    shift
    echo "== $name"
    code=0
    "$@" >"$log" 2>&1 || code=$?
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" | tail -n 1)
    good=${counts% *}
    bad=${counts#* }
    if [ -z "$counts" ]; then
        good=0
        bad=1
    elif [ "$code" != 0 ] && [ "$bad" = 0 ]; then
        bad=1
    fi
    if [ "$bad" = 0 ]; then grep '^skipped' "$log" || true; else cat "$log"; fi
    echo "   $name: $good passed, $bad failed"
    passed=$((passed + good))
    failed=$((failed + bad))
}

without_npm=

# npm_packages FOLDER: what its lock file names. Where npm cannot be reached, the tests with Payload's packages say so and are skipped;
# those of the API's description fail.
npm_packages() {
    [ -z "$without_npm" ] || return 0
    cmp -s "$1/package-lock.json" "$1/node_modules/.installed" && return
    if (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1; then
        cp "$1/package-lock.json" "$1/node_modules/.installed"
        return
    fi
    cat "$log"
    rm -rf "$1/node_modules"
    without_npm=1
    grep -qE 'code (E(NOTFOUND|AI_AGAIN|CONN[A-Z]*|TIMEDOUT|HOSTUNREACH|NETUNREACH)|ERR_SOCKET_TIMEOUT)' "$log" || failed=$((failed + 1))
}

# unit PRESET: every cmocka program of the preset.
unit() {
    good=0
    bad=0
    for source in test/unit/*.c; do
        program=build/$1/unit_$(basename "$source" .c)
        code=0
        "$program" >"$log.unit" 2>&1 || code=$?
        ran=$(sed -n 's/^\[==========\].* \([0-9]*\) test(s) run\.$/\1/p' "$log.unit" | tail -n 1)
        right=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\.$/\1/p' "$log.unit" | tail -n 1)
        : "${ran:=0}" "${right:=0}"
        # A program that passes all its tests and then fails, as when a sanitizer finds something, is one failure more.
        if [ "$ran" = "$right" ] && { [ "$code" != 0 ] || [ "$ran" = 0 ] || grep -qE 'ERROR: [A-Za-z]*Sanitizer|WARNING: ThreadSanitizer|runtime error:' "$log.unit"; }; then
            ran=$((ran + 1))
        fi
        if [ "$ran" != "$right" ]; then
            cat "$log.unit"
            echo "$program failed ($code)"
        fi
        good=$((good + right))
        bad=$((bad + ran - right))
    done
    echo "$good passed, $bad failed"
}

for name in $suites; do
    case $name in
    layers) suite layers sh test/unit/layers.sh build/dev ;;
    unit) suite unit unit dev ;;
    api)
        npm_packages test/api
        suite "api (release)" node test/api/run.js build/release/parley
        suite "api (sanitized)" node test/api/run.js build/dev/parley
        ;;
    original)
        npm_packages test/api
        suite original node test/api/original/run.js build/release/parley
        ;;
    browser) suite browser sh test/browser/run.sh build/release/parley ;;
    fault) suite fault node test/fault/run.js build/release/parley ;;
    tsan)
        build tsan
        npm_packages test/api
        suite "unit (tsan)" unit tsan
        suite "api (tsan)" node test/api/run.js build/tsan/parley
        ;;
    fuzz)
        # shellcheck disable=SC2086
        need_packages "fuzzing it" $fuzz_packages
        build fuzz
        suite fuzz sh test/fuzz/run.sh build/fuzz
        ;;
    esac
done

echo
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
