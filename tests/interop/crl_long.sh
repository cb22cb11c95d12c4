#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A CRL of 200,000 entries, from the records by way of ocsignd to a file and
# to whoever fetches it: OpenSSL verifies it, and no process holds all of it in
# memory of its own, though it has 10 MiB and its PEM 14; and who answers by
# that file has not, either.

. "$top_srcdir/tests/interop/failure.sh"
need openssl sqlite3 curl pgrep

number=200000
ca_folder 'crl-url = http://URL/crl/ca'
sed -i "s|http://URL/|$url|" ocsign.conf
sed -i 's/^ocsp-key = ocsp/&\npresign = none/' ocsign.conf
ca_make
ca_issue known.test

# As if each had been issued and revoked: but for the journal, which has no
# entry of them.
issuer_id=$(sqlite3 store.db "SELECT id FROM issuer WHERE name = 'ca'")
sqlite3 store.db "INSERT INTO certificate (issuer_id, serial, change_seq,
    state, reason, revoked_at, reserved_at, issued_at, not_before, not_after,
    profile, subject, names)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
	WHERE i < $number)
    SELECT $issuer_id, CAST(X'40' || randomblob(19) AS BLOB), 1000 + i, 2,
	1 + i % 5, 1764000000 + abs(random() % 30000000), 1, 1, 1,
	4000000000, '', '', '' FROM n;
    UPDATE store SET change_seq = 1000 + $number;"
[ "$(sqlite3 store.db 'SELECT count(*) FROM certificate WHERE
    revoked_at IS NOT NULL AND length(serial) = 20')" -eq $number ] ||
    fail "not filled"
service_start

# own PID: what it has of its own, in KiB; a process that is gone has none.
own() {
	sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status" \
	    2>/dev/null || true
}
# measure: once; the most is kept.
measure() {
	for who in ocsign:$made signer:$signer status:$status; do
		kib=$(own "${who#*:}")
		eval "[ ${kib:-0} -le \$most_${who%%:*} ] ||
		    most_${who%%:*}=$kib"
	done
}
# create OPTION...: with what each process has meanwhile.
most_ocsign=0 most_signer=0 most_status=0
create() {
	signer=$(role signer) status=$(role status)
	ocsign crl create --issuer ca "$@" >out 2>&1 &
	made=$!
	while kill -0 $made 2>/dev/null; do
		measure
	done
	wait $made || fail "crl create: $(cat out)"
}
# The list alone has 10 MiB: who holds it once has more than that of its own.
check_most() {
	echo "KiB at most: ocsign $most_ocsign, ocsign-signer $most_signer," \
	    "ocsign-status $most_status"
	[ $most_ocsign -gt 0 ] && [ $most_signer -gt 0 ] &&
	    [ $most_status -gt 0 ] || fail "nothing was measured"
	# Sanitizers keep more of everything.
	! nm -D "$top_builddir/ocsign-signer" 2>/dev/null |
	    grep -q __asan_init || return 0
	[ "$most_ocsign" -le 10240 ] || fail "ocsign: $most_ocsign KiB"
	[ "$most_signer" -le 10240 ] || fail "signer: $most_signer KiB"
	[ "$most_status" -le 32768 ] || fail "status: $most_status KiB"
}
verifies() {
	openssl crl -in "$1" -inform "$2" -CAfile ca.pem -noout 2>err ||
	    fail "$1: $(cat err)"
	grep -q 'verify OK' err || fail "$1: $(cat err)"
}

create --der --out long.crl
verifies long.crl DER
openssl crl -in long.crl -inform DER -noout -text >text
[ "$(grep -c 'Serial Number: 40' text)" -eq $number ] ||
    fail "$(grep -c 'Serial Number' text) entries"
[ "$(wc -c <long.crl)" -gt $((number * 50)) ] || fail "it is short"
[ "$(sqlite3 store.db 'SELECT count(*) > 5 FROM crl_part')" -eq 1 ] ||
    fail "it is not in parts"

create --out long.pem
verifies long.pem PEM
openssl crl -in long.pem -outform DER -out from-pem
openssl crl -in long.pem -noout -text |
    grep 'Serial Number' >serials-pem
grep 'Serial Number' text | cmp -s - serials-pem || fail "other serials"

# The newest one, octet for octet, from a responder.
is_served() {
	curl -sS -m 20 -o got "${url}crl/ca" && cmp -s got from-pem
}
within 20 is_served || fail "it is not served"
measure
check_most
service_stop

# In front of a CA whose list it is: read, in force, and known one by one.
sed -i 's/^ocsp-key = ocsp/&\nsource = crl\ncrl-file = long.pem/;
    /^crl-url/d; /^ocsp-url/d' ocsign.conf
rm -r tables
mkdir tables
: >ocsignd.log
service_start
within 60 grep -q "is in force, with $number entries" ocsignd.log ||
    fail "it is not in force"
is_known() {
	ocsign --json status >status.json 2>/dev/null &&
	    grep -q "\"certificates\": $number" status.json
}
within 60 is_known || fail "it is not known: $(cat status.json)"
most_status=0 status=$(role status) signer=$(role signer) made=$status
measure
echo "KiB by a CRL: ocsign-status $most_status, and in memfds" \
    "$(awk '/^RssShmem/ { print $2 }' "/proc/$status/status")"
nm -D "$top_builddir/ocsign-status" 2>/dev/null | grep -q __asan_init ||
    [ "$most_status" -le 12288 ] || fail "status: $most_status KiB"
service_stop
