#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# make install stays under its prefix, make uninstall takes everything away,
# and configure knows which sanitizers there are.

set -u
LC_ALL=C
export LC_ALL
unset MAKEFLAGS MAKELEVEL MFLAGS

: "${top_srcdir:?}" "${top_builddir:?}"
work=$(mktemp -d "${TMPDIR:-/tmp}/ocsign.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM

die() {
	echo "FAILED: $*" >&2
	exit 1
}

src=$(cd "$top_srcdir" && pwd) || exit 1
cd "$top_builddir" || exit 1
prefix=$(sed -n 's/^prefix = //p' Makefile)
make -s install DESTDIR="$work/d" >"$work/log" 2>&1 ||
    die "make install: $(tail -n 5 "$work/log")"
[ -x "$work/d$prefix/bin/ocsign" ] || die "there is no $prefix/bin/ocsign"
# is_there FILE: under whatever folder.
is_there() {
	[ -n "$(find "$work/d" -type f -path "*/$1")" ] || die "no $1"
}
for program in ocsign ocsignd ocsign-*; do
	[ ! -f "$program" ] || is_there "$program"
done
for page in "$src"/man/*.[1-8]; do
	is_there "man${page##*.}/$(basename "$page")"
done
is_there completions/ocsign
is_there examples/ocsign.conf.example
if [ "$prefix" != /usr ]; then
	strays=$(find "$work/d" -type f ! -path "$work/d$prefix/*")
	[ -z "$strays" ] || die "not under $prefix: $strays"
fi
if grep -q '^SYSTEMD_UNITDIR = .' Makefile; then
	for unit in "$src"/dist/*.service.in "$src"/dist/*.socket \
	    "$src"/dist/*.target "$src"/dist/*.path "$src"/dist/*.timer; do
		unit=$(basename "${unit%.in}")
		found=$(find "$work/d" -name "$unit")
		[ -n "$found" ] || die "no $unit"
		! grep -q '@[a-z]*@' "$found" || die "$unit has holes"
	done
	for name in sysusers.d tmpfiles.d; do
		found=$(find "$work/d" -path "*/$name/ocsign.conf")
		[ -n "$found" ] || die "no $name/ocsign.conf"
		! grep -q '@[a-z]*@' "$found" || die "$name has holes"
	done
	[ -x "$(find "$work/d" -name ocsign-units)" ] || die "no ocsign-units"
fi
# What is somebody else's stays.
mkdir "$work/d$prefix/share/doc/ocsign/mine"
make -s uninstall DESTDIR="$work/d" >"$work/log" 2>&1 ||
    die "make uninstall: $(tail -n 5 "$work/log")"
[ -d "$work/d$prefix/share/doc/ocsign/mine" ] || die "theirs is gone"
rmdir "$work/d$prefix/share/doc/ocsign/mine"
make -s install DESTDIR="$work/d" >"$work/log" 2>&1 || die "make install"
make -s uninstall DESTDIR="$work/d" >"$work/log" 2>&1 || die "make uninstall"
# The folders down to the prefix are not ours.
left=$(find "$work/d" -type f -o -name '*ocsign*' -o -name examples |
    while read -r path; do
	case $work/d$prefix/ in
	"$path"/*) ;;
	*) echo "$path" ;;
	esac
    done)
[ -z "$left" ] || die "make uninstall leaves $left"

# Said before anything is looked for, so this is quick.
[ -x "$src/configure" ] || exit 0
mkdir "$work/c" && cd "$work/c" || exit 1
for list in bogus address,thread thread,address address, undefined,bogus; do
	"$src/configure" --enable-sanitize=$list >log 2>&1 &&
	    die "--enable-sanitize=$list is taken"
	grep -q "enable-sanitize=$list: not" log || die "$(tail -n 3 log)"
done
exit 0
