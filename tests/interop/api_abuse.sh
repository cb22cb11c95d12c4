#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Who has no token takes nothing from who has: not the threads, not the event
# loop, not the CAs that are another door's; and what the API says of itself
# is so.  Each check is one that once failed.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep jq python3

ca_folder
ca_make
ocsign key generate --token demo --label edge >/dev/null
cat >>ocsign.conf <<EOF
[issuer edge]
certificate = edge.pem
chain = root.pem
token = demo
key = edge
ocsp-url = $url
[api]
listen = 127.0.0.1:0
origin-ecc = edge
EOF
sed -i 's/^table-directory = .*/&\nlog-level = info/' ocsign.conf
ocsign ca create edge --issuer root --subject 'CN=Test Edge,O=Example,C=DE'
ocsign account add acme >/dev/null
ocsign zone add example.com --account acme >/dev/null
ocsign account token acme --kind bearer --out token.out >/dev/null
auth="Authorization: Bearer $(cat token.out)"
json='Content-Type: application/json'
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout site.key -subj /CN=www.example.com -out site.csr 2>/dev/null
service_start
api=$(sed 's,/$,,' run/api.urls)

# call PATH CURL-OPTION...: body in out, prints the status.
call() {
	path=$1
	shift
	curl -sS -m 12 -o out -D head -w '%{http_code}\n' "$@" "$api$path"
}
# refused PATH STATUS CODE CURL-OPTION...
refused() {
	path=$1
	want=$2
	code=$3
	shift 3
	got=$(call "$path" "$@")
	[ "$got" = "$want" ] && jq -e "(.success | not) and
	    .errors[0].code == $code" out >/dev/null ||
	    fail "$path: $got, not $want and $code: $(cat out)"
}
# order HOST: a request of the origin API.
order() {
	jq -n --rawfile csr site.csr --arg host "$1" '{csr: $csr,
	    hostnames: [$host], requested_validity: 7,
	    request_type: "origin-ecc"}'
}
# create HOST
create() {
	call /client/v4/certificates -H "$json" -H "$auth" -d "$(order "$1")"
}
# made HOST: so it was issued.
made() {
	[ "$(create "$1")" = 200 ]
}
within 10 made a.example.com || fail "nothing is issued: $(cat out)"

cfssl=/api/v1/cfssl
slow='{"CN": "x", "key": {"algo": "rsa", "size": 4096}}'
# --- keys for nobody --------------------------------------------------------
# Without issuers there is no CFSSL CA to make keys for.
for name in newkey newcert; do
	[ "$(call $cfssl/$name -d "$slow")" = 404 ] ||
	    fail "$name without issuers: $(cat out)"
done
configure() {
	lines=$(count ': reloaded' ocsignd.log)
	sed -i "$1" ocsign.conf
	kill -HUP "$(cat ocsignd.pid)"
	within 10 is_reloaded || fail "no reload"
}
is_reloaded() {
	[ "$(count ': reloaded' ocsignd.log)" -gt "$lines" ]
}
endpoints='health info certinfo sign newkey newcert revoke crl ocspsign'
configure "s/^origin-ecc = .*/&\\nissuers = ca\\nprofiles = server\\n\
endpoints = $endpoints/"
is_asked() {
	[ "$(call $cfssl/health)" = 200 ] &&
	    jq -e .result.healthy out >/dev/null
}
within 10 is_asked || fail "not healthy: $(cat out)"

hammer() {
	while [ ! -e hammer.stop ]; do
		curl -sS -m 60 -o /dev/null -w '%{http_code}\n' -d "$slow" \
		    "$api$cfssl/newkey" >>"hammer.$1" 2>&1 || true
	done
}
hammers=
for n in 1 2 3 4 5 6 7 8; do
	hammer $n &
	hammers="$hammers $!"
done
pids="$pids $hammers"
sleep 2
sign=$(jq -n --rawfile csr site.csr '{certificate_request: $csr}')
for n in 1 2 3 4 5; do
	[ "$(curl -sS -m 2 -o out -w '%{http_code}' -H "$json" -H "$auth" \
	    -d "$(order $n.example.com)" "$api/client/v4/certificates")" = \
	    200 ] || fail "nothing is issued beside newkey: $(cat out)"
	[ "$(curl -sS -m 2 -o out -w '%{http_code}' -d "$sign" \
	    "$api$cfssl/sign")" = 200 ] ||
	    fail "nothing is signed beside newkey: $(cat out)"
done
# An account's key is not behind them.
[ "$(curl -sS -m 2 -o out -w '%{http_code}' -H "$json" -H "$auth" \
    -d "$(order key.example.com | jq '.csr = ""')" \
    "$api/client/v4/certificates")" = 200 ] ||
    fail "no key beside newkey: $(cat out)"
: >hammer.stop
for pid in $hammers; do
	wait "$pid" || true
done
cat hammer.? | grep -q '^503$' || fail "nobody was told to try again"
! cat hammer.? | grep -Evq '^(200|503)$' || fail "$(cat hammer.? | sort -u)"

# --- a private key by mistake -----------------------------------------------
# Refused at each door, and nothing of it stays in memory.
cat site.csr site.key >both.csr
for pem in both.csr site.key; do
	jq -n --rawfile csr $pem '{certificate_request: $csr}' >sign.json
	refused $cfssl/sign 400 9003 -d @sign.json
	jq -n --rawfile csr $pem '{csr: $csr, request_type: "origin-ecc",
	    hostnames: ["a.example.com"]}' >order.json
	refused /client/v4/certificates 400 11004 -H "$json" -H "$auth" \
	    -d @order.json
done
# remains PID TEXT: how often TEXT is in what that process can write; "-" if
# the system does not let one look.
remains() {
	python3 - "$1" "$2" <<-'END'
		import sys
		pid, text = sys.argv[1], sys.argv[2].encode()
		found = 0
		try:
		    mem = open("/proc/%s/mem" % pid, "rb", 0)
		    for line in open("/proc/%s/maps" % pid):
		        where, mode = line.split()[:2]
		        begin, end = (int(x, 16) for x in where.split("-"))
		        # What is larger is a sanitizer's, and empty.
		        if not mode.startswith("rw") or end - begin > 1 << 28:
		            continue
		        try:
		            mem.seek(begin)
		            found += mem.read(end - begin).count(text)
		        except (OSError, ValueError):
		            pass
		except OSError:
		    found = "-"
		print(found)
	END
}
remains=$(remains "$(role issuer)" "$(sed -n 2p site.key | tail -c 33)")
echo "left of the private key in memory: $remains"
[ "$remains" = 0 ] || [ "$remains" = - ] || fail "the private key is kept"

# --- another door's CA ------------------------------------------------------
# CFSSL's door has "ca"; "edge" is the origin API's alone.
made edge.example.com || fail "edge: $(cat out)"
jq -r .result.certificate out >edge.site.pem
id=$(jq -r .result.id out)
aki=$(openssl x509 -in edge.site.pem -noout -ext authorityKeyIdentifier |
    sed -n 's/^ *\([0-9A-F:]*\)$/\1/p' | tr -d : | tr A-F a-f)
[ -n "$aki" ] || fail "no authorityKeyIdentifier"
theirs="{\"serial\": \"$id\", \"authority_key_id\": \"$aki\"}"
refused $cfssl/certinfo 400 11200 -d "$theirs"
refused $cfssl/revoke 400 11200 -d "$theirs"
refused $cfssl/ocspsign 400 8100 -d "$(jq -n --rawfile c edge.site.pem \
    '{certificate: $c}')"
[ "$(call "/client/v4/certificates/$id" -H "$auth")" = 200 ] &&
    jq -e '.result | has("revoked_at") | not' out >/dev/null ||
    fail "revoked through another door: $(cat out)"

# --- who is not let in ------------------------------------------------------
for body in '' '{' '[]' '{"hostnames": 5}'; do
	refused /client/v4/certificates 401 10000 -H "$json" \
	    -H 'Authorization: Bearer x' -d "$body"
done
jq -n '{csr: "x", hostnames: [range(28000) | "ü.de"], request_type:
    "origin-ecc"}' -c >many.json
refused /client/v4/certificates 401 10000 -H "$json" \
    -H 'Authorization: Bearer x' --data-binary @many.json
# Not more names than a certificate has, however often the same.
[ "$(call /client/v4/certificates -H "$json" -H "$auth" \
    --data-binary @many.json)" = 400 ] &&
    jq -e '.errors[0].message | test("more than [0-9]+ names")' out \
    >/dev/null || fail "many names: $(cat out)"

# Nor for CFSSL's door, which asks nobody who they are.
jq -n --rawfile csr site.csr '{certificate_request: $csr,
    hosts: [range(28000) | "ü.de"]}' -c >many.json
jq -n --rawfile csr site.csr '{certificate_request: $csr,
    hostname: ([range(28000) | "ü.de"] | join(","))}' -c >commas.json
for body in many.json commas.json; do
	refused $cfssl/sign 400 5300 -H "$json" --data-binary @$body
	jq -e '.errors[0].message | test("more than 200 names")' out \
	    >/dev/null || fail "$body: $(cat out)"
done

# --- methods ----------------------------------------------------------------
for method in DELETE POST PUT; do
	[ "$(call /origin_ca_ecc_root.pem -X $method)" = 405 ] &&
	    grep -qi '^Allow: GET' head || fail "$method: $(cat head)"
done
[ "$(call /origin_ca_ecc_root.pem)" = 200 ] || fail "GET: $(cat out)"

# --- health -----------------------------------------------------------------
health() {
	[ "$(call $cfssl/health)" = 200 ] &&
	    [ "$(jq .result.healthy out)" = "$1" ]
}
within 3 health true || fail "not healthy: $(cat out)"
signer=$(role signer)
kill -STOP "$signer"
sleep 1
health false || fail "healthy without a signer: $(cat out)"
kill -CONT "$signer"
within 5 health true || fail "the signer is back: $(cat out)"
mv tokens gone
create gone.example.com >/dev/null
within 5 health false || fail "healthy without a token: $(cat out)"
mv gone tokens
within 10 health true || fail "the token is back: $(cat out)"

# --- a CA that is revoked ---------------------------------------------------
within 5 made before.example.com || fail "$(cat out)"
ocsign cert revoke --reason cessationOfOperation edge.pem >/dev/null
refused /client/v4/certificates 503 10004 -H "$json" -H "$auth" \
    -d "$(order after.example.com)"
ocsign cert revoke --reason cessationOfOperation ca.pem >/dev/null
refused $cfssl/sign 503 503 -d "$sign"

# --- no CA at all -----------------------------------------------------------
mv ca.pem ca.away
mv edge.pem edge.away
configure ''
within 5 health false || fail "healthy without a CA: $(cat out)"
mv ca.away ca.pem
mv edge.away edge.pem

# --- one name for two profiles ----------------------------------------------
cat >config.json <<EOF
{"signing": {"profiles": {"server": {"usages": ["signing", "server auth"],
    "expiry": "24h", "auth_key": "k"}}},
 "auth_keys": {"k": {"type": "standard",
    "key": "0123456789ABCDEF0123456789ABCDEF"}}}
EOF
printf '[cfssl]\nconfig = config.json\n' >>ocsign.conf
! ocsignd -t >out 2>&1 || fail "-t does not see two profiles \"server\""
grep -q 'config.json has a profile "server"' out || fail "-t: $(cat out)"
service_stop
