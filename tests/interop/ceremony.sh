#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# An offline root: responses and CRLs signed in a ceremony, carried to a
# service that has neither token nor key, and served.  Newer ones take their
# place; older, damaged and foreign ones do not; the log warns before they end;
# and what the store has as revoked is not called good.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl cmp

# The ceremony's folder, and the token in the safe.
token_folder
port=$(free_port)
url=http://127.0.0.1:$port/
cat >ceremony.conf <<-EOF
	[store]
	path = ceremony/store.db
	[daemon]
	run-directory = ceremony/run
	table-directory = ceremony/tables
	[token safe]
	module = $SOFTHSM_MODULE
	uri = pkcs11:token=safe
	pin-source = user.pin
	environment = SOFTHSM2_CONF=./softhsm2.conf
	[issuer root]
	certificate = root.pem
	token = safe
	key = root
	ca-issuers-url = ${url}root.cer
	crl-url = ${url}root.crl
	[issuer web]
	certificate = web.pem
	token = safe
	key = web
	[issuer old]
	certificate = old.pem
	token = safe
	key = old
EOF
# in_the_room COMMAND...: with the token out of the safe.
in_the_room() {
	[ ! -d locked ] || mv locked tokens
	OCSIGN_CONF=$dir/ceremony.conf ocsign "$@" >room.out || {
		room=$?
		mv tokens locked
		return $room
	}
	mv tokens locked
}
in_the_room token init safe --so-pin-source so.pin
for name in root web old; do
	in_the_room key generate --token safe --label $name
done
in_the_room ca create root --subject 'CN=Offline Root,O=Example,C=DE'
in_the_room ca create web --issuer root --subject 'CN=Web,O=Example,C=DE'
in_the_room ca create old --issuer root --subject 'CN=Old,O=Example,C=DE'
serial_of() {
	openssl x509 -in "$1" -noout -serial | cut -d= -f2
}
web=$(serial_of web.pem)
old=$(serial_of old.pem)

# What the options say is not guessed at.
! in_the_room ocsp sign --issuer root --all --cert web.pem --out x 2>err ||
    fail "--all --cert"
grep -q 'leave out' err || fail "$(cat err)"
! in_the_room ocsp sign --issuer root --all --valid 401d --out x 2>err ||
    fail "401d"
grep -q '400d' err || fail "$(cat err)"
[ ! -e x ] || fail "a directory was left"

in_the_room ocsp sign --issuer root --all --valid 90d --out first
[ "$(count " good " room.out)" -eq 3 ] || fail "$(cat room.out)"
# Root, web and old, each in four encodings.
[ "$(find first -name '*.der' | wc -l)" -eq 12 ] || fail "$(ls first)"

# The service: no token, no key.
cat >ocsign.conf <<-EOF
	[store]
	path = store.db
	[daemon]
	run-directory = run
	table-directory = tables
	[responder]
	listen = 127.0.0.1:$port
	[issuer root]
	certificate = root.pem
	responses = responses
	ca-issuers-url = ${url}root.cer
	crl-url = ${url}root.crl
	crl-file = carried/root.crl
EOF
mkdir carried
carry() {
	cp "$1" carried/new
	mv carried/new carried/root.crl
}
in_the_room crl create --issuer root --der --out first.crl
carry first.crl
OCSIGN_CONF=$dir/ocsign.conf
export OCSIGN_CONF
! ocsignd -t >out 2>&1 || fail "ocsignd -t misses no directory"
grep -q '\[issuer root\] responses: .*No such file' out || fail "$(cat out)"
cp -r first responses
ocsignd -t >out 2>&1 || fail "ocsignd -t: $(cat out)"
! ocsign ocsp sign --issuer root --cert web.pem --out x 2>err ||
    fail "signed without a key"
grep -q 'key of \[issuer root\] is not here' err || fail "$(cat err)"
service_start
grep -q 'issuer root: 12 responses loaded' ocsignd.log ||
    fail "$(cat ocsignd.log)"

# told WORD CERTIFICATE [OPTION...]: by openssl, without nonce and with one,
# which it warns is not in the answer.
told() {
	word=$1
	cert=$2
	shift 2
	for nonce in -no_nonce -nonce; do
		openssl ocsp -issuer root.pem "$@" -cert "$cert" -url "$url" \
		    $nonce -CAfile root.pem >answer 2>&1 || true
		grep -q 'Response verify OK' answer || fail "$(cat answer)"
		grep -q "^$cert: $word" answer || fail "$(cat answer)"
	done
}
issuer=root.pem
told good web.pem
told good old.pem
told good web.pem -sha256
# By POST and GET, what was signed, octet for octet.
for certid in sha1 sha256; do
	request web.pem web.$certid.request -$certid
	[ "$(post web.$certid.request answer.der)" = 200 ] || fail "POST"
	cmp answer.der first/$web-$certid.der || fail "$certid by POST"
	path=$(openssl base64 -A -in web.$certid.request |
	    sed 's|+|%2B|g; s|/|%2F|g; s|=|%3D|g')
	curl -sS -m 10 -D headers -o answer.der "$url$path"
	cmp answer.der first/$web-$certid.der || fail "$certid by GET"
done
grep -qi '^Cache-Control: max-age=[1-9]' headers || fail "$(cat headers)"

# The URLs in what the root has issued, web.pem: its certificate, and the CRL
# that was carried here; a newer one within seconds, an older one not.
printed() {
	openssl x509 -in web.pem -noout -text |
	    sed -n "s/.*URI:\(http.*$1\)\$/\1/p"
}
cer=$(printed cer)
crl=$(printed crl)
[ -n "$cer" ] && [ -n "$crl" ] || fail "no URLs in web.pem"
is_answered() {
	[ "$(curl -sS -m 10 -o got -w '%{http_code}' "$1")" = "$2" ]
}
within 5 is_answered "$cer" 200 || fail "no certificate at $cer"
openssl x509 -in root.pem -outform DER | cmp - got || fail "another root"
is_carried() {
	is_answered "$crl" 200 && cmp -s got "$1"
}
within 5 is_carried first.crl || fail "the CRL is not served"
openssl crl -inform DER -in got -CAfile root.pem -noout 2>verified ||
    fail "$(cat verified)"
grep -q 'verify OK' verified || fail "$(cat verified)"
sleep 1
in_the_room crl create --issuer root --der --out second.crl
carry second.crl
within 5 is_carried second.crl || fail "the new CRL is not served"
carry first.crl
is_refused() {
	grep -q 'issuer root: crl-file .*root.crl is refused' ocsignd.log
}
within 5 is_refused || fail "$(cat ocsignd.log)"
is_carried second.crl || fail "an older CRL"
carry second.crl

# What nobody signed in the room nobody signs here.
refused() {
	what=$1
	shift
	openssl ocsp "$@" -url "$url" -CAfile root.pem >answer 2>&1 || true
	grep -qi "$what" answer || fail "not $what: $(cat answer)"
}
refused unauthorized -issuer root.pem -serial 0x1234
refused unauthorized -issuer root.pem -sha384 -cert web.pem
refused unauthorized -issuer root.pem -cert web.pem -cert old.pem

num_reloads=0
reload() {
	num_reloads=$((num_reloads + 1))
	lines=$(wc -l <ocsignd.log)
	kill -HUP "$(cat ocsignd.pid)"
	within 10 is_reloaded || fail "not reloaded"
	tail -n +$((lines + 1)) ocsignd.log >reload.log
}
is_reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -eq $num_reloads ]
}
# loaded NUMBER REFUSED: with the last reload.
loaded() {
	grep -q "root: $1 responses loaded from .*, $2 files refused" \
	    reload.log || fail "not $1, $2: $(cat reload.log)"
	[ "$(count 'issuer root: .* is refused: ' reload.log)" -eq "$2" ] ||
	    fail "not a line for each: $(cat reload.log)"
}

# A newer set, in which one is revoked.
sleep 1
in_the_room cert revoke --issuer root --reason superseded old.pem
in_the_room ocsp sign --issuer root --all --valid 90d --out second
rm -r responses
cp -r second responses
reload
loaded 12 0
told good web.pem
told revoked old.pem
grep -q 'Reason: superseded' answer || fail "$(cat answer)"
[ "$(post web.sha1.request answer.der)" = 200 ] || fail "POST"
cmp answer.der second/$web-sha1.der || fail "not the newer one"

# The older set again: all of it is refused, and what is served stays.
rm -r responses
cp -r first responses
reload
loaded 0 12
[ "$(count 'it is older .* than the response that is served' reload.log)" \
    -eq 8 ] || fail "$(cat reload.log)"
[ "$(count 'it says "good" of a certificate that was revoked' reload.log)" \
    -eq 4 ] || fail "$(cat reload.log)"
told revoked old.pem
[ "$(post web.sha1.request answer.der)" = 200 ] || fail "POST"
cmp answer.der second/$web-sha1.der || fail "an older one"

# A damaged file, one of another CA, one that is none: a line each.
rm -r responses
cp -r second responses
last=$(tail -c 1 second/$web-sha1.der | od -An -tu1)
head -c -1 second/$web-sha1.der >responses/$web-sha1.der
printf "\\$(printf %o $(((last + 1) % 256)))" >>responses/$web-sha1.der
cp web.pem responses/stray.der
reload
loaded 11 2
grep -q "error: issuer root: $dir/responses/$web-sha1.der is refused: its \
signature is not that of certificate" reload.log || fail "$(cat reload.log)"
grep -q 'stray.der is refused: not an OCSPResponse' reload.log ||
    fail "$(cat reload.log)"
told good web.pem
ocsign --json status >status.json
grep -q '"loaded_refused": 2' status.json || fail "$(cat status.json)"

# OpenSSL's own: as ours are written it is taken, else it is told how.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout foreign.key -out foreign.pem -subj '/CN=Foreign Root' \
    -days 3000 2>/dev/null
printf 'V\t400101000000Z\t\t1234\tunknown\t/CN=Sub\n' >index.txt
openssl ocsp -issuer foreign.pem -serial 0x1234 -no_nonce \
    -reqout foreign.request
mkdir foreign-responses
for kind in key '' cert; do
	openssl ocsp -index index.txt -CA foreign.pem -rsigner foreign.pem \
	    -rkey foreign.key -ndays 30 -reqin foreign.request \
	    -respout foreign-responses/by-${kind:-name}.der \
	    ${kind:+-resp_key_id} $([ "$kind" = cert ] || echo -resp_no_certs) \
	    >out 2>&1 || fail "$(cat out)"
done
cat >>ocsign.conf <<-EOF
	[issuer foreign]
	certificate = foreign.pem
	responses = foreign-responses
EOF
reload
grep -q 'foreign: 1 responses loaded from .*, 2 files refused' reload.log ||
    fail "$(cat reload.log)"
grep -q 'by-name.der is refused: .*-resp_key_id' reload.log ||
    fail "$(cat reload.log)"
grep -q 'by-cert.der is refused: .*-resp_no_certs' reload.log ||
    fail "$(cat reload.log)"
[ "$(post foreign.request answer.der)" = 200 ] || fail "POST"
cmp answer.der foreign-responses/by-key.der || fail "not OpenSSL's"

# Near its end: said before, and tryLater after.
in_the_room ocsp sign --issuer root --all --valid 310s --out short
rm -r responses
cp -r short responses
reload
loaded 12 0
is_warned() {
	grep -Eq 'warning: issuer root: 12 of the responses .* end soon' \
	    ocsignd.log
}
within 15 is_warned || fail "no warning: $(cat ocsignd.log)"
ocsign --json status >status.json
grep -q '"loaded_ending": 12' status.json || fail "$(cat status.json)"
has_ended() {
	openssl ocsp -issuer root.pem -cert web.pem -url "$url" \
	    -CAfile root.pem >answer 2>&1 || true
	grep -qi trylater answer
}
within 20 has_ended || fail "it does not end: $(cat answer)"
is_told() {
	grep -Eq 'error: issuer root: 12 of the responses .* have ended' \
	    ocsignd.log
}
within 15 is_told || fail "not told: $(cat ocsignd.log)"
service_stop

# With a store that knows the certificates: revoked there, good in the
# response; and then a response that says so.
OCSIGN_CONF=$dir/ceremony.conf ocsign store backup copy.db >out
ocsign store restore copy.db >out 2>&1 || fail "$(cat out)"
sleep 1
in_the_room ocsp sign --issuer root --all --valid 90d --out third
rm -r responses
cp -r third responses
: >ocsignd.log
service_start
told good web.pem
told revoked old.pem
ocsign cert revoke --issuer root --reason cessationOfOperation web.pem \
    >out 2>&1 || fail "$(cat out)"
refused trylater -issuer root.pem -cert web.pem
grep -q "error: issuer root: the store has $web as revoked" ocsignd.log ||
    fail "$(cat ocsignd.log)"
num_reloads=0
reload
grep -q "$web-sha1.der is refused: it says \"good\", and the store" \
    reload.log || fail "$(cat reload.log)"
refused trylater -issuer root.pem -cert web.pem
sleep 1
in_the_room cert revoke --issuer root --reason cessationOfOperation web.pem
in_the_room ocsp sign --issuer root --all --valid 90d --out fourth
rm -r responses
cp -r fourth responses
reload
loaded 12 0
told revoked web.pem
service_stop
! grep -E 'error: .*(signer|token)' ocsignd.log ||
    fail "somebody misses the token"
