#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Cloudflare's Origin CA API, as its clients use it: create, list, one,
# revoke; all three kinds of token; repetitions; what is refused, in the
# dialect's own envelope, with nothing issued.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep jq sqlite3

ca_folder
ca_make
sed -i 's/^table-directory = .*/&\nlog-level = info/' ocsign.conf
cat >>ocsign.conf <<EOF
[api]
listen = 127.0.0.1:0
origin-ecc = ca
origin-rsa = ca
EOF
ocsign account add acme --email ops@acme.test >/dev/null
ocsign account add other >/dev/null
ocsign zone add example.com --account acme >zone.out
zone=$(sed -n 's/^id: *//p' zone.out)
ocsign zone add 'bücher.example' --account acme >/dev/null
ocsign zone add other.test --account other >/dev/null
# token ACCOUNT KIND: prints it.
token() {
	ocsign account token "$1" --kind "$2" --out token.out >/dev/null
	cat token.out
	rm token.out
}
bearer=$(token acme bearer)
service_key=$(token acme service-key)
global_key=$(token acme global-key)
others=$(token other bearer)
[ -n "$bearer" ] && [ -n "$service_key" ] && [ -n "$global_key" ] ||
    fail "no tokens"
service_start
api=$(sed 's,/$,,' run/api.urls)

openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout site.key -subj /O=Ignored/CN=ignored.test -out site.csr \
    2>/dev/null
openssl req -new -newkey rsa:2048 -nodes -keyout rsa.key -subj /CN=x \
    -out rsa.csr 2>/dev/null

# call METHOD PATH CURL-OPTION...: body in out, prints the status.
call() {
	method=$1
	path=$2
	shift 2
	curl -sS -m 10 -o out -D head -w '%{http_code}\n' -X "$method" "$@" \
	    "$api$path"
}
auth="Authorization: Bearer $bearer"
json='Content-Type: application/json'
# post JSON OPTION...
post() {
	body=$1
	shift
	call POST /client/v4/certificates -H "$json" -d "$body" "$@"
}
# is FILTER: true of the last body.
is() {
	jq -e "$1" out >/dev/null || fail "not $1: $(cat out)"
}
envelope() {
	is '.messages == [] and (.success | type == "boolean")'
	is '(.success and .errors == []) or
	    (.errors | length > 0 and (.[0].code | type == "number") and
	    (.[0].message | length > 0))'
}
request() {
	jq -n --rawfile csr "${csr:-site.csr}" --argjson hosts "$1" \
	    --argjson days "${2:-5475}" --arg type "${3:-origin-ecc}" \
	    '{csr: $csr, hostnames: $hosts, requested_validity: $days,
	    request_type: $type}'
}
count() {
	sqlite3 store.db 'SELECT count(*) FROM certificate'
}
wait_healthy() {
	[ "$(call GET /origin_ca_ecc_root.pem)" = 200 ] &&
	    [ "$(post "$(request '["a.example.com"]' 7)" -H "$auth")" = 200 ]
}
within 10 wait_healthy || fail "nothing is issued: $(cat out)"

# --- create -----------------------------------------------------------------
hosts='["Example.com", "*.example.com", "www.bücher.example"]'
asked=$(request "$hosts")
[ "$(post "$asked" -H "$auth")" = 200 ] || fail "create: $(cat out)"
envelope
is '.success and .result.request_type == "origin-ecc" and
    .result.requested_validity == 5475'
is ".result.hostnames == $hosts"
jq -e --rawfile csr site.csr '.result.csr == $csr' out >/dev/null ||
    fail "the CSR is another"
is '.result.expires_on | test("^20[0-9-]+T[0-9:]+Z$")'
is '.result.id | test("^[0-9]+$")'
jq -r .result.certificate out >site.pem
id=$(jq -r .result.id out)
call GET /origin_ca_ecc_root.pem >/dev/null
cp out roots.pem
openssl verify -CAfile roots.pem -purpose sslserver site.pem >/dev/null ||
    fail "not verified"
openssl x509 -in site.pem -noout -text >site.txt
grep -q 'DNS:example.com, DNS:\*.example.com, DNS:www.xn--bcher-kva.example' \
    site.txt || fail "names: $(grep -A1 Alternative site.txt)"
! grep -qi ignored site.txt || fail "the CSR's subject is not ignored"
grep -q 'TLS Web Server Auth' site.txt && grep -q 'TLS Web Client Auth' \
    site.txt || fail "usages"
start=$(date -d "$(openssl x509 -in site.pem -noout -startdate |
    cut -d= -f2)" +%s)
end=$(date -d "$(openssl x509 -in site.pem -noout -enddate |
    cut -d= -f2)" +%s)
[ $((end - start)) -eq $((5475 * 86400)) ] || fail "$((end - start)) s"

# An error's text that ends inside a character is one all the same.
[ "$(post "$(request "[\"a$(printf 'é%.0s' $(seq 60))@x\"]")" \
    -H "$auth")" = 400 ] || fail "half a character: $(cat out)"
envelope

# Once more, the names in another order, with a slash, an ignored field and
# each of the other tokens: the same certificate, and no new one.
before=$(count)
again=$(request '["www.bücher.example", "*.example.com", "example.com"]' |
    jq '. + {id: "", certificate: "", expires_on: "0001-01-01T00:00:00Z"}')
for headers in "$auth" "X-Auth-User-Service-Key: $service_key" \
    "x-auth-key: $global_key"; do
	[ "$(call POST /client/v4/certificates/ -H "$json" -d "$again" \
	    -H "$headers" -H 'X-Auth-Email: ops@acme.test')" = 200 ] ||
	    fail "$headers: $(cat out)"
	is ".result.id == \"$id\""
	is '.result.hostnames[0] == "www.bücher.example"'
done
[ "$(count)" -eq "$before" ] || fail "a repetition issues"
# Sixteen at once are one.
many=$(request '["many.example.com"]')
n=0
loops=
while [ $n -lt 16 ]; do
	curl -sS -m 10 -H "$auth" -H "$json" -d "$many" \
	    -o many.$n "$api/client/v4/certificates" &
	loops="$loops $!"
	n=$((n + 1))
done
for pid in $loops; do
	wait "$pid" || fail "one of many"
done
[ "$(cat many.* | jq -r .result.id | sort -u | wc -l)" -eq 1 ] ||
    fail "many: $(cat many.* | jq -r .result.id | sort | uniq -c)"
[ "$(count)" -eq $((before + 1)) ] || fail "many issue several"
# Another validity is another certificate; RSA too.
[ "$(post "$(request "$hosts" 30)" -H "$auth")" = 200 ] || fail "30 days"
is ".result.id != \"$id\""
[ "$(csr=rsa.csr; export csr; post "$(request '["example.com"]' 365 \
    origin-rsa)" -H "$auth")" = 200 ] || fail "RSA: $(cat out)"

# Whoever checks needs no token, and has the root in either file.
for kind in ecc rsa; do
	[ "$(call GET /origin_ca_${kind}_root.pem)" = 200 ] ||
	    fail "the $kind root: $(cat out)"
	openssl storeutl -noout -certs out >roots.count 2>/dev/null
	grep -q ': 2$' roots.count || fail "$kind: $(cat out)"
	openssl verify -CAfile out site.pem >/dev/null || fail "$kind: verify"
done

# Without a CSR key and request are made, and nothing of them stays.
[ "$(post '{"csr": "", "hostnames": ["key.example.com"], "request_type":
    "origin-ecc", "requested_validity": 90}' -H "$auth")" = 200 ] ||
    fail "without CSR: $(cat out)"
jq -r .result.private_key out >made.key
jq -r .result.certificate out >made.pem
openssl x509 -in made.pem -noout -pubkey >made.pub
openssl pkey -in made.key -pubout 2>/dev/null | cmp -s - made.pub ||
    fail "the key is not the certificate's"
key=$(sed -n 2p made.key)
! grep -qF "$key" store.db ocsignd.log || fail "the key is kept"

# --- list, one --------------------------------------------------------------
[ "$(call GET "/client/v4/certificates?zone_id=$zone&per_page=2&page=2" \
    -H "$auth")" = 200 ] || fail "list: $(cat out)"
envelope
is '.result_info.page == 2 and .result_info.per_page == 2 and
    .result_info.count == (.result | length) and
    .result_info.total_count >= 5 and (.result | length == 2)'
[ "$(call GET '/client/v4/certificates?limit=1&offset=1' -H "$auth")" = 200 ]
is '(.result | length == 1) and .result_info.page == 2'
[ "$(call GET "/client/v4/certificates?page=x" -H "$auth")" = 400 ] ||
    fail "page=x"
[ "$(call GET "/client/v4/certificates?zone_id=$zone" \
    -H "Authorization: Bearer $others")" = 404 ] || fail "another's zone"
envelope
hex=$(openssl x509 -in site.pem -noout -serial | cut -d= -f2)
for name in "$id" "0x$hex" "$id/"; do
	[ "$(call GET "/client/v4/certificates/$name" -H "$auth")" = 200 ] ||
	    fail "GET $name: $(cat out)"
	is ".result.id == \"$id\" and .result.requested_validity == 5475"
	is ".result.hostnames == $hosts and (has(\"revoked_at\") | not)"
done
[ "$(call GET "/client/v4/certificates/$id" \
    -H "Authorization: Bearer $others")" = 404 ] ||
    fail "another's certificate: $(cat out)"
envelope

# --- refused ----------------------------------------------------------------
before=$(count)
# refuse STATUS PATTERN: the last call, whose status is on standard input.
refuse() {
	read -r got
	[ "$got" = "$1" ] || fail "$got, not $1 ($2): $(cat out)"
	envelope
	is '.success == false and .result == null'
	jq -r '.errors[0].message' out | grep -Eiq -- "$2" ||
	    fail "no \"$2\": $(cat out)"
	is "(.errors[0].code | tostring) as \$c | \$c | test(\"^${3:-1}\")"
}
wrong=$(echo "$bearer" | sed 's/.$/x/')
flipped=$(echo "$bearer" | sed 'y/0123456789abcdef/123456789abcdef0/')
for headers in 'X-None: 1' 'Authorization: Bearer' \
    'Authorization: Basic x' 'Authorization: Bearer x' \
    "Authorization: Bearer $wrong" "Authorization: Bearer $flipped" \
    "X-Auth-User-Service-Key: $bearer" "X-Auth-Key: $global_key"; do
	post "$asked" -H "$headers" | refuse 401 'authentication error' 10000
	call GET "/client/v4/certificates/$id" -H "$headers" |
	    refuse 401 'authentication error' 10000
	call DELETE "/client/v4/certificates/$id" -H "$headers" |
	    refuse 401 'authentication error' 10000
done
post "$asked" -H "X-Auth-Key: $global_key" -H 'X-Auth-Email: a@b.test' |
    refuse 401 'authentication error' 10000
# A token that is revoked, and one whose time is over.
ended=$(token acme bearer)
post "$asked" -H "Authorization: Bearer $ended" >status
[ "$(cat status)" = 200 ] || fail "a new token: $(cat out)"
ocsign account revoke acme "$(echo "$ended" | cut -d_ -f2)" >/dev/null
post "$asked" -H "Authorization: Bearer $ended" |
    refuse 401 'authentication error' 10000
ocsign account token acme --kind bearer --expires-in 1s --out token.out \
    >/dev/null
ended=$(cat token.out)
sleep 2
post "$asked" -H "Authorization: Bearer $ended" |
    refuse 401 'authentication error' 10000
post '' -H "$auth" | refuse 400 json
post '{' -H "$auth" | refuse 400 json
post '[]' -H "$auth" | refuse 400 json
post '{"csr":"a","csr":"b"}' -H "$auth" | refuse 400 duplicate
printf '{"a":%2000s' '' | tr ' ' '[' >deep
call POST /client/v4/certificates -H "$auth" -H "$json" -d @deep |
    refuse 400 levels
head -c 10000000 /dev/zero | tr '\0' ' ' >big
call POST /client/v4/certificates -H "$auth" -H "$json" \
    --data-binary @big | refuse 413 large 413
call POST /client/v4/certificates -H "$auth" -d "$asked" |
    refuse 415 content-type
call PUT /client/v4/certificates -H "$auth" | refuse 405 method
grep -qi '^Allow: GET, POST' head || fail "no Allow"
call GET /client/v4/accounts -H "$auth" | refuse 404 route
post '{"hostnames":["a.example.com"],"csr":5}' -H "$auth" |
    refuse 400 strings
post "$(request '[]')" -H "$auth" | refuse 400 'asks for no name' 11
post '{"csr":"x"}' -H "$auth" | refuse 400 'at least one'
post "$(request '["a.example.com", 5]')" -H "$auth" |
    refuse 400 'list of'
post "$(request '["a.example.com"]' 8)" -H "$auth" | refuse 400 valid 11
post "$(request '["a.example.com"]' 99999)" -H "$auth" | refuse 400 validity 11
post "$(request '["a.example.com"]' 7 keyless-certificate)" -H "$auth" |
    refuse 400 origin-ecc
post "$(request '["a.other.test"]')" -H "$auth" | refuse 400 zone 11
post "$(request '["example.org"]')" -H "$auth" | refuse 400 zone 11
post "$(request '["192.0.2.1"]')" -H "$auth" | refuse 400 '' 11
post "$(request '["*.*.example.com"]')" -H "$auth" | refuse 400 '' 11
post "$(request '["a.*.example.com"]')" -H "$auth" | refuse 400 '' 11
post "$(request '["*.com"]')" -H "$auth" | refuse 400 '' 11
post "$(request '["a b.example.com"]')" -H "$auth" | refuse 400 '' 11
post "$(request '["a\u0000.example.com"]')" -H "$auth" | refuse 400 ''
post "$(request '["a\u0007.example.com"]')" -H "$auth" | refuse 400 '' 11
post "$(request '["a,DNS:evil.example.com"]')" -H "$auth" |
    refuse 400 '' 11
post "$(csr=rsa.csr; export csr; request '["a.example.com"]')" \
    -H "$auth" | refuse 400 '' 11
post "$(csr=site.key; export csr; request '["a.example.com"]')" \
    -H "$auth" | refuse 400 'private key' 11
sed 's/^M/N/' site.csr >broken.csr
post "$(csr=broken.csr; export csr; request '["a.example.com"]')" \
    -H "$auth" | refuse 400 '' 11
[ "$(count)" -eq "$before" ] || fail "something refused was issued"

# --- revoke -----------------------------------------------------------------
[ "$(call DELETE "/client/v4/certificates/$id" \
    -H "Authorization: Bearer $others")" = 404 ] ||
    fail "another's can be revoked"
expect good site.pem
[ "$(call DELETE "/client/v4/certificates/$id" -H "$auth")" = 200 ] ||
    fail "DELETE: $(cat out)"
envelope
is ".result.id == \"$id\" and (.result.revoked_at | test(\"Z\$\"))"
is '.result.ocsp.sha1.status == "revoked"'
hash=$(jq -r .result.ocsp.sha1.response_sha256 out)
# What responders say now is that response.
expect revoked site.pem
openssl ocsp -issuer ca.pem -cert site.pem -no_nonce -reqout r.der \
    2>/dev/null
curl -sS --data-binary @r.der -H 'Content-Type: application/ocsp-request' \
    -o r.out "$url"
[ "$(sha256sum <r.out | cut -d' ' -f1)" = "$hash" ] ||
    fail "the hash is not the response's"
openssl ocsp -respin r.out -noverify -resp_text >r.txt 2>/dev/null
# time_of LABEL: what OpenSSL says of the response, as JSON has it.
time_of() {
	date -u -d "$(sed -n "s/^ *$1: //p" r.txt)" +%Y-%m-%dT%H:%M:%SZ
}
is ".result.ocsp.sha1.produced_at == \"$(time_of 'Produced At')\""
is ".result.revoked_at == \"$(time_of 'Revocation Time')\""
revoked_at=$(jq -r .result.revoked_at out)
[ "$(call DELETE "/client/v4/certificates/$id" -H "$auth")" = 200 ] ||
    fail "DELETE twice: $(cat out)"
is ".result.revoked_at == \"$revoked_at\""
[ "$(call GET "/client/v4/certificates/$id" -H "$auth")" = 200 ]
is ".result.revoked_at == \"$revoked_at\""
call DELETE /client/v4/certificates/12345 -H "$auth" | refuse 404 'no such'
# Revoked, the same request is a new one.
[ "$(post "$asked" -H "$auth")" = 200 ] || fail "anew: $(cat out)"
is ".result.id != \"$id\""

# --- quotas -----------------------------------------------------------------
# What comes again costs nothing, even where nothing is left.
ocsign account add small --live-max 1 >/dev/null
ocsign zone add small.test --account small >/dev/null
small="Authorization: Bearer $(token small bearer)"
one=$(request '["small.test"]')
[ "$(post "$one" -H "$small")" = 200 ] || fail "within the quota: $(cat out)"
id=$(jq -r .result.id out)
[ "$(post "$one" -H "$small")" = 200 ] || fail "once more: $(cat out)"
is ".result.id == \"$id\""
post "$(request '["two.small.test"]')" -H "$small" | refuse 429 live 11
post "$(request '["key.small.test"]' | jq '.csr = ""')" -H "$small" |
    refuse 429 live 11

# --- killed between reserve and record --------------------------------------
# Nobody has that certificate, and nobody will: the same request again is
# carried out as soon as somebody is there, also within the quota.
ocsign account add brief --live-max 1 >/dev/null
ocsign zone add brief.test --account brief >/dev/null
brief="Authorization: Bearer $(token brief bearer)"
one=$(request '["brief.test"]')
reserved() {
	[ "$(sqlite3 store.db "SELECT count(*) FROM certificate
	    WHERE names = 'DNS:brief.test' AND state = $1")" = "$2" ]
}
signer=$(role signer)
kill -STOP "$signer"
curl -sS -m 20 -o brief.out -H "$json" -H "$brief" -d "$one" \
    "$api/client/v4/certificates" >/dev/null 2>&1 &
asking=$!
within 5 reserved 1 1 || fail "not reserved"
[ "$(post "$one" -H "$brief" -m 1 2>/dev/null)" != 200 ] ||
    fail "issued without a signer: $(cat out)"
reserved 1 1 || fail "reserved again, though it may yet be issued"
kill -9 "$(role issuer)"
kill -CONT "$signer"
! wait $asking || ! jq -e .success brief.out >/dev/null 2>&1 ||
    fail "the dead have answered"
again() {
	[ "$(post "$one" -H "$brief" 2>/dev/null)" = 200 ]
}
within 20 again || fail "after the kill: $(cat out)"
reserved 1 1 && reserved 2 1 || fail "not one of each"
id=$(jq -r .result.id out)
again || fail "$(cat out)"
is ".result.id == \"$id\""

# --- nothing secret is kept or said -----------------------------------------
for secret in "$bearer" "$service_key" "$global_key" "$others"; do
	secret=$(echo "$secret" | tail -c 30)
	! grep -qF "$secret" ocsignd.log store.db || fail "a token is kept"
done
# A disabled account is let in no more.
ocsign account disable acme >/dev/null
post "$asked" -H "$auth" | refuse 401 'authentication error' 10000
service_stop
ocsign audit verify >/dev/null || fail "audit"
