# Sourced by src/run.sh and test/run.sh: the Debian packages that are needed, and installing those that are missing.
# shellcheck disable=SC2034

build_packages="gcc libc6-dev make cmake pkg-config patch xz-utils ca-certificates libsqlite3-dev libjson-c-dev libssl-dev libxxhash-dev \
file libmagic-dev liblzma-dev libbz2-dev zlib1g-dev libwebp-dev libexpat1-dev"
# The chat page's: without them a server is built that has none. Debian's npm is 360 packages, which cost a bare machine a minute; it is
# the way to the page's own few (src/ui/package.json) that needs nothing else.
page_packages="nodejs npm"
test_packages="libcmocka-dev chromium chromium-headless-shell sqlite3 openssl libfaketime nginx haproxy"
fuzz_packages="clang libclang-rt-dev"

# need_packages WHY PACKAGE…: installs what is missing of them, and says so before. Nothing that is there is upgraded.
need_packages() {
    why=$1
    shift
    missing=
    for package in "$@"; do
        status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
        [ "$status" = "install ok installed" ] || missing="$missing $package"
    done
    # A newer Node.js than Debian's may be here, with its own npm.
    ! command -v node >/dev/null || missing=$(echo "$missing " | sed 's/ nodejs / /; s/ *$//')
    ! command -v npm >/dev/null || missing=$(echo "$missing " | sed 's/ npm / /; s/ *$//')
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || {
        echo "Parley: $why needs these packages, and there is no apt-get here to install them:$missing" >&2
        return 1
    }
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    [ -z "$as_root" ] || command -v sudo >/dev/null || {
        echo "Parley: $why needs these packages, and there is no sudo here; install them as root:$missing" >&2
        return 1
    }
    echo "Parley: $why needs these Debian packages, which are missing and will be installed${as_root:+ (with sudo)}:$missing" >&2
    # shellcheck disable=SC2086
    set -- $as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q --no-install-recommends --no-upgrade install $missing
    "$@" >/dev/null 2>&1 || {
        $as_root apt-get -q update >/dev/null || {
            echo "Parley: apt-get update failed; is there a network?" >&2
            return 1
        }
        "$@" >&2
    }
}

# quietly COMMAND…: its output only if it fails.
quietly() {
    output=$(mktemp)
    if "$@" >"$output" 2>&1; then
        rm -f "$output"
        return 0
    fi
    cat "$output" >&2
    rm -f "$output"
    return 1
}

# configured PRESET: is there a build folder whose configuration was finished, and for this very place?
configured() {
    [ -e "build/$1/Makefile" ] || [ -e "build/$1/build.ninja" ] || return 1
    from=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "build/$1/CMakeCache.txt" 2>/dev/null)
    [ -n "$from" ] && [ "$(cd "$from" 2>/dev/null && pwd -P)" = "$(pwd -P)" ]
}

# build PRESET: configured once, then only what has changed. Ninja is taken where it is. A build that had to leave the page
# out says why, and the next one tries again.
build() {
    if ! configured "$1" || [ -e "build/$1/UI_MISSING" ]; then
        echo "Parley: building $1 …" >&2
        if command -v ninja >/dev/null; then export CMAKE_GENERATOR="${CMAKE_GENERATOR:-Ninja}"; fi
        quietly cmake --fresh --preset "$1"
    fi
    quietly cmake --build --preset "$1" -j "$(nproc)"
    [ ! -e "build/$1/UI_MISSING" ] || sed 's/^/Parley: /' "build/$1/UI_MISSING" >&2
}
