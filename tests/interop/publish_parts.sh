#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# CRLs in partitions, with deltas, that nobody makes by hand: of a service that
# was only installed every URL in a certificate is answered; a revocation is at
# once on the delta of its partition, and no other list changes; what cannot be
# made is said by its name, and comes later.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl sqlite3

ca_folder 'ca-issuers-url = http://URL/aia/ca.cer
	crl-url = http://URL/crl/ca.crl
	crl-delta-url = http://URL/crl/ca-delta.crl
	crl-partitions = 2
	freshest-crl = crl certificate
	crl-publish = at-once
	crl-spacing = 1s'
sed -i "s|http://URL/|$url|" ocsign.conf
ca_make
service_start
crl=${url}crl/ca

# partition NAME: as its URLs say.
partition() {
	openssl x509 -in "$1.pem" -noout -ext crlDistributionPoints >points
	sed -n 's/.*URI:.*crl\/ca-\([0-9]*\)\.crl$/\1/p' points
}
# Three in each.
num=0
until [ -e c1.test.pem ] && [ -e c2.test.pem ]; do
	num=$((num + 1))
	[ $num -lt 60 ] || fail "partitions stay empty"
	ca_issue new.test
	at=$(partition new.test)
	for n in a b c; do
		[ ! -e "$n$at.test.pem" ] || continue
		mv new.test.pem "$n$at.test.pem"
		break
	done
done

# --- only installed ---------------------------------------------------------

is_answered() {
	[ "$(curl -sS -m 10 -o got -w '%{http_code}' "$1")" = 200 ]
}
mkdir lists
num=0
for cert in a1.test a2.test; do
	openssl x509 -in $cert.pem -noout -text |
	    sed -n 's/.*URI:\(http.*\)$/\1/p' >urls
	while read -r at; do
		[ "$at" != "$url" ] || continue
		within 30 is_answered "$at" || fail "$at of $cert: $(cat \
		    ocsignd.log)"
		num=$((num + 1))
		case $at in
		*.crl)
			openssl crl -inform DER -in got -CAfile trust.pem \
			    -noout 2>out || fail "$at: $(cat out)"
			grep -q 'verify OK' out || fail "$at: $(cat out)" ;;
		esac
	done <urls
done
[ $num -eq 6 ] || fail "$num URLs: $(cat urls)"

# fetch: all of them into lists, and in one file.
fetch() {
	for name in '' -1 -2 -delta -delta-1 -delta-2; do
		curl -sS -m 10 -o "lists/ca$name.crl" "$crl$name.crl"
		openssl crl -inform DER -in "lists/ca$name.crl"
	done >all.pem
}
# number NAME
number() {
	openssl crl -inform DER -in "lists/ca$1.crl" -noout -crlnumber
}
# says WORD NAME: good or revoked, by all that is served.
says() {
	says_so=good
	openssl verify -crl_check -extended_crl -use_deltas -CAfile trust.pem \
	    -CRLfile all.pem "$2.pem" >says.out 2>&1 || says_so=$(sed -n \
	    's/.*certificate revoked/revoked/p' says.out)
	[ "$says_so" = "$1" ] || fail "$2 is $says_so, not $1: $(cat says.out)"
}
fetch
for n in a1 b1 c1 a2 b2 c2; do
	says good $n.test
done

# --- at once ----------------------------------------------------------------

serial() {
	openssl x509 -in "$1.pem" -noout -serial | sed 's/serial=//'
}
# lists NAME URL: the CRL there has it.
lists() {
	is_answered "$2" || return 1
	openssl crl -inform DER -in got -noout -text |
	    grep -q "Serial Number: $(serial "$1")"
}
now_ms() {
	echo $(($(date +%s%N) / 1000000))
}
# numbers NAME...
numbers() {
	for name in "$@"; do
		number "$name"
	done
}
best=100000
# By another process, on a busy machine.
for n in a b; do
	for at in 1 2; do
		fetch
		others="'' -delta -$at -$((3 - at)) -delta-$((3 - at))"
		eval "numbers $others" >before
		own=$(number -delta-$at)
		begin=$(now_ms)
		ocsign cert revoke $n$at.test.pem >/dev/null
		within 20 lists $n$at.test "$crl-delta-$at.crl" ||
		    fail "$n$at is not on the delta: $(cat ocsignd.log)"
		passed=$(($(now_ms) - begin))
		echo "revoked, and on the delta that is served after $passed ms"
		[ $passed -ge $best ] || best=$passed
		fetch
		eval "numbers $others" | cmp - before ||
		    fail "another list has changed"
		[ "$(number -delta-$at)" != "$own" ] || fail "no new number"
		says revoked $n$at.test
		says good c$at.test
	done
done
[ $best -lt 3000 ] || fail "never within three seconds"

# --- the token goes and comes -----------------------------------------------

ocsign --json status >status.json
grep -q '"worst": "delta CRL' status.json || fail "$(cat status.json)"
mv tokens gone
ocsign cert revoke c2.test.pem >/dev/null
is_said() {
	ocsign --json status >status.json 2>/dev/null &&
	    grep '"alarm": "delta CRL of .*ca is .* from its end' status.json |
	    grep -q 'and could not be published: .'
}
within 60 is_said || fail "no alarm: $(cat status.json)"
mv gone tokens
within 90 lists c2.test "$crl-delta-2.crl" || fail "the token is back, and no \
delta: $(cat ocsignd.log)"
is_quiet() {
	ocsign --json status >status.json && ! grep -q '"alarm": "' status.json
}
within 20 is_quiet || fail "for ever: $(cat status.json)"

# --- fewer than there are certificates in -----------------------------------

# partitions NUM: that many from now on.
partitions() {
	sed -i "s/crl-partitions = .*/crl-partitions = $1/" ocsign.conf
	kill -HUP "$(cat ocsignd.pid)"
}
is_refused() {
	ocsign --json status >status.json 2>/dev/null &&
	    grep '"alarm": "' status.json |
	    grep -q 'into CRL partition 2, and crl-partitions is 1'
}
partitions 1
within 30 is_refused || fail "no alarm: $(cat status.json)"
partitions 2
within 30 is_quiet || fail "for ever: $(cat status.json)"

# What is there was made by the service, each once, and not by us.
num_full() {
	sqlite3 -cmd '.timeout 5000' store.db "SELECT count(*) FROM crl
	    WHERE base_number = 0 AND issued_at <> 0 AND issuer_id =
	    (SELECT id FROM issuer WHERE name = 'ca')"
}
[ "$(num_full)" -eq 3 ] || fail "full CRLs were made again"

# --- no deltas any more -----------------------------------------------------

sed -i '/crl-delta-url/d; s/freshest-crl = .*/freshest-crl = crl/' \
    ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
names_none() {
	is_answered "$1" || return 1
	openssl crl -inform DER -in got -noout -text >text &&
	    ! grep -q Freshest text
}
for name in '' -1 -2; do
	within 30 names_none "$crl$name.crl" ||
	    fail "ca$name.crl names a delta that is no more: $(cat text)"
done
[ "$(num_full)" -eq 6 ] || fail "full CRLs were made again"

# --- another URL than certificates have -------------------------------------

! grep -q 'crl-url is no longer' ocsignd.log || fail "a warning for nothing"
sed -i 's|\(crl-url = .*\)/ca.crl$|\1/moved.crl|' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
within 30 grep -q \
    "issuer ca: certificates .* name ${crl}-[12].crl .*no longer" \
    ocsignd.log || fail "no warning"
service_stop
ocsign audit verify >out || fail "$(cat out)"
