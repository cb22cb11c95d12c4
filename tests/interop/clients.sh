#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Do others believe the responder?  OpenSSL and GnuTLS by POST, curl and
# OpenSSL by GET, our own client both ways; good, then revoked.

. "$top_srcdir/tests/interop/service.sh"
need openssl ocsptool curl

ca_folder
ca_make
ca_issue www.example.test
ca_issue other.example.test
service_start

# POST
expect good www.example.test.pem
ocsptool --ask="$url" --load-issuer ca.pem --load-cert www.example.test.pem \
    --load-trust trust.pem --nonce --outfile gnutls.der >gnutls.txt 2>&1 ||
    fail "$(cat gnutls.txt)"
grep -q 'Certificate Status: good' gnutls.txt || fail "$(cat gnutls.txt)"

# GET: the same request as base64 in the path, escaped as RFC 6960 A.1 says.
openssl ocsp -issuer ca.pem -cert www.example.test.pem -no_nonce \
    -reqout request.der
path=$(openssl base64 -A -in request.der |
    sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')
curl -sS -D head -o get.der "$url$path"
grep -q '^HTTP/1.1 200' head || fail "$(cat head)"
grep -qi '^content-type: application/ocsp-response' head || fail "$(cat head)"
grep -Eqi '^cache-control: max-age=[0-9]+, public, no-transform, must-rev' \
    head || fail "RFC 9919, 7.2: $(cat head)"
for field in date expires last-modified; do
	grep -Eqi "^$field: [A-Z][a-z]{2}, .* GMT" head ||
	    fail "$field: $(cat head)"
done
openssl ocsp -issuer ca.pem -cert www.example.test.pem -respin get.der \
    -CAfile trust.pem >answer 2>&1
grep -q '^www.example.test.pem: good' answer || fail "$(cat answer)"

# POST and GET of the same octets are the same answer.
curl -sS -o post.der -H 'Content-Type: application/ocsp-request' \
    --data-binary @request.der "$url"
cmp get.der post.der || fail "GET and POST differ"

# SHA-256 CertIDs, a nonce, and both over GET.
openssl ocsp -issuer ca.pem -sha256 -cert www.example.test.pem -url "$url" \
    -CAfile trust.pem >answer 2>&1
grep -q '^www.example.test.pem: good' answer || fail "$(cat answer)"
ocsign ocsp query --issuer ca.pem --cert www.example.test.pem
ocsign ocsp query --issuer ca.pem --cert www.example.test.pem --get \
    --hash sha256 --nonce >answer
grep -q '^nonce: *same' answer || fail "$(cat answer)"

# A serial that was never issued gets the five octets of unauthorized.
openssl ocsp -issuer ca.pem -serial 0x123456 -url "$url" -CAfile trust.pem \
    >answer 2>&1 || true
grep -q 'unauthorized' answer || fail "$(cat answer)"

# Revoked: said at once, with reason and time; the other one stays good.
ocsign cert revoke --reason keyCompromise www.example.test.pem
expect revoked www.example.test.pem
grep -q 'Reason: keyCompromise' answer || fail "$(cat answer)"
ocsptool --ask="$url" --load-issuer ca.pem --load-cert www.example.test.pem \
    --load-trust trust.pem >gnutls.txt 2>&1 || true
grep -q 'Certificate Status: revoked' gnutls.txt || fail "$(cat gnutls.txt)"
if ocsign ocsp query --issuer ca.pem --cert www.example.test.pem; then
	fail "ocsign ocsp query says good"
fi
expect good other.example.test.pem
