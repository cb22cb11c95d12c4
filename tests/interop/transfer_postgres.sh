#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# CFSSL's certdb in PostgreSQL is taken over, into a store in SQLite and one
# in PostgreSQL, and given back: what goes in comes out as it was, from one
# kind of database to the other as well, and CFSSL goes on with it.

. "$top_srcdir/tests/interop/failure.sh"
. "$top_srcdir/tests/postgres.sh"
need openssl cfssl cfssljson psql sqlite3 jq
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
	pg_stop "$dir/pg"
	(exit $status)
	finish
}
trap finish_all EXIT
pg_create "$dir/pg"
sed -i '1i local all reader scram-sha-256' "$dir/pg/data/pg_hba.conf"
echo 'fsync = off' >>"$dir/pg/data/postgresql.conf"
pg_start "$dir/pg"
for name in ocsign cfssl back old; do
	pg_sql "$dir/pg" "CREATE DATABASE $name" postgres
done
# at NAME: a connection string.
at() {
	echo "host=$dir/pg user=ocsign dbname=$1"
}
sql() {
	pg_sql "$dir/pg" "$1" "${2:-cfssl}" || fail "$1"
}
ca_folder
sed -i '/^\[issuer root\]/,$d' ocsign.conf
cat >>ocsign.conf <<EOT
[issuer corp]
certificate = corp.pem
token = demo
key = corp
EOT
# store NAME WHERE: another one.
store() {
	sed "s|^path = store.db|path = $dir/$1/store.db\\
signing-journal = $1.journal${2:+\\
database = $2}|" ocsign.conf >"$1.conf"
	mkdir -p "$1"
	OCSIGN_CONF=$dir/$1.conf
	export OCSIGN_CONF
}
# into OPTION...: an import that must work.
into() {
	ocsign --json import --issuer corp --format certdb "$@" >in.json \
	    2>in.err || fail "import $*: $(cat in.err)"
}
counts() {
	[ "$(jq ".$1" in.json)" = "$2" ] || fail "$1 is not $2: $(cat in.json)"
}
exported() {
	ocsign --json export --issuer corp --format certdb "$@" >ex.json \
	    2>ex.err
}
refused() {
	refused_pattern=$1
	shift
	! "$@" >out 2>&1 || fail "not refused: $*"
	grep -Eq -- "$refused_pattern" out ||
	    fail "no \"$refused_pattern\" in $(cat out)"
	[ "$(wc -l <out)" -le 1 ] || fail "more than a line: $(cat out)"
}

# --- CFSSL's ----------------------------------------------------------------

tables='CREATE TABLE certificates (
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
  certificates(serial_number, authority_key_identifier))'
sql "$tables; CREATE ROLE reader LOGIN PASSWORD 's3cret';
    GRANT SELECT ON certificates TO reader"
sql "$tables" old
(umask 077; echo s3cret >reader.password; echo wrong >wrong.password)
# cfssl_db NAME: its configuration of a database.
cfssl_db() {
	echo "{\"driver\":\"postgres\",\"data_source\":
	    \"host=$dir/pg user=ocsign dbname=$1 sslmode=disable\"}"
}
cfssl_db cfssl >db.json
cat >config.json <<'EOT'
{"signing":{"default":{"expiry":"480h","usages":["digital signature",
"server auth"]}}}
EOT
for name in corp other; do
	echo "{\"CN\":\"$name CA\",\"key\":{\"algo\":\"ecdsa\",\"size\":256}}" |
	    cfssl genkey -initca - 2>/dev/null | cfssljson -bare $name
done
echo '{"CN":"leaf","hosts":["leaf.example"],"key":{"algo":"ecdsa",
"size":256}}' >leaf.json
for name in c1 c2 c3 c4 foreign; do
	ca=corp
	[ $name != foreign ] || ca=other
	cfssl gencert -ca $ca.pem -ca-key $ca-key.pem -config config.json \
	    -db-config db.json leaf.json 2>cfssl.err | cfssljson -bare $name
	[ -s $name.pem ] || fail "cfssl: $(cat cfssl.err)"
done
decimal() {
	cfssl certinfo -cert "$1.pem" | jq -r .serial_number
}
key_id=$(openssl x509 -in corp.pem -noout -ext subjectKeyIdentifier |
    sed -n '2{s/[ :]//g;p;}' | tr A-F a-f)
# But for one, as CFSSL 1.2 leaves it.
sql "UPDATE certificates SET authority_key_identifier = '$key_id' WHERE
    serial_number IN ('$(decimal c1)', '$(decimal c2)', '$(decimal c3)')"
for name in c2 c3; do
	cfssl revoke -db-config db.json -reason superseded -serial \
	    "$(decimal $name)" -aki "$key_id" 2>cfssl.err ||
	    fail "$(cat cfssl.err)"
done
# What CFSSL writes, and what else may stand there.
sql "UPDATE certificates SET ca_label = NULL
    WHERE serial_number = '$(decimal c1)';
    UPDATE certificates SET ca_label = 'a	b\\\\c'
    WHERE serial_number = '$(decimal c2)'"
rows="SELECT encode(serial_number, 'escape'),
    encode(authority_key_identifier, 'escape'),
    coalesce(encode(ca_label, 'hex'), '-'), encode(status, 'escape'), reason,
    expiry, revoked_at, encode(pem, 'hex') FROM certificates"
ours=" WHERE authority_key_identifier IN ('$key_id', '')
    AND serial_number <> '$(decimal foreign)' ORDER BY 1"
sql "$rows$ours" >old.rows
[ "$(wc -l <old.rows)" -eq 4 ] || fail "$(cat old.rows)"

# A server that sorts for long before the first row comes.
store slow
sql 'CREATE SCHEMA slow; CREATE VIEW slow.certificates AS SELECT c.* FROM
    public.certificates c, (SELECT pg_sleep(11)) s'
ocsign --json import --issuer corp --format certdb --dry-run \
    "$(at cfssl) options=-csearch_path=slow" >slow.json 2>slow.err &
slow=$!
pids="$pids $slow"

# --- in, and out again ------------------------------------------------------

store first
into --dry-run "$(at cfssl)"
counts new 4
into --password-source reader.password \
    "host=$dir/pg user=reader dbname=cfssl"
counts new 4
counts with_certificate 4
counts other_issuers 1
! grep -q s3cret in.json in.err || fail "the password is told"
into "$(at cfssl)"
counts same 4
! ocsign --json audit list | grep -Eq 's3cret|reader.password' ||
    fail "the journal has the password's place"
ocsign audit verify >out 2>&1 || fail "$(cat out)"
ocsign --json cert show "$(openssl x509 -in c2.pem -noout -serial |
    cut -d= -f2)" --issuer corp | grep -q superseded || fail "c2 is not"
exported --out "$(at back)" || fail "$(cat ex.err)"
[ "$(jq .written ex.json)" -eq 4 ] || fail "$(cat ex.json)"
sql "$rows ORDER BY 1" back >back.rows
cmp old.rows back.rows || fail "$(diff old.rows back.rows)"
sql 'SELECT issued_at FROM certificates' back >/dev/null
# CFSSL's first schema; and what is there is not replaced unless asked for.
exported --out "$(at old)" || fail "$(cat ex.err)"
sql "$rows ORDER BY 1" old >back.rows
cmp old.rows back.rows || fail "$(diff old.rows back.rows)"
refused 'certificates in it already; --force' \
    ocsign export --issuer corp --format certdb --out "$(at old)"
sql "INSERT INTO ocsp_responses SELECT serial_number,
    authority_key_identifier, 'x' FROM certificates" old
exported --force --out "$(at old)" || fail "$(cat ex.err)"
sql "$rows ORDER BY 1" old >back.rows
cmp old.rows back.rows || fail "$(diff old.rows back.rows)"

# From there to a store in PostgreSQL, a file of SQLite, and back.
store second "$(at ocsign)"
into "$(at back)"
counts new 4
ocsign audit verify >out 2>&1 || fail "$(cat out)"
exported --out cert.db || fail "$(cat ex.err)"
store third
into cert.db
counts new 4
exported --force --out "$(at back)" || fail "$(cat ex.err)"
sql "$rows ORDER BY 1" back >back.rows
cmp old.rows back.rows || fail "$(diff old.rows back.rows)"

# CFSSL goes on with it.
cfssl_db back >back.json
cfssl revoke -db-config back.json -reason keyCompromise -serial \
    "$(decimal c1)" -aki "$key_id" 2>cfssl.err || fail "$(cat cfssl.err)"
into --keep "$(at back)"
counts revoked 1
# What has changed here since is told there.
ocsign cert revoke --issuer corp --reason affiliationChanged c4.pem \
    >/dev/null 2>&1 || fail "c4"
exported --force --out "$(at back)" || fail "$(cat ex.err)"
[ "$(sql "SELECT encode(status, 'escape') || reason FROM certificates
    WHERE serial_number = '$(decimal c4)'" back)" = revoked3 ] ||
    fail "c4 is not revoked there"
# All columns of CFSSL's newer schema.
sql "UPDATE certificates SET issued_at = '2026-01-02 03:04:05.25',
    not_before = '2026-01-02 03:04:05', metadata = '{\"a\": [1, \"b\"]}',
    sans = '[\"leaf.example\"]', common_name = 'leaf'" back
all="SELECT *, encode(pem, 'escape') FROM certificates ORDER BY 1"
sql "$all" back >old.rows
store fourth
into "$(at back)"
exported --force --out "$(at back)" || fail "$(cat ex.err)"
sql "$all" back >back.rows
cmp old.rows back.rows || fail "$(diff old.rows back.rows)"
refused 'more than the table has columns' \
    ocsign export --issuer corp --format certdb --force --out "$(at old)"
[ "$(sql 'SELECT count(*) FROM certificates' old)" -eq 4 ] ||
    fail "what was refused has emptied it"

# --- what is refused --------------------------------------------------------

before=$(sqlite3 fourth/store.db 'SELECT journal_number FROM store')
take() {
	ocsign import --issuer corp --format certdb "$@"
}
reader="host=$dir/pg user=reader dbname=cfssl"
refused 'password authentication failed' \
    take --password-source wrong.password "$reader"
refused 'No such file' take --password-source nowhere "$reader"
refused 'has a password' take "$reader password=s3cret"
! grep -q s3cret out || fail "the password is told: $(cat out)"
refused 'goes with a database' take --password-source wrong.password cert.db
refused 'database "nowhere" does not exist' take "$(at nowhere)"
refused 'certificates" does not exist' take "$(at postgres)"
sql "UPDATE certificates SET expiry = 'infinity'
    WHERE serial_number = '$(decimal c1)'" back
refused 'expiry is no time' take "$(at back)"
[ "$(sqlite3 fourth/store.db 'SELECT journal_number FROM store')" -eq \
    "$before" ] || fail "what was refused has changed something"

n=0
while kill -0 $slow 2>/dev/null; do
	n=$((n + 1))
	[ $n -lt 300 ] || fail "the slow import does not end"
	sleep 0.2
done
[ "$(jq .new slow.json)" -eq 4 ] || fail "slow: $(cat slow.json slow.err)"
