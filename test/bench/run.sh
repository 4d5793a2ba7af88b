#!/bin/sh
# run.sh [--quick] [CASE…]: measures Parley beside the original Payload, nchan and a bare send() loop, and writes results.json,
# results.md and plots (SVG) into build/bench. Without a case: all of them (--help lists them); about 25 minutes on two cores, with
# --quick four minutes. Only figures of one run can be compared. The load is Parley's own, `parley bench`. It installs what building
# needs; nchan and Payload are fetched, not installed, where they are missing.
set -eu
cd "$(dirname "$0")/../.."
. third_party/packages.sh

out=build/bench
module=usr/lib/nginx/modules/ngx_nchan_module.so

# shellcheck disable=SC2086
need_packages "measuring it" $build_packages $page_packages sqlite3
build release

mkdir -p "$out"
quietly cc -std=c17 -O2 -g -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
    -Wwrite-strings -Wvla -Werror -pthread -Isrc -Iinclude -o "$out/bare" test/bench/bare.c src/bench/tool.c

# The folder that holds usr/sbin/nginx and its module, as text to put before both; fails when there is none.
nchan_root() {
    for root in "" "$PWD/$out/nchan"; do
        [ -x "$root/usr/sbin/nginx" ] && [ -e "$root/$module" ] && echo "$root/" && return
    done
    command -v apt-get >/dev/null || return 1
    mkdir -p "$out/nchan"
    (cd "$out/nchan" && quietly apt-get -q download nginx libnginx-mod-nchan && for deb in *.deb; do dpkg -x "$deb" .; done) || return 1
    echo "$PWD/$out/nchan/"
}
BENCH_NCHAN=$(nchan_root) || echo "nchan is not here and cannot be fetched: it is left out." >&2
export BENCH_NCHAN

[ -e test/api/node_modules/payload ] || (cd test/api && quietly npm ci --ignore-scripts --no-audit --no-fund) ||
    echo "Payload is not here and cannot be fetched: it is left out." >&2

# A session of its own: whatever ends this script or the run, all that they started is ended too.
setsid setpriv --pdeathsig TERM node test/bench/run.js "$@" &
run=$!
end() {
    kill -TERM "-$run" 2>/dev/null || true
    wait "$run" || true
    kill -KILL "-$run" 2>/dev/null || true
    rm -rf "$out/work"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
wait "$run"
