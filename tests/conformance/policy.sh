#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Where the standards leave a choice, the other one than our defaults: below a
# path, signed by the CA itself, with RSA, unknown serial numbers "unknown",
# nonces ignored, nothing signed ahead.  What is no choice stays as it is.

. "$top_srcdir/tests/conformance/conformance.sh"

ca_folder 'unknown = unknown
nonce = ignore
presign = asked'
url=${url}ocsp/ca1/
sed -i "/^ocsp-certificate/d; /^ocsp-key/d; s,^ocsp-url = .*,ocsp-url = $url,
    s,^listen = .*,&\\nprefix = /ocsp/ca1/," ocsign.conf
cat >>ocsign.conf <<EOT
[issuer other]
certificate = other.pem
chain = root.pem
token = demo
key = other
ocsp-url = $url
EOT
ocsign key generate --token demo --label root >/dev/null
ocsign key generate --token demo --label other >/dev/null
ocsign key generate --token demo --label ca --type rsa2048 >/dev/null
ocsign ca create root --subject 'CN=Test Root,O=Example,C=DE'
ocsign ca create ca --issuer root --subject 'CN=Test CA,O=Example,C=DE'
ocsign ca create other --issuer root --subject 'CN=Other CA,O=Example,C=DE'
for name in a b; do
	ca_issue $name.test
done
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout key -out csr -subj /CN=other.test \
    -addext subjectAltName=DNS:other.test 2>/dev/null
ocsign cert issue --issuer other --profile server --out other.test.pem csr
others='--other-issuer other.pem --other-cert other.test.pem'
service_start

probe $others
no_failure
says pass get-prefix 'HTTP 404'
says pass get-escaped
says pass get-absform
says pass post=get
says pass certs-minimal 'the CA has signed'
says pass ext-unknown
says skipped ecdsa-der rsa-sha256
says policy prefsig-match rsa-sha256
says policy st-unissued '^unknown'
says pass serial-20 '^unknown'
# A number that no certificate can have is nobody's, by any policy.
says pass serial-21 unauthorized
says pass name-ok-key-wrong unauthorized
for len in 1 15 16 32 33 64 128; do
	says policy nonce-$len 'good, without a nonce'
done
says pass nonce-0 malformedRequest
says pass nonce-129 malformedRequest
says policy nonce-nocache 'not echoed'
says pass interop-size
says pass multi-same-issuer '2 entries'

says pass ctype-wrong
says pass acceptable-no-basic
says policy nonce-unwrapped ignored
says pass ext-unknown-critical unauthorized
says pass max-age-bound 'ends 0 s before'
says pass body-extra malformedRequest
says pass multi-mixed-issuer unauthorized

# "revoked" for what was never issued, and recognisable as such; and nothing
# answered that might be refused.
sed -i 's/^unknown = .*/unknown = revoked/
    s/^prefix = .*/&\nrefuse = other-types bare-nonces no-basic no-request\
critical-extension = malformed\
tolerate = crlf other-issuers\
max-age = 1h/' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
within 10 grep -q 'notice: reloaded' ocsignd.log || fail "not reloaded"
probe $others
no_failure
says policy st-unissued '^revoked'
says pass ext-revoke-shape
says policy ctype-missing 'HTTP 415'
says policy ctype-wrong 'HTTP 415'
says pass ctype-charset
says policy acceptable-no-basic malformedRequest
says policy nonce-unwrapped malformedRequest
says policy get-root malformedRequest
says pass ext-unknown-critical malformedRequest
says pass max-age-bound 'ends 34[0-9][0-9][0-9][0-9] s before'
says policy multi-mixed-issuer 'the first only'
says pass multi-same-issuer '2 entries'
says policy body-extra 'malformedRequest behind NULs, good behind CR LF'
says pass ext-unknown
says pass service-locator
says pass serial-20 '^revoked'
says pass serial-zero unauthorized
says pass name-ok-key-wrong unauthorized

# Nothing is kept: each answer is signed for who asks, and for no cache.
sed -i 's/^presign = .*/presign = none/; s/^nonce = .*/nonce = live/
    s/^prefix = .*/&\nnonce-budget = 1000/' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
reloaded_twice() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -eq 2 ]
}
within 10 reloaded_twice || fail "not reloaded"
probe $others
no_failure
says policy etag-304 'no ETag'
says policy max-age-bound 'no max-age'
says pass get-escaped
says pass nonce-32 echoed
says pass nonce-nocache no-store
says pass multi-same-issuer '2 entries'
says policy multi-mixed-issuer 'the first only'
says pass sha512
says pass st-good
says pass serial-20 '^revoked'
says pass name-ok-key-wrong unauthorized
ocsign --json status >status.json
kept=$(sed -n '/"issuer": "ca"/,/}/s/^ *"responses": \([0-9]*\),*$/\1/p' \
    status.json)
[ "$kept" = 0 ] || fail "kept: $(cat status.json)"
ocsign cert revoke b.test.pem >revoked
cat ca.pem root.pem >trust.pem
grep -q 'presign = none' revoked || fail "$(cat revoked)"
openssl ocsp -issuer ca.pem -cert b.test.pem -no_nonce -url "$url" \
    -CAfile trust.pem >answer 2>&1 || fail "$(cat answer)"
grep -q 'Response verify OK' answer || fail "$(cat answer)"
grep -q '^b.test.pem: revoked' answer || fail "$(cat answer)"
service_stop
