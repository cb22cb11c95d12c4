#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Reloads one after the other, with more responders and with fewer, while
# clients come and go and others stay: each request is answered.  A responder
# that ends says so with its last answers.  Nor does ocsignd grow.  make soak:
# $HANDOVER_RELOADS, under as many requests as the machine has as well.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep python3
reloads=${HANDOVER_RELOADS:-8}

ca_folder
ca_make
ca_issue a.test
request a.test.pem a.request
cp ocsign.conf one.conf
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"

num_fds() {
	find "/proc/$(cat ocsignd.pid)/fd" -type l | wc -l
}
fds=$(num_fds)
num_reloaded() {
	count 'notice: reloaded' ocsignd.log
}
is_reloaded() {
	[ "$(num_reloaded)" -gt "$before" ] ||
	    grep -q 'not reloaded\|reload failed' ocsignd.log
}

python3 "$top_srcdir/tests/interop/asker.py" "$url" a.request stop >asked &
asker=$!
pids="$pids $asker"
rss() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$(cat ocsignd.pid)/status"
}
# A connection for each request; any that fails ends it.
volleys() {
	while [ ! -e stop ]; do
		"$top_builddir/tests/bench/ocsp_client" "$port" once requests \
		    8 1 >>volleys || return 1
	done
}
volley=
if [ "$reloads" -ge 100 ]; then
	openssl base64 -A -in a.request >requests
	volleys 2>volleys.err &
	volley=$!
	pids="$pids $volley"
fi
n=0
for workers in $(awk -v num="$reloads" 'BEGIN {
    srand(num)
    for (i = 0; i < num; i++)
	print i % 2 ? 1 + int(rand() * 2) : 2 + int(rand() * 4) }'); do
	sed "s/^listen = .*/&\\nworkers = $workers/" one.conf >ocsign.conf
	before=$(num_reloaded)
	kill -HUP "$(cat ocsignd.pid)"
	within 30 is_reloaded || fail "the reload does not end"
	[ "$(num_reloaded)" -gt "$before" ] || fail "not reloaded"
	[ "$(role responder | wc -w)" -eq "$workers" ] ||
	    fail "$workers responders: $(role responder)"
	kill -0 $asker 2>/dev/null || fail "the asker ended: $(cat asked)"
	n=$((n + 1))
	# What is allocated once is, after the first.
	[ $n -ne 3 ] || rss=$(rss)
done
: >stop
wait $asker || fail "the asker: $(cat asked)"
if [ -n "$volley" ]; then
	wait "$volley" || fail "volleys: $(cat volleys.err)"
	awk '{ n += $1 } END { printf "%d answers a second\n", n / NR }' \
	    volleys
fi
ldd "$top_builddir/ocsignd" | grep -q asan ||
    [ "$(rss)" -le $((rss + 512)) ] || fail "from $rss kB to $(rss)"
echo "$n reloads: $(tail -n 1 asked)"
grep -q '^failed:' asked && fail "$(grep -c '^failed:' asked): $(head asked)"
# It is no test if there was no load, or nobody was told that it was the last.
awk 'END { exit !($1 > 50 * '"$n"' && $3 > 0 && $5 > 0) }' asked ||
    fail "little was asked: $(cat asked)"
# One more for each responder that there ever was beside the first, at most.
[ "$(num_fds)" -le $((fds + 4)) ] || fail "$fds descriptors are $(num_fds)"
service_stop
