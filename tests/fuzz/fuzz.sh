#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every fuzz target of a build folder on changed corpora, some at a time:
# $FUZZ_SECONDS each (1), from $FUZZ_SEED (1) on.  An input that breaks one is
# printed, as base64.  make soak does it for a day: tests/soak/fuzz.sh.

set -u
folder=${FUZZ_BUILD:-$top_builddir}/tests/fuzz
seconds=${FUZZ_SECONDS:-1}
seed=${FUZZ_SEED:-1}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
corpora=$(CDPATH= cd -- "$top_srcdir/tests/fuzz/corpus" && pwd) || exit 1
folder=$(CDPATH= cd -- "$folder" && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/ocsign.XXXXXX") || exit 1
running=			# "PID NAME" of each, nobody that has ended
cleanup() {
	status=$?
	set -- $running
	while [ $# -gt 0 ]; do
		kill "$1" 2>/dev/null
		shift 2
	done
	wait
	rm -rf "$work"
	exit $status
}
trap cleanup EXIT
trap 'exit 129' HUP INT TERM
cd "$work" || exit 1

# fuzz NAME: in a folder of its own; what is found new stays there.
fuzz() {
	mkdir "$1" "$1/new" && cd "$1" || exit 1
	exec "$folder/fuzz_$1" -max_total_time="$seconds" -seed="$seed" \
	    new "$corpora/$1" >log 2>&1
}

# Waits for those that run.
reap() {
	set -- $running
	while [ $# -gt 0 ]; do
		wait "$1" || : >"$2/failed"
		shift 2
		running=$*
	done
}

n=0
for corpus in "$corpora"/*; do
	name=${corpus##*/}
	[ -x "$folder/fuzz_$name" ] || {
		echo "tests/fuzz/fuzz_$name is not built" >&2
		exit 1
	}
	fuzz "$name" &
	running="$running $! $name"
	n=$((n + 1))
	[ $((n % jobs)) -eq 0 ] && reap
done
reap
[ $n -gt 0 ] || exit 1
status=0
for corpus in "$corpora"/*; do
	name=${corpus##*/}
	echo "$name: $(grep -E '^[0-9]+ runs|^Done' "$name/log")"
	[ -e "$name/failed" ] || continue
	status=1
	tail -n 60 "$name/log"
	for input in "$name"/crash-* "$name"/timeout-* "$name"/oom-*; do
		[ -f "$input" ] || continue
		echo "$input, base64:"
		openssl base64 -in "$input"
	done
done
exit $status
