#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A CA that "openssl ca" or CFSSL ran is taken over with all it issued, and
# given back: what goes in comes out as it was, openssl and CFSSL go on with
# what is exported and revoke the same as we do; bad sources, and a process
# that is killed, change nothing.

. "$top_srcdir/tests/interop/failure.sh"
need openssl cfssl cfssljson sqlite3 jq curl xxd

ca_folder
sed -i '/^\[issuer root\]/,$d' ocsign.conf
cat >ca.cnf <<'EOT'
[ca]
default_ca = one
[one]
database = corp/index.txt
new_certs_dir = corp/newcerts
certificate = corp.pem
private_key = corp.key
serial = corp/serial
crlnumber = corp/crlnumber
default_md = sha256
default_days = 20
default_crl_days = 7
policy = any
unique_subject = no
crl_extensions = crl
[any]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
subjectAltName = DNS:leaf.example
authorityKeyIdentifier = keyid
[upn]
subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@leaf.example
[signer]
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
[crl]
authorityKeyIdentifier = keyid
EOT
mkdir -p corp/newcerts
: >corp/index.txt
echo 00F1 >corp/serial
echo 4711 >corp/crlnumber
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout corp.key -out corp.pem -subj '/CN=Corporate CA' -days 30 \
    -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout leaf.key -out leaf.csr -subj '/CN=leaf' 2>/dev/null
# ca OPTION...
ca() {
	openssl ca -config ca.cnf -batch "$@" >ca.out 2>&1 ||
	    fail "openssl ca $*: $(cat ca.out)"
}
# issue NAME [OPTION...]
issue() {
	issue_name=$1
	shift
	ca -in leaf.csr -subj "/CN=$issue_name" -extensions leaf -notext \
	    -out "$issue_name.pem" "$@"
}
serial_of() {
	openssl x509 -in "$1.pem" -noout -serial | cut -d= -f2
}
chmod 600 corp.key
ocsign key import corp.key --token demo --label corp >/dev/null
ocsign key generate --token demo --label ocsp >/dev/null
ocsign csr create --subject 'CN=OCSP signer' --token demo --key ocsp \
    --out ocsp.csr
ca -in ocsp.csr -extensions signer -notext -out signer.pem
n=0
for reason in unspecified keyCompromise CACompromise affiliationChanged \
    superseded cessationOfOperation certificateHold; do
	issue $reason
	ca -revoke $reason.pem -crl_reason $reason
done
for name in plain hold keytime catime expired 'with "quotes" \\ and	tab'; do
	case $name in
	expired) issue "$name" -startdate 20200101000000Z \
	    -enddate 20200201000000Z ;;
	*) issue "$name" ;;
	esac
done
ca -in leaf.csr -subj /CN=upn -extensions upn -notext -out upn.pem
issue none
ca -revoke none.pem
ca -revoke hold.pem -crl_hold holdInstructionReject
ca -revoke keytime.pem -crl_compromise 20240102030405Z
ca -revoke catime.pem -crl_CA_compromise 20240102030405Z
ca -updatedb
grep -q '^E' corp/index.txt || fail "openssl has not marked one as expired"
cat >>ocsign.conf <<EOT
[issuer corp]
certificate = corp.pem
token = demo
key = corp
ocsp-certificate = signer.pem
ocsp-token = demo
ocsp-key = ocsp
EOT

# store NAME: another one, with a signing journal of its own.
store() {
	sed "s/^path = store.db/path = $1.db\nsigning-journal = $1.journal/" \
	    ocsign.conf >"$1.conf"
	OCSIGN_CONF=$dir/$1.conf
}
# into OPTION...: an import that must work.
into() {
	ocsign --json import --issuer corp "$@" >in.json 2>in.err ||
	    fail "import $*: $(cat in.err)"
}
# counts NAME NUMBER
counts() {
	[ "$(jq ".$1" in.json)" = "$2" ] || fail "$1 is not $2: $(cat in.json)"
}
entries() {
	sqlite3 store.db 'SELECT journal_number FROM store'
}
# refused PATTERN OPTION...: changes nothing.
refused() {
	refused_pattern=$1 refused_before=$(entries)
	shift
	! ocsign import --issuer corp "$@" >out 2>&1 ||
	    fail "import $* is not refused"
	grep -Eq -- "$refused_pattern" out ||
	    fail "import $*: no \"$refused_pattern\" in $(cat out)"
	[ "$(entries)" -eq "$refused_before" ] ||
	    fail "import $* has changed something"
}
# revoked FILE: what a CRL says, in one order.
revoked() {
	ocsign --json crl show "$1" | jq -c '.revoked | sort_by(.serial)[]'
}
exported() {
	ocsign --json export --issuer corp "$@" >ex.json 2>ex.err
}
out() {
	exported "$@" || fail "export $*: $(cat ex.err)"
}

# --- openssl ---------------------------------------------------------------
all=$(wc -l <corp/index.txt)
into --format index --certs corp/newcerts --dry-run corp/index.txt
counts new "$all"
[ "$(sqlite3 store.db 'SELECT count(*) FROM certificate')" -eq 0 ] ||
    fail "--dry-run has kept something"
into --format index --certs corp/newcerts corp/index.txt
counts new "$all"
counts with_certificate "$all"
ocsign audit verify >out 2>&1 || fail "$(cat out)"
grep -q "^imported: *$all\$" out || fail "not $all imported: $(cat out)"
ocsign --json audit list | jq -c '.[] | select(.event == "import-end")' |
    grep -q '"sha256":"[0-9a-f]*"' || fail "the import is not in the journal"
digest=$(sha256sum <corp/index.txt | cut -d' ' -f1)
ocsign --json audit list | grep -q "\"sha256\": \"$digest\"" ||
    fail "the journal has another digest of the file"
before=$(entries)
into --format index --certs corp/newcerts corp/index.txt
counts same "$all"
grep -q 'nothing is changed' in.err || fail "$(cat in.err)"
[ "$(entries)" -eq "$before" ] || fail "the second time changes something"
out --format index --out back.txt --certs back
cmp corp/index.txt back.txt || fail "$(diff corp/index.txt back.txt)"
for pem in corp/newcerts/*.pem; do
	openssl x509 -in "$pem" -outform DER |
	    cmp -s - "back/${pem##*/}.der" 2>/dev/null ||
	    [ "$(openssl x509 -in "$pem" -outform DER | cksum)" = \
	    "$(openssl x509 -in "back/${pem##*/}" -outform DER | cksum)" ] ||
	    fail "$pem is not the same"
done
[ "$(ocsign cert show "$(serial_of plain)" --issuer corp --pem | cksum)" = \
    "$(openssl x509 -in plain.pem | cksum)" ] || fail "plain is another"
for pem in plain upn; do
	ocsign cert show "$(serial_of $pem)" --issuer corp >out ||
	    fail "$pem is not shown"
	grep -q "CN=$pem" out || fail "$(cat out)"
done
ocsign --json cert list --issuer corp --name leaf.example |
    grep -q '"imported": true' || fail "names are not known"

# The CRL that openssl makes and ours revoke the same; ours is the later one.
ca -gencrl -out theirs.crl
ocsign crl create --issuer corp --out ours.crl
revoked theirs.crl >theirs
revoked ours.crl >ours
[ "$(wc -l <ours)" -eq 11 ] || fail "not 11 on the list"
cmp theirs ours || fail "$(diff theirs ours)"

# Ours go on: a number that openssl has given out is never ours, and openssl
# goes on with what we have exported.
service_start
openssl ocsp -issuer corp.pem -serial "0x$(serial_of keytime)" \
    -url "$url" -CAfile corp.pem >answer 2>&1 || true
grep -q 'Reason: keyCompromise' answer || fail "$(cat answer)"
# The import of what is new is answered for at once.
issue later
into --format index --certs corp/newcerts corp/index.txt
counts new 1
openssl ocsp -issuer corp.pem -serial "0x$(serial_of later)" \
    -url "$url" -CAfile corp.pem >answer 2>&1 || true
grep -q ': good' answer || fail "$(cat answer)"
service_stop
ocsign cert issue --issuer corp --profile server --out own.pem leaf.csr \
    2>out || { openssl req -new -key leaf.key -out own.csr \
    -subj /CN=own.example -addext subjectAltName=DNS:own.example
    ocsign cert issue --issuer corp --profile server --out own.pem own.csr ||
    fail "we cannot issue"; }
ocsign cert revoke --issuer corp --reason superseded plain.pem >/dev/null
out --format index --out corp/index.txt --certs corp/newcerts --force
grep -q "	$(serial_of own)	unknown	/" corp/index.txt ||
    fail "our own is not there"
grep -q "^R.*,superseded	$(serial_of plain)	" corp/index.txt ||
    fail "plain is not revoked there"
ca -updatedb
ca -revoke "corp/newcerts/$(serial_of own).pem" -crl_reason keyCompromise
into --format index --certs corp/newcerts corp/index.txt
counts revoked 1
ca -gencrl -out theirs.crl
ocsign crl create --issuer corp --out ours.crl
revoked theirs.crl >theirs
revoked ours.crl >ours
cmp theirs ours || fail "$(diff theirs ours)"
ocsign audit verify >out 2>&1 || fail "$(cat out)"

# --- another store ---------------------------------------------------------
cp store.db first.db
store second
into --format store first.db
ocsign audit verify >out 2>&1 || fail "$(cat out)"
rows='SELECT hex(serial), state, reason, revoked_at, invalidity_at,
    reserved_at, issued_at, not_before, not_after, profile, subject, names,
    hex(t.der), hex(d.der) FROM certificate c
    LEFT JOIN certificate_tbs t ON t.id = c.id
    LEFT JOIN certificate_der d ON d.id = c.id ORDER BY c.id'
sqlite3 first.db "$rows" >first
sqlite3 second.db "$rows" >second
[ -s first ] || fail "no rows"
cmp first second || fail "another store has other rows"
number() {
	openssl crl -in "$1" -noout -crlnumber | sed 's/.*=//; s/^0x//'
}
ocsign crl create --issuer corp --out second.crl
# above A B: of two hex numbers.
above() {
	[ "$(printf '%40s' "$1" | tr ' ' 0)" != \
	    "$(printf '%40s\n%40s\n' "$1" "$2" | tr ' ' 0 | sort |
	    head -n 1)" ]
}
above "$(number second.crl)" "$(number ours.crl)" ||
    fail "the CRL's number is not above"
OCSIGN_CONF=$dir/ocsign.conf

# --- a CRL -----------------------------------------------------------------
store third
printf '17979CFE362A0000\n' >corp/crlnumber	# nanoseconds, as some count
ca -gencrl -out big.crl
into --format crl big.crl
counts new "$(wc -l <theirs)"
ocsign crl create --issuer corp --out third.crl
revoked third.crl >third
cmp theirs third || fail "$(diff theirs third)"
above "$(number third.crl)" 17979CFE362A0000 ||
    fail "$(number third.crl) is below"
into --format crl big.crl
grep -q 'nothing is changed' in.err || fail "$(cat in.err)"
# Then the whole database: who was known from the CRL alone has it all.
into --format index --certs corp/newcerts corp/index.txt
counts completed "$(wc -l <theirs)"
out --format index --out third.txt
sort corp/index.txt >sorted
sort third.txt | cmp - sorted || fail "$(sort third.txt | diff - sorted)"
ocsign audit verify >out 2>&1 || fail "$(cat out)"
OCSIGN_CONF=$dir/ocsign.conf

# --- bad sources -----------------------------------------------------------
head -c -1 corp/index.txt >torn.txt
refused 'line [0-9]+: it has no end' --format index torn.txt
tail -n 1 corp/index.txt |
    sed 's/	[0-9A-F]*	unknown/	7777	unknown/' >new
cat new new >twice.txt
refused 'line 2: .*7777 is there twice' --format index twice.txt
cp new nul.txt
printf 'V\t301231235959Z\t\t78\tunknown\t/CN=\000\n' >>nul.txt
refused 'line 2: there is a NUL' --format index nul.txt
{ printf 'V\t301231235959Z\t\t78\tunknown\t/CN='
  head -c 30000 /dev/zero | tr '\000' x; echo; } >long.txt
refused 'line 1: it is longer' --format index long.txt
mkfifo fifo
for format in index certdb crl store; do
	for what in fifo corp; do
		refused 'no regular file' --format $format $what
	done
done
refused 'No such file' --format index nowhere.txt
: >empty.txt
refused 'no certificate of issuer corp' --format index empty.txt
awk -F'\t' -v OFS='\t' -v s="$(serial_of superseded)" '
    $4 == s { $1 = "V"; $3 = "" } { print }' corp/index.txt >back-to-good.txt
refused "serial $(serial_of superseded) is revoked .* here, and good there" \
    --format index back-to-good.txt
into --format index --keep back-to-good.txt
counts kept 1
ocsign --json cert show "$(serial_of superseded)" --issuer corp |
    grep -q '"status": "revoked"' || fail "an import has un-revoked it"
# Another CA's, with the name of ours.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout other.key -out other.pem -subj '/CN=Corporate CA' -days 30 \
    2>/dev/null
mkdir forged
openssl x509 -req -in leaf.csr -CA other.pem -CAkey other.key \
    -set_serial 0x7777 -days 20 -out forged/7777.pem 2>/dev/null
end=$(openssl x509 -in forged/7777.pem -noout -enddate -dateopt iso_8601 |
    sed 's/.*=//; s/[^0-9]//g; s/^20//')Z
printf 'V\t%s\t\t7777\tunknown\t/CN=leaf\n' "$end" >forged.txt
refused 'certificate 7777: .*signature' --format index --certs forged \
    forged.txt
mkdir wrong
cp corp/newcerts/"$(serial_of later)".pem wrong/7777.pem
refused 'another serial number' --format index --certs wrong forged.txt
openssl ca -config ca.cnf -batch -keyfile other.key -cert other.pem \
    -gencrl -out other.crl >/dev/null 2>&1
refused 'other.crl: ' --format crl other.crl
refused 'SQLite' --format certdb corp/index.txt
refused 'not a store' --format store corp/index.txt
refused 'the store that it would' --format store store.db
refused 'has no issuer|there is no issuer' --format store --from x first.db
# cut_off FORMAT FILE PATTERN: a quarter of it, half, all but its last octet.
cut_off() {
	cut_len=$(wc -c <$2)
	for num in $((cut_len / 4)) $((cut_len / 2)) $((cut_len - 1)); do
		head -c $num $2 >cut.$1
		refused "$3" --format $1 cut.$1
	done
}
openssl crl -in big.crl -outform DER -out big.der
cut_off crl big.der 'cut.crl: .*(PEM|DER)'
head -c $(($(wc -c <first.db) / 2)) first.db >cut.db
refused 'cut.db: .*(malformed|not a store)' --format store cut.db
ocsign audit verify >out 2>&1 || fail "$(cat out)"

# What openssl cannot say is named, and nothing is written.
rm -f no.txt
ocsign cert revoke --issuer corp --reason privilegeWithdrawn later.pem \
    >/dev/null
! exported --format index --out no.txt || fail "that cannot be said"
grep -q "certificate $(serial_of later): openssl has no reason" ex.err ||
    fail "$(cat ex.err)"
[ -z "$(ls no.txt* 2>/dev/null)" ] || fail "something is left: $(ls no.txt*)"
out --format index --out no.txt --lossy
[ "$(jq .not_wholly_said ex.json)" -eq 1 ] || fail "$(cat ex.json)"

# --- CFSSL -----------------------------------------------------------------
store fourth
sqlite3 cert.db <<'EOT'
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
EOT
echo '{"driver":"sqlite3","data_source":"cert.db"}' >db.json
cat >config.json <<'EOT'
{"signing":{"default":{"expiry":"480h","usages":["digital signature",
"server auth"]}}}
EOT
echo '{"CN":"leaf","hosts":["leaf.example"],"key":{"algo":"ecdsa",
"size":256}}' >leaf.json
key_id=$(openssl x509 -in corp.pem -noout -ext subjectKeyIdentifier |
    sed -n '2{s/[ :]//g;p;}' | tr A-F a-f)
for name in c1 c2 c3 c4; do
	cfssl gencert -ca corp.pem -ca-key corp.key -config config.json \
	    -db-config db.json leaf.json 2>cfssl.err | cfssljson -bare $name
	[ -s $name.pem ] || fail "cfssl: $(cat cfssl.err)"
done
sqlite3 cert.db "UPDATE certificates SET
    authority_key_identifier = '$key_id'"
decimal() {
	cfssl certinfo -cert "$1.pem" | jq -r .serial_number
}
cfssl revoke -db-config db.json -reason superseded -serial \
    "$(decimal c2)" -aki "$key_id" 2>cfssl.err || fail "$(cat cfssl.err)"
cfssl revoke -db-config db.json -reason keyCompromise -serial \
    "$(decimal c3)" -aki "$key_id" 2>cfssl.err || fail "$(cat cfssl.err)"
into --format certdb cert.db
counts new 4
into --format certdb cert.db
counts same 4
cut_off certdb cert.db 'malformed|cut off'
out --format certdb --out back.db
old='SELECT serial_number, authority_key_identifier, ca_label, status,
    reason, expiry, revoked_at, pem, typeof(pem), typeof(reason),
    typeof(serial_number), typeof(ca_label) FROM certificates ORDER BY rowid'
sqlite3 cert.db "$old" >old
sqlite3 back.db "$old" >new
[ -s old ] || fail "no rows"
cmp old new || fail "$(diff old new)"
# Ours beside theirs: from the first store, in which openssl's are.
OCSIGN_CONF=$dir/ocsign.conf
into --format certdb cert.db
! exported --format certdb --out all.db || fail "CFSSL has no such date"
grep -q 'CFSSL has no invalidity date' ex.err || fail "$(cat ex.err)"
out --format certdb --out all.db --lossy
[ "$(sqlite3 all.db 'SELECT count(*) FROM certificates')" -eq \
    "$(sqlite3 store.db 'SELECT count(*) FROM certificate')" ] ||
    fail "not all are in all.db"
# CFSSL goes on with it.
echo '{"driver":"sqlite3","data_source":"all.db"}' >all.json
cfssl ocsprefresh -db-config all.json -ca corp.pem -responder corp.pem \
    -responder-key corp.key 2>cfssl.err || fail "$(cat cfssl.err)"
# It says of each what we say.
sqlite3 -separator ' ' all.db 'SELECT rowid, hex(body) FROM ocsp_responses' |
    while read -r row body; do
	printf %s "$body" | xxd -r -p >"response.$row"
	openssl ocsp -respin "response.$row" -noverify -resp_text 2>&1 |
	    sed -n 's/^ *Serial Number: *//p; s/^ *Cert Status: *//p' |
	    paste -d ' ' - -
done | sort >cfssl
ocsign --json cert list --issuer corp | jq -r --arg now "$(date -u \
    +%FT%TZ)" '.[] | select(.not_after > $now) | .serial + " " + .status' |
    sed 's/ issued$/ good/; s/ valid$/ good/; s/ on hold$/ revoked/' |
    sort >ours
[ "$(grep -c revoked ours)" -ge 11 ] || fail "few are revoked: $(cat ours)"
cmp ours cfssl || fail "$(diff ours cfssl)"
cfssl revoke -db-config all.json -reason superseded -serial \
    "$(decimal c4)" -aki "$key_id" 2>cfssl.err || fail "$(cat cfssl.err)"
into --format certdb --keep all.db
counts revoked 1
# From our store to a certdb and from there to another store of ours.
store fifth
into --format certdb all.db
facts='SELECT hex(serial), reason, revoked_at, not_before, not_after,
    subject, names, hex(d.der) FROM certificate c
    LEFT JOIN certificate_der d ON d.id = c.id ORDER BY serial'
sqlite3 store.db "$facts" >first
sqlite3 fifth.db "$facts" >fifth
cmp first fifth || fail "$(diff first fifth)"
ocsign audit verify >out 2>&1 || fail "$(cat out)"

# --- a full disk -----------------------------------------------------------
# What was there stays, and nothing else is left.
mkdir full
echo before >full/index
echo before >full/certdb
for format in index certdb; do
	! (ulimit -f 1; exec ocsign export --issuer corp --format $format \
	    --out full/$format --lossy --force) >out 2>&1 ||
	    fail "$format is written to a full disk"
	grep -q '^ocsign: export: ' out || fail "$(cat out)"
done
[ "$(cat full/*)" = "$(printf 'before\nbefore')" ] ||
    fail "what was there is gone: $(cat full/*)"
[ "$(ls full)" = "$(printf 'certdb\nindex')" ] ||
    fail "something is left: $(ls full)"

# --- killed ----------------------------------------------------------------
store sixth
awk 'BEGIN { for (i = 0; i < 60000; i++)
    printf "%s\t301231235959Z\t%s\t40%08X\tunknown\t/CN=%d\n",
    i % 2 ? "V" : "R", i % 2 ? "" : "240102030405Z,superseded",
    i, i }' </dev/null >many.txt
ocsign --json ca list >/dev/null 2>&1 || true
kills=0
for pause in 0.1 0.2 0.4 0.6 0.8; do
	ocsign import --issuer corp --format index many.txt >out 2>&1 &
	victim=$!
	sleep $pause
	kill -9 $victim 2>/dev/null && kills=$((kills + 1))
	wait $victim 2>/dev/null || true
	[ -s sixth.db ] || continue
	num=$(sqlite3 sixth.db 'SELECT count(*) FROM certificate' 2>/dev/null ||
	    echo 0)
	[ "${num:-0}" -eq 0 ] || [ "$num" -eq 60000 ] ||
	    fail "$num of 60000 are there"
	[ "${num:-0}" -eq 0 ] || break
done
[ $kills -gt 0 ] || fail "it was never killed"
store seventh
! (ulimit -f 8000; exec ocsign import --issuer corp --format index many.txt) \
    >out 2>&1 || fail "it goes on a full disk"
grep -q 'disk or quota is full' out || fail "$(cat out)"
[ "$(sqlite3 seventh.db 'SELECT count(*) FROM certificate')" -eq 0 ] ||
    fail "a part of it is kept"
store sixth
into --format index many.txt
[ "$(sqlite3 sixth.db 'SELECT count(*) FROM certificate')" -eq 60000 ] ||
    fail "not all are there"
out --format index --out many.back
cmp many.txt many.back || fail "not the same"
ocsign audit verify >out 2>&1 || fail "$(cat out)"
