#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Signed requests, by openssl as a client: ignored, verified and required.

. "$top_srcdir/tests/conformance/conformance.sh"
need curl

ca_folder
ca_make
ca_issue a.test
ca_issue b.test

# Who may ask, somebody below them, and a stranger; none is of our CA.
requestor_ca() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout $1.key -out $1.pem -subj "/CN=Requestors" 2>/dev/null
}
# requestor NAME CA EXTENSIONS: below that CA.
requestor() {
	openssl req -new -newkey rsa:2048 -nodes -subj "/CN=$1" \
	    -keyout "$1.key" -out "$1.csr" 2>/dev/null
	printf '%b' "$3" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" \
	    -CAcreateserial -extfile "$1.ext" -out "$1.pem" 2>/dev/null
}
requestor_ca trusted
requestor_ca others
requestor sub trusted 'basicConstraints=critical,CA:TRUE'
requestor known trusted \
    'keyUsage=digitalSignature\nextendedKeyUsage=clientAuth'
requestor below sub 'keyUsage=digitalSignature'
requestor server trusted 'extendedKeyUsage=serverAuth'
requestor stranger others 'keyUsage=digitalSignature'

# ask OPTION...: what openssl makes of the answer is in "answer".
ask() {
	openssl ocsp -issuer ca.pem -cert a.test.pem -url "$url" \
	    -CAfile trust.pem -reqout request.der -respout response.der "$@" \
	    >answer 2>&1 || true
}
answered() {
	ask "$@"
	grep -q 'Response verify OK' answer || fail "$*: $(cat answer)"
	grep -q '^a.test.pem: good' answer || fail "$*: $(cat answer)"
}
refused() {
	refused_status=$1
	shift
	ask "$@"
	grep -q "Responder Error: $refused_status" answer ||
	    fail "$*: $(cat answer)"
}
by() {
	echo "-signer $1.pem -signkey $1.key"
}
# changed: changed.der, whose signature is that of request.der.
changed() {
	ask -no_nonce $(by known)
	# Where the serial number ends: "65:d=5  hl=2 l=  16 prim: INTEGER".
	set -- $(openssl asn1parse -inform DER -in request.der | sed -n \
	    's/^ *\([0-9]*\):d=[0-9]* *hl=\([0-9]*\) l= *\([0-9]*\) *prim:'\
' INTEGER.*/\1 \2 \3/p')
	cp request.der changed.der
	printf 'x' | dd of=changed.der bs=1 seek=$(($1 + $2 + $3 - 1)) \
	    conv=notrunc 2>/dev/null
	! cmp -s request.der changed.der || fail "it is not changed"
}
# posted FILE WHAT: an error of five octets, not to be cached.
posted() {
	curl -sS -m 10 -D head -o posted.der --data-binary "@$1" \
	    -H 'Content-Type: application/ocsp-request' "$url"
	printf '0\003\n\001'"$2" >wanted.der
	cmp -s posted.der wanted.der ||
	    fail "$1: $(od -An -tx1 posted.der | head -2)"
	grep -qi '^cache-control: no-store' head || fail "$(cat head)"
}
reload() {
	sed -i "$1" ocsign.conf
	num_reloads=$((num_reloads + 1))
	kill -HUP "$(cat ocsignd.pid)"
	within 10 is_reloaded || fail "not reloaded: $(cat ocsignd.log)"
}
is_reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -eq $num_reloads ]
}
num_reloads=0

service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"

# Ignored, as it is without configuration: who it is does not matter.
answered
answered $(by known)
answered $(by stranger)
answered -no_nonce $(by stranger) -no_certs
changed
curl -sS -m 10 -o posted.der --data-binary @request.der \
    -H 'Content-Type: application/ocsp-request' "$url"
cmp posted.der response.der || fail "a signed request gets another answer"

# Verified: answered only to who is known, or does not sign.
reload 's/^\[issuer ca\]/&\nsigned-requests = verify\
requestor-ca = trusted.pem/'
answered
answered -no_nonce
answered $(by known)
answered -no_nonce $(by known)
answered -no_nonce $(by below) -sign_other sub.pem
answered -cert b.test.pem $(by known)
refused unauthorized $(by below)
refused unauthorized $(by known) -no_certs
refused unauthorized $(by server)
refused unauthorized $(by stranger)
refused unauthorized -no_nonce $(by stranger)
refused unauthorized $(by stranger) -sign_other trusted.pem
changed
posted changed.der '\006'
head -c 200 request.der >cut.der
posted cut.der '\001'
# What is answered to one is not for a cache.
curl -sS -m 10 -D head -o posted.der --data-binary @request.der \
    -H 'Content-Type: application/ocsp-request' "$url"
grep -qi '^cache-control: no-store' head || fail "$(cat head)"
! grep -qi '^etag' head || fail "$(cat head)"
probe
no_failure
says skipped signed-ok 'unauthorized.*--sign-key'
probe --sign-key known.key --sign-cert known.pem
no_failure
says pass signed-ok good
says pass signed-bad unauthorized
says pass signed-nocert unauthorized
says pass signed-unknown-ca unauthorized
says policy sig-required good
says pass reqname-unsigned

# Required: nobody else is answered.
reload 's/^signed-requests = .*/signed-requests = require/'
refused sigrequired
refused sigrequired -no_nonce
answered $(by known)
answered -no_nonce $(by known)
answered -cert b.test.pem $(by known)
refused unauthorized $(by known) -no_certs
refused unauthorized $(by stranger)
posted changed.der '\006'
request a.test.pem plain.der
posted plain.der '\005'
ocsign ocsp probe "$url" --issuer ca.pem --cert a.test.pem \
    --case sig-required >probe.txt 2>probe.err || true
grep -q 'is answered: sigRequired.*--sign-key' probe.err ||
    fail "$(cat probe.err)"
# By one whom it knows, through a certificate between, what can be told is.
cat below.pem sub.pem >below-chain.pem
probe --sign-key below.key --sign-cert below-chain.pem
no_failure
says pass signed-ok good
says pass signed-bad unauthorized
says pass signed-nocert unauthorized
says pass signed-unknown-ca unauthorized
says pass sig-required sigRequired
says skipped get-escaped 'wants requests signed'
# asks_in_vain PATTERN OPTION...
asks_in_vain() {
	asks_pattern=$1
	shift
	if ocsign ocsp probe "$url" --issuer ca.pem --cert a.test.pem "$@" \
	    >probe.txt 2>probe.err; then
		fail "$*: it can ask"
	fi
	grep -q "$asks_pattern" probe.err || fail "$*: $(cat probe.err)"
}
asks_in_vain 'signed request .*unauthorized' \
    --sign-key stranger.key --sign-cert stranger.pem
asks_in_vain 'not the key of known.pem' \
    --sign-key stranger.key --sign-cert known.pem
asks_in_vain 'go together' --sign-key known.key
asks_in_vain 'known.csr: no private key' \
    --sign-key known.csr --sign-cert known.pem
asks_in_vain 'holds a private key' \
    --sign-key known.key --sign-cert known.key
openssl pkcs8 -topk8 -in known.key -out locked.key -passout pass:1234
asks_in_vain 'locked.key: no private key .* password' \
    --sign-key locked.key --sign-cert known.pem

# A flood of forged ones costs verifications within their budget, no
# signature of ours, and leaves the others alone.
reload 's/^listen = .*/&\nrequest-signature-budget = 6/'
signed() {
	ocsign --json status >status.json || fail "ocsign status"
	sed -n '/"issuer": "ca"/,/}/s/^ *"signed": \([0-9]*\),*$/\1/p' \
	    status.json
}
before=$(signed)
n=0
while [ $n -lt 100 ]; do
	printf 'url = "%s"\noutput = "forged.%d"\n' "$url" $n
	n=$((n + 1))
done >forged.conf
curl -sS -m 20 -K forged.conf --data-binary @changed.der \
    -H 'Content-Type: application/ocsp-request'
[ "$(signed)" = "$before" ] || fail "forged requests cost signatures"
printf '0\003\n\001\003' >trylater.der
printf '0\003\n\001\006' >unauthorized.der
n=0 num_later=0
while [ $n -lt 100 ]; do
	if cmp -s forged.$n trylater.der; then
		num_later=$((num_later + 1))
	else
		cmp -s forged.$n unauthorized.der || fail "forged.$n"
	fi
	n=$((n + 1))
done
[ $num_later -gt 50 ] || fail "only $num_later of 100 had to wait"
sleep 1
answered $(by known)

# A file that is not there keeps the old roles, and is said.
sed -i 's/^requestor-ca = .*/requestor-ca = nowhere.pem/' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
within 10 grep -q 'requestor-ca: .*nowhere.pem' ocsignd.log ||
    fail "nothing is said of nowhere.pem"
sleep 1
answered $(by known)
service_stop
