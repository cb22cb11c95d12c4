#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# CFSSL's HTTP API beside CFSSL: the same config.json, the same requests to
# both, and what they answer is the same but for keys, numbers and times.
# Then cfssl itself as our client, and what is refused, with nothing issued.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep jq sqlite3 cfssl cfssljson

key=0123456789ABCDEF0123456789ABCDEF
old_key=00112233445566778899AABBCCDDEEFF
year=$(($(date -u +%Y) + 1))
cat >"$dir/config.json" <<EOF
{"signing": {"default": {"usages": ["signing", "key encipherment",
    "server auth"], "expiry": "8760h"},
  "profiles": {
    "locked": {"usages": ["signing", "client auth"], "expiry": "24h",
	"auth_key": "k"},
    "turned": {"usages": ["signing", "client auth"], "expiry": "24h",
	"auth_key": "k", "prev_auth_key": "old"},
    "dated": {"usages": ["signing", "server auth"], "expiry": "24h",
	"not_before": "$year-01-02T03:04:05Z",
	"not_after": "$year-02-03T04:05:06Z"},
    "early": {"usages": ["signing", "server auth"], "expiry": "24h",
	"not_before": "2020-01-02T03:04:05Z",
	"not_after": "$year-02-03T04:05:06Z"},
    "extended": {"usages": ["signing", "server auth"], "expiry": "48h",
	"allowed_extensions": ["1.2.3.4", "1.2.3.5"]},
    "numbered": {"usages": ["signing", "server auth"], "expiry": "48h",
	"ClientProvidesSerialNumbers": true},
    "listed": {"usages": ["signing", "server auth"], "expiry": "48h",
	"name_whitelist": "^[a-z]+\\\\.example\\\\.com$"}}},
 "auth_keys": {"k": {"type": "standard", "key": "$key"},
    "old": {"type": "standard", "key": "$old_key"}}}
EOF
ca_folder 'crl-url = http://127.0.0.1:1/ca.crl'
ca_make
sed -i 's/^table-directory = .*/&\nlog-level = info/
s/crl-url = .*/&\ncritical-extensions = 1.2.3.5/' ocsign.conf
endpoints='health info certinfo sign authsign newkey newcert'
endpoints="$endpoints revoke crl ocspsign"
cat >>ocsign.conf <<EOF
[cfssl]
config = config.json
[api]
listen = 127.0.0.1:0
issuers = ca
endpoints = $endpoints
EOF
service_start
ours=$(sed 's,/$,,' run/api.urls)

# CFSSL with a key of its own.
echo '{"CN": "Peer", "key": {"algo": "ecdsa", "size": 256}}' >peer.json
cfssl genkey -initca peer.json 2>/dev/null | cfssljson -bare peer
peer_port=$(free_port)
cfssl serve -address 127.0.0.1 -port "$peer_port" -ca peer.pem \
    -ca-key peer-key.pem -config config.json >peer.log 2>&1 &
pids="$pids $!"
theirs=http://127.0.0.1:$peer_port

# ask BASE ENDPOINT NAME CURL-OPTION...: NAME.body, NAME.head, its status.
ask() {
	base=$1
	endpoint=$2
	name=$3
	shift 3
	curl -sS -m 10 -o "$name.body" -D "$name.head" -w '%{http_code}\n' \
	    "$@" "$base/api/v1/cfssl/$endpoint" >"$name.status"
}
answers() {
	ask "$1" info up -d '{}' && [ "$(cat up.status)" = 200 ]
}
within 10 answers "$theirs" || fail "cfssl serve: $(cat peer.log)"
within 10 answers "$ours" || fail "ours does not answer"
healthy() {
	ask "$ours" health up && jq -e .result.healthy up.body >/dev/null
}
within 10 healthy || fail "not healthy"

# What must differ: keys, certificates, sums, numbers, times; and what a newer
# CFSSL says (sha-256), which ours does too.
shape='walk(if type == "string" and test("^-----BEGIN") then
	(split("\n") | .[0]) + (if endswith("\n") then "+" else "" end)
	elif type == "string" and test("^[0-9A-F]{32,64}$") then "sum"
	else . end) | del(.. | ."sha-256"?)'
type_of() {
	sed -n 's/\r$//; s/^[Cc]ontent-[Tt]ype: *//p' "$1.head"
}
# same ENDPOINT CURL-OPTION...: status, type and body are.
same() {
	endpoint=$1
	shift
	ask "$ours" "$endpoint" a "$@"
	ask "$theirs" "$endpoint" b "$@"
	cmp -s a.status b.status ||
	    fail "$endpoint $*: $(cat a.status), theirs $(cat b.status): \
$(cat a.body b.body)"
	[ "$(type_of a)" = "$(type_of b)" ] ||
	    fail "$endpoint $*: $(type_of a), theirs $(type_of b)"
	[ "$(tail -c 1 a.body | od -An -c)" = \
	    "$(tail -c 1 b.body | od -An -c)" ] ||
	    fail "$endpoint $*: another end of the body"
	if ! jq -S "$shape" a.body >a.json 2>/dev/null; then
		cmp -s a.body b.body || fail "$endpoint: $(cat a.body b.body)"
		return
	fi
	jq -S "${filter:-.}" a.json >a.cut
	jq -S "$shape | ${filter:-.}" b.body >b.cut
	cmp -s a.cut b.cut || fail "$endpoint $*: $(diff a.cut b.cut)"
}
# The code is the same, the words are ours.
same_code() {
	filter='del(.errors[].message)'
	same "$@"
	filter=
}
echo '{"CN": "www.example.com", "hosts": ["www.example.com"],
    "key": {"algo": "ecdsa", "size": 256}}' >leaf.json
cfssl genkey leaf.json 2>/dev/null | cfssljson -bare leaf
# sign_request JSON: with the CSR in it.
sign_request() {
	jq -cn --rawfile csr "${csr:-leaf.csr}" --argjson more "$1" \
	    '{certificate_request: $csr} + $more'
}
# auth_request KEY REQUEST
auth_request() {
	printf %s "$2" >request
	token=$(openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -binary \
	    request | openssl base64 -A)
	jq -cn --arg token "$token" --arg request "$(openssl base64 -A \
	    -in request)" '{token: $token, request: $request}'
}

same sign -d "$(sign_request '{}')"
same sign -d "$(sign_request '{"hosts": ["a.example.com"]}')"
same sign -d "$(sign_request '{"hostname": "a.example.com,192.0.2.1"}')"
same sign -d "$(sign_request '{"profile": "listed", "subject": {"CN":
    "www.example.com", "names": [{"C": "DE", "O": "Example"}]}}')"
same sign -d "$(sign_request '{"profile": "locked"}')"
same sign -d "$(sign_request '{"profile": "numbered",
    "serial": 4822678189205111}')"
certificate=$(jq -r .result.certificate a.body)
[ "$(echo "$certificate" | openssl x509 -noout -serial)" = \
    serial=11223344556677 ] || fail "another serial: $certificate"
# Dates of config.json are the certificate's.
same sign -d "$(sign_request '{"profile": "dated"}')"
for body in a.body b.body; do
	jq -r .result.certificate $body | openssl x509 -noout -dates >dates
	[ "$(cat dates)" = "notBefore=Jan  2 03:04:05 $year GMT
notAfter=Feb  3 04:05:06 $year GMT" ] || fail "$body: $(cat dates)"
done
# Ours do not begin before their issuer, but in its first minute.
ask "$ours" sign a -d "$(sign_request '{"profile": "early"}')"
jq -r .result.certificate a.body >early.pem
begins() {
	date -d "$(openssl x509 -in "$1" -noout -startdate | cut -d= -f2)" +%s
}
later=$(($(begins early.pem) - $(begins ca.pem)))
[ $later -ge 0 ] && [ $later -le 60 ] || fail "$later s after its issuer"
# What its clients send and mean nothing by.
same sign -d "$(sign_request '{"crl_override": "", "metadata": null,
    "NotBefore": "0001-01-01T00:00:00Z", "ReturnPrecert": false,
    "extensions": [], "serial": null}')"
same sign -d ''
same sign -d '{'
same sign -d '[]'
same sign -d '{}'
same sign -d '{"certificate_request": 5}'
same sign -d '{"certificate_request": "junk"}'
same sign
same sign -X DELETE
same sign -X PUT -d x
same_code sign -d "$(sign_request '{"profile": "listed", "hosts":
    ["a1.example.com"]}')"
sed 's/^MII/MIJ/' leaf.csr >broken.csr
same_code sign -d "$(csr=broken.csr; sign_request '{}')"
good=$(auth_request $key "$(sign_request '{"profile": "locked", "hosts":
    ["b.example.com"]}')")
same authsign -d "$good"
same authsign -d "$(auth_request "${key%F}E" "$(sign_request \
    '{"profile": "locked"}')")"
# The key before counts where the profile names it, and no other.  CFSSL 1.2
# does not know it yet.
same authsign -d "$(auth_request $key "$(sign_request \
    '{"profile": "turned"}')")"
[ "$(cat a.status)" = 200 ] || fail "the key: $(cat a.body)"
ask "$ours" authsign a -d "$(auth_request $old_key "$(sign_request \
    '{"profile": "turned"}')")"
[ "$(cat a.status)" = 200 ] || fail "the key before: $(cat a.body)"
jq -r .result.certificate a.body | openssl x509 -noout -ext \
    extendedKeyUsage | grep -q 'Client Auth' || fail "not of turned"
for used in "turned:${key%F}E" "turned:${old_key%F}E" "locked:$old_key"; do
	same authsign -d "$(auth_request "${used#*:}" "$(sign_request \
	    "{\"profile\": \"${used%:*}\"}")")"
	[ "$(cat a.status)" != 200 ] || fail "$used: $(cat a.body)"
done
same authsign -d "$(auth_request $key "$(sign_request '{}')")"
same authsign -d '{}'
same authsign -d '{"token": "AA==", "request": "e30="}'
same_code authsign -d '{"token": "x", "request": "e30="}'
same_code authsign -d 'x'
same authsign
same newkey -d @leaf.json
same newkey -d '{"CN": "x", "key": {"algo": "rsa", "size": 2048}}'
same_code newkey -d '{"key": {"algo": "rsa", "size": 1024}}'
same_code newkey -d '{"key": {"algo": "dsa", "size": 1024}}'
same newkey
same newcert -d "{\"request\": $(cat leaf.json)}"
same newcert
filter='del(.result.certificate)'
same info -d '{}'
same info -d '{"label": ""}'
same info -d '{"profile": "locked"}'
filter=
same_code info -d ''
same info
filter='del(.result.issuer, .result.subject_key_id, .result.authority_key_id)'
same certinfo -d "$(jq -n --rawfile c peer.pem '{certificate: $c}')"
filter=
same certinfo -d '{"certificate": "x"}'
same certinfo -d '{}'
same certinfo
same nope
same nope -d '{}'

# --- where we differ on purpose ---------------------------------------------
# refused ENDPOINT STATUS CODE CURL-OPTION...
refused() {
	endpoint=$1
	want=$2
	code=$3
	shift 3
	ask "$ours" "$endpoint" a "$@"
	[ "$(cat a.status)" = "$want" ] ||
	    fail "$endpoint $*: $(cat a.status): $(cat a.body)"
	jq -e ".success == false and .result == null and
	    .errors[0].code == $code and (.errors[0].message | length > 0)
	    and .messages == []" a.body >/dev/null ||
	    fail "$endpoint $*: $(cat a.body)"
}
issued() {
	sqlite3 store.db 'SELECT count(*) FROM certificate'
}
before=$(issued)
# What is not served is not there, whatever CFSSL has.
for endpoint in bundle scan scaninfo init_ca gencrl certadd ''; do
	for method in GET POST; do
		ask "$ours" "$endpoint" a -X $method -d '{}'
		[ "$(cat a.status)" = 404 ] &&
		    [ "$(cat a.body)" = '404 page not found' ] &&
		    [ "$(type_of a)" = 'text/plain; charset=utf-8' ] ||
		    fail "$endpoint: $(cat a.status): $(cat a.body)"
	done
done
status=0
ocsign bundle >out 2>err || status=$?
[ $status -eq 2 ] && grep -q 'no command "bundle"' err || fail "$(cat err)"
# newcert does not sign around an auth_key, and no profile is not a default.
refused newcert 400 400 -d "{\"profile\": \"locked\",
    \"request\": $(cat leaf.json)}"
refused sign 400 5400 -d "$(sign_request '{"profile": "nope"}')"
refused newcert 400 5400 -d "{\"profile\": \"nope\",
    \"request\": $(cat leaf.json)}"
refused sign 400 400 -d "$(sign_request '{"label": "root"}')"
# A white-list is asked about addresses too.
refused sign 400 5500 -d "$(sign_request '{"profile": "listed", "hosts":
    ["8.8.8.8"]}')"
# Nothing that is asked for is left out without a word.
# refused_for WORDS REQUEST
refused_for() {
	refused sign 400 5300 -d "$(sign_request "$2")"
	jq -r '.errors[0].message' a.body | grep -q "$1" ||
	    fail "no \"$1\": $(cat a.body)"
}
one='{"id": "1.2.3.4", "value": "0c026869"}'
refused_for 'serial number was given' '{"serial": 5}'
refused_for 'serial: is no positive number' '{"serial": 0}'
refused_for 'serial: is no positive number' '{"serial": "5"}'
refused_for 'serial: is no positive number' \
    '{"serial": -7, "profile": "numbered"}'
refused_for "wants the caller's serial" '{"profile": "numbered"}'
refused_for "serial number .* is another certificate's" \
    '{"profile": "numbered", "serial": 4822678189205111}'
refused_for '1.2.3.4 was given' "{\"extensions\": [$one]}"
refused_for '2.5.29.19 was given' '{"profile": "extended", "extensions":
    [{"id": "2.5.29.19", "critical": true, "value": "30030101ff"}]}'
refused_for '1.2.3.4 is there twice' \
    "{\"profile\": \"extended\", \"extensions\": [$one, $one]}"
refused_for '1.2.3.4 is not one value' '{"profile": "extended", "extensions":
    [{"id": "1.2.3.4", "value": "0c05"}]}'
refused_for '\[1\].value: is not in hexa' "{\"profile\": \"extended\",
    \"extensions\": [$one, {\"id\": \"1.2.3.5\", \"value\": \"0c0\"}]}"
refused_for '\[0\].id: is no dotted' '{"extensions": [{"id": "x"}]}'
refused_for '\[0\].critical: ' \
    '{"extensions": [{"id": "1.2.3.4", "critical": 1}]}'
refused_for '\[0\]: must be' '{"extensions": [5]}'
refused_for 'must be a list' '{"extensions": {}}'
refused_for 'more than' "{\"extensions\": [$(yes 5 | head -40 | paste -sd,)]}"
refused_for 'crl_override: ' '{"crl_override": "http://c.test/"}'
refused_for 'NotBefore: ' '{"NotBefore": "2026-01-01T00:00:00Z"}'
refused_for 'NotAfter: ' '{"NotAfter": "2036-01-01T00:00:00Z"}'
refused_for 'ReturnPrecert: ' '{"ReturnPrecert": true}'
refused_for 'metadata: ' '{"metadata": {"a": 1}}'
refused authsign 400 5300 -d "$(auth_request $key "$(sign_request \
    "{\"profile\": \"locked\", \"extensions\": [$one]}")")"
refused authsign 400 5300 -d "$(auth_request $key "$(sign_request \
    '{"profile": "locked", "serial": 5}')")"
for rule in serial extension; do
	more='{"serial": 5}'
	[ $rule = serial ] || more="{\"extensions\": [$one]}"
	ask "$ours" 'sign?explain=1' a -d "$(sign_request "$more")"
	jq -e ".explanation.rule == \"$rule\"" a.body >/dev/null ||
	    fail "$rule: $(cat a.body)"
done
# Bad input, at each endpoint.
printf '{"a":%2000s' '' | tr ' ' '[' >deep
head -c 10000000 /dev/zero | tr '\0' ' ' >big
for endpoint in sign authsign newkey newcert info certinfo revoke ocspsign
do
	refused $endpoint 400 400 -d ''
	refused $endpoint 400 400 -d @deep
	refused $endpoint 400 400 -d '{"a": 1, "a": 2}'
	refused $endpoint 400 400 -d '{"profile": "\u0000"}'
	refused $endpoint 400 400 -d '"text"'
	refused $endpoint 413 413 --data-binary @big
	refused $endpoint 405 405 -X PATCH -d '{}'
	grep -qi '^Allow: POST' a.head || fail "$endpoint: no Allow"
done
refused crl 405 405 -d '{}'
refused crl 413 413 --data-binary @big
refused sign 400 5300 -d "$(sign_request '{"hosts": ["a\u0007b.test"]}')"
refused sign 400 5300 -d "$(sign_request '{"hosts": ["a,DNS:b.test"]}')"
refused sign 400 5300 -d "$(sign_request '{"hosts": ["a.*.test"]}')"
# An error's text that ends inside a character is one all the same.
refused sign 400 5500 -d "$(sign_request "{\"hosts\": [\"x.example.com\"],
    \"profile\": \"listed\",
    \"subject\": {\"CN\": \"a$(printf '€%.0s' $(seq 50))\"}}")"
refused sign 400 9003 -d "$(csr=leaf-key.pem; sign_request '{}')"
refused certinfo 400 400 -d '{"domain": "example.com"}'
refused "crl?expiry=365d" 400 400
refused "crl?expiry=99999h" 400 400
# What is inside a token's request counts as what is outside.
refused authsign 400 400 -d "$(auth_request $key '{"a":1,"a":2}')"
refused authsign 400 9002 -d "$(auth_request $key '{"profile": "locked",
    "certificate_request": "x"}')"
refused authsign 400 400 -d "$(auth_request $key "$(sign_request \
    '{"profile": "locked", "timestamp": 1}')")"
[ "$(issued)" -eq "$before" ] || fail "something refused was issued"
# A wrong content type is none of CFSSL's concern, nor ours.
ask "$ours" sign a -H 'Content-Type: image/png' -d "$(sign_request '{}')"
[ "$(cat a.status)" = 200 ] || fail "content type: $(cat a.body)"

# A bundle that is asked for and not made is no secret.
without_bundle='.success and .errors == [] and (.result | has("bundle") | not)
    and (.result.certificate | length > 0) and
    (.messages | length == 1) and .messages[0].code == 5300 and
    (.messages[0].message | test("bundle"))'
ask "$ours" sign a -d "$(sign_request '{"bundle": true}')"
jq -e "$without_bundle" a.body >/dev/null || fail "bundle: $(cat a.body)"
ask "$ours" authsign a -d "$(auth_request $key "$(sign_request \
    '{"profile": "locked", "bundle": true}')")"
jq -e "$without_bundle" a.body >/dev/null || fail "bundle: $(cat a.body)"
ask "$ours" newcert a -d "{\"bundle\": true, \"request\": $(cat leaf.json)}"
jq -e "$without_bundle" a.body >/dev/null || fail "bundle: $(cat a.body)"
same sign -d "$(sign_request '{"bundle": false}')"
refused sign 400 400 -d "$(sign_request '{"bundle": "yes"}')"

# Extensions that the profile allows.
ask "$ours" sign a -d "$(sign_request '{"profile": "extended", "extensions": [
    {"id": "1.2.3.4", "critical": null, "value": "0c026869"},
    {"id": "1.2.3.5", "value": "0500", "critical": true}]}')"
jq -r .result.certificate a.body | openssl x509 -noout -text >cert.txt ||
    fail "extensions: $(cat a.body)"
grep -A1 '1\.2\.3\.4: $' cert.txt | grep -q hi &&
    grep -q '1\.2\.3\.5: critical' cert.txt || fail "$(cat cert.txt)"

# A token that comes again is answered with the same certificate.
before=$(issued)
ask "$ours" authsign a -d "$good"
ask "$ours" authsign b -d "$good"
cmp -s a.body b.body || fail "a repeated token: another certificate"
[ "$(issued)" -eq "$before" ] || fail "a repeated token issues"

# --- cfssl as our client ----------------------------------------------------
jq -n --arg key $key --arg at "$ours" '{signing: {default:
    {auth_remote: {remote: "us", auth_key: "k"}, expiry: "1h",
    usages: ["signing"]}, profiles: {locked: {auth_remote: {remote: "us",
    auth_key: "k"}, expiry: "1h", usages: ["signing"]}}}, auth_keys: {k:
    {type: "standard", key: $key}}, remotes: {us: $at}}' >remote.json
cfssl sign -remote "$ours" -hostname c.example.com leaf.csr 2>sign.err |
    cfssljson -bare one || fail "cfssl sign: $(cat sign.err)"
openssl verify -CAfile trust.pem one.pem >/dev/null || fail "one.pem"
cfssl gencert -remote "$ours" leaf.json 2>gen.err | cfssljson -bare two ||
    fail "cfssl gencert: $(cat gen.err)"
openssl verify -CAfile trust.pem two.pem >/dev/null || fail "two.pem"
cfssl sign -config remote.json -profile locked leaf.csr 2>auth.err |
    cfssljson -bare three || fail "cfssl sign, auth: $(cat auth.err)"
openssl verify -CAfile trust.pem three.pem >/dev/null || fail "three.pem"
openssl x509 -in three.pem -noout -ext extendedKeyUsage |
    grep -q 'Client Auth' || fail "not of the profile locked"
cfssl info -remote "$ours" 2>/dev/null | jq -r .certificate |
    openssl x509 -noout -subject | grep -q 'Test CA' || fail "cfssl info"

# --- revoke, crl, ocspsign, certinfo from the records -----------------------
serial_of() {
	jq -n --rawfile c "$1" '{certificate: $c}' >info.json
	ask "$ours" certinfo a -d @info.json
	jq -r .result.serial_number a.body
}
serial=$(serial_of one.pem)
aki=$(jq -r .result.authority_key_id a.body | tr -d : | tr A-F a-f)
ask "$ours" certinfo b -d "{\"serial\": \"$serial\",
    \"authority_key_id\": \"$aki\"}"
cmp -s a.body b.body || fail "certinfo of the records: $(cat b.body)"
known() {
	jq -n --rawfile c "$1" --arg s "$2" '{certificate: $c, status: $s}' \
	    >status.request
	ask "$ours" ocspsign a -d @status.request
	[ "$(cat a.status)" = 200 ]
}
# Within a second of its issue a responder knows it.
within 1 known two.pem good || fail "ocspsign: $(cat a.body)"
known one.pem good || fail "ocspsign: $(cat a.body)"
jq -r .result.ocspResponse a.body | openssl base64 -d -A >resp.der
openssl ocsp -respin resp.der -issuer ca.pem -cert one.pem -CAfile trust.pem \
    2>&1 | grep -q 'one.pem: good' || fail "not good"
refused ocspsign 400 8200 -d "$(jq -n --rawfile c one.pem \
    '{certificate: $c, status: "revoked"}')"
refused ocspsign 400 8100 -d "$(jq -n --rawfile c peer.pem \
    '{certificate: $c}')"
refused ocspsign 400 8100 \
    -d '{"certificate": "-----BEGIN CERTIFICATE-----\n!\n"}'
refused revoke 400 11200 -d "{\"serial\": \"1\",
    \"authority_key_id\": \"$aki\"}"
refused revoke 400 11200 -d "{\"serial\": \"$serial\",
    \"authority_key_id\": \"00\"}"
refused revoke 400 400 -d "{\"serial\": \"$serial\",
    \"authority_key_id\": \"$aki\", \"reason\": \"dislike\"}"
# What the store cannot take is our fault.
sqlite3 store.db "CREATE TRIGGER full BEFORE INSERT ON journal
    BEGIN SELECT RAISE(ABORT, 'full'); END"
refused revoke 500 500 -d "{\"serial\": \"$serial\",
    \"authority_key_id\": \"$aki\", \"reason\": \"superseded\"}"
sqlite3 store.db 'DROP TRIGGER full'
ask "$ours" revoke a -d "{\"serial\": \"$serial\",
    \"authority_key_id\": \"$aki\", \"reason\": \"superseded\"}"
jq -e '.success and .result.ocsp.sha1.status == "revoked" and
    (.result.revoked_at | test("Z$"))' a.body >/dev/null ||
    fail "revoke: $(cat a.body)"
expect revoked one.pem
# What it says of the new response is what responders then give.
jq -r '"\(.result.ocsp.sha1 | .response_sha256, .produced_at)",
    .result.revoked_at' a.body >said
request one.pem r.request
[ "$(post r.request r.der)" = 200 ] || fail "no response"
openssl ocsp -respin r.der -noverify -resp_text >r.txt 2>/dev/null
# time_of LABEL: what OpenSSL says of the response, as JSON has it.
time_of() {
	date -u -d "$(sed -n "s/^ *$1: //p" r.txt)" +%Y-%m-%dT%H:%M:%SZ
}
{
	sha256sum <r.der | cut -d' ' -f1
	time_of 'Produced At'
	time_of 'Revocation Time'
} >given
cmp -s said given || fail "said $(cat said), given $(cat given)"
known one.pem revoked || fail "ocspsign, revoked: $(cat a.body)"
ask "$ours" 'crl?expiry=24h' a
jq -r .result a.body | openssl base64 -d -A |
    openssl crl -inform DER -noout -text >crl.txt || fail "crl"
grep -qi "$(openssl x509 -in one.pem -noout -serial | cut -d= -f2)" \
    crl.txt && grep -q Superseded crl.txt || fail "not in the list"
# Asked for again and again, by many at once, it is signed once in a while;
# one that lacks a revocation is not handed out.
lists() {
	sqlite3 store.db 'SELECT count(*) FROM crl'
}
crl_number() {
	jq -r .result "$1.body" | openssl base64 -d -A | openssl crl \
	    -inform DER -noout -crlnumber
}
before=$(lists)
began=$(date +%s)
n=0
loops=
while [ $n -lt 40 ]; do
	ask "$ours" "crl?expiry=$((20 + n % 3))h" "crl$((n % 8))" &
	loops="$loops $!"
	n=$((n + 1))
	if [ $((n % 8)) -eq 0 ]; then
		for pid in $loops; do
			wait "$pid"
		done
		loops=
		grep -L '"success":true' crl[0-7].body | grep . &&
		    fail "crl: $(cat crl?.body)"
	fi
done
after=$(lists)
ended=$(date +%s)
[ $((after - before)) -le $(((ended - began) / 5 + 1)) ] ||
    fail "$((after - before)) lists in $((ended - began)) s"
ask "$ours" crl a
number=$(crl_number a)
serial=$(openssl x509 -in two.pem -noout -serial | cut -d= -f2)
ask "$ours" revoke b -d "{\"serial\": \"0x$serial\",
    \"authority_key_id\": \"$aki\"}"
[ "$(cat b.status)" = 200 ] || fail "revoke: $(cat b.body)"
ask "$ours" crl c
[ "$(crl_number c)" != "$number" ] || fail "the same list: $number"
jq -r .result c.body | openssl base64 -d -A | openssl crl -inform DER \
    -noout -text | grep -qi "$serial" || fail "two.pem is not in the list"
# Issuing is no reason for a new one, time is.
ask "$ours" sign b -d "$(sign_request '{}')"
ask "$ours" crl d
[ "$(crl_number d)" = "$(crl_number c)" ] || [ "$(date +%s)" -gt \
    $((ended + 4)) ] || fail "a new list for nothing"
sleep 5
ask "$ours" crl e
[ "$(crl_number e)" != "$(crl_number d)" ] || fail "still the same list"

# --- nothing secret is kept or said -----------------------------------------
! grep -qi "$key" ocsignd.log store.db || fail "an HMAC key is kept"
! grep -q 'PRIVATE KEY' ocsignd.log store.db || fail "a key is kept"

# --- require-nonce ----------------------------------------------------------
sed -i 's/^issuers = ca/&\nrequire-nonce = yes/' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
sleep 1
within 10 grep -q ': reloaded' ocsignd.log || fail "no reload"
within 5 healthy || fail "not healthy"
refused authsign 400 400 -d "$(auth_request $key "$(sign_request \
    '{"profile": "locked", "hosts": ["n.example.com"]}')")"
refused authsign 400 400 -d "$(auth_request $key "$(sign_request \
    "{\"profile\": \"locked\", \"hosts\": [\"n.example.com\"],
    \"timestamp\": $(date +%s)}")")"
ask "$ours" authsign a -d "$(auth_request $key "$(sign_request \
    "{\"profile\": \"locked\", \"hosts\": [\"n.example.com\"],
    \"timestamp\": $(date +%s), \"nonce\": \"n1\"}")")"
[ "$(cat a.status)" = 200 ] || fail "with nonce: $(cat a.body)"
service_stop
ocsign audit verify >/dev/null || fail "audit"
