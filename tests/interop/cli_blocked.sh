#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# CAs whose key is on the block list: not made, not taken in, not trusted, and
# they issue nothing, by whatever door, but their OCSP signer's certificate;
# what they issued can be revoked.

. "$top_srcdir/tests/interop/lib.sh"
need openssl sqlite3 curl jq

write_config "127.0.0.1:$(free_port)"
sed -i '1i [policy]\nblocklist = blocked\n' ocsign.conf
: >blocked
make_cas
csr leaf -newkey ec -pkeyopt ec_paramgen_curve:P-256
openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
    -keyout ocsp.key -out ocsp.csr -subj '/O=Example/CN=OCSP' 2>/dev/null ||
    die "openssl req"
issue() {
	ocsign cert issue --issuer web --profile server "$@"
}
good issue --out leaf.pem leaf.csr
# block CERTIFICATE...: their keys are on the list, and no others.
block() {
	for pem in "$@"; do
		openssl x509 -in "$pem" -noout -pubkey |
		    openssl pkey -pubin -outform DER | openssl dgst -sha256 |
		    sed 's/.* //'
	done >blocked
}
state() {
	ocsign ca list | sed -n "s/^$1  *\([a-z]*\).*/\1/p"
}
# What an operator would take in: a root of an own key, and one below it.
good ocsign key generate --token ca --label old
ocsign ca create old --subject 'CN=Old Root,O=Example,C=DE' --token ca \
    --key old >out 2>err || die "ca create: $(cat err)"
section=ocsign.conf.d/issuer-old.conf
[ -f "$section" ] || die "no $section"
cp old.pem given.pem
rm "$section"

# --- an issuer ---------------------------------------------------------------
block web.pem
bad 1 'issuer web: the key of "CN=Example Web.* block list' \
    ocsign cert issue --issuer web --profile server leaf.csr
bad 1 'issuer web: the key of "CN=Example Web.* block list' \
    ocsign cert issue --issuer web --profile server --dry-run leaf.csr
bad 1 'issuer web: the key of .* block list' ocsign sign -ca web leaf.csr
bad 1 'issuer web: the key of .* block list' \
    ocsign ca cross-sign web --issuer root
bad 1 'issuer web: the key of .* block list' ocsign origin bundle
bad 1 'issuer web: the key of .* block list' \
    ocsign origin bundle --issuer web
good ocsign origin bundle --issuer root
[ "$(state web) $(state root)" = 'blocked ready' ] || die "$(ocsign ca list)"
# It revokes what it issued.
good ocsign cert revoke leaf.pem --reason keyCompromise
good ocsign crl create --issuer web --out web.crl
openssl crl -in web.crl -noout -text | grep -qi "$(openssl x509 -in leaf.pem \
    -noout -serial | sed 's/.*=//')" || die "not in the list"
ocsign cert show leaf.pem >out || die "cert show: $(cat out)"

# Whose status is still signed: only by a key that nobody else has, and as
# nothing else.
good ocsign cert issue --issuer web --profile ocsp-signer --out ocsp.pem \
    ocsp.csr
openssl x509 -in ocsp.pem -noout -ext extendedKeyUsage |
    grep -q 'OCSP Signing' || die "no OCSP signer: $(cat ocsp.pem)"
cp ocsign.conf plain.conf
cat >>ocsign.conf <<-'EOT'

	[profile both]
	based-on = ocsp-signer
	extended-key-usage = OCSPSigning clientAuth
EOT
bad 1 'issuer web: the key of .* block list' \
    ocsign cert issue --issuer web --profile both ocsp.csr
cp plain.conf ocsign.conf
openssl pkey -in ocsp.key -pubout -outform DER | openssl dgst -sha256 |
    sed 's/.* //' >>blocked
bad 1 'the key is on the block list' \
    ocsign cert issue --issuer web --profile ocsp-signer ocsp.csr
block web.pem
ocsign cert issue --issuer web --profile server --explain leaf.csr >out 2>err
[ $? -eq 1 ] || die "cert issue --explain: $(cat out err)"
grep -q 'refused by the rule issuer-blocked: issuer web: the key of' out ||
    die "cert issue --explain: $(cat out err)"

# --- the API -----------------------------------------------------------------
ocsignd -t >out 2>&1 || die "ocsignd -t: $(cat out)"
grep -q '\[issuer web\] certificate: warning: .*block list' out ||
    die "ocsignd -t: $(cat out)"
cp ocsign.conf api.conf
cat >>api.conf <<-'EOT'

	[api]
	listen = 127.0.0.1:0
	issuers = web
	endpoints = sign
	profiles = server
EOT
# takes_it KEY TEXT: the configuration, and an API that is there.
mkdir -p run
takes_it() {
	ocsignd -t -c api.conf >out 2>&1 || die "ocsignd -t: $(cat out)"
	grep -q "\[issuer web\] $1: warning: the key of $2.*block list" out ||
	    die "ocsignd -t: $(cat out)"
	timeout 3 "$top_builddir/ocsign-issuer" -c api.conf >out 2>&1
	[ $? -eq 124 ] || [ $? -eq 0 ] || die "ocsign-issuer: $(cat out)"
	[ "$(grep -c "error: issuer web: the key of $2.*block list" out)" \
	    -eq 1 ] || die "ocsign-issuer: $(cat out)"
}
takes_it certificate '"CN=Example Web'

# --- what stands above it ----------------------------------------------------
block root.pem
bad 1 'issuer web: the key of "CN=Example Root.* block list' \
    ocsign cert issue --issuer web --profile server leaf.csr
[ "$(state web) $(state root)" = 'blocked blocked' ] ||
    die "$(ocsign ca list)"
takes_it chain '"CN=Example Root'
good ocsign cert issue --issuer web --profile ocsp-signer ocsp.csr

# --- making and taking in ----------------------------------------------------
block given.pem
bad 1 'given.pem: the key of "CN=Old Root.* block list' ocsign ca add old \
    --cert given.pem --token ca --key old
bad 1 'the key of \[issuer again\] is on the block list: .*key generate' \
    ocsign ca create again --subject 'CN=Again' --token ca --key old
bad 1 'block list' ocsign ca create again --subject 'CN=Again' --token ca \
    --key old --csr again.csr
bad 1 'block list' ocsign ca create again --subject 'CN=Again' --token ca \
    --key old --issuer root
: >blocked
ocsign ca add old --cert given.pem --token ca --key old >out 2>err ||
    die "ca add: $(cat err)"
block given.pem
bad 1 'given.pem: the key of .* block list' ocsign ca import old \
    --cert given.pem --force
# The list is wrong: nobody issues, and whoever revokes still may.
good issue --out second.pem leaf.csr
echo nonsense >blocked
bad 1 'blocked:1: ' ocsign cert issue --issuer web --profile server leaf.csr
good ocsign cert revoke second.pem
good ocsign audit verify

# --- a running API -----------------------------------------------------------
: >blocked
good ocsign key generate --token ca --label shop
cat >>ocsign.conf <<-EOT

	[issuer shop]
	certificate = shop.pem
	chain = shop-chain.pem
	token = ca
	key = shop

	[api]
	listen = 127.0.0.1:0
	issuers = web shop
	origin-ecc = web
	endpoints = sign newcert certinfo revoke
	profiles = server
EOT
good ocsign ca create shop --issuer root \
    --subject 'CN=Example Shop,O=Example,C=DE'
good ocsign account add acme
good ocsign zone add example.com --account acme
good ocsign account token acme --kind bearer --out token.out
auth="Authorization: Bearer $(cat token.out)"
start_ocsignd
api=$(sed 's,/$,,' run/api.urls)
# call PATH DOCUMENT: prints the HTTP status; the answer is in out.
call() {
	curl -sS -m 10 -o out -w '%{http_code}\n' -H "$auth" \
	    -H 'Content-Type: application/json' -d @"$2" "$api$1"
}
for name in web shop; do
	jq -n --rawfile csr leaf.csr --arg name $name \
	    '{certificate_request: $csr, "label": $name}' >$name.json
done
echo '{"request": {"CN": "www.example.com", "hosts": ["www.example.com"],
    "key": {"algo": "ecdsa", "size": 256}}}' >newcert.json
jq -n --rawfile csr leaf.csr '{csr: $csr, hostnames: ["www.example.com"],
    requested_validity: 7, request_type: "origin-ecc"}' >origin.json
sign=/api/v1/cfssl/sign
n=0
until [ "$(call $sign web.json)" = 200 ]; do
	n=$((n + 1))
	[ $n -lt 100 ] || die "sign: $(cat out ocsignd.log)"
	sleep 0.1
done
jq -r .result.certificate out >issued.pem
openssl verify -partial_chain -trusted web.pem issued.pem >out 2>&1 ||
    die "not of web: $(cat out)"

block web.pem
kill -HUP "$(cat ocsignd.pid)"
n=0
until grep -Eq 'ocsignd: notice: (reloaded|not reloaded|reload failed)' \
    ocsignd.log; do
	n=$((n + 1))
	[ $n -lt 100 ] || die "the reload does not end: $(cat ocsignd.log)"
	sleep 0.1
done
grep -q 'ocsignd: notice: reloaded' ocsignd.log ||
    die "not reloaded: $(cat ocsignd.log)"
[ "$(grep -c 'ocsign-issuer.* error: issuer web: the key of .*block list' \
    ocsignd.log)" -eq 1 ] || die "not told once: $(cat ocsignd.log)"
# refused PATH DOCUMENT: with the rule by its name, and why.
refused() {
	n=0
	until [ "$(call "$1?explain=1" "$2")" = 503 ] &&
	    jq -e '.explanation.rule == "issuer-blocked"' out >/dev/null; do
		n=$((n + 1))
		[ $n -lt 50 ] || die "$1: $(cat out)"
		sleep 0.1
	done
	jq -e '.errors[0].message | test("issuer web: .*on the block list")' \
	    out >/dev/null || die "$1: $(cat out)"
}
count() {
	sqlite3 store/store.db 'SELECT count(*) FROM certificate'
}
before=$(count)
refused $sign web.json
refused /api/v1/cfssl/newcert newcert.json
refused /client/v4/certificates origin.json
[ "$(count)" -eq "$before" ] || die "something is recorded"
[ "$(call $sign shop.json)" = 200 ] || die "the other CA: $(cat out)"
jq -n --rawfile pem issued.pem '{certificate: $pem}' >certinfo.json
[ "$(call /api/v1/cfssl/certinfo certinfo.json)" = 200 ] ||
    die "certinfo: $(cat out)"
jq '{serial: .result.serial_number, reason: "keyCompromise",
    authority_key_id: .result.authority_key_id | gsub(":"; "") |
    ascii_downcase}' out >revoke.json
[ "$(call /api/v1/cfssl/revoke revoke.json)" = 200 ] ||
    die "revoke: $(cat out)"
ocsign cert show issued.pem >out || die "cert show: $(cat out)"
grep -q keyCompromise out || die "not revoked: $(cat out)"
good ocsign audit verify
