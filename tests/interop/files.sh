#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every URL that is printed into a certificate is answered: certificates, and
# CRLs that are made by hand (publish.sh has others), held against OpenSSL, and
# fetched as curl and caches do, in parts, under conditions, across a new CRL
# and a reload.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl cmp python3

ca_folder 'ca-issuers-url = http://URL/aia/ca.cer
	crl-url = http://URL/crl/ca
	crl-publish = no'
sed -i "s|http://URL/|$url|; s|^allow = certificate crl|&\\
ca-issuers-url = ${url}root.cer\\
crl-url = ${url}root.crl?by=root\\
crl-publish = no|" ocsign.conf
ca_make
ca_issue www.example.test
service_start

# urls FILE: all that a certificate names, and where OCSP is asked.
urls() {
	openssl x509 -in "$1" -noout -text | sed -n 's/.*URI:\(http.*\)$/\1/p'
}
# get STATUS URL [OPTION...]: the body is in got, the head in head.
get() {
	get_wanted=$1
	shift
	get_status=$(curl -sS -m 20 -D head -o got -w '%{http_code}' "$@")
	[ "$get_status" = "$get_wanted" ] ||
	    fail "$get_status for $*, not $get_wanted: $(cat head)"
}
is_answered() {
	[ "$(curl -sS -m 10 -o got -w '%{http_code}' "$1")" = 200 ]
}
has() {
	grep -qi "^$1$(printf '\r')\$" head || fail "no $1: $(cat head)"
}

# No CRL was made yet.
within 5 is_answered "${url}aia/ca.cer" || fail "no certificate"
get 404 "${url}crl/ca"
has 'Cache-Control: no-store'
ocsign crl create --issuer ca --out ca.crl >out
ocsign crl create --issuer root --out root.crl >out

num=0
for cert in www.example.test.pem ca.pem; do
	urls $cert >urls
	[ -s urls ] || fail "$cert names nothing"
	while read -r at; do
		within 5 is_answered "$at" || fail "$at of $cert"
		num=$((num + 1))
		case $at in
		*.cer)
			openssl x509 -inform DER -in got -out above.pem
			openssl verify -partial_chain -trusted above.pem \
			    $cert || fail "$at is not above $cert" ;;
		*crl*)
			openssl crl -inform DER -in got -CAfile trust.pem \
			    -noout 2>out || fail "$at: $(cat out)"
			grep -q 'verify OK' out || fail "$at: $(cat out)" ;;
		*)
			[ "$at" = "$url" ] || fail "what is $at?" ;;
		esac
	done <urls
done
[ $num -eq 5 ] || fail "$num URLs: $(cat urls)"
# As a verifier does who follows them on its own.
openssl verify -crl_check -crl_download -CAfile trust.pem \
    www.example.test.pem >out 2>&1 || fail "$(cat out)"
expect good www.example.test.pem

# What is told of them.
crl=${url}crl/ca
get 200 "$crl"
has 'Content-Type: application/pkix-crl'
has "Content-Length: $(wc -c <got)"
has 'Accept-Ranges: bytes'
has 'Cache-Control: max-age=[56][0-9]*, public, .*'
modified=$(sed -n 's/^Last-Modified: \(.*\).$/\1/p' head)
[ "$(date -u -d "$modified" +%s)" = "$(date -u -d "$(openssl crl -in ca.crl \
    -noout -lastupdate | cut -d= -f2)" +%s)" ] || fail "not its thisUpdate"
etag=$(sed -n 's/^ETag: \(.*\).$/\1/p' head)
openssl crl -in ca.crl -outform DER -out ca.crl.der
cmp got ca.crl.der || fail "another CRL"
get 200 -I "$crl"
has "Content-Length: $(wc -c <ca.crl.der)"
get 304 -H "If-None-Match: $etag" "$crl"
has "ETag: $etag"
get 304 -z "$modified" "$crl"
get 200 -H 'If-None-Match: "other"' "$crl"
get 412 -H 'If-Match: "other"' "$crl"
get 206 -r 10-19 "$crl"
has "Content-Range: bytes 10-19/$(wc -c <ca.crl.der)"
tail -c +11 ca.crl.der | head -c 10 | cmp - got || fail "not that part"
get 206 -r -5 -H "If-Range: $etag" "$crl"
tail -c 5 ca.crl.der | cmp - got || fail "not the end"
get 200 -r -5 -H 'If-Range: "other"' "$crl"
get 416 -r 100000- "$crl"
get 200 -r 0-1,5-6 "$crl"
cmp got ca.crl.der || fail "not the whole"
get 405 -X PUT "$crl"
has 'Allow: GET, HEAD'
# curl goes on where it was.
head -c 100 ca.crl.der >resumed
curl -sS -m 10 -C - -o resumed "$crl"
cmp resumed ca.crl.der || fail "not resumed"

# A revocation is in the CRL that follows, and that is there at once.
ocsign cert revoke www.example.test.pem >out
ocsign crl create --issuer ca --out ca.crl >out
openssl crl -in ca.crl -outform DER -out ca.crl.der
is_newer() {
	is_answered "$crl" && cmp -s got ca.crl.der
}
within 4 is_newer || fail "the new CRL is not there"
get 200 -H "If-None-Match: $etag" "$crl"
! openssl verify -crl_check -crl_download -CAfile trust.pem \
    www.example.test.pem >out 2>&1 || fail "not revoked"
grep -q 'certificate revoked' out || fail "$(cat out)"
ocsign --json status >status.json
grep -q "\"url\": \"$crl\"" status.json || fail "$(cat status.json)"
grep -q '"part": 3' status.json || fail "not three: $(cat status.json)"

# One of 4 MB, made elsewhere, goes out slowly across a reload and its
# successor; others are answered meanwhile.
mkdir elsewhere
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout elsewhere/key -out elsewhere/ca.pem -subj '/CN=Elsewhere' \
    -days 3000 2>/dev/null
cat >elsewhere/conf <<-EOF
	[ca]
	default_ca = c
	[c]
	database = elsewhere/index
	crlnumber = elsewhere/number
	default_md = sha256
	crl_extensions = x
	[x]
	authorityKeyIdentifier = keyid
EOF
echo 01 >elsewhere/number
awk 'BEGIN { OFS = "\t"
    for (i = 1; i <= 120000; i++)
	print "R", "400101000000Z", "260101000000Z",
	    sprintf("4000000000000000%08X", i), "unknown", "/CN=" i
    }' >elsewhere/index
# gencrl NAME: NAME.pem and NAME.der.
gencrl() {
	openssl ca -config elsewhere/conf -gencrl -keyfile elsewhere/key \
	    -cert elsewhere/ca.pem -crldays 10 -out "$1.pem" 2>out ||
	    fail "$(cat out)"
	openssl crl -in "$1.pem" -outform DER -out "$1.der"
}
gencrl first
gencrl second
mv first.pem elsewhere/crl
# Its responses are signed there, too: one, of its own.
openssl ocsp -issuer elsewhere/ca.pem -serial 0x1234 -no_nonce \
    -reqout elsewhere/request
printf 'V\t400101000000Z\t\t1234\tunknown\t/CN=x\n' >elsewhere/one
mkdir elsewhere/responses
openssl ocsp -index elsewhere/one -CA elsewhere/ca.pem \
    -rsigner elsewhere/ca.pem -rkey elsewhere/key -ndays 9 -resp_key_id \
    -resp_no_certs -reqin elsewhere/request \
    -respout elsewhere/responses/one.der >out 2>&1 || fail "$(cat out)"
cat >>ocsign.conf <<-EOF
	[issuer elsewhere]
	certificate = elsewhere/ca.pem
	responses = elsewhere/responses
	crl-url = ${url}big
	crl-file = elsewhere/crl
EOF
kill -HUP "$(cat ocsignd.pid)"
is_big() {
	is_answered "${url}big" && cmp -s got "$1"
}
within 20 is_big first.der || fail "no big CRL: $(cat ocsignd.log)"
cat >drink.py <<-EOF
	import time, urllib.request
	with urllib.request.urlopen("${url}big") as answer, \
	    open("slow", "wb", 0) as out:
	    while piece := answer.read(64 * 1024):
	        out.write(piece)
	        time.sleep(0.08)
EOF
python3 drink.py &
slow=$!
pids="$pids $slow"
within 5 test -s slow || fail "it does not begin"
mv second.pem elsewhere/crl
kill -HUP "$(cat ocsignd.pid)"
[ "$(wc -c <slow)" -lt "$(wc -c <first.der)" ] ||
    fail "it was over before the reload"
expect revoked www.example.test.pem
within 20 is_big second.der || fail "no second one: $(cat ocsignd.log)"
wait $slow || fail "the download was cut: $?"
cmp slow first.der || fail "not what was begun"
service_stop
