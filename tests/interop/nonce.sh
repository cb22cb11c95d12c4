#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Signatures that are made for one question: nonces within their budget and
# beyond it, several certificates at once, and many who ask for the same.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl

ca_folder
ca_make
ca_issue a.test
ca_issue b.test
service_start
within 5 is_whole || fail "not all is signed: $(cat status.json)"

# Echoed: openssl compares it, and says nothing if it is the same.
openssl ocsp -issuer ca.pem -cert a.test.pem -url "$url" -CAfile trust.pem \
    -reqout nonce.request -respout nonce.der >answer 2>&1 ||
    fail "$(cat answer)"
grep -q 'Response verify OK' answer || fail "$(cat answer)"
! grep -qi nonce answer || fail "$(cat answer)"
nonce_of() {
	openssl ocsp "-$1in" "$2" -noverify -text 2>/dev/null |
	    sed -n '/OCSP Nonce/{n;p;}' | tr -d ' '
}
nonce=$(nonce_of req nonce.request)
[ -n "$nonce" ] || fail "openssl sent no nonce"
[ "$(nonce_of resp nonce.der)" = "$nonce" ] || fail "another nonce"
# Each has its own: a table's answer would be the same twice.
post nonce.request again.der >code
[ "$(cat code)" = 200 ] || fail "HTTP $(cat code)"
! cmp -s nonce.der again.der || fail "a nonce was answered from memory"

# Several certificates in one question, each with its status.
ocsign cert revoke --reason superseded b.test.pem
openssl ocsp -issuer ca.pem -cert a.test.pem -cert b.test.pem -url "$url" \
    -CAfile trust.pem >answer 2>&1 || fail "$(cat answer)"
grep -q 'Response verify OK' answer || fail "$(cat answer)"
grep -q '^a.test.pem: good' answer || fail "$(cat answer)"
grep -q '^b.test.pem: revoked' answer || fail "$(cat answer)"

# 200 at once, in an encoding that nobody has asked for: one signature.
signed() {
	ocsign --json status >status.json || fail "ocsign status"
	sed -n '/"issuer": "ca"/,/}/s/^ *"signed": \([0-9]*\),*$/\1/p' \
	    status.json
}
request a.test.pem a.request -sha256
before=$(signed)
[ -n "$before" ] || fail "no counter in $(cat status.json)"
{
	echo 'parallel'
	echo 'parallel-max = 200'
	echo 'parallel-immediate'
	echo 'header = "Content-Type: application/ocsp-request"'
	echo 'data-binary = "@a.request"'
	n=0
	while [ $n -lt 200 ]; do
		printf 'url = "%s"\noutput = "many.%d"\n' "$url" $n
		n=$((n + 1))
	done
} >many.conf
curl -sS -m 20 -K many.conf -w '%{http_code}\n' >codes 2>&1 || true
[ "$(count '^200$' codes)" -eq 200 ] || fail "$(sort codes | uniq -c)"
n=0
while [ $n -lt 200 ]; do
	cmp many.0 many.$n || fail "two different answers"
	n=$((n + 1))
done
openssl ocsp -issuer ca.pem -sha256 -cert a.test.pem -no_nonce \
    -respin many.0 -CAfile trust.pem >answer 2>&1 || true
grep -q '^a.test.pem: good' answer || fail "$(cat answer)"
after=$(signed)
[ $((after - before)) -eq 1 ] || fail "$((after - before)) signatures for one"

# without_nonce: signed, good, and no nonce.
without_nonce() {
	openssl ocsp -issuer ca.pem -cert a.test.pem -url "$url" \
	    -CAfile trust.pem -respout none.der >answer 2>&1 ||
	    fail "$1: $(cat answer)"
	grep -q 'Response verify OK' answer || fail "$1: $(cat answer)"
	grep -q '^a.test.pem: good' answer || fail "$1: $(cat answer)"
	grep -q 'no nonce in response' answer || fail "$1: $(cat answer)"
}

# Spent: at most so many a second, and the rest is answered all the same.
sed -i 's/^listen = .*/&\nnonce-budget = 2/' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
within 5 grep -q 'notice: reloaded' ocsignd.log || fail "not reloaded"
before=$(signed)
begin=$(date +%s)
sed "s/a.request/nonce.request/; s/many\./spent./" many.conf >spent.conf
curl -sS -m 20 -K spent.conf -w '%{http_code}\n' >codes 2>&1 || true
[ "$(count '^200$' codes)" -eq 200 ] || fail "$(sort codes | uniq -c)"
end=$(date +%s)
after=$(signed)
[ $((after - before)) -le $((2 * (end - begin + 2))) ] ||
    fail "$((after - before)) signatures in $((end - begin)) s, not 2 a s"
n=0 num_nonces=0
for f in spent.*[0-9]; do
	openssl ocsp -issuer ca.pem -cert a.test.pem -no_nonce -respin "$f" \
	    -CAfile trust.pem >answer 2>&1 || true
	grep -q '^a.test.pem: good' answer || fail "$f: $(cat answer)"
	[ "$(nonce_of resp "$f")" != "$nonce" ] ||
	    num_nonces=$((num_nonces + 1))
	n=$((n + 1))
	[ $n -lt 40 ] || break
done
[ $num_nonces -lt 40 ] || fail "all have a nonce"

# None at all.
sed -i 's/^nonce-budget = .*/nonce-budget = 0/' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -eq "$1" ]
}
within 5 reloaded 2 || fail "not reloaded"
before=$(signed)
for n in 1 2 3; do
	without_nonce "nonce-budget = 0"
done
[ "$(signed)" = "$before" ] || fail "a signature with nonce-budget = 0"

# Required: a nonce of its own for each, or an error.
sed -i '/^nonce-budget = /s/=.*/= 2/
    /^\[issuer ca\]/s/$/\nnonce = require/' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
within 5 reloaded 3 || fail "not reloaded"
before=$(signed)
openssl ocsp -issuer ca.pem -cert a.test.pem -url "$url" -CAfile trust.pem \
    -no_nonce >answer 2>&1 || true
grep -q 'Responder Error: unauthorized' answer || fail "$(cat answer)"
[ "$(signed)" = "$before" ] || fail "a signature for who sent no nonce"
openssl ocsp -issuer ca.pem -cert a.test.pem -url "$url" -CAfile trust.pem \
    >answer 2>&1 || fail "$(cat answer)"
grep -q '^a.test.pem: good' answer || fail "$(cat answer)"
! grep -qi nonce answer || fail "$(cat answer)"
sed "s/spent\./owed./" spent.conf >owed.conf
curl -sS -m 20 -K owed.conf -w '%{http_code}\n' >codes 2>&1 || true
[ "$(count '^200$' codes)" -eq 200 ] || fail "$(sort codes | uniq -c)"
printf '0\003\n\001\003' >trylater.der
n=0 num_refused=0
while [ $n -lt 200 ]; do
	if cmp -s owed.$n trylater.der; then
		num_refused=$((num_refused + 1))
	else
		[ "$(nonce_of resp owed.$n)" = "$nonce" ] ||
		    fail "owed.$n: neither a nonce nor tryLater"
	fi
	n=$((n + 1))
done
[ $num_refused -gt 100 ] || fail "only $num_refused times tryLater"
service_stop
