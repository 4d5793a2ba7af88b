#!/bin/sh
# layers.sh BUILD: what a layer may include, and whose functions it may call. A line with an include is compiled for every pair of layers,
# with the folders that CMake gives the layer.
set -u
build=$1

# Each layer and those it may use.
table="base:
schema: base
stream: base
http: base
files: base
store: schema base
broker: store stream schema base
api: http files broker store stream schema base
collections:
bench: base"

# Prefixes of a library's functions, and the layers that may call them.
libraries="sqlite3_: store
json_: schema api bench
magic_|XML_|WebP: files
EVP_|HMAC|PKCS5_|RAND_|CRYPTO_|SSL_|ERR_: base"

passed=0
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

# check WANTED GOT WHAT
check() {
    if [ "$1" = "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $3: $2, wanted $1"
        cat "$work/told"
    fi
}

# among WORD WORD…: yes if the first is one of the others.
among() {
    word=$1
    shift
    for one in "$@"; do [ "$one" != "$word" ] || { echo yes; return; }; done
    echo no
}

# compiles LAYER FILE
compiles() {
    file=$2
    folders="$build/layers/$1.includes"
    set --
    while read -r folder; do set -- "$@" "-I$folder"; done <"$folders"
    echo "#include \"$file\"" >"$work/one.c"
    if ${CC:-cc} -std=c17 -D_GNU_SOURCE "$@" -fsyntax-only "$work/one.c" 2>"$work/told"; then echo yes; else echo no; fi
}

layers=$(echo "$table" | cut -d : -f 1)
: >"$work/told"
check "$(for layer in $layers; do echo "$layer"; done | sort)" \
    "$(for file in src/*/*.c; do basename "$(dirname "$file")"; done | sort -u)" "the folders of src that hold C"

for layer in $layers; do
    uses=$(echo "$table" | sed -n "s/^$layer://p")
    for other in $layers; do
        # The collections have no header; there any file of theirs must do.
        file=
        for file in src/"$other"/*.h src/"$other"/*.c; do [ ! -e "$file" ] || break; done
        file=${file#src/}
        # shellcheck disable=SC2086
        check "$(among "$other" "$layer" $uses)" "$(compiles "$layer" "$file")" "$layer can include $file"
    done
done

grep -rn '#include "\.' src include >"$work/told"
check 1 $? "searching for includes by way of a parent folder ends with"

echo "$libraries" >"$work/libraries"
while IFS=: read -r prefix callers; do
    for layer in $layers; do
        nm -u "$build/lib$layer.a" 2>/dev/null | grep -E " U ($prefix)" >"$work/told"
        # shellcheck disable=SC2086
        [ $? = 1 ] || [ "$(among "$layer" $callers)" = yes ] || echo "$layer"
    done >"$work/others"
    check "" "$(cat "$work/others")" "others that call functions named $prefix"
done <"$work/libraries"

echo "$passed passed, $failed failed"
[ $failed = 0 ]
