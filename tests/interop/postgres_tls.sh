#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Records behind TCP, TLS and a password: the right server is used by all
# roles; one with another CA or name, one without TLS, and a client without
# it are refused in a line.  The password is in a file, a descriptor or a
# credential, and nowhere else.

. "$top_srcdir/tests/interop/failure.sh"
. "$top_srcdir/tests/postgres.sh"
need openssl curl psql
grep -q 'define HAVE_LIBPQ 1' "$top_builddir/config.h" && pg_find || {
	echo "skipped: no PostgreSQL"
	exit 77
}
chmod 711 "$dir"
cd "$dir"
finish_all() {
	status=$?
	trap - EXIT
	set +e
	[ ! -s "$dir/ocsignd.pid" ] || stop "$(cat "$dir/ocsignd.pid")"
	pg_stop "$dir/pg"
	[ $status -eq 0 ] || tail -n 20 "$dir/ocsignd.log"
	(exit $status)
	finish
}
trap finish_all EXIT

# --- a server with a certificate --------------------------------------------

for name in db other; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout $name-ca.key -out $name-ca.pem -subj "/CN=$name CA" \
	    -days 2 2>/dev/null
done
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout server.key -out server.csr -subj /CN=server 2>/dev/null
printf 'subjectAltName = IP:127.0.0.1' >server.ext
openssl x509 -req -in server.csr -CA db-ca.pem -CAkey db-ca.key -days 2 \
    -extfile server.ext -out server.pem 2>/dev/null
db_port=$(free_port)
PGPORT=$db_port
export PGPORT
pg_create "$dir/pg"
cp server.key server.pem pg/data
chmod 600 pg/data/server.key
[ "$(id -u)" -ne 0 ] || chown nobody pg/data/server.key pg/data/server.pem
cat >>pg/data/postgresql.conf <<EOF
listen_addresses = '127.0.0.1'
port = $db_port
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
EOF
cat >pg/data/pg_hba.conf <<'EOF'
local all all trust
hostssl all tls 127.0.0.1/32 scram-sha-256
EOF
pg_start "$dir/pg"
pg_sql "$dir/pg" "CREATE ROLE tls LOGIN PASSWORD 'first-s3cret'" postgres
pg_sql "$dir/pg" 'CREATE DATABASE ocsign OWNER tls' postgres
unset PGPORT
sql() {
	PGPORT=$db_port pg_sql "$dir/pg" "$1"
}

# --- the right one ----------------------------------------------------------

(umask 077; printf 'first-s3cret\n' >db.password; echo wrong >wrong.password)
good="host=127.0.0.1 port=$db_port user=tls dbname=ocsign sslmode=verify-full"
good="$good sslrootcert=$dir/db-ca.pem"
ca_folder
sed -i "s|^path = .*|path = first/store.db\\
database = $good\\
password-source = db.password|" ocsign.conf
rm -rf store.db*
ocsignd -t >out 2>&1 || fail "$(cat out)"
ca_make
ca_issue 1.test
ca_issue 2.test
service_start
expect good 1.test.pem
ocsign cert revoke --reason keyCompromise 1.test.pem >/dev/null
expect revoked 1.test.pem
[ "$(sql "SELECT count(*) FROM pg_stat_ssl NATURAL JOIN pg_stat_activity
    WHERE usename = 'tls' AND NOT ssl")" -eq 0 ] || fail "one is in the clear"
[ "$(sql "SELECT count(*) FROM pg_stat_ssl NATURAL JOIN pg_stat_activity
    WHERE usename = 'tls' AND ssl")" -gt 0 ] || fail "nobody is connected"

# The password is told to nobody; another wants no restart.
for pid in $(cat ocsignd.pid) $(pgrep -P "$(cat ocsignd.pid)"); do
	! tr '\0' '\n' <"/proc/$pid/cmdline" | grep -q s3cret ||
	    fail "the password is an argument"
	! tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -q s3cret ||
	    fail "the password is in the environment"
done
grep -q '^Max core file size *0 ' "/proc/$(role status)/limits" ||
    fail "there may be a core"
sql "ALTER ROLE tls PASSWORD 'second-s3cret'"
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = 'tls'" >/dev/null
within 20 grep -q 'password authentication failed' ocsignd.log ||
    fail "it is not said"
(umask 077; printf 'second-s3cret\n' >new.password)
mv new.password db.password
ocsign cert revoke 2.test.pem >/dev/null
is_revoked() {
	openssl ocsp -issuer ca.pem -cert 2.test.pem -url "$url" -no_nonce \
	    -CAfile trust.pem 2>/dev/null | grep -q ': revoked'
}
within 20 is_revoked || fail "for ever"
service_stop

# --- not the right one ------------------------------------------------------

# refused PATTERN FROM TO: with that changed in the configuration.
refused() {
	sed "s|$2|$3|" ocsign.conf >bad.conf
	! cmp -s ocsign.conf bad.conf || fail "$2 is not there"
	! OCSIGN_CONF=$dir/bad.conf ocsign cert list --issuer ca \
	    >out 2>err || fail "$2 $3: it works"
	grep -Eq -- "$1" err || fail "no \"$1\" in $(cat err)"
	[ "$(wc -l <err)" -eq 1 ] || fail "not one line: $(cat err)"
	! grep -q s3cret out err || fail "the password is told"
}
refused 'certificate verify failed' db-ca.pem other-ca.pem
refused 'root certificate file .* does not exist' db-ca.pem nowhere.pem
refused 'does not match host name "db.example"' host=127.0.0.1 \
    'host=db.example hostaddr=127.0.0.1'
refused 'no encryption' sslmode=verify-full sslmode=disable
refused 'password authentication failed' db.password wrong.password
refused 'No such file' db.password nowhere
refused 'has a password' 'user=tls' 'user=tls password=s3cret'
chmod 660 db.password
refused 'can be read by others: chmod 0600 or 0640' user=tls \
    'user=tls application_name=x'
chmod 640 db.password
ocsign cert list --issuer ca >/dev/null || fail "a group may read it"

# --- other places for the password ------------------------------------------

sed -i 's|^password-source = .*|password-source = fd:9|' ocsign.conf
ocsign cert list --issuer ca 9<db.password >/dev/null || fail "fd:9"
! ocsign cert list --issuer ca >out 2>err || fail "there is no 9"
grep -q 'was not handed' err || fail "$(cat err)"
ocsignd -d -p "$dir/ocsignd.pid" 2>>ocsignd.log 9<db.password ||
    fail "it does not start: $(cat ocsignd.log)"
expect revoked 1.test.pem
service_stop
sed 's|= fd:9|= fd:4|' ocsign.conf >bad.conf
! ocsignd -t -c bad.conf >out 2>&1 || fail "4 is a role's"
grep -q 'password-source: a descriptor is a number from 5' out ||
    fail "$(cat out)"
mkdir credentials
cp db.password credentials/database
sed -i 's|^password-source = .*|password-source = credential:database|' \
    ocsign.conf
CREDENTIALS_DIRECTORY=$dir/credentials ocsign cert list --issuer ca \
    >/dev/null || fail "a credential"
! ocsign cert list --issuer ca >out 2>err || fail "there is no credential"
grep -q 'LoadCredential=database' err || fail "$(cat err)"
sed -i 's|^password-source = .*|password-source = db.password|' ocsign.conf

# --- a server that no longer has TLS ----------------------------------------

sql 'ALTER SYSTEM SET ssl = off'
sql 'SELECT pg_reload_conf()' >/dev/null
has_none() {
	! ocsign cert list --issuer ca >out 2>err
}
within 10 has_none || fail "it goes in the clear"
grep -q 'server does not support SSL' err || fail "$(cat err)"
[ "$(wc -l <err)" -eq 1 ] || fail "$(cat err)"
! grep -rq s3cret ocsignd.log || fail "the password is in the log"
