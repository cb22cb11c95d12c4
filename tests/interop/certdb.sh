#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A responder in front of CFSSL's CA, by its certdb in SQLite, which the real
# "cfssl gencert", "cfssl serve" and "cfssl revoke" write: with and without a
# write-ahead log, with another issuer's rows beside, locked, and gone.

. "$top_srcdir/tests/interop/failure.sh"
need openssl cfssl cfssljson sqlite3 curl jq

ca_folder
sed -i '/^\[issuer root\]/,$d' ocsign.conf
ocsign key generate --token demo --label ocsp >/dev/null
ocsign csr create --subject 'CN=OCSP signer' --token demo --key ocsp \
    --out ocsp.csr

# What CFSSL's migrations make, which its package has not.
mkdir corp
sqlite3 corp/cert.db <<'EOT'
CREATE TABLE certificates (
  serial_number            blob NOT NULL,
  authority_key_identifier blob NOT NULL,
  ca_label                 blob,
  status                   blob NOT NULL,
  reason                   int,
  expiry                   timestamp,
  revoked_at               timestamp,
  pem                      blob NOT NULL,
  PRIMARY KEY(serial_number, authority_key_identifier));
CREATE TABLE ocsp_responses (
  serial_number            blob NOT NULL,
  authority_key_identifier blob NOT NULL,
  body                     blob NOT NULL,
  expiry                   timestamp,
  PRIMARY KEY(serial_number, authority_key_identifier));
EOT
echo '{"driver":"sqlite3","data_source":"corp/cert.db"}' >db.json
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
# CFSSL 1.2, built by a Go that no longer fills it in, leaves
# authority_key_identifier empty, and then finds nothing to revoke; others do
# not.  has_key_id NAME: as those write it.
number_of() {
	cfssl certinfo -cert "$1.pem" | jq -r .serial_number
}
key_id_of() {
	openssl x509 -in "$1.pem" -noout -ext authorityKeyIdentifier |
	    sed -n 's/^ *\(keyid:\)*//; /:/{s/://g;p;}' | tail -n 1 |
	    tr A-F a-f
}
has_key_id() {
	sqlite3 corp/cert.db "UPDATE certificates SET
	    authority_key_identifier = '$(key_id_of "$1")'
	    WHERE serial_number = '$(number_of "$1")'"
}
# revoke NAME REASON
revoke() {
	has_key_id "$1"
	cfssl revoke -db-config db.json -reason "$2" -serial \
	    "$(number_of "$1")" -aki "$(key_id_of "$1")" \
	    >cfssl.err 2>&1 || fail "cfssl revoke: $(cat cfssl.err)"
}
issue one
issue two
issue foreign other
revoke two keyCompromise
cat >>ocsign.conf <<EOT
[issuer corp]
certificate = corp.pem
source = certdb
certdb-file = corp/cert.db
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
	curl -sS -d '{}' "http://127.0.0.1:$api/api/v1/cfssl/info" \
	    2>/dev/null | grep -q '"success":true'
}
# follows NAME: what it issues and revokes is told.
follows() {
	jq -n --slurpfile r leaf.json '{request: $r[0]}' |
	    curl -sS -d @- "http://127.0.0.1:$api/api/v1/cfssl/newcert" |
	    jq -r .result.certificate >"$1.pem"
	openssl x509 -in "$1.pem" -noout || fail "$(cat serve.log)"
	within 10 is_word "$(hex_of "$1")" good || fail "$(cat answer)"
	has_key_id "$1"
	jq -n --arg serial "$(number_of "$1")" \
	    --arg key_id "$(key_id_of "$1")" '{serial: $serial,
	    authority_key_id: $key_id, reason: "superseded"}' |
	    curl -sS -d @- "http://127.0.0.1:$api/api/v1/cfssl/revoke" |
	    grep -q '"success":true' || fail "$(cat serve.log)"
	within 10 is_word "$(hex_of "$1")" superseded || fail "$(cat answer)"
}
within 10 is_up || fail "$(cat serve.log)"
follows three
sqlite3 corp/cert.db 'PRAGMA journal_mode = WAL' >out || fail "$(cat out)"
grep -q wal out || fail "$(cat out)"
follows four
is_state current '"certificates": 5' || fail "$(cat status.json)"

# What must not take the place of the last good one.
is_later() {
	ask "$1"
	grep -q 'Responder Error: trylater' answer
}
stays() {
	within 20 is_state refused "$1" || fail "$1: $(cat status.json)"
	is_word "$one" good || fail "$1: $(cat answer)"
	is_word "$two" keyCompromise || fail "$1: $(cat answer)"
	is_later 4711 || fail "$1: $(cat answer)"
}
sql() {
	sqlite3 corp/cert.db "$1" >out 2>&1 || fail "$1: $(cat out)"
}
heals() {
	sql "$1"
	within 40 is_state current || fail "$1: $(cat status.json)"
}
sql "UPDATE certificates SET status = 'good' WHERE reason = 1"
stays 'no longer are'
heals "UPDATE certificates SET status = 'revoked' WHERE reason = 1"
sql "UPDATE certificates SET status = 'lost' WHERE reason = 1"
stays 'its status is neither good nor revoked'
heals "UPDATE certificates SET status = 'revoked' WHERE reason = 1"
sql "CREATE TABLE aside AS SELECT * FROM certificates;
    UPDATE certificates SET authority_key_identifier = 'ff'"
stays 'are of other issuers'
heals "DELETE FROM certificates;
    INSERT INTO certificates SELECT * FROM aside; DROP TABLE aside"
sql "CREATE TABLE kept AS SELECT * FROM certificates;
    DELETE FROM certificates"
stays 'no certificate is in it'
heals "INSERT INTO certificates SELECT * FROM kept LIMIT 100"

# Half of the file.
sqlite3 corp/cert.db .dump >dump
sqlite3 whole.db <dump
head -c 6000 whole.db >new
rm -f corp/cert.db-wal corp/cert.db-shm
mv new corp/cert.db
stays 'malformed|not a database'
service_stop

# Nor over a restart, before it is mended.
service_start
within 10 is_word "$two" keyCompromise || fail "$(cat answer)"
cp whole.db new
mv new corp/cert.db
within 40 is_state current || fail "$(cat status.json)"
is_word "$one" good || fail "$(cat answer)"
service_stop
