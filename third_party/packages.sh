# Sourced by src/run.sh and test/run.sh: the Debian packages that are needed, and installing those that are missing.

build_packages="gcc libc6-dev make cmake pkg-config patch xz-utils ca-certificates libsqlite3-dev libjson-c-dev libssl-dev"
test_packages="libcmocka-dev libclang-rt-14-dev clang nodejs chromium curl sqlite3 procps"

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
    case $missing in
    *' nodejs'*) ! command -v node >/dev/null || missing=$(echo "$missing" | sed 's/ nodejs//') ;;
    esac
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || {
        echo "Parley: $why needs these packages, and there is no apt-get here to install them:$missing" >&2
        return 1
    }
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
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

# need_npm: npm beside a Node.js that came without it.
need_npm() {
    command -v npm >/dev/null || need_packages "$1" npm
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

# build PRESET: configured once, then only what has changed.
build() {
    [ -e "build/$1/CMakeCache.txt" ] || {
        echo "Parley: building $1 …" >&2
        quietly cmake --preset "$1"
    }
    quietly cmake --build --preset "$1" -j "$(nproc)"
}
