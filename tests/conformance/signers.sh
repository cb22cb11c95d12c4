#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Two signers for one issuer: who says which signature algorithms it prefers
# is answered with the first that there is, in the probe's eyes and OpenSSL's;
# whoever says nothing, or nothing sensible, with the usual one.

. "$top_srcdir/tests/conformance/conformance.sh"
need curl python3

ca_folder
ca_make
cat >>ocsign.conf <<EOT
[ocsp-signer rsa]
issuer = ca
certificate = rsa.pem
key = rsa
[issuer other]
certificate = other.pem
chain = root.pem
token = demo
key = other
ocsp-url = $url
EOT
# A section whose certificate is still to be made keeps nobody from making it.
ocsign key generate --token demo --label rsa --type rsa2048 >/dev/null
ocsign csr create --subject 'CN=Test OCSP RSA,O=Example,C=DE' \
    --token demo --key rsa --out rsa.csr
ocsign cert issue --issuer ca --profile ocsp-signer --out rsa.pem rsa.csr
ocsign key generate --token demo --label other >/dev/null
ocsign ca create other --issuer root --subject 'CN=Other CA,O=Example,C=DE'
cat other.pem >>trust.pem
for name in a b revoked; do
	ca_issue $name.test
done
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout key -out csr -subj /CN=other.test \
    -addext subjectAltName=DNS:other.test 2>/dev/null
ocsign cert issue --issuer other --profile server --out other.test.pem csr
ocsign cert revoke --reason superseded revoked.test.pem
ocsignd -t || fail "ocsignd -t"
service_start

# preferring CERTIFICATE ALGORITHM...: what OpenSSL says of the answer is in
# answer, and what it was signed with in $signed_with.
preferring() {
	preferring_cert=$1
	shift
	request $preferring_cert plain.request
	python3 "$top_srcdir/tests/conformance/prefer.py" plain.request \
	    preferring.request "$@"
	[ "$(post preferring.request answer.der)" = 200 ] || fail "HTTP"
	openssl ocsp -issuer "${issuer:-ca.pem}" -cert $preferring_cert \
	    -respin answer.der -CAfile trust.pem -resp_text >answer 2>&1 ||
	    true
	grep -q 'Response verify OK' answer || fail "$*: $(cat answer)"
	signed_with=$(sed -n 's/^    Signature Algorithm: //p' answer | sed q)
}
# chosen WANTED ALGORITHM...
chosen() {
	chosen_wanted=$1
	shift
	preferring a.test.pem "$@"
	grep -q '^a.test.pem: good' answer || fail "$*: $(cat answer)"
	[ "$signed_with" = $chosen_wanted ] ||
	    fail "$*: $signed_with, not $chosen_wanted"
}
ecdsa=ecdsa-with-SHA256
rsa=sha256WithRSAEncryption

is_served() {
	openssl ocsp -issuer ca.pem -cert a.test.pem -url "$url" \
	    -CAfile trust.pem >answer 2>&1
}
within 10 is_served || fail "nothing is answered: $(cat answer)"
chosen $rsa rsa-sha256
chosen $ecdsa ecdsa-sha256
chosen $rsa rsa-sha256 ecdsa-sha256
chosen $ecdsa ecdsa-sha256 rsa-sha256
chosen $rsa ecdsa-sha384 rsa-sha256
chosen $rsa rsa-sha1 ecdsa-sha1 ed448 rsa-sha256 ecdsa-sha256
chosen $ecdsa rsa-sha1
chosen $ecdsa ed448
chosen $ecdsa garbage
chosen $ecdsa
expect good a.test.pem
# The second of the same is the same: it was kept, not signed again.
chosen $rsa rsa-sha256
cp answer.der first.der
chosen $rsa rsa-sha256
cmp -s first.der answer.der || fail "RSA is signed for each question"
# Both say what is revoked, also when it happens after both had said "good".
for name in revoked a; do
	[ $name = revoked ] ||
	    ocsign cert revoke --reason keyCompromise a.test.pem
	for alg in rsa-sha256 ecdsa-sha256; do
		preferring $name.test.pem $alg
		grep -q "^$name.test.pem: revoked" answer ||
		    fail "$name, $alg: $(cat answer)"
	done
done
# The other issuer has one signer, which is not asked for RSA.
issuer=other.pem
preferring other.test.pem rsa-sha256
[ "$signed_with" = $ecdsa ] || fail "other: $signed_with"
issuer=

# ocsign signs with either.
for signer in '' '--signer rsa'; do
	ocsign ocsp sign --issuer ca --cert b.test.pem $signer --out b.der
	openssl ocsp -issuer ca.pem -cert b.test.pem -respin b.der \
	    -CAfile trust.pem -resp_text >answer 2>&1 || true
	grep -q 'Response verify OK' answer || fail "$(cat answer)"
	sed -n 's/^    Signature Algorithm: //p' answer | sed q
done >signed
printf '%s\n' $ecdsa $rsa | cmp -s - signed || fail "$(cat signed)"
ocsign ocsp sign --issuer ca --cert b.test.pem --signer pq --out b.der \
    2>err && fail "a signer that there is none"
grep -q 'there is no \[ocsp-signer pq\] of \[issuer ca\]' err ||
    fail "$(cat err)"

# The probe, whose first certificate is good.
rm a.test.pem
probe --revoked revoked.test.pem --other-issuer other.pem \
    --other-cert other.test.pem
no_failure
says pass prefsig-match 'ecdsa-sha256, and rsa-sha256 on demand'
for name in weak unsupported garbage; do
	says pass prefsig-$name
done

# Each is told of.
ocsign --json status >status.json
grep -q '"issuer": "ca+rsa"' status.json || fail "$(cat status.json)"

# All ahead of time, and the RSA signer as the usual one.
sed -i '/^\[ocsp-signer rsa\]/a presign = all
    s/^ocsp-certificate = .*/ocsp-certificate = rsa.pem/
    s/^ocsp-key = .*/ocsp-key = rsa/' ocsign.conf
sed -i '/^\[ocsp-signer rsa\]/,/^\[/{s/rsa.pem/ocsp.pem/;s/key = rsa/key = ocsp/
    }' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
within 10 grep -q 'notice: reloaded' ocsignd.log || fail "not reloaded"
within 10 is_whole || fail "not all is signed: $(cat status.json)"
cp b.test.pem a.test.pem
# What had been signed ahead is still good for who prefers nothing; what both
# keys had signed before is not given to who prefers the other's.
chosen $rsa rsa-sha256
chosen $ecdsa ecdsa-sha256
expect good a.test.pem
for name in revoked.test d.test; do
	[ $name = revoked.test ] || ca_issue d.test
	preferring $name.pem
	[ $name = revoked.test ] || [ "$signed_with" = $rsa ] ||
	    fail "a new one: $signed_with"
done
service_stop

# One that may not answer, in the section that it stands in.
ocsign cert issue --issuer ca --profile client --out wrong.pem ocsp.csr
sed -i '/^\[ocsp-signer rsa\]/,/^\[/s/ocsp.pem/wrong.pem/' ocsign.conf
ocsignd -t >out 2>err && fail "ocsignd -t likes it"
line=$(sed -n '/^\[ocsp-signer rsa\]/=' ocsign.conf)
grep -q "ocsign.conf:$line: \[ocsp-signer rsa\] certificate: .*OCSPSigning" \
    err || fail "ocsignd -t: $(cat err)"

# One that has expired is no reload, but no reason either to leave the others
# without answers at a start.  What is only unusual is said by -t.
ocsign cert issue --issuer ca --profile ocsp-signer --validity 1m \
    --out wrong.pem ocsp.csr
ocsignd -t >out 2>err && fail "ocsignd -t likes what has expired"
grep -q "ocsign.conf:$line: \[ocsp-signer rsa\] certificate: .*has expired" \
    err || fail "ocsignd -t: $(cat err)"
service_start
within 10 is_served || fail "nobody is served: $(cat answer)"
grep -q 'certificate: warning: .*has expired' ocsignd.log ||
    fail "nothing is said: $(cat ocsignd.log)"
# Nor do they wait for a person with what is new of theirs; but it is not put in
# place of one that is in use.
num=$(count 'notice: reloaded' ocsignd.log)
kill -HUP "$(cat ocsignd.pid)"
is_reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -gt "$num" ]
}
within 10 is_reloaded || fail "not reloaded: $(cat ocsignd.log)"
sleep 1.1
cp wrong.pem copy.pem
cp copy.pem wrong.pem
kill -HUP "$(cat ocsignd.pid)"
within 10 grep -q 'not reloaded: the configuration is wrong' ocsignd.log ||
    fail "what has expired is taken"
service_stop
cat >>ocsign.conf <<EOT
[profile long]
based-on = ocsp-signer
validity = 2y
lint-exempt = ocsp_cert_long_lived
EOT
ocsign cert issue --issuer ca --profile long --out wrong.pem ocsp.csr
ocsignd -t >out 2>err || fail "ocsignd -t: $(cat err)"
grep -q 'warning: ocsp_cert_long_lived' err || fail "ocsignd -t: $(cat err)"
# And in the log when it is loaded, not at each reload.
: >ocsignd.log
service_start
num_long() {
	count 'certificate: warning: ocsp_cert_long_lived' ocsignd.log
}
[ "$(num_long)" -eq 1 ] || fail "what is loaded: $(cat ocsignd.log)"
sleep 1.1
num=$(count 'notice: reloaded' ocsignd.log)
kill -HUP "$(cat ocsignd.pid)"
within 10 is_reloaded || fail "not reloaded: $(cat ocsignd.log)"
[ "$(num_long)" -eq 1 ] || fail "said again: $(cat ocsignd.log)"
sleep 1.1
cp wrong.pem copy.pem
cp copy.pem wrong.pem
num=$((num + 1))
kill -HUP "$(cat ocsignd.pid)"
within 10 is_reloaded || fail "not reloaded: $(cat ocsignd.log)"
[ "$(num_long)" -eq 2 ] || fail "another is loaded: $(cat ocsignd.log)"
service_stop

# Validities that public CAs must not have: said, and no more.
for lifetime in 7h 11d; do
	sed -i "/^ocsp-lifetime = /d
	    s/^ocsp-key = .*/&\nocsp-lifetime = $lifetime/" ocsign.conf
	ocsignd -t >out 2>err || fail "$lifetime: $(cat err)"
	grep -q '\[issuer ca\] ocsp-lifetime: warning: .*BR 4.9.9' err ||
	    fail "$lifetime: $(cat err)"
	ocsign ocsp sign --issuer ca --cert b.test.pem --out b.der
	ocsign ocsp lint b.der >out || fail "$lifetime: $(cat out)"
	grep -q ocsp_validity_too_ out || fail "$lifetime: $(cat out)"
	ocsign ocsp lint --public b.der >out || [ $lifetime = 7h ] ||
	    fail "$lifetime: $(cat out)"
done
