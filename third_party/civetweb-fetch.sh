#!/bin/sh
# Obtains the pinned source of civetweb: Debian's source package, by apt, checked against the sums below, unpacked with
# Debian's patches applied.   Usage: civetweb-fetch.sh FOLDER   (the source is then in FOLDER/source)
#
# apt runs with a state of its own below FOLDER: no root is needed and nothing of the system's is changed. Its package
# sources are the system's own, so that a local mirror is used where there is one. A second run does nothing.
# Not taken: the upstream archive, which every mirror of Debian would have to be left for; Debian's binary package,
# which is built with files, CGI and websockets, and shows nothing of a connection's inside.
set -eu

version=1.15+dfsg-4
orig=civetweb_1.15+dfsg.orig.tar.xz
debian=civetweb_1.15+dfsg-4.debian.tar.xz
sums="ec372e9737bc820118bbb735f46a07d41f795814ca0f38bc6e67048e7a460f33  $orig
2fe67d05a15be93764398275372f41f6228b17497b23d04f149482ffde7b3fb8  $debian
141ee6bf528e8f33e8a32b5607917609774e80cf842240cffd50e0399755baaf  civetweb_$version.dsc"
hint="Or give a folder with its source: cmake -DPARLEY_CIVETWEB_DIR=DIR"

die()
{
    printf 'civetweb: %s\n' "$*" >&2
    exit 1
}

[ $# -eq 1 ] || die "usage: civetweb-fetch.sh FOLDER"
mkdir -p "$1" 2>/dev/null || die "cannot make the folder $1."
cd "$1" 2>/dev/null || die "cannot enter the folder $1."
here=$(pwd)

# Two builds may share the folder: one fetches, the other finds it done.
exec 9>lock
! command -v flock >/dev/null || flock 9

# What was unpacked from these very files needs no second look.
[ "$(cat source/.sums 2>/dev/null)" = "$sums" ] && exit 0

for tool in tar xz patch sha256sum awk; do
    command -v "$tool" >/dev/null || die "the program $tool is missing: apt-get install dpkg-dev xz-utils"
done

intact()
{
    (cd download 2>/dev/null && printf '%s\n' "$sums" | sha256sum -c --status 2>/dev/null)
}

# The system's entries for this release of Debian, as deb-src. Others (vendors' repositories) are left out: they do not
# have the package and cost time.
write_sources()
{
    codename=$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}")
    release="(^|[ \t])(${codename:-stable}|stable|oldstable)([-/ \t]|\$)"
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$list" ] || continue
        sed -n 's/^[ \t]*deb\(-src\)\{0,1\}[ \t]/deb-src /p' "$list" | awk -v r="$release" '$0 ~ r'
    done | sort -u >apt/sources/system.list
    for list in /etc/apt/sources.list.d/*.sources; do
        [ -f "$list" ] || continue
        grep -v '^#' "$list" | awk -v r="$release" 'BEGIN { RS = ""; FS = "\n" }
            {
                fits = 0
                for (i = 1; i <= NF; i++) {
                    if (tolower($i) ~ /^suites:/ && substr($i, 8) ~ r) fits = 1
                    if (tolower($i) ~ /^types:/) $i = "Types: deb-src"
                }
                if (!fits) next
                for (i = 1; i <= NF; i++) print $i
                print ""
            }'
    done >apt/sources/system.sources
    cat apt/sources/* | grep -q . || die "no package sources for Debian \"$codename\" in /etc/apt. $hint"
}

apt()
{
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$here/apt/sources" \
        -o "Dir::State::lists=$here/apt/lists" -o "Dir::Cache=$here/apt/cache" -o Acquire::Languages=none \
        -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o "APT::Sandbox::User=$(id -un)" "$@" >>"$here/apt.log" 2>&1
}

if ! intact; then
    command -v apt-get >/dev/null || die "apt-get is missing: this is not Debian. $hint"
    rm -rf apt download apt.log
    mkdir -p apt/sources apt/lists/partial apt/cache/archives/partial download
    write_sources
    # The update calls it a success when it could fetch nothing, and a failure when one list of many is missing.
    apt update || true
    (cd download && apt source --download-only "civetweb=$version") ||
        die "cannot fetch Debian's source package civetweb $version: is there a network? apt says why in $here/apt.log. $hint"
    intact || die "wrong checksum: what was fetched into $here/download is not the pinned civetweb $version."
    rm -rf apt
fi

rm -rf source unpack
mkdir unpack
full="cannot unpack $here/download: is the disk full?"
tar -xJf "download/$orig" -C unpack --strip-components=1 || die "$full"
tar -xJf "download/$debian" -C unpack || die "$full"
while read -r name; do
    case $name in '' | '#'*) continue ;; esac
    patch -s -p1 -d unpack <"unpack/debian/patches/$name" || die "Debian's patch $name does not apply."
done <unpack/debian/patches/series
printf '%s\n' "$sums" >unpack/.sums
mv unpack source
