#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The bench of ten million certificates (tests/bench/size_10m.sh) with a few:
# it runs, and what it measures of each certificate is not more than is said.

BENCH_COUNT=${BENCH_COUNT:-20000}
BENCH_REVOCATIONS=${BENCH_REVOCATIONS:-3}
BENCH_REFRESH_S=${BENCH_REFRESH_S:-2}
export BENCH_COUNT BENCH_REVOCATIONS BENCH_REFRESH_S
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
sh "${top_srcdir:?}/tests/bench/size_10m.sh" >"$log" || {
	status=$?
	cat "$log"
	exit $status
}
cat "$log"
# most NAME VALUE: there is such a line, and it has no more.
most() {
	awk -v name="size-$1" -v most="$2" '
	    $1 == name { found = 1; if ($2 > most) over = $2 }
	    END {
		if (!found) { print "no " name; exit 1 }
		if (over) { print name ": " over; exit 1 }
	    }' "$log" || exit 1
}
most store-bytes 900
# Twice what the store has: its log, and itself.
most import-written 2000
most table-bytes 200
most revoke-to-wire-worst 20000
most refresh-turn 100000
most start-cold 300000
most start-warm 300000
