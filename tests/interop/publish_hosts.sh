#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Two hosts on one database of PostgreSQL, both with the key: each CRL is made
# once, whoever is there, also when the publishers are killed, when one host is
# gone, and when the database was.

. "$top_srcdir/tests/interop/failure.sh"
. "$top_srcdir/tests/postgres.sh"
need openssl curl psql pgrep
grep -q 'define HAVE_LIBPQ 1' "$top_builddir/config.h" && pg_find || {
	echo "skipped: no PostgreSQL"
	exit 77
}
chmod 711 "$dir"
stop_second() {
	[ ! -s "$dir/second.pid" ] || stop "$(cat "$dir/second.pid")"
}
finish_all() {
	status=$?
	trap - EXIT
	set +e
	stop_second
	[ ! -s "$dir/ocsignd.pid" ] || stop "$(cat "$dir/ocsignd.pid")"
	pg_stop "$dir/pg"
	(exit $status)
	finish
}
trap finish_all EXIT
pg_create "$dir/pg"
pg_start "$dir/pg"
pg_sql "$dir/pg" 'CREATE DATABASE ocsign' postgres

ca_folder 'crl-url = http://URL/ca.crl
	crl-publish = at-once
	crl-spacing = 1s'
sed -i "s|http://URL/|$url|
    s|^path = .*|path = first/store.db\\
database = host=$dir/pg user=ocsign dbname=ocsign|" ocsign.conf
rm -rf store.db*
ca_make
for n in 1 2 3 4 5 6 7; do
	ca_issue $n.test
done
first_url=$url
second_port=$(free_port)
second_url=http://127.0.0.1:$second_port/
mkdir second_run second_tables
sed "s|= first/|= second/|; s|= run|= second_run|; s|= tables|= second_tables|
    s|^listen = .*|listen = 127.0.0.1:$second_port|" ocsign.conf >second.conf
ocsignd -c second.conf -d -p "$dir/second.pid" 2>>second.log &
starting=$!
service_start
wait $starting || fail "the second does not start: $(cat second.log)"

serial() {
	openssl x509 -in "$1" -noout -serial | sed 's/serial=//'
}
# lists CERTIFICATE URL: the CRL there, verified, has it; "": there is one.
lists() {
	curl -sS -m 10 -o got "$2ca.crl" 2>/dev/null || return 1
	openssl crl -inform DER -in got -CAfile trust.pem -noout -text \
	    >crl.text 2>crl.err || return 1
	grep -q 'verify OK' crl.err || fail "not ours: $(cat crl.err)"
	[ -z "$1" ] || grep -q "Serial Number: $(serial "$1")" crl.text
}
both_list() {
	lists "$1" "$first_url" && lists "$1" "$second_url"
}
# How many numbers were taken, and how many of them for nothing.
taken() {
	pg_sql "$dir/pg" 'SELECT count(*) FROM crl'
}
lost() {
	pg_sql "$dir/pg" 'SELECT count(*) FROM crl WHERE issued_at = 0'
}
issuer_of() {
	pgrep -P "$(cat "$1")" -f '/ocsign-issuer ' || true
}

within 20 both_list '' || fail "none: $(cat ocsignd.log second.log)"
for n in 1 2 3; do
	ocsign cert revoke $n.test.pem >/dev/null
	within 20 both_list $n.test.pem || fail "$n is not listed by both"
done
# Whoever would have made another has looked by now.
sleep 1.5
[ "$(taken)" -eq 4 ] && [ "$(lost)" -eq 0 ] ||
    fail "$(taken) numbers, $(lost) for nothing: $(cat second.log)"

# Both are killed with something to do, again and again.
ocsign cert revoke 4.test.pem >/dev/null
for pause in 0.2 0.1 0; do
	for killed in $(issuer_of ocsignd.pid) $(issuer_of second.pid); do
		kill -9 "$killed" 2>/dev/null || true
	done
	sleep $pause
done
within 60 both_list 4.test.pem || fail "killed, and 4 is not listed"

# The database goes and comes: the last CRL is served meanwhile.
pg_stop "$dir/pg"
has_trouble() {
	[ -e run/ca.crl-trouble ] && [ -e second_run/ca.crl-trouble ]
}
within 30 has_trouble || fail "nobody says so: $(cat ocsignd.log)"
# Who tells it waits for the database now and then.
has_alarm() {
	ocsign --json status >status.json 2>/dev/null &&
	    grep -q '"alarm": "CRL of ca is 6 d from its end and' status.json
}
within 40 has_alarm || fail "no alarm: $(cat status.json)"
both_list 4.test.pem || fail "not served"
pg_start "$dir/pg"
no_trouble() {
	[ ! -e run/ca.crl-trouble ] && [ ! -e second_run/ca.crl-trouble ]
}
within 60 no_trouble || fail "for ever"
ocsign cert revoke 5.test.pem >/dev/null
within 60 both_list 5.test.pem || fail "5 is not listed by both"

# One host is gone.
killed=$(cat second.pid)
kill -9 $(pgrep -P "$killed") "$killed"
rm second.pid
ocsign cert revoke 6.test.pem >/dev/null
within 60 lists 6.test.pem "$first_url" || fail "6 is not listed"

pg_sql "$dir/pg" 'SELECT number FROM crl ORDER BY id' >numbers
sort -n -u numbers | cmp - numbers || fail "numbers do not increase"
# What the other host's signer was asked is in that one's journal alone.
ocsign audit verify >out 2>&1 || true
grep -q '^chain: *good$' out || fail "$(cat out)"
service_stop
