#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A responder in front of CFSSL's CA, by its certdb in PostgreSQL, which the
# real "cfssl gencert", "cfssl serve" and "cfssl revoke" write: read by a user
# who may do nothing else, with a password; steps back, torn tables and a
# server that is killed are survived.

. "$top_srcdir/tests/interop/failure.sh"
. "$top_srcdir/tests/postgres.sh"
need openssl cfssl cfssljson psql curl jq
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
	[ -z "${psql_pid:-}" ] || kill "$psql_pid" 2>/dev/null
	pg_stop "$dir/pg"
	[ $status -eq 0 ] || tail -n 20 "$dir/ocsignd.log"
	(exit $status)
	finish
}
trap finish_all EXIT
pg_create "$dir/pg"
sed -i '1i local all reader scram-sha-256' "$dir/pg/data/pg_hba.conf"
pg_start "$dir/pg"
# sql TEXT: in the certdb.
sql() {
	pg_sql "$dir/pg" "$1" cfssl || fail "$1"
}
pg_sql "$dir/pg" 'CREATE DATABASE cfssl' postgres

# What CFSSL's migrations make, which its package has not.
sql "CREATE TABLE certificates (
  serial_number            bytea NOT NULL,
  authority_key_identifier bytea NOT NULL,
  ca_label                 bytea,
  status                   bytea NOT NULL,
  reason                   int,
  expiry                   timestamptz,
  revoked_at               timestamptz,
  pem                      bytea NOT NULL,
  PRIMARY KEY(serial_number, authority_key_identifier));
CREATE TABLE ocsp_responses (
  serial_number            bytea NOT NULL,
  authority_key_identifier bytea NOT NULL,
  body                     bytea NOT NULL,
  expiry                   timestamptz,
  PRIMARY KEY(serial_number, authority_key_identifier),
  FOREIGN KEY(serial_number, authority_key_identifier) REFERENCES
  certificates(serial_number, authority_key_identifier));
CREATE ROLE reader LOGIN PASSWORD 'first-s3cret';
GRANT SELECT ON certificates TO reader"
(umask 077; echo first-s3cret >reader.password)

ca_folder
sed -i '/^\[issuer root\]/,$d' ocsign.conf
ocsign key generate --token demo --label ocsp >/dev/null
ocsign csr create --subject 'CN=OCSP signer' --token demo --key ocsp \
    --out ocsp.csr
echo "{\"driver\":\"postgres\",\"data_source\":
    \"host=$dir/pg user=ocsign dbname=cfssl sslmode=disable\"}" >db.json
cat >config.json <<'EOT'
{"signing":{"default":{"expiry":"480h","usages":["digital signature",
"server auth"]},"profiles":{"ocsp":{"expiry":"480h","usages":
["digital signature","ocsp signing"],"ocsp_no_check":true}}}}
EOT
for name in corp other; do
	echo "{\"CN\":\"$name CA\",\"key\":{\"algo\":\"ecdsa\",\"size\":256}}" |
	    cfssl genkey -initca - 2>/dev/null | cfssljson -bare $name
done
cfssl sign -ca corp.pem -ca-key corp-key.pem -config config.json \
    -profile ocsp -db-config db.json ocsp.csr 2>cfssl.err |
    cfssljson -bare signer || fail "$(cat cfssl.err)"
echo '{"CN":"leaf","hosts":["leaf.example"],"key":{"algo":"ecdsa",
"size":256}}' >leaf.json
# issue NAME [CA]
issue() {
	cfssl gencert -ca "${2:-corp}.pem" -ca-key "${2:-corp}-key.pem" \
	    -config config.json -db-config db.json leaf.json \
	    2>cfssl.err | cfssljson -bare "$1"
	[ -s "$1.pem" ] || fail "$1: $(cat cfssl.err)"
}
hex_of() {
	openssl x509 -in "$1.pem" -noout -serial | cut -d= -f2
}
number_of() {
	cfssl certinfo -cert "$1.pem" | jq -r .serial_number
}
key_id_of() {
	openssl x509 -in "$1.pem" -noout -ext authorityKeyIdentifier |
	    sed -n 's/^ *\(keyid:\)*//; /:/{s/://g;p;}' | tail -n 1 |
	    tr A-F a-f
}
# CFSSL 1.2, built by a Go that no longer fills it in, leaves it empty; others
# do not.
has_key_id() {
	sql "UPDATE certificates SET authority_key_identifier =
	    '$(key_id_of "$1")' WHERE serial_number = '$(number_of "$1")'"
}
issue one
issue two
issue foreign other
has_key_id two
cfssl revoke -db-config db.json -reason keyCompromise -serial \
    "$(number_of two)" -aki "$(key_id_of two)" >cfssl.err 2>&1 ||
    fail "cfssl revoke: $(cat cfssl.err)"
cat >>ocsign.conf <<EOT
[issuer corp]
certificate = corp.pem
source = certdb
certdb-database = host=$dir/pg user=reader dbname=cfssl
certdb-password-source = reader.password
ocsp-certificate = signer.pem
ocsp-token = demo
ocsp-key = ocsp
unknown = unknown
EOT
ocsignd -t >out 2>&1 || fail "ocsignd -t: $(cat out)"
service_start

ask() {
	openssl ocsp -issuer corp.pem -serial "0x$1" -url "$url" -no_nonce \
	    -CAfile corp.pem >answer 2>&1 || true
}
is_word() {
	ask "$1"
	grep -q 'Response verify OK' answer &&
	    grep -Eq "^0x.*: $2|Reason: $2" answer
}
one=$(hex_of one)
two=$(hex_of two)
within 10 is_word "$one" good || fail "$(cat answer)"
is_word "$two" keyCompromise || fail "$(cat answer)"
is_word 4711 unknown || fail "$(cat answer)"
is_word "$(hex_of foreign)" unknown || fail "$(cat answer)"

# is_state STATE [WHY]: of the one source.
is_state() {
	ocsign --json status >status.json 2>/dev/null || return 1
	sed -n '/"sources":/,/]/p' status.json >source.json
	grep -q "\"state\": \"$1\"" source.json &&
	    grep -Eq "${2-.}" source.json
}
is_state current '"certificates": 3' || fail "$(cat status.json)"

# "cfssl serve" issues and revokes while we read.
api=$(free_port)
cfssl serve -address 127.0.0.1 -port "$api" -ca corp.pem \
    -ca-key corp-key.pem -config config.json -db-config db.json \
    >serve.log 2>&1 &
pids="$pids $!"
is_up() {
	curl -sS -m 10 -d '{}' "http://127.0.0.1:$api/api/v1/cfssl/info" \
	    2>/dev/null | grep -q '"success":true'
}
within 10 is_up || fail "$(cat serve.log)"
jq -n --slurpfile r leaf.json '{request: $r[0]}' |
    curl -sS -m 10 -d @- "http://127.0.0.1:$api/api/v1/cfssl/newcert" |
    jq -r .result.certificate >three.pem
openssl x509 -in three.pem -noout || fail "$(cat serve.log)"
three=$(hex_of three)
within 10 is_word "$three" good || fail "$(cat answer)"
has_key_id three
jq -n --arg serial "$(number_of three)" --arg key_id "$(key_id_of three)" \
    '{serial: $serial, authority_key_id: $key_id, reason: "superseded"}' |
    curl -sS -m 10 -d @- "http://127.0.0.1:$api/api/v1/cfssl/revoke" |
    grep -q '"success":true' || fail "$(cat serve.log)"
within 10 is_word "$three" superseded || fail "$(cat answer)"
is_state current '"certificates": 4' || fail "$(cat status.json)"

# The password is told to nobody.
for pid in $(cat ocsignd.pid) $(pgrep -P "$(cat ocsignd.pid)"); do
	! tr '\0' '\n' <"/proc/$pid/cmdline" | grep -q s3cret ||
	    fail "the password is an argument"
	! tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -q s3cret ||
	    fail "the password is in the environment"
done
grep -q '^Max core file size *0 ' "/proc/$(role status)/limits" ||
    fail "there may be a core"

# What must not take the place of the last good one.
is_later() {
	ask "$1"
	grep -q 'Responder Error: trylater' answer
}
# stays WHY
stays() {
	within 20 is_state refused "$1" || fail "$1: $(cat status.json)"
	is_word "$one" good || fail "$1: $(cat answer)"
	is_word "$two" keyCompromise || fail "$1: $(cat answer)"
	is_later 4711 || fail "$1: $(cat answer)"
}
heals() {
	sql "$1"
	within 40 is_state current || fail "$1: $(cat status.json)"
}
# What is not committed is not there.
mkfifo begun
psql -X -q -h "$dir/pg" -U ocsign -d cfssl <begun >out 2>&1 &
psql_pid=$!
exec 9>begun
echo 'BEGIN; DELETE FROM certificates; SELECT 1;' >&9
is_deleting() {
	[ "$(sql "SELECT count(*) FROM pg_stat_activity
	    WHERE state = 'idle in transaction'")" -eq 1 ]
}
within 10 is_deleting || fail "$(cat out)"
taken=$(count 'the certdb is in force' ocsignd.log)
issue four
within 10 is_word "$(hex_of four)" good || fail "$(cat answer)"
is_state current '"certificates": 5' || fail "$(cat status.json)"
echo 'ROLLBACK;' >&9
exec 9>&-
wait $psql_pid
psql_pid=
[ "$(count 'the certdb is in force' ocsignd.log)" -gt "$taken" ] ||
    fail "it was not read"

sql "UPDATE certificates SET status = 'good' WHERE reason = 1"
stays 'no longer are'
heals "UPDATE certificates SET status = 'revoked' WHERE reason = 1"
sql "UPDATE certificates SET status = 'lost' WHERE reason = 1"
stays 'its status is neither good nor revoked'
heals "UPDATE certificates SET status = 'revoked' WHERE reason = 1"
sql "UPDATE certificates SET serial_number = serial_number || '\\x00'
    WHERE reason = 1"
stays 'there is a NUL in it'
heals "UPDATE certificates SET serial_number = '$(number_of two)'
    WHERE reason = 1"
sql "CREATE TABLE aside AS SELECT * FROM certificates;
    UPDATE certificates SET authority_key_identifier = 'ff'"
stays 'are of other issuers'
heals "DELETE FROM certificates;
    INSERT INTO certificates SELECT * FROM aside"
sql "DELETE FROM certificates"
stays 'no certificate is in it'
heals "INSERT INTO certificates SELECT * FROM aside"
sql "DELETE FROM certificates WHERE serial_number = '$(number_of two)'"
stays 'no longer are'
heals "DELETE FROM certificates;
    INSERT INTO certificates SELECT * FROM aside"
# Half a migration.
sql "ALTER TABLE certificates RENAME COLUMN expiry TO ends"
stays 'column .*expiry.* does not exist'
heals "ALTER TABLE certificates RENAME COLUMN ends TO expiry"
sql "ALTER TABLE certificates RENAME TO moved"
stays 'certificates.* does not exist'
heals "ALTER TABLE moved RENAME TO certificates"
sql "REVOKE SELECT ON certificates FROM reader"
stays 'permission denied'
heals "GRANT SELECT ON certificates TO reader"

# Another password: no restart is wanted.
sql "ALTER ROLE reader PASSWORD 'second-s3cret'"
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = 'reader'" >/dev/null
stays 'password authentication failed'
(umask 077; echo second-s3cret >new.password)
mv new.password reader.password
within 40 is_state current || fail "$(cat status.json)"
chmod 644 reader.password
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = 'reader'" >/dev/null
stays 'can be read by others'
chmod 600 reader.password
within 40 is_state current || fail "$(cat status.json)"
! grep -q s3cret ocsignd.log || fail "the password is in the log"

# The server is killed, and comes back; nor does a restart forget.
pg_stop "$dir/pg"
stays 'connection to server'
service_stop
# Of several hosts the one that answers is read.
sed -i "s|^certdb-database = host=|&$dir/nowhere,|" ocsign.conf
service_start
within 10 is_word "$two" keyCompromise || fail "$(cat answer)"
is_word "$one" good || fail "$(cat answer)"
is_state refused 'connection to server' || fail "$(cat status.json)"
pg_start "$dir/pg"
within 40 is_state current || fail "$(cat status.json)"
issue five
within 10 is_word "$(hex_of five)" good || fail "$(cat answer)"
service_stop
