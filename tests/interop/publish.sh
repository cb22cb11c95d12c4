#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# CRLs that nobody makes by hand: of a service that was only installed every
# URL in a certificate is answered; a revocation is on a CRL at once, a flood of
# them on one; and whatever goes away, the token, the records, the publisher
# itself, the CRL that is there is served on, it is said, and the next one
# comes.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep sqlite3

ca_folder 'ca-issuers-url = http://URL/aia/ca.cer
	crl-url = http://URL/crl/ca
	crl-publish = at-once
	crl-spacing = 1s'
sed -i "s|http://URL/|$url|; s|^allow = certificate crl|&\\
ca-issuers-url = ${url}root.cer\\
crl-url = ${url}root.crl|" ocsign.conf
printf '[metrics]\nlisten = 127.0.0.1:0\n' >>ocsign.conf
ca_make
for n in 1 2 3 4 5 6 7 8 9; do
	ca_issue $n.test
done
! grep -q '^\[api\]' ocsign.conf || fail "there is an API"
service_start
[ -n "$(role issuer)" ] || fail "nobody publishes"
crl=${url}crl/ca

is_answered() {
	[ "$(curl -sS -m 10 -o got -w '%{http_code}' "$1")" = 200 ]
}
sql() {
	sqlite3 -cmd '.timeout 5000' store.db "$1"
}
# How many CRLs of the issuing CA there are, and what its newest says.
num_crls() {
	sql "SELECT count(*) FROM crl c JOIN issuer i ON i.id = c.issuer_id
	    WHERE i.name = 'ca' AND c.issued_at <> 0"
}
serial() {
	openssl x509 -in "$1" -noout -serial | sed 's/serial=//'
}
# lists CERTIFICATE: the CRL that is served, verified, has it.
lists() {
	is_answered "$crl" || return 1
	openssl crl -inform DER -in got -CAfile trust.pem -noout -text \
	    >crl.text 2>crl.err || fail "$(cat crl.err)"
	grep -q 'verify OK' crl.err || fail "not ours: $(cat crl.err)"
	grep -q "Serial Number: $(serial "$1")" crl.text
}
now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# --- only installed ---------------------------------------------------------

num=0
for cert in 1.test.pem ca.pem; do
	openssl x509 -in $cert -noout -text |
	    sed -n 's/.*URI:\(http.*\)$/\1/p' >urls
	while read -r at; do
		within 10 is_answered "$at" || fail "$at of $cert"
		num=$((num + 1))
		case $at in
		*.cer)
			openssl x509 -inform DER -in got -out above.pem
			openssl verify -partial_chain -trusted above.pem \
			    $cert >out || fail "$at is not above $cert" ;;
		*crl*)
			openssl crl -inform DER -in got -CAfile trust.pem \
			    -noout 2>out || fail "$at: $(cat out)"
			grep -q 'verify OK' out || fail "$at: $(cat out)" ;;
		*)
			[ "$at" = "$url" ] || fail "what is $at?" ;;
		esac
	done <urls
done
[ $num -eq 5 ] || fail "$num URLs: $(cat urls)"
openssl verify -crl_check -crl_download -CAfile trust.pem 1.test.pem \
    >out 2>&1 || fail "$(cat out)"
expect good 1.test.pem
sleep 2
[ "$(sql 'SELECT count(*) FROM crl')" -eq 2 ] ||
    fail "more than one each: $(sql 'SELECT * FROM crl')"

# --- at once ----------------------------------------------------------------

# By another process, on a busy machine.
best=100000
for n in 1 2 3; do
	begin=$(now_ms)
	ocsign cert revoke $n.test.pem >/dev/null
	within 15 lists $n.test.pem || fail "$n is not on the CRL"
	passed=$(($(now_ms) - begin))
	echo "revoked, and on the CRL that is served after $passed ms"
	[ $passed -ge $best ] || best=$passed
done
[ $best -lt 3000 ] || fail "never within three seconds"

# A flood: as many CRLs as there were seconds, and no more.
sed -i 's/crl-spacing = 1s/crl-spacing = 5s/' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
within 20 grep -q 'notice: reloaded' ocsignd.log || fail "not reloaded"
before=$(num_crls)
begin=$(now_ms)
for n in 4 5 6 7 8; do
	ocsign cert revoke $n.test.pem >/dev/null
done
for n in 4 5 6 7 8; do
	within 15 lists $n.test.pem || fail "$n is not on the CRL"
done
made=$(($(num_crls) - before))
[ $made -le $((2 + ($(now_ms) - begin) / 5000)) ] ||
    fail "$made CRLs for five revocations"
sed -i 's/crl-spacing = 5s/crl-spacing = 1s/' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
are_reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -ge 2 ]
}
within 20 are_reloaded || fail "not reloaded again"

# --- the token goes and comes -----------------------------------------------

metric() {
	curl -sS -m 10 "$(head -n 1 run/metrics.urls)" |
	    sed -n "s/^ocsign_$1{issuer=\"ca\"} //p"
}
says() {
	ocsign --json status >status.json 2>/dev/null || return 1
	grep -q "\"alarm\": \"CRL of ca is . d from its end and could not be \
published: .*$1" status.json
}
is_quiet() {
	ocsign --json status >status.json 2>/dev/null || return 1
	! grep -q '"alarm": "' status.json
}
within 5 is_quiet || fail "an alarm: $(cat status.json)"
[ "$(metric crl_publish_failures)" = 0 ] || fail "failures: $(metric \
    crl_publish_failures)"
[ "$(metric crl_late)$(metric crl_urgent)" = 00 ] || fail "late"
mv tokens gone
ocsign cert revoke 9.test.pem >/dev/null
within 30 says 'issuer ca' || fail "no alarm: $(cat status.json)"
within 5 lists 8.test.pem || fail "the CRL that is there is not served"
failures() {
	[ "$(metric crl_publish_failures)" -ge 2 ]
}
within 30 failures || fail "not tried again"
grep -q 'warning: issuer ca: its CRL could not be published' ocsignd.log ||
    fail "it is not in the log"
mv gone tokens
within 90 lists 9.test.pem || fail "the token is back, and no CRL: $(cat \
    ocsignd.log)"
within 5 is_quiet || fail "for ever: $(cat status.json)"
[ "$(metric crl_publish_failures)" = 0 ] || fail "still failures"
[ -z "$(find run -name '*.crl-trouble')" ] || fail "a file is left"
# What could not be signed cost some numbers, not one a second.
lost=$(sql 'SELECT count(*) FROM crl WHERE issued_at = 0')
[ "$lost" -le 4 ] || fail "$lost numbers for nothing"

# --- the records go and come ------------------------------------------------

mkdir gone
mv store.db* gone/
kill -9 "$(role issuer)"
within 20 says 'store.db' || fail "no alarm: $(cat status.json)"
[ ! -e store.db ] || fail "an empty one was made"
lists 9.test.pem || fail "not served without records"
mv gone/store.db* .
within 40 is_quiet || fail "for ever: $(cat status.json)"

# --- killed, at any point ---------------------------------------------------

for n in 10 11 12; do
	ca_issue $n.test
done
for n in 10 11 12; do
	ocsign cert revoke $n.test.pem >/dev/null
	for pause in 0 0.1 0.3; do
		killed=$(role issuer)
		[ -z "$killed" ] || kill -9 $killed 2>/dev/null || true
		sleep $pause
	done
	within 60 lists $n.test.pem || fail "killed, and $n is not listed"
done
[ -z "$(find tables run -name '*.tmp*' -o -name '*.new*')" ] ||
    fail "half a file"
sql "SELECT number FROM crl c JOIN issuer i ON i.id = c.issuer_id
    WHERE i.name = 'ca' ORDER BY c.id" >numbers
sort -n -u numbers | cmp - numbers || fail "numbers do not increase"
ocsign audit verify >out 2>&1 || fail "$(cat out)"
service_stop
