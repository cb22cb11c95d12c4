#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# An index.txt, a certdb and a CRL of somebody else's change again and again,
# each time with more than the responder takes in at once, while it is asked
# all the time: no answer is torn, or mixed of two versions, or of one before
# what was seen, and no process grows.  make soak: $RELOADS of them, under as
# many requests as the machine has as well.

. "$top_srcdir/tests/interop/sources.sh"
reloads=${RELOADS:-12}

service_start
within 20 all_in_force 1 || fail "not all is read"
# The first answers, before anybody counts.
for name in index certdb list; do
	openssl ocsp -issuer $name.pem -serial 0x1000 -no_nonce \
	    -reqout $name.request >/dev/null 2>&1
	is_signed() {
		[ "$(post $name.request answer.der)" = 200 ] &&
		    [ "$(wc -c <answer.der)" -gt 100 ]
	}
	within 20 is_signed || fail "$name: no answer"
done
clients=
for name in index certdb list; do
	[ $name = list ] && from=$this || from=0
	"$top_builddir/tests/interop/reload_client" "$port" $name.pem "$base" \
	    "$from" stop >asked.$name 2>&1 &
	clients="$clients $name:$!"
	pids="$pids $!"
done
if [ "$reloads" -ge 100 ]; then
	for name in index certdb list; do
		openssl base64 -A -in $name.request
		echo
	done >requests
	# Bounded, should nobody end it.
	"$top_builddir/tests/bench/ocsp_client" "$port" post requests \
	    16 $((reloads * 3)) >volleys 2>&1 &
	load=$!
	pids="$pids $load"
fi
rss() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$(role $1)/status"
}
roles="$(role status) $(role responder)"
n=0
while [ $n -lt $reloads ]; do
	n=$((n + 1))
	put_all $n
	within 20 all_in_force $((n + 1)) || fail "version $n is not taken"
	if [ $n -eq $((reloads / 4)) ]; then
		status_rss=$(rss status) responder_rss=$(rss responder)
	fi
done
# What was taken last is said, and was asked about.
sleep 1
: >stop
for client in $clients; do
	wait ${client#*:} || fail "$client: $(cat asked.${client%%:*})"
done
if [ "$reloads" -ge 100 ]; then
	kill -0 $load 2>/dev/null || fail "the load ended: $(cat volleys)"
	stop $load
fi
for name in index certdb list; do
	echo "$name: $(cat asked.$name)"
	grep -q "version $reloads\$" asked.$name ||
	    fail "$name: not version $reloads"
	[ "$(sed 's/.*, \([0-9]*\) of two.*/\1/' asked.$name)" -gt $reloads ] ||
	    fail "$name: nobody asked about two"
done
[ "$roles" = "$(role status) $(role responder)" ] || fail "a role is new"
! grep -E '^ocsign-.*: error: ' ocsignd.log || fail "an alarm"

# is_flat ROLE BEFORE: in KiB; a twentieth, and what malloc() rounds to.
is_flat() {
	now=$(rss $1)
	echo "$1: $2 KiB, and $now after $((reloads - reloads / 4)) more"
	[ "$now" -le $(($2 + $2 / 20 + 1024)) ] || fail "$1 grows"
}
nm -D "$top_builddir/ocsign-status" 2>/dev/null | grep -q __asan_init || {
	is_flat status $status_rss
	is_flat responder $responder_rss
}
service_stop
