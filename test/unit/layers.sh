#!/bin/sh
# layers.sh BUILD: each layer may include the headers of the layers it uses, and of no other. The build's layers.txt holds a line a layer: its
# name and what it uses.
set -u
build=$1
passed=0
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compiles LAYERS HEADER
compiles() {
    flags=
    for used in $1; do flags="$flags -I$build/layers/$used"; done
    echo "#include \"$2\"" >"$work/one.c"
    # shellcheck disable=SC2046,SC2086
    cc -std=c17 -D_GNU_SOURCE -Iinclude $flags $(pkg-config --cflags json-c) -fsyntax-only "$work/one.c" 2>"$work/errors"
}

check() {
    if [ "$1" = "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $3"
        cat "$work/errors"
    fi
}

while read -r layer uses; do
    while read -r other _; do
        header=$(cd src && ls "$other"/*.h 2>/dev/null | head -n 1)
        [ -n "$header" ] || continue
        allowed=no
        for used in $layer $uses; do [ "$used" != "$other" ] || allowed=yes; done
        if compiles "$layer $uses" "$header"; then result=yes; else result=no; fi
        check $allowed $result "$layer includes $header: allowed $allowed, compiles $result"
    done <"$build/layers.txt"
done <"$build/layers.txt"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
