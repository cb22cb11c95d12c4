#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Requests of openssl and certtool, and the certificates made of them before
# the eyes of both.

. "$top_srcdir/tests/interop/lib.sh"

write_config
make_cas

# issued NAME: from NAME.csr to NAME.pem, and what others say of it.
issued() {
	good ocsign cert issue --issuer web --profile server --chain "$1.csr"
	cp out "$1.pem"
	good openssl verify -x509_strict -purpose sslserver \
	    -verify_hostname www.example.com -CAfile root.pem \
	    -untrusted "$1.pem" "$1.pem"
	openssl req -in "$1.csr" -noout -pubkey >pub1
	openssl x509 -in "$1.pem" -noout -pubkey >pub2
	cmp -s pub1 pub2 || die "$1: another key than the request's"
	if command -v certtool >/dev/null; then
		cat "$1.pem" root.pem >whole.pem
		good certtool --verify --load-ca-certificate root.pem \
		    --infile "$1.pem"
	fi
}

csr rsa -newkey rsa:2048
csr p256 -newkey ec -pkeyopt ec_paramgen_curve:P-256
csr p384 -newkey ec -pkeyopt ec_paramgen_curve:P-384
for name in rsa p256 p384; do
	issued $name
done
# Without a SAN the common name becomes one.
openssl req -new -newkey rsa:2048 -nodes -keyout cn.key -out cn.csr \
    -subj /CN=www.example.com 2>/dev/null
issued cn
# DER in, standard input.
openssl req -in p256.csr -outform DER -out p256.der
good ocsign cert issue --issuer web --profile server --out der.pem p256.der
good openssl verify -CAfile root.pem -untrusted web.pem der.pem
ocsign cert issue --issuer web --profile server - <p256.csr >stdin.pem ||
    die "cert issue -"
good openssl verify -CAfile root.pem -untrusted web.pem stdin.pem

if command -v certtool >/dev/null; then
	certtool --generate-privkey --key-type ecdsa --curve secp256r1 \
	    --outfile tls.key >/dev/null 2>&1 || die "certtool"
	cat >template <<-EOT
		cn = www.example.com
		dns_name = www.example.com
		tls_www_server
		signing_key
	EOT
	certtool --generate-request --load-privkey tls.key \
	    --template template --outfile tls.csr >log 2>&1 ||
	    die "certtool: $(cat log)"
	issued tls
fi

# Every field that was promised.
openssl x509 -in rsa.pem -noout -text >text
for line in 'Version: 3' 'CN = Example Web' 'CA:FALSE' \
    'Digital Signature, Key Encipherment' 'TLS Web Server Authentication' \
    'DNS:www.example.com' 'X509v3 Authority Key Identifier' \
    'X509v3 Subject Key Identifier' 'OCSP - URI:http://127.0.0.1:1/' \
    'CA Issuers - URI:http://127.0.0.1:1/web.crt' \
    'URI:http://127.0.0.1:1/web.crl' 'ecdsa-with-SHA256'; do
	grep -q "$line" text || die "no \"$line\" in: $(cat text)"
done
openssl x509 -in p256.pem -noout -text >text
grep -q 'Key Encipherment' text && die "an EC key enciphers no keys"

# The command's own requests, for a key in a file and one in the token.
good ocsign csr create --subject CN=www.example.com --new-key own.key \
    --san www.example.com --san 192.0.2.1 --san 2001:db8::1 --out own.csr
[ "$(stat -c %a own.key)" = 600 ] || die "own.key is not 0600"
good openssl req -in own.csr -noout -verify
good openssl pkey -in own.key -noout -check
issued own
good openssl verify -verify_ip 192.0.2.1 -CAfile root.pem \
    -untrusted web.pem own.pem
for type in p384 rsa2048; do
	good ocsign csr create --subject CN=a.example --new-key $type.new \
	    --type $type --out $type.new.csr
	good openssl req -in $type.new.csr -noout -verify
done
good ocsign key generate --token ca --label other --type rsa2048
good ocsign csr create --subject CN=Other --key other --token ca \
    --out other.csr
good openssl req -in other.csr -noout -verify

# Subject, names and life of our own choice.
good ocsign cert issue --issuer web --profile client --validity 7d \
    --subject 'CN=Jane Doe,O=Example,C=DE' --san email:jane@example.com \
    --out jane.pem own.csr
openssl x509 -in jane.pem -noout -text >text
grep -q 'C = DE, O = Example, CN = Jane Doe' text || die "$(cat text)"
grep -q 'email:jane@example.com' text || die "$(cat text)"
good openssl x509 -in jane.pem -noout -checkend 600000
if openssl x509 -in jane.pem -noout -checkend 605000 >/dev/null; then
	die "longer than 7d"
fi

# By serial in every form, and by file.
serial=$(openssl x509 -in rsa.pem -noout -serial | sed 's/.*=//')
decimal=$(echo "ibase=16; $serial" | bc 2>/dev/null)
colons=$(echo "$serial" | sed 's/../&:/g; s/:$//')
for form in "$serial" "0x$serial" "$colons" $decimal rsa.pem; do
	good ocsign --json cert show "$form"
	grep -q "\"serial\": \"$serial\"" out || die "$form: $(cat out)"
done
good ocsign cert show --pem "$serial"
cp out shown.pem
good openssl x509 -in shown.pem -noout -checkhost www.example.com

# Eight at once, with one token: all wait their turn.
for n in 1 2 3 4 5 6 7 8; do
	ocsign cert issue --issuer web --profile server --out par$n.pem \
	    p256.csr 2>par$n.err &
done
wait
for n in 1 2 3 4 5 6 7 8; do
	[ ! -s par$n.err ] || die "$(cat par$n.err)"
	openssl x509 -in par$n.pem -noout -serial || die "par$n.pem"
done | sort -u >serials
[ "$(wc -l <serials)" -eq 8 ] || die "not eight serials: $(cat serials)"

# A CA in a file that is not written is made again from the records.
mv web.pem web.kept
good ocsign ca create web --issuer root \
    --subject 'CN=Example Web,O=Example,C=DE'
cmp -s web.pem web.kept || die "not the recorded certificate"
# Another one only if we say so.
mv web.pem web.kept
good ocsign ca create web --issuer root --renew \
    --subject 'CN=Example Web,O=Example,C=DE'
cmp -s web.pem web.kept && die "--renew gave the recorded certificate"
good openssl verify -CAfile root.pem -untrusted web.pem rsa.pem

# A root outside.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout out.key -out outside.pem -subj '/CN=Outside Root' -days 3650 \
    2>/dev/null || die "openssl req -x509"
ocsign ca create sub --token ca --key other --subject 'CN=Sub,C=DE' \
    --csr sub.csr 2>err || die "ca create --csr: $(cat err)"
grep -q 'issuer-sub.conf' err || die "$(cat err)"
good openssl req -in sub.csr -noout -verify
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n' \
    >ext
good openssl x509 -req -in sub.csr -CA outside.pem -CAkey out.key \
    -CAcreateserial -days 3000 -extfile ext -out sub-given.pem
bad 1 'not for the key' ocsign ca import sub --cert web.pem
bad 1 'has not issued' ocsign ca import sub --cert sub-given.pem --chain web.pem
! grep -q chain ocsign.conf.d/issuer-sub.conf || die "written too early"
good ocsign ca import sub --cert sub-given.pem --chain outside.pem
good cmp outside.pem sub-chain.pem
good grep -qx 'chain = sub-chain.pem' ocsign.conf.d/issuer-sub.conf
good ocsign cert issue --issuer sub --profile server --out s.pem p256.csr
good openssl verify -CAfile outside.pem -untrusted sub.pem s.pem
bad 1 'there already' ocsign ca import sub --cert sub-given.pem

# A section that ca create writes knows what is above it.
good ocsign key generate --token ca --label third
ocsign ca create third --issuer root --token ca --key third \
    --subject 'CN=Third,C=DE' >out 2>err || die "ca create: $(cat err)"
good cmp root.pem third-chain.pem
good ocsign cert issue --issuer third --profile server --chain --out t.pem \
    p256.csr
[ "$(grep -c BEGIN t.pem)" -eq 2 ] || die "not the chain: $(cat t.pem)"

# A CA that exists.
rm ocsign.conf.d/issuer-sub.conf
bad 1 'not for the key' ocsign ca add sub2 --cert sub.pem --token ca \
    --key web
ocsign ca add sub2 --cert sub.pem --token ca --key other >out 2>err ||
    die "ca add: $(cat err)"
good ocsign cert issue --issuer sub2 --profile server --out s2.pem p256.csr
good openssl verify -CAfile outside.pem -untrusted sub.pem s2.pem
good ocsign ca list
good ocsign ca show sub2
exit 0
