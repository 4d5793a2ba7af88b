#!/bin/sh
# run.sh FOLDER [SECONDS]: every fuzzer of a build (the preset fuzz), so many seconds each, from its seeds on. What one ends for is shown, with
# the input as libFuzzer writes it; `base64 -d` makes a file of that, which the program takes as its argument.
set -eu
cd "$(dirname "$0")/../.."
seconds=${2:-5}
passed=0
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

for source in test/fuzz/*.c; do
    noun=$(basename "$source" .c)
    mkdir "$work/$noun"
    seeds=
    [ ! -d "test/fuzz/seeds/$noun" ] || seeds=test/fuzz/seeds/$noun
    # shellcheck disable=SC2086
    if nice "$1/fuzz_$noun" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -artifact_prefix="$work/" "$work/$noun" $seeds >"$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL fuzz_$noun"
        cat "$work/log"
    fi
done

echo "$passed passed, $failed failed"
[ $failed = 0 ]
