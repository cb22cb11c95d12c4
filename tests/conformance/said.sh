#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What an issuer may have said beside a status: archive cutoff, CRL references,
# a responder that is known by its name.  OpenSSL and GnuTLS believe it, with
# and without, from a delegate and from the CA itself.

. "$top_srcdir/tests/conformance/conformance.sh"
need ocsptool

ca_folder 'unknown = revoked
crl-url = http://crl.example/ca.crl'
ca_make
for name in a b c revoked; do
	ca_issue $name.test
done
ocsign cert revoke --reason superseded revoked.test.pem
# Both have expired when they are issued.
for name in expired old; do
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout key -out csr -subj /CN=$name.test \
	    -addext subjectAltName=DNS:$name.test 2>/dev/null
	ocsign cert issue --issuer ca --profile server --validity 1m \
	    --out $name.test.pem csr
done
ocsign cert revoke --reason keyCompromise old.test.pem
service_start

# ask CERTIFICATE: the response is in response.der, its text in text.
ask() {
	openssl ocsp -issuer ca.pem -cert "$1" -no_nonce -url "$url" \
	    -CAfile trust.pem -respout response.der >answer 2>&1 || true
	openssl ocsp -respin response.der -noverify -text >text 2>&1 || true
}
# believed CERTIFICATE STATUS: by both.
believed() {
	ask "$1"
	grep -q 'Response verify OK' answer || fail "$1: $(cat answer)"
	grep -q "^$1: $2" answer || fail "$1: not $2: $(cat answer)"
	ocsptool --verify-response --load-response response.der \
	    --load-trust ca.pem >gnutls 2>&1 || fail "$1: $(cat gnutls)"
	grep -q 'Verifying OCSP Response: Success' gnutls ||
	    fail "$1: $(cat gnutls)"
}
has() {
	grep -q "$1" text || fail "no $1: $(cat text)"
}
has_not() {
	! grep -q "$1" text || fail "$1: $(cat text)"
}
num_reloads=0
# there_are NUMBER: so many responses, and the last reload is done.
there_are() {
	ocsign --json status >status.json 2>/dev/null &&
	    grep -q "\"responses\": $1," status.json &&
	    [ "$(count 'notice: reloaded' ocsignd.log)" -eq $num_reloads ]
}
# reload SED-SCRIPT NUMBER
reload() {
	sed -i "$1" ocsign.conf
	num_reloads=$((num_reloads + 1))
	kill -HUP "$(cat ocsignd.pid)"
	within 20 there_are "$2" || fail "not reloaded: $(cat status.json)"
}
# probe_all VERDICT: which st-good has; its text is of the responder.
probe_all() {
	probe --revoked revoked.test.pem --expired expired.test.pem
	no_failure
	says "$1" st-good
	says pass st-revoked
	says pass interop-openssl
}

# Without configuration: by key, and nothing else.
within 20 there_are 5 || fail "not all is signed: $(cat status.json)"
believed a.test.pem good
has 'Responder Id: [0-9A-F]*$'
has_not 'Archive Cutoff'
believed revoked.test.pem revoked
has_not 'CRL'
ask expired.test.pem
grep -q 'Responder Error: unauthorized' answer || fail "$(cat answer)"
probe_all pass
says pass st-expired unauthorized

# All of it.
reload 's/^unknown = .*/&\nresponder-id = name\narchive-cutoff = 365d\
crl-reference = yes/' 7
believed a.test.pem good
has 'Responder Id: .*CN *= *Test OCSP'
has 'Archive Cutoff'
has_not crlUrl
now=$(date +%s)
said=$(sed -n '/Archive Cutoff/{n;s/^ *//p;}' text)
said=$(date -ud "$said" +%s)
[ $((now - said)) -ge $((365 * 86400)) ] &&
    [ $((now - said)) -le $((365 * 86400 + 300)) ] ||
    fail "the archive reaches back to $said"
believed revoked.test.pem revoked
has 'crlUrl: http://crl.example/ca.crl'
has 'Archive Cutoff'
believed expired.test.pem good
has 'Archive Cutoff'
believed old.test.pem revoked
has 'Reason: keyCompromise\|Revocation Reason: keyCompromise'
has 'crlUrl'
probe_all policy
says policy st-good 'named, not hashed'
says policy st-expired '^good.*, with archiveCutoff'
# Of what was never issued there is neither.
says pass ext-revoke-shape
ocsign --json ocsp query --issuer ca.pem --cert revoked.test.pem \
    >query.json || [ $? -eq 1 ]
grep -q '"crl": "http://crl.example/ca.crl"' query.json ||
    fail "$(cat query.json)"
grep -q '"archive_cutoff": "2' query.json || fail "$(cat query.json)"
# A file for stapling says the same.
ocsign ocsp sign --issuer ca --cert revoked.test.pem --out staple.der
openssl ocsp -respin staple.der -noverify -text >text 2>&1 || true
has 'Responder Id: .*CN *= *Test OCSP'
has 'crlUrl: http://crl.example/ca.crl'
has 'Archive Cutoff'
ocsign ocsp lint staple.der >lint || fail "$(cat lint)"

# The same, signed by the CA itself; at once, with nothing of the delegate's
# to be served meanwhile.
service_stop
rm -r tables
sed -i '/^ocsp-certificate/d; /^ocsp-key/d' ocsign.conf
service_start
within 20 there_are 7 || fail "not all is signed: $(cat status.json)"
believed a.test.pem good
has 'Responder Id: .*CN *= *Test CA'
believed revoked.test.pem revoked
has 'crlUrl: http://crl.example/ca.crl'
probe_all policy
service_stop
