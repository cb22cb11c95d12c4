#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every fuzz target for a day in all ($FUZZ_HOURS of one core, 24), with
# libFuzzer and sanitizers if clang is there, else as this build has them.

set -u
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
targets=$(ls "${top_srcdir:?}/tests/fuzz/corpus" | wc -l)
FUZZ_SECONDS=${FUZZ_SECONDS:-$((${FUZZ_HOURS:-24} * 3600 / targets))}
FUZZ_SEED=${FUZZ_SEED:-$(date +%s)}
FUZZ_BUILD=$top_builddir
echo "seed $FUZZ_SEED, $FUZZ_SECONDS s for each of $targets targets"

clang=$(command -v clang || command -v clang-14) || clang=
if [ -n "$clang" ]; then
	top=$(CDPATH= cd -- "$top_srcdir" && pwd) || exit 1
	FUZZ_BUILD=$(mktemp -d "${TMPDIR:-/tmp}/ocsign.XXXXXX") || exit 1
	trap 'rm -rf "$FUZZ_BUILD"' EXIT
	trap 'exit 129' HUP INT TERM
	(
		cd "$FUZZ_BUILD" || exit 1
		"$top/configure" --enable-fuzzer CC="$clang" \
		    --enable-sanitize=address,undefined CFLAGS='-O1 -g' &&
		make -j"$cores" $(cd "$top/tests/fuzz" &&
		    ls fuzz_*.c | sed 's,^,tests/fuzz/,; s/\.c$//')
	) >"$FUZZ_BUILD/log" 2>&1 || {
		tail -n 30 "$FUZZ_BUILD/log"
		exit 1
	}
fi
export FUZZ_SECONDS FUZZ_SEED FUZZ_BUILD
sh "$top_srcdir/tests/fuzz/fuzz.sh"
