#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The short form of tests/soak/fuzz.sh, with or without libFuzzer; and that
# nothing goes on when it is ended early, as may be in the midst of a day.

set -u

command -v openssl >/dev/null || {
	echo "openssl is not installed"
	exit 77
}
sh "${top_srcdir:?}/tests/fuzz/fuzz.sh" || exit 1

work=$(mktemp -d "${TMPDIR:-/tmp}/ocsign.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
# Those whose working directory is below ours.
fuzzers() {
	find /proc/[0-9]*/cwd -maxdepth 0 -lname "$work/*/*" 2>/dev/null
}
TMPDIR=$work FUZZ_SECONDS=20 sh "$top_srcdir/tests/fuzz/fuzz.sh" >"$work/log" \
    2>&1 &
pid=$!
tries=0
until [ -n "$(fuzzers)" ] || [ $tries -eq 100 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
[ $tries -lt 100 ] || echo "nothing was started: $(cat "$work/log")"
kill $pid
wait $pid
[ $tries -lt 100 ] || exit 1
[ -z "$(fuzzers)" ] || {
	echo "still there: $(fuzzers)"
	exit 1
}
