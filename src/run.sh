#!/bin/sh
# run.sh [OPTIONS]: installs what is missing, builds Parley and starts it on http://localhost:3000. The options are Parley's own
# (--help lists them). The data folder is named from where the command is given.
set -eu
here=$PWD
cd "$(dirname "$0")/.."
top=$PWD
. third_party/packages.sh
# shellcheck disable=SC2086
need_packages "building it" $build_packages
# shellcheck disable=SC2086
need_packages "building its chat page" $page_packages || true
build release
cd "$here"
exec "$top/build/release/parley" "$@"
