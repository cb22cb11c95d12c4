#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The records in PostgreSQL: CAs, certificates, revocations, CRLs, the
# journal, and two hosts on one database.  What the first revokes, the second
# answers within a second; when the server goes and comes again, both go on.

. "$top_srcdir/tests/interop/failure.sh"
. "$top_srcdir/tests/postgres.sh"
need openssl curl psql
grep -q 'define HAVE_LIBPQ 1' "$top_builddir/config.h" && pg_find || {
	echo "skipped: no PostgreSQL"
	exit 77
}
chmod 711 "$dir"
pg_down() {
	pg_stop "$dir/pg" "$@" || true
}
stop_second() {
	[ ! -s "$dir/second.pid" ] || stop "$(cat "$dir/second.pid")"
}
finish_all() {
	status=$?
	trap - EXIT
	set +e
	stop_second
	[ ! -s "$dir/ocsignd.pid" ] || stop "$(cat "$dir/ocsignd.pid")"
	pg_down
	(exit $status)
	finish
}
trap finish_all EXIT
pg_create "$dir/pg"
pg_start "$dir/pg"
pg_sql "$dir/pg" 'CREATE DATABASE ocsign' postgres

ca_folder
sed -i "s|^path = .*|path = first/store.db\\
database = host=$dir/pg user=ocsign dbname=ocsign|" ocsign.conf
rm -rf store.db*
ca_make
for n in 1 2 3 4 5 6 7 8; do
	ca_issue "$n.test"
done
[ ! -e first/store.db ] || fail "there is a file as well"
ocsign crl create --issuer ca --out ca.crl >/dev/null
openssl crl -in ca.crl -noout -verify -CAfile trust.pem 2>err ||
    fail "$(cat err)"
[ "$(ocsign --json cert list --issuer ca | grep -c '"serial"')" -eq 9 ] ||
    fail "not all are in the list"
ocsign audit verify >out 2>&1 || fail "$(cat out)"
grep -q '^chain: *good$' out || fail "audit verify: $(cat out)"
ocsign store backup x.db 2>err && fail "a backup of a database"
grep -q pg_dump err || fail "$(cat err)"

# --- two hosts ------------------------------------------------------------

first_url=$url
second_port=$(free_port)
second_url=http://127.0.0.1:$second_port/
mkdir second_run second_tables
sed "s|= first/|= second/|; s|= run|= second_run|; s|= tables|= second_tables|
    s|^listen = .*|listen = 127.0.0.1:$second_port|" ocsign.conf >second.conf
service_start
ocsignd -c second.conf -d -p "$dir/second.pid" 2>>second.log ||
    fail "the second does not start: $(cat second.log)"
grep -q 'synchronous_standby_names is empty' ocsignd.log ||
    fail "it is not said what may be lost"
expect good 1.test.pem
url=$second_url
expect good 1.test.pem

# says WORD FILE URL
says() {
	openssl ocsp -issuer ca.pem -cert "$2" -url "$3" -no_nonce \
	    -CAfile trust.pem 2>/dev/null | grep -q "^$2: $1"
}
now_ms() {
	echo $(($(date +%s%N) / 1000000))
}
# Of a busy machine most, not all.
soon=0
for n in 1 2 3 4 5; do
	begin=$(now_ms)
	ocsign cert revoke --reason keyCompromise "$n.test.pem" >/dev/null
	says revoked "$n.test.pem" "$first_url" || fail "$n: the first"
	within 10 says revoked "$n.test.pem" "$second_url" ||
	    fail "$n: the second"
	passed=$(($(now_ms) - begin))
	echo "revoked on one host, answered by both after $passed ms"
	[ $passed -gt 1000 ] || soon=$((soon + 1))
done
[ $soon -ge 3 ] || fail "not within a second"
# The other way round.
OCSIGN_CONF=$dir/second.conf ocsign cert revoke 6.test.pem >/dev/null
within 10 says revoked 6.test.pem "$first_url" || fail "back"

# --- the server goes and comes --------------------------------------------

pg_down
expect good 7.test.pem
ocsign cert revoke 7.test.pem >out 2>err && fail "revoked without a server"
grep -q 'database ocsign at' err || fail "$(cat err)"
within 20 grep -q 'the source fails' ocsignd.log || fail "it is not said"
pg_start "$dir/pg"
within 20 grep -q 'the source answers again' ocsignd.log || fail "for ever"
ocsign cert revoke 7.test.pem >/dev/null
within 20 says revoked 7.test.pem "$first_url" || fail "the first, after"
within 20 says revoked 7.test.pem "$second_url" || fail "the second, after"
expect good 8.test.pem
ocsign audit verify >out 2>&1 || fail "$(cat out)"

# --- put back from a copy --------------------------------------------------

epoch() {
	pg_sql "$dir/pg" 'SELECT epoch FROM store'
}
before=$(epoch)
pg_dump -h "$dir/pg" -U ocsign -Fc -f copy.dump ocsign
pg_sql "$dir/pg" 'DROP DATABASE ocsign WITH (FORCE)' postgres
pg_sql "$dir/pg" 'CREATE DATABASE ocsign' postgres
pg_restore -h "$dir/pg" -U ocsign -d ocsign copy.dump
ocsign crl create --issuer ca --out x.crl >out 2>err &&
    fail "numbers come again"
grep -q 'store restore' err || fail "$(cat err)"
stop_second
service_stop
ocsign store restore >out || fail "restore"
[ "$(epoch)" -gt "$before" ] || fail "the epoch stays"
ocsign crl create --issuer ca --out ca.crl >/dev/null
ca_issue 9.test
ocsign audit verify >out 2>&1 || fail "$(cat out)"
service_start
url=$first_url
within 20 says revoked 7.test.pem "$first_url" || fail "forgotten"
expect good 9.test.pem
