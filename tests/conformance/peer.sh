#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The probe against somebody else's responder, "openssl ocsp", whose ways are
# known: what it does right is a pass, what it does otherwise by choice is a
# policy, and what it does wrong is a fail.  It ends when it is sent what it
# cannot read; the probe says so, and goes on when it has been started again.

. "$top_srcdir/tests/conformance/conformance.sh"

ca_folder
ca_make
for name in a b revoked; do
	ca_issue $name.test
done
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout peer.key -out peer.csr -subj /CN=peer 2>/dev/null
ocsign cert issue --issuer ca --profile ocsp-signer --out peer.pem peer.csr

# line STATUS NAME REVOKED: of openssl ca's index.
line() {
	end=$(openssl x509 -in "$2.test.pem" -noout -enddate)
	printf '%s\t%s\t%s\t%s\tunknown\t/CN=%s\n' "$1" \
	    "$(date -ud "${end#*=}" +%y%m%d%H%M%SZ)" "$3" \
	    "$(openssl x509 -in "$2.test.pem" -noout -serial |
	    sed 's/.*=//')" "$2"
}
line V a '' >index.txt
line V b '' >>index.txt
line R revoked 260101000000Z,keyCompromise >>index.txt

port=$(free_port)
url=http://127.0.0.1:$port
# Started again as often as it ends, until it is told to.
{
	trap 'kill $peer 2>/dev/null; exit 0' TERM
	while :; do
		openssl ocsp -port "$port" -index index.txt -CA ca.pem \
		    -rsigner peer.pem -rkey peer.key -nmin 60 \
		    >>peer.log 2>&1 &
		peer=$!
		wait $peer || true
	done
} &
pids="$pids $!"
accepts() {
	grep -q waiting peer.log 2>/dev/null
}
within 10 accepts || fail "openssl ocsp does not start: $(cat peer.log)"

set --
for name in get-escaped get-lower-hex http10-ka http11-nohost dup-cl \
    expect-100 ctype-missing post=get etag-304 dates-gmt max-age-bound \
    version-v1-explicit multi-same-issuer multi-dup sha1-absent sha256 \
    name-ok-key-wrong serial-64 ext-unknown ext-unknown-critical \
    nonce-32 nonce-129 st-good st-revoked st-unissued certs-minimal \
    br-window interop-openssl get-double-escaped service-locator; do
	set -- "$@" --case $name
done
probe --revoked revoked.test.pem --timeout 5 "$@"
says pass get-escaped
says pass get-lower-hex
says policy http10-ka closed
says fail http11-nohost 'good, not HTTP 400'
says fail dup-cl
says policy expect-100 'HTTP/1.0'
says pass ctype-missing
says policy post=get 'signed anew'
says policy etag-304 'no ETag'
says fail dates-gmt 'no Date'
says policy max-age-bound
says pass version-v1-explicit
says pass multi-same-issuer
says policy multi-dup '2 entries'
says pass sha1-absent
says pass sha256
says policy name-ok-key-wrong unknown
says policy serial-64 unknown
says pass ext-unknown
says fail ext-unknown-critical good
says pass nonce-32 echoed
says fail nonce-129
says policy st-good
says pass st-revoked keyCompromise
says policy st-unissued unknown
says pass certs-minimal
says policy br-window 'less than 8'
says pass interop-openssl
says pass service-locator
# OpenSSL 3 ends at what is no base64; those that do not, refuse it.
awk '$2 == "get-double-escaped" && ($1 == "fail" && /away, for a while/ ||
    $1 == "policy") { found = 1 } END { exit !found }' probe.txt ||
    fail "$(cat probe.txt)"

# And when nobody starts it again, the probe comes to an end.
stop "${pids##* }"
pids=
openssl ocsp -port "$port" -index index.txt -CA ca.pem -rsigner peer.pem \
    -rkey peer.key -nmin 60 -nrequest 4 >peer.log 2>&1 &
pids="$pids $!"
within 10 accepts || fail "openssl ocsp does not start: $(cat peer.log)"
probe --timeout 2
[ "$(count '^skipped .* does not answer any more' probe.txt)" -ge 100 ] ||
    fail "it goes on: $(cat probe.txt)"
grep -q '^fail .* and then it is away$' probe.txt || fail "$(cat probe.txt)"
