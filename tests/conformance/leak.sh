#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Tens of thousands of requests, good and bad, with nonces and without: then
# the responder has no descriptor more than before, and neither has it nor
# ocsign-status grown.  make soak asks ten million times ($LEAK_REQUESTS): the
# same, and between them GET, POST and a connection a request, as many as the
# machine has in two seconds each.

. "$top_srcdir/tests/conformance/conformance.sh"
need curl pgrep
num_wanted=${LEAK_REQUESTS:-40000}
[ -d /proc/self/fd ] || {
	echo "there is no /proc"
	exit 77
}

ca_folder
ca_make
ca_issue a.test
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"
request a.test.pem good.der
request a.test.pem sha256.der -sha256
openssl ocsp -issuer ca.pem -cert a.test.pem -nonce -reqout nonce.der
head -c 40 good.der >bad.der
path=$(openssl base64 -A -in good.der | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')

# urls NUMBER URL...: each so often, one after the other.
urls() {
	urls_n=$1
	shift
	while [ $urls_n -gt 0 ]; do
		for u; do
			echo "url = \"$u\""
		done
		urls_n=$((urls_n - 1))
	done
}
# posts NUMBER FILE
posts() {
	echo 'header = "Content-Type: application/ocsp-request"'
	echo "data-binary = \"@$2\""
	urls "$1" "$url"
}
urls 250 "$url$path" "${url}favicon.ico" "$url$path?x" "${url}MAMA" >1.conf
posts 500 good.der >2.conf
posts 400 sha256.der >3.conf
posts 50 bad.der >4.conf
posts 50 nonce.der >5.conf
round() {
	for conf in 1 2 3 4 5; do
		curl -sS -m 60 -K $conf.conf -o /dev/null >/dev/null \
		    2>curl.err || fail "$(cat curl.err)"
	done
	asked=$((asked + 2000))
}
for der in good sha256; do
	openssl base64 -A -in $der.der
	echo
done >requests
volley() {
	for kind in get post once; do
		answers=$("$top_builddir/tests/bench/ocsp_client" "$port" \
		    $kind requests 64 2) || fail "the client of $kind"
		asked=$((asked + ${answers%% *}))
	done
}
fds() {
	ls "/proc/$1/fd" | wc -l
}
rss() {
	awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"
}

# What is allocated once is, after the first.
asked=0
round
round
[ "$num_wanted" -le 100000 ] || volley
responder=$(role responder)
status=$(role status)
fds_before=$(fds "$responder")
responder_before=$(rss "$responder")
status_before=$(rss "$status")
asked=0
while [ $asked -lt "$num_wanted" ]; do
	round
	[ "$num_wanted" -le 100000 ] || volley
done
[ "$(role responder)" = "$responder" ] && [ "$(role status)" = "$status" ] ||
    fail "a role was started again"
# The last connections end in their own time.
has_fds() {
	[ "$(fds "$responder")" -le "$fds_before" ]
}
within 10 has_fds || fail "$(fds "$responder") descriptors, not $fds_before"
echo "$asked requests: responder $responder_before to" \
    "$(rss "$responder") kB, status $status_before to $(rss "$status") kB"
# A sanitizer keeps what is freed for a while.
if ! ldd "$top_builddir/ocsign-responder" 2>/dev/null | grep -q asan; then
	[ "$(rss "$responder")" -le $((responder_before + 512)) ] ||
	    fail "the responder grows"
	[ "$(rss "$status")" -le $((status_before + 1024)) ] ||
	    fail "ocsign-status grows"
fi
expect good a.test.pem
service_stop
