#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ?explain=1: the API says of each field where it comes from, and of a refusal
# by which rule, as "cert issue --explain" does; in places where the dialects'
# clients pass it over; and says nothing unless it is asked.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep jq sqlite3 cfssljson

hmac=0123456789abcdef0123456789abcdef
echo '{"signing": {"default": {"usages": ["signing", "server auth"],
    "expiry": "8760h"}, "profiles": {"locked": {"usages": ["signing",
    "server auth"], "expiry": "24h", "auth_key": "k"}}}, "auth_keys": {"k":
    {"type": "standard", "key": "'$hmac'"}}}' >"$dir/config.json"
ca_folder
ca_make
cat >>ocsign.conf <<EOF
[cfssl]
config = config.json
[api]
listen = 127.0.0.1:0
issuers = ca
endpoints = health sign authsign newcert crl
profiles = server
origin-ecc = ca
EOF
ocsign account add acme >/dev/null
ocsign account change acme --live-max 9 >/dev/null
ocsign zone add example.com --account acme >/dev/null
ocsign account token acme --kind bearer --out token >/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout site.key -subj /O=Mine/CN=www.example.com -out site.csr \
    -addext subjectAltName=DNS:www.example.com 2>/dev/null
service_start
api=$(sed 's,/$,,' run/api.urls)
is_healthy() {
	curl -sS -m 5 "$api/api/v1/cfssl/health" 2>/dev/null |
	    jq -e .result.healthy >/dev/null
}
within 10 is_healthy || fail "not healthy"

# ask PATH JSON OPTION...: the answer in out, the status in code.
ask() {
	path=$1
	printf %s "$2" >body
	shift 2
	curl -sS -m 10 -o out -w '%{http_code}' --data-binary @body "$@" \
	    "$api$path" >code || fail "curl"
}
cfssl() {
	ask "/api/v1/cfssl/$1" "$2"
}
origin() {
	ask "/client/v4/certificates$1" "$2" -H "Authorization: Bearer $(cat \
	    token)" -H 'Content-Type: application/json'
}
is() {
	jq -e "$1" out >/dev/null || fail "not $1: $(cat out)"
}
# request JSON: with the CSR in it, under that name.
request() {
	jq -cn --rawfile csr site.csr --argjson more "$2" \
	    "{$1: \$csr} + \$more"
}
sign_request() {
	request certificate_request "$1"
}
origin_request() {
	request csr "{\"request_type\": \"origin-ecc\", \"hostnames\": [\"$1\"],
	    \"requested_validity\": $2}"
}
# from PLACE FIELD VALUE SOURCE: one of the fields.
from() {
	is "any($1.fields[]; .field == \"$2\" and (.value | test(\"$3\")) and
	    .source == \"$4\")"
}

# --- CFSSL's -----------------------------------------------------------------
# Not unless it is asked for.
cfssl sign "$(sign_request '{"profile": "server"}')"
is '.success and (.result | keys) == ["certificate"]'
for query in '?explain=0' '?explain=' '?explain' '?explained=1'; do
	cfssl "sign$query" "$(sign_request '{"profile": "server"}')"
	is '.success and (.result | keys) == ["certificate"]'
done
cfssl 'sign?x=y&explain=1' "$(sign_request '{"profile": "server"}')"
is '.success and .messages == [] and .errors == []'
is '.result.explanation | .accepted and (has("rule") | not) and
    (has("repeated") | not)'
from .result.explanation subject CN=www.example.com csr
from .result.explanation subjectAltName DNS:www.example.com csr
from .result.explanation issuer 'CN=Test CA' issuer
from .result.explanation notBefore Z clock
from .result.explanation notAfter Z profile
from .result.explanation subjectKeyIdentifier '^[0-9a-f]{40}$' key
from .result.explanation keyUsage digitalSignature profile
cfssljson one <out || fail "cfssljson: $(cat out)"
openssl verify -CAfile trust.pem one.pem >/dev/null || fail "one.pem"
# It is what the command says, but for the times.
jq -S '.result.explanation | del(.fields[] |
    select(.field | test("^not")))' out >api.json
ocsign --json cert issue --issuer ca --profile server --explain --dry-run \
    site.csr | jq -S 'del(.fields[] | select(.field | test("^not")))' \
    >cli.json
# A dry run does not ask which of its algorithms the key is used with.
cmp -s api.json cli.json || fail "$(diff api.json cli.json)"
# What is given, and what is left out for it; a subject's other parts stay.
cfssl 'sign?explain=1' "$(sign_request '{"profile": "server", "hosts":
    ["www.example.com", "a.example.com"], "subject": {"names":
    [{"O": "Ours"}]}}')"
from .result.explanation subject 'O=Ours' request
from .result.explanation subject 'CN=www.example.com' request
from .result.explanation subject 'O=Mine' ignored
from .result.explanation subjectAltName DNS:a.example.com request
from .result.explanation subjectAltName DNS:www.example.com ignored
cfssljson two <out
openssl x509 -in two.pem -noout -subject | grep -q 'O = Ours.*CN = www' ||
    fail "$(openssl x509 -in two.pem -noout -subject)"
cfssl 'newcert?explain=1' '{"request": {"CN": "www.example.com", "hosts":
    ["www.example.com"], "key": {"algo": "ecdsa", "size": 256}}}'
from .result.explanation subjectAltName DNS:www.example.com csr
! grep -q 'PRIVATE KEY' ocsignd.log || fail "a key is logged"

# refused CODE RULE: the envelope is CFSSL's, with a member more.
refused() {
	[ "$(cat code)" = 400 ] || fail "$(cat code): $(cat out)"
	is ".success == false and .result == null and .messages == [] and
	    .errors[0].code == $1 and (.errors | length == 1)"
	is ".explanation.accepted == false and .explanation.rule == \"$2\" and
	    (.explanation.refusal | length > 0) and
	    (.explanation.fields | type == \"array\")"
	# CFSSL's own reader tells the error.
	cfssljson bad <out >bad.out 2>&1 && fail "cfssljson takes it"
	grep -q "$(jq -r '.errors[0].message' out | cut -c1-20)" bad.out ||
	    fail "cfssljson: $(cat bad.out)"
}
before=$(sqlite3 store.db 'SELECT count(*) FROM certificate')
cfssl 'sign?explain=1' "$(sign_request '{"profile": "server", "hosts":
    ["a@example.com"]}')"
refused 5300 name-kind
# As far as it went.
from .explanation notAfter Z profile
is '.explanation.refusal == .errors[0].message'
cfssl 'sign?explain=1' "$(sign_request '{"profile": "nope"}')"
refused 5400 profile-unknown
cfssl 'sign?explain=1' "$(sign_request '{"profile": "locked"}')"
refused 400 authentication
cfssl 'sign?explain=1' "$(sign_request '{"hosts": ["a b"]}')"
refused 5300 name-malformed
cfssl 'sign?explain=1' '{"certificate_request": "x"}'
refused 9002 csr-malformed
cfssl 'sign?explain=1' '{'
refused 400 none
cfssl 'newcert?explain=1' '{"request": {"hosts": ["a_b"]},
    "profile": "server"}'
is '.success == false and (.errors[0].message | length > 0)'
cfssl 'newcert?explain=1' '{"request": {"CN": "a.test", "hosts": ["b.test"]},
    "profile": "server"}'
refused 5300 common-name
cfssl sign "$(sign_request '{"profile": "nope"}')"
is 'has("explanation") | not'

# authsign; who asks again is told no more than that.
auth_request() {
	printf %s "$2" >request
	jq -cn --arg token "$(openssl dgst -sha256 -mac HMAC -macopt \
	    "hexkey:$1" -binary request | openssl base64 -A)" --arg request \
	    "$(openssl base64 -A -in request)" \
	    '{token: $token, request: $request}'
}
good=$(auth_request $hmac "$(sign_request '{"profile": "locked"}')")
cfssl 'authsign?explain=1' "$good"
from .result.explanation notAfter Z profile
cfssl 'authsign?explain=1' "$good"
is '.result.explanation == {"accepted": true, "repeated": true,
    "fields": []}'
cfssl 'authsign?explain=1' "$(auth_request 00$hmac "$(sign_request \
    '{"profile": "locked"}')")"
refused 400 authentication
is '.explanation.fields == []'
[ "$(sqlite3 store.db 'SELECT count(*) FROM certificate')" -eq \
    $((before + 1)) ] || fail "something refused was issued"

# --- Cloudflare's ------------------------------------------------------------
origin '' "$(origin_request www.example.com 30)"
is '.success and (.result | has("explanation") | not)'
origin '/?explain=1' "$(origin_request a.example.com 30)"
is '.success and .messages == [] and .errors == []'
from .result.explanation account '^acme$' account
is 'any(.result.explanation.fields[]; .field == "account" and
    .detail == "1 of 9 certificates live")'
from .result.explanation subjectAltName DNS:a.example.com zone
is 'any(.result.explanation.fields[]; .source == "zone" and
    .detail == "example.com")'
from .result.explanation subjectAltName DNS:a.example.com request
from .result.explanation notAfter Z request
from .result.explanation subject 'Origin Certificate' profile
from .result.explanation subject 'O=Mine' ignored
origin '?explain=1' "$(origin_request a.example.com 30)"
is '.result.explanation == {"accepted": true, "repeated": true,
    "fields": []}'
# None asked for: what the profile gives, and that is what it is then.
origin '?explain=1' "$(origin_request b.example.com null)"
is '.result.requested_validity == 5475'
from .result.explanation notAfter Z profile
origin '?explain=1' "$(origin_request b.example.com 5475)"
is '.result.explanation.repeated'
# Without a CSR too.
origin '?explain=1' '{"csr": "", "hostnames": ["c.example.com"],
    "request_type": "origin-ecc"}'
is '.result.explanation.accepted and (.result | has("private_key"))'

# denied CODE RULE
denied() {
	[ "$(cat code)" = 400 ] || fail "$(cat code): $(cat out)"
	is ".success == false and .result == null and .messages == [] and
	    .errors[0].code == $1 and (.errors[0] | keys) ==
	    [\"code\", \"message\"] and .explanation.accepted == false and
	    .explanation.rule == \"$2\" and
	    .explanation.refusal == .errors[0].message"
}
origin '?explain=1' "$(origin_request www.example.org 30)"
denied 11032 zone
from .explanation account '^acme$' account
origin '?explain=1' "$(origin_request www.example.com 8)"
denied 11024 validity-choice
origin '?explain=1' "$(origin_request 192.0.2.1 30)"
denied 11015 name-kind
origin '?explain=1' '{"csr": "x", "request_type": "nope",
    "hostnames": ["www.example.com"]}'
denied 10001 none
origin '' "$(origin_request www.example.org 30)"
is 'has("explanation") | not'
# Nothing is explained to who is nobody.
ask '/client/v4/certificates?explain=1' "$(origin_request a.example.com 30)" \
    -H 'Authorization: Bearer x' -H 'Content-Type: application/json'
is '.errors[0].code == 10000 and (has("explanation") | not)'
service_stop
ocsign audit verify >/dev/null || fail "audit"
