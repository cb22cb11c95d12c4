#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ./quickstart, on what is built already: into a folder with a blank, read
# through a pipe, again over itself, interrupted; and what it refuses.

. "$top_srcdir/tests/interop/service.sh"
need openssl make

# A tree whose ./build is ours, so that there is nothing to build.
source=$(cd "$top_srcdir" && pwd)
mkdir "$dir/tree" "$dir/tree/tests"
ln -s "$source/quickstart" "$source/dist" "$dir/tree/"
ln -s "$source/tests/packages" "$dir/tree/tests/packages"
ln -s "$top_builddir" "$dir/tree/build"
cd "$dir"

# refuses STATUS WORDS ARGUMENT...: one line, and nothing is made.
refuses() {
	status=$1 words=$2
	shift 2
	rc=0
	tree/quickstart "$@" >out 2>err || rc=$?
	[ $rc -eq "$status" ] || fail "$* ends with $rc"
	grep -q "$words" err || fail "$*: $(cat err)"
	[ "$(wc -l <err)" -eq 1 ] || fail "$*: $(cat err)"
	[ ! -s out ] || fail "$*: $(cat out)"
}
mkdir full
touch full/theirs
refuses 2 'there is no --bogus' --bogus
refuses 2 'one folder' a b
refuses 2 'without quotes' "it's"
refuses 2 'is empty' ''
refuses 1 'not empty' full
refuses 1 'not a folder' full/theirs
[ ! -e a ] && [ ! -e b ] || fail "a folder was made"
[ "$(ls -A full)" = theirs ] || fail "somebody else's folder was touched"

# The pipe ends with quickstart, though ocsignd goes on.  A proxy that packages
# come through knows nobody on this machine.
demo="$dir/a demo"
unset no_proxy
http_proxy=http://127.0.0.1:9
export http_proxy
(timeout 120 tree/quickstart --keep 'a demo' || echo "failed: $?") 2>&1 |
    timeout 120 cat >out || fail "ocsignd holds the pipe: $(cat out)"
! grep '^failed' out || fail "$(cat out)"
pid=$(cat "$demo/ocsignd.pid")
pids=$pid
kill -0 "$pid" || fail "--keep kept nothing: $(cat out)"
for file in ocsign.conf root.pem ca.pem ocsp.pem site.pem site.key \
    site-chain.pem env; do
	[ -s "$demo/$file" ] || fail "there is no $file"
done
[ -z "$(find "$demo" -name '*.key' -perm /077)" ] || fail "the key is open"
[ -z "$(find "$demo" -name '*.pin' -perm /077)" ] || fail "a PIN is open"

# What it says to try next.
(sed -n '/^Try next/,$s/^  //p' out; echo 'echo "ended: $?"') >next
timeout 60 sh -u next >said 2>&1 || true
grep -q '^status: *revoked' said || fail "$(cat next said)"
grep -q '^status ready: *yes' said || fail "$(cat next said)"
grep -q '^ended: 0' said || fail "$(cat next said)"
within_stop() {
	n=0
	while kill -0 "$1" 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt 100 ] || fail "PID $1 does not stop"
		sleep 0.1
	done
}
within_stop "$pid"

# Again in the same folder, interrupted once the service is there.
timeout -s INT 120 tree/quickstart 'a demo' >out 2>&1 &
runner=$!
n=0
while [ ! -s "$demo/ocsignd.pid" ] && [ $n -lt 600 ]; do
	n=$((n + 1))
	sleep 0.05
done
pid=$(cat "$demo/ocsignd.pid")
kill -TERM $runner
wait $runner || true
within_stop "$pid"
