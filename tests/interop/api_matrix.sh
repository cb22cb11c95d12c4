#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# One core, many doors: each line of tests/data/api_matrix is asked of "ocsign
# cert issue", "ocsign sign", CFSSL's sign and authsign, Cloudflare's API and
# ACME, and all of them must say what the line says: issued, or refused by that
# rule.  What was issued is what is recorded, and nothing else.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep jq sqlite3

table=$top_srcdir/tests/data/api_matrix
hmac=0123456789abcdef0123456789abcdef

# --- who issues, and to whom ------------------------------------------------
cat >"$dir/config.json" <<EOF
{"signing": {"default": {"usages": ["signing", "server auth"],
    "expiry": "8760h"}, "profiles": {
  "listed": {"usages": ["signing", "server auth"], "expiry": "48h",
    "name_whitelist": "^[a-z]+\\\\.example\\\\.com$"},
  "a-listed": {"usages": ["signing", "server auth"], "expiry": "48h",
    "name_whitelist": "^[a-z]+\\\\.example\\\\.com$", "auth_key": "k"},
  "copies": {"usages": ["signing", "server auth"], "expiry": "48h",
    "copy_extensions": true},
  "a-copies": {"usages": ["signing", "server auth"], "expiry": "48h",
    "copy_extensions": true, "auth_key": "k"},
  "numbered": {"usages": ["signing", "server auth"], "expiry": "48h",
    "ClientProvidesSerialNumbers": true},
  "a-numbered": {"usages": ["signing", "server auth"], "expiry": "48h",
    "ClientProvidesSerialNumbers": true, "auth_key": "k"}}},
 "auth_keys": {"k": {"type": "standard", "key": "$hmac"}}}
EOF
ca_folder
ca_make
dns_port=$(free_port)
acme_port=$(free_port)
http_port=$(free_port)
{
	echo '[cfssl]'
	echo 'config = config.json'
	echo '[policy]'
	echo 'blocklist = blocked.txt'
	for name in short gone inner; do
		printf '[issuer %s]\ncertificate = %s.pem\n' $name $name
		printf 'chain = root.pem\ntoken = demo\nkey = %s\n' $name
	done
	echo '[profile inner]'
	echo 'based-on = intermediate'
	echo 'permitted-names = dns:example.com'
	echo 'excluded-names = ip:0.0.0.0/0'
	echo '[profile theirs]'
	echo 'based-on = server'
	echo 'issuers = root'
	for name in server client ocsp-signer intermediate root origin-rsa \
	    origin-ecc theirs; do
		printf '[profile a-%s]\nbased-on = %s\n' $name $name
		echo 'auth-key = k'
	done
	echo '[api]'
	echo "listen = 127.0.0.1:$acme_port"
	echo 'issuers = ca short gone inner'
	echo 'endpoints = health sign authsign'
	echo 'profiles = server client ocsp-signer intermediate root' \
	    'origin-rsa origin-ecc theirs a-server a-client' \
	    'a-ocsp-signer a-intermediate a-root a-origin-rsa' \
	    'a-origin-ecc a-theirs'
	echo 'origin-rsa = short'
	echo 'origin-ecc = ca'
} >>ocsign.conf

# Where names are proven by ACME, and whoever else may issue says so.  Without
# ocsign-validator there is neither.
has_dns=
if [ -x "$top_builddir/ocsign-validator" ] && command -v knotd >/dev/null &&
    command -v knsupdate >/dev/null &&
    python3 -c 'import cryptography' 2>/dev/null
then
	has_dns=yes
	mkdir zones knot
	cat >knot.conf <<-EOF
	server:
	    listen: 127.0.0.1@$dns_port
	    rundir: $dir/knot
	database:
	    storage: $dir/knot
	acl:
	  - id: here
	    address: 127.0.0.1
	    action: update
	template:
	  - id: default
	    storage: $dir/zones
	    file: %s.zone
	    acl: here
	    zonefile-sync: -1
	    zonefile-load: difference-no-serial
	    journal-content: all
	zone:
	EOF
	for zone in com org example test; do
		echo "  - domain: $zone" >>knot.conf
		cat >zones/$zone.zone <<-EOF
		@ 60 SOA ns admin 1 3600 600 86400 60
		@ 60 NS ns
		ns 60 A 127.0.0.1
		EOF
	done
	for name in example caa.example; do
		echo "$name 60 A 127.0.0.1"
		echo "*.$name 60 A 127.0.0.1"
	done >>zones/com.zone
	echo 'caa.example 60 CAA 0 issue "other.example.net"' >>zones/com.zone
	for name in xn--bcher-kva '*.xn--bcher-kva'; do
		echo "$name 60 A 127.0.0.1"
	done >>zones/example.zone
	knotd -c knot.conf >knot.log 2>&1 &
	pids="$pids $!"
	within 10 grep -q 'server started' knot.log || fail "$(cat knot.log)"
	{
		echo '[validation]'
		printf 'stub-zones ='
		for zone in com org example test; do
			printf ' %s=127.0.0.1:%s' $zone "$dns_port"
		done
		printf '\ntrust-anchor = none\n'
		echo 'caa-identities = ca.example.net'
		echo 'allow-addresses = 127.0.0.0/8'
		echo "http-port = $http_port"
		echo '[acme]'
		echo "url = http://127.0.0.1:$acme_port/acme/directory"
		echo 'issuer = ca'
		echo 'profiles = origin-ecc server'
	} >>ocsign.conf
fi

# request NAME KEY SUBJECT OPTION...
request() {
	request_name=$1
	request_key=$2
	request_subject=$3
	shift 3
	openssl req -new -key "$request_key.key" -subj "$request_subject" \
	    -out "$request_name.csr" "$@" 2>/dev/null ||
	    fail "openssl req: $request_name"
}
generate() {
	openssl genpkey -out "$1.key" -algorithm "$2" "${3:--out}" \
	    "${4:-$1.key}" 2>/dev/null || fail "openssl genpkey: $1"
}
generate p256 EC -pkeyopt ec_paramgen_curve:P-256
generate blocked EC -pkeyopt ec_paramgen_curve:P-256
generate curve EC -pkeyopt ec_paramgen_curve:secp256k1
generate ed25519 ED25519
generate rsa RSA -pkeyopt rsa_keygen_bits:2048
generate small RSA -pkeyopt rsa_keygen_bits:1024
generate three RSA -pkeyopt rsa_keygen_pubexp:3
www=subjectAltName=DNS:www.example.com
for name in rsa small three curve ed25519 blocked; do
	request $name $name /CN=www.example.com -addext $www
done
request ec p256 /CN=www.example.com -addext $www
request bare p256 /O=Example
request empty p256 /
request cn p256 /CN=www.example.com
request lint p256 /C=de/CN=www.example.com -addext $www
request sha1 p256 /CN=www.example.com -addext $www -sha1
# asks NAME EXTENSION
asks() {
	request "$1" p256 /CN=www.example.com -addext $www -addext "$2"
}
asks isca basicConstraints=critical,CA:TRUE
asks usage keyUsage=keyCertSign
asks eku extendedKeyUsage=codeSigning
asks other 1.2.3.4=DER:0500
asks poison 1.3.6.1.4.1.11129.2.4.3=critical,DER:0500
asks staple tlsfeature=status_request
asks aia 'authorityInfoAccess=OCSP;URI:http://a.example/'
asks policy certificatePolicies=1.2.3.4
ocsign csr create --subject CN=www.example.com --key ca --token demo \
    --san www.example.com --out own.csr
openssl pkey -in blocked.key -pubout -outform DER |
    openssl dgst -sha256 -r | cut -d' ' -f1 >blocked.txt
cat ec.csr p256.key >both.csr
echo hello >text.csr
sed '2s/^..../AAAA/' ec.csr >junk.csr
# The last octet of the signature.
openssl req -in ec.csr -outform DER -out flip.der
last=$(tail -c 1 flip.der | od -An -tu1 | tr -d ' ')
{
	head -c -1 flip.der
	printf "\\$(printf %o $((last ^ 1)))"
} >flipped.der
{
	echo '-----BEGIN CERTIFICATE REQUEST-----'
	openssl base64 -in flipped.der
	echo '-----END CERTIFICATE REQUEST-----'
} >flip.csr
{
	cat ec.csr
	head -c 135000 /dev/zero | tr '\0' '#'
} >large.csr

for file in *.csr; do
	jq -Rs . "$file" >"${file%.csr}.json"
done

for name in short gone inner; do
	ocsign key generate --token demo --label $name >/dev/null
	case $name in
	short) set -- --validity 20d ;;
	inner) set -- --profile inner ;;
	*) set -- ;;
	esac
	ocsign ca create $name --issuer root --subject "CN=$name,C=DE" "$@"
done
ocsign cert revoke --reason cessationOfOperation gone.pem >/dev/null

for account in acme other full busy gone; do
	ocsign account add $account >/dev/null
	ocsign account token $account --kind bearer --out token.$account \
	    >/dev/null
	ocsign account acme-key $account --out $account.acme >/dev/null
done
echo v1.0-0123456789abcdef01234567-0 >token.nobody
printf 'kid: %032d\nkey: %s\n' 0 AAAA >nobody.acme
ocsign account change full --live-max 1 >/dev/null
ocsign account change busy --period-max 1 --period 1d >/dev/null
for zone in example.com bücher.example paused.test; do
	ocsign zone add $zone --account acme >/dev/null
done
ocsign zone add other.test --account other >/dev/null
ocsign zone add sub.example.com --account other --delegated >/dev/null
for account in full busy gone; do
	ocsign zone add $account.test --account $account >/dev/null
done
for account in full busy; do
	ocsign cert issue --issuer ca --profile origin-ecc --no-caa --account \
	    $account --san $account.test --out first.pem ec.csr
done
ocsign zone pause paused.test >/dev/null
ocsign account disable gone >/dev/null

service_start
api=$(sed 's,/$,,' run/api.urls)
acme=http://127.0.0.1:$acme_port/acme/directory
is_healthy() {
	curl -sS -m 5 "$api/api/v1/cfssl/health" 2>/dev/null |
	    jq -e .result.healthy >/dev/null
}
within 10 is_healthy || fail "not healthy"

# --- the doors: each prints a verdict ---------------------------------------
# In $hosts.txt one a line, in hosts.json a list.
write_hosts() {
	case $hosts in
	-) : >hosts.txt ;;
	n[0-9]*)
		n=1
		while [ $n -le "${hosts#n}" ]; do
			echo n$n.example.com
			n=$((n + 1))
		done >hosts.txt ;;
	l[0-9]*)
		printf "%${hosts#l}s.example.com\n" '' | tr ' ' l >hosts.txt ;;
	t[0-9]*)
		n=$((${hosts#t} - 12))
		{
			while [ $n -gt 61 ]; do
				printf "%60s." '' | tr ' ' t
				n=$((n - 61))
			done
			printf "%$((n))s.example.com\n" '' | tr ' ' t
		} >hosts.txt ;;
	*) printf '%b\n' "$hosts" | tr , '\n' >hosts.txt ;;
	esac
	bell=$(printf '\007')
	sed "s/$bell/\\\\u0007/g; s/.*/\"&\"/" hosts.txt | paste -sd, >list
	printf '[%s]' "$(cat list)" >hosts.json
}

# What the explanation of an answer in out says; "again": issued before.
# api_explain.sh looks at its form.
explained() {
	answer=$(cat out)
	case $answer in
	*'"explanation":{"accepted":true,"repeated":true,'*) echo again ;;
	*'"explanation":{"accepted":true,'*) echo issued ;;
	*'"explanation":{"accepted":false,"rule":"'*)
		rule=${answer#*'"explanation":{"accepted":false,"rule":"'}
		echo "${rule%%\"*}" ;;
	*) echo "error: $answer" ;;
	esac
}

ask_cli() {
	set -- --issuer "$issuer" --profile "$profile"
	case $caller in
	-) ;;
	*) set -- "$@" --account "$caller" ;;
	esac
	while IFS= read -r host; do
		case $host in
		*://*) host=URI:$host ;;
		esac
		set -- "$@" --san "$host"
	done <hosts.txt
	[ "$days" = - ] || set -- "$@" --validity "${days}d"
	ocsign --json cert issue "$@" --explain "$csr.csr" >out 2>err ||
	    [ -s out ] || { echo "error: $(cat err)"; return; }
	if grep -q '"accepted": true' out; then
		echo issued
	else
		sed -n 's/^ *"rule": "\(.*\)",*$/\1/p' out
	fi
}

ask_sign() {
	set -- -ca "$issuer" -profile "$profile"
	[ ! -s hosts.txt ] || set -- "$@" -hostname "$(paste -sd, hosts.txt)"
	if ocsign sign "$@" -explain "$csr.csr" >out 2>err; then
		grep -q '^{"cert":"-----BEGIN' out && echo issued
		return
	fi
	sed -n 's/^refused by the rule \([a-z0-9-]*\): .*/\1/p' err >rule
	[ -s rule ] || echo "error: $(cat err)" >rule
	cat rule
}

# cfssl_request PROFILE
cfssl_request() {
	printf '{"certificate_request":%s,"profile":"%s","label":"%s"' \
	    "$(cat "$csr.json")" "$1" "$issuer"
	[ ! -s hosts.txt ] || printf ',"hosts":%s' "$(cat hosts.json)"
	printf '}'
}
# ask_http PATH OPTION...: the request is in body.
ask_http() {
	path=$1
	shift
	curl -sS -m 10 -o out -w '%{http_code}' --data-binary @body "$@" \
	    "$api$path?explain=1" >code || fail "curl: $path"
}
ask_api() {
	cfssl_request "$profile" >body
	ask_http /api/v1/cfssl/sign
	explained
}
ask_auth() {
	cfssl_request "a-${profile#a-}" >request
	key=$hmac
	[ "$caller" != stranger ] || key=00$hmac
	token=$(openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary \
	    request | openssl base64 -A)
	printf '{"token":"%s","request":"%s"}' "$token" \
	    "$(openssl base64 -A -in request)" >body
	ask_http /api/v1/cfssl/authsign
	explained
}
ask_origin() {
	{
		printf '{"csr":%s,"hostnames":%s,"request_type":"%s"' \
		    "$(cat "$csr.json")" "$(cat hosts.json)" "$profile"
		[ "$days" = - ] || printf ',"requested_validity":%s' "$days"
		printf '}'
	} >body
	ask_http /client/v4/certificates -H 'Content-Type: application/json' \
	    -H "Authorization: Bearer $(cat "token.$caller")"
	grep -q '"messages":\[\]' out || echo "messages: $(cat out)"
	if [ "$(cat code)" = 401 ]; then
		echo authentication
	else
		explained
	fi
}

ask_acme() {
	PYTHONPATH=$top_srcdir/tests/interop PYTHONDONTWRITEBYTECODE=1 \
	    python3 "$top_srcdir/tests/interop/acme_matrix.py" "$acme" \
	    "$http_port" "$dns_port" "$caller" "$profile" "$csr" "$days" \
	    >out 2>err || echo "error: $(cat err)" >out
	cat out
}

# --- one case after the other -----------------------------------------------
recorded() {
	sqlite3 store.db 'SELECT count(*) FROM certificate'
}
num_issued=0
num_cases=0
num_asked=0
num_not=0
disagreements=0
before=$(recorded)

# door DOOR MARK: what it says, held against the verdict.
door() {
	want=$verdict
	case $2 in
	[a-z])
		num_not=$((num_not + 1))
		said="$said $1 -$2"
		return ;;
	'>'*) want=${2#>} ;;
	'=' | '~') ;;
	*) fail "$name: the mark \"$2\"" ;;
	esac
	num_asked=$((num_asked + 1))
	got=$("ask_$1")
	case $got in
	issued) num_issued=$((num_issued + 1)) ;;
	again) got=issued ;;
	esac
	said="$said $1 $got"
	[ "$got" = "$want" ] || {
		disagreements=$((disagreements + 1))
		said="$said (NOT $want)"
	}
}

grep -v '^#' "$table" | grep . >cases
if [ -z "$has_dns" ]; then
	grep -v '^caa' cases >others
	mv others cases
fi
while read -r name issuer caller profile csr hosts days verdict cli sign \
    api_mark auth origin acme_mark more; do
	[ -n "$acme_mark" ] && [ -z "$more" ] || fail "$name: columns"
	num_cases=$((num_cases + 1))
	said=
	write_hosts
	door cli "$cli"
	door sign "$sign"
	door api "$api_mark"
	door auth "$auth"
	door origin "$origin"
	[ -n "$has_dns" ] || acme_mark=v
	door acme "$acme_mark"
	echo "$name: $verdict:$said"
done <cases

echo "$num_cases cases, $num_asked asked, $num_not that a door has no words" \
    "for, $num_issued issued, $disagreements disagree"
[ $num_cases -ge 60 ] || fail "the table is short"
[ $disagreements -eq 0 ] || fail "the doors disagree"
[ $(($(recorded) - before)) -eq $num_issued ] ||
    fail "issued $num_issued, recorded $(($(recorded) - before))"
service_stop
ocsign audit verify >/dev/null || fail "audit"
