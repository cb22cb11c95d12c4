#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# CRLs by the clock: the next one comes when a day has passed, by a clock that
# is believed; one that jumps stops publishing, not serving; and what nears its
# end while the token is away is an alarm.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep sqlite3
if ldd "$top_builddir/ocsign-status" 2>/dev/null | grep -q asan; then
	echo "a sanitizer wants to be the first library"
	exit 77
fi
day=86400

ca_folder 'crl-url = http://URL/ca.crl
	crl-lifetime = 4d'
sed -i "s|http://URL/|$url|" ocsign.conf
printf '[metrics]\nlisten = 127.0.0.1:0\n' >>ocsign.conf
ca_make
set_clock() {
	echo "$1" >run/offset.new
	mv run/offset.new run/offset
}
set_clock 0
(
	LD_PRELOAD=$top_builddir/tests/faults/ocsign-clock.so
	CLOCK_OFFSET=$dir/run/offset
	export LD_PRELOAD CLOCK_OFFSET
	service_start
)

# Also those that were taken for nothing.
num_crls() {
	sqlite3 -cmd '.timeout 5000' store.db \
	    'SELECT count(*) FROM crl'
}
# The CRL that is served, verified: when it was made.
served() {
	curl -sS -m 10 -o got "${url}ca.crl" 2>/dev/null || return 1
	openssl crl -inform DER -in got -CAfile trust.pem -noout -lastupdate \
	    >times 2>crl.err || return 1
	grep -q 'verify OK' crl.err || fail "$(cat crl.err)"
	made=$(date -d "$(sed -n 's/lastUpdate=//p' times)" +%s)
}
# is_of DAYS: it was made so many days from now, more or less.
is_of() {
	served && [ $((made - $(date +%s))) -le $(($1 * day + 600)) ] &&
	    [ $((made - $(date +%s))) -gt $(($1 * day - 600)) ]
}
metric() {
	curl -sS -m 10 "$(head -n 1 run/metrics.urls)" |
	    sed -n "s/^ocsign_$1{issuer=\"ca\"} //p"
}
is_metric() {
	[ "$(metric "$1")" -ge "$2" ]
}
reload() {
	reloads=$(count 'notice: reloaded' ocsignd.log)
	kill -HUP "$(cat ocsignd.pid)"
	within 20 is_reloaded || fail "it is not reloaded"
}
is_reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -gt "$reloads" ]
}
alarm_is() {
	ocsign --json status >status.json
	grep -q "\"alarm\": \"$1" status.json
}

within 10 is_of 0 || fail "no first one"
[ "$(metric crl_due_timestamp_seconds)" -eq $((made + day)) ] ||
    fail "due at $(metric crl_due_timestamp_seconds)"

# A jump: nothing is made, nothing is dropped, and it is said.
set_clock $((day + 60))
within 20 is_metric crl_publish_failures 1 || fail "nobody notices"
alarm_is 'CRL of ca is 3 d from its end and could not be published: the cl' ||
    fail "no alarm: $(cat status.json)"
is_of 0 || fail "it is not served"
[ "$(num_crls)" -eq 1 ] || fail "one was made by a clock that jumped"
set_clock 0
is_quiet() {
	[ "$(metric crl_publish_failures)" -eq 0 ] && ! alarm_is ''
}
within 90 is_quiet || fail "for ever: $(cat status.json)"

# By a clock that a person believes a day has passed.
set_clock $((day + 60))
reload
within 20 is_of 1 || fail "no second one: $(cat times)"
[ "$(num_crls)" -eq 2 ] || fail "$(num_crls) CRLs"
# It was wrong: the next is dated right, and has a higher number.
set_clock 0
reload
within 20 is_of 0 || fail "the one of the future stays: $(cat times)"
[ "$(num_crls)" -eq 3 ] || fail "$(num_crls) CRLs"

# The token is away, and the days pass.
mv tokens gone
set_clock $((4 * day - 3 * 3600))
reload
within 40 is_metric crl_urgent 1 || fail "not urgent: $(metric crl_urgent)"
within 20 alarm_is 'CRL of ca is [23] h from its end and could not be' ||
    fail "no alarm: $(cat status.json)"
within 10 grep -q 'error: CRL of ca is [23] h from its end' ocsignd.log ||
    fail "it is not in the log"
served || fail "it is not served"
mv gone tokens
# Three hours less than four days ahead.
is_new() {
	served && [ $((made - $(date +%s))) -gt $((3 * day)) ]
}
within 90 is_new || fail "the token is back, and no CRL"
within 10 grep -q 'notice: CRLs of ca are published again' ocsignd.log ||
    fail "no end of it"
[ "$(metric crl_urgent)" -eq 0 ] || fail "still urgent"
service_stop
