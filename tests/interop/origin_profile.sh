#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# origin-rsa and origin-ecc through the command, with keys in a token; what
# --explain says; and each weak or foreign thing in a request, refused by a
# rule that says its name, with nothing signed.

. "$top_srcdir/tests/interop/lib.sh"

write_config
cat >>ocsign.conf <<-EOT

	[profile ours]
	based-on = origin-ecc
	subject = fixed
	subject-name = CN=Edge,O=Ours
	validity = 7d
	copy-extensions = tlsfeature
	policies = 1.2.3.4 cps=http://a.example/cps notice="For the edge only"
	name-whitelist = ^(\*\.)?example\.com$
	issuers = web

	[profile theirs]
	based-on = origin-ecc
	issuers = root

	[profile inner]
	based-on = intermediate
	permitted-names = dns:example.com ip:192.0.2.0/24
	excluded-names = dns:bad.example.com ip:::/0
EOT
make_cas

issue="ocsign cert issue --issuer web"
csr rsa -newkey rsa:2048
csr p256 -newkey ec -pkeyopt ec_paramgen_curve:P-256

# --- what is issued -------------------------------------------------------

for kind in "rsa rsa" "ecc p256"; do
	set -- $kind
	good $issue --profile "origin-$1" --san example.com \
	    --san '*.Example.com' --validity 30d --out "$1.pem" "$2.csr"
	good openssl verify -x509_strict -CAfile root.pem -untrusted web.pem \
	    -verify_hostname www.example.com "$1.pem"
	openssl x509 -in "$1.pem" -noout -text >text
	for line in 'CN = Origin Certificate' \
	    'DNS:example.com, DNS:\*.example.com' 'CA:FALSE' \
	    'TLS Web Server Authentication, TLS Web Client Authentication' \
	    'OCSP - URI:http://127.0.0.1:1/' \
	    'URI:http://127.0.0.1:1/web.crl' 'Not Before: .*:00 '; do
		grep -q "$line" text || die "no \"$line\" in $(cat text)"
	done
	grep -q 'CA Issuers\|CN = www\|DNS:www' text && die "$(cat text)"
	from=$(date -d "$(openssl x509 -in "$1.pem" -noout -startdate |
	    sed 's/.*=//')" +%s)
	until=$(date -d "$(openssl x509 -in "$1.pem" -noout -enddate |
	    sed 's/.*=//')" +%s)
	[ $((until - from)) -eq $((30 * 86400)) ] ||
	    die "valid for $((until - from)) s"
done

openssl req -new -key p256.key -out staple.csr -subj / \
    -addext tlsfeature=status_request 2>/dev/null
good $issue --profile ours --san example.com --out ours.pem staple.csr
openssl x509 -in ours.pem -noout -text >text
for line in 'Subject: O = Ours, CN = Edge' 'status_request' \
    'Policy: 1.2.3.4' 'CPS: http://a.example/cps' \
    'Explicit Text: For the edge only'; do
	grep -q "$line" text || die "no \"$line\" in $(cat text)"
done

# --- explained ------------------------------------------------------------

rows=$(ocsign cert list | wc -l)
good $issue --profile origin-ecc --san example.com --explain --dry-run \
    p256.csr
for line in 'subject: CN=Origin Certificate,.* (profile: origin-ecc)' \
    'subject: CN=www.example.com (ignored: the profile has its own)' \
    'subjectAltName: DNS:example.com (request)' \
    'subjectAltName: DNS:www.example.com (ignored: others were given)' \
    'subjectPublicKeyInfo: EC P-256 (csr)' \
    'issuer: CN=Example Web,.* (issuer: web)' 'version: 3 (default)' \
    'notBefore: .* (\(clock\|issuer\): ' 'notAfter: .* (profile: 5475d)' \
    'ocsp: http://127.0.0.1:1/ (issuer: web)'; do
	grep -q "^$line" out || die "no \"$line\" in $(cat out)"
done
# Where the issuer begins, or on the minute behind it: which, is said.
begin=$(date -u -d "$(openssl x509 -in web.pem -noout -startdate |
    cut -d= -f2)" +%Y-%m-%dT%H:%M:%SZ)
if ! grep '^notBefore: ' out | grep -q 'issuer'; then
	echo "not cut to the issuer's: not looked at"
elif grep -q "^notBefore: $begin " out; then
	grep -q '^notBefore: .* (issuer: begins then)' out || die "$(cat out)"
else
	grep '^notBefore: .*:00Z (issuer: begins' out |
	    grep -Eq ' [1-5]?[0-9]s before, rounded up to 60s\)$' ||
	    die "$begin: $(cat out)"
fi
good $issue --profile origin-ecc --san example.com --explain --dry-run \
    --json p256.csr
grep -q '"accepted": true' out || die "$(cat out)"
good $issue --profile origin-ecc --san example.com --dry-run p256.csr
[ ! -s out ] || die "$(cat out)"

# refused RULE WORDS CSR OPTION...: by that rule, in text and in JSON.
refused() {
	rule=$1 words=$2 file=$3
	shift 3
	$issue "$@" --explain "$file" >out 2>err && die "$rule: issued"
	grep -q "^refused by the rule $rule: .*$words" out ||
	    die "$rule, $words: $(cat out err)"
	grep -q "^ocsign: cert issue: " err || die "$rule: $(cat err)"
	$issue "$@" --explain --dry-run --json "$file" >out 2>err &&
	    die "$rule: accepted"
	grep -q "\"rule\": \"$rule\"" out || die "$rule: $(cat out)"
	grep -q '"accepted": false' out || die "$rule: $(cat out)"
	echo "ok: $rule: $words"
}

origin="--profile origin-ecc --san example.com"
refused names-missing 'give --san' p256.csr --profile origin-ecc
refused key-type 'RSA 2048 bits' rsa.csr $origin
refused key-type 'EC P-256' p256.csr --profile origin-rsa --san example.com
refused name-wildcard '\*.com' p256.csr $origin --san '*.com'
refused name-kind 'IP:192.0.2.1' p256.csr $origin --san 192.0.2.1
refused validity-choice '7d, 30d' p256.csr $origin --validity 45d
refused name-whitelist 'example.org' p256.csr --profile ours \
    --san example.org
refused issuer-profile 'not for issuer web' p256.csr --profile theirs \
    --san example.com
refused csr-extension '1.3.6.1.5.5.7.1.24' staple.csr $origin

# --- requests that are refused --------------------------------------------

openssl req -in p256.csr -outform DER -out p256.der
cat p256.csr p256.key >both.pem
refused csr-private-key 'private key' both.pem $origin
printf x >>p256.der
refused csr-malformed 'p256.der' p256.der $origin
head -c 70000 /dev/zero >large.csr
{ cat large.csr p256.der; cat large.csr; } >huge.csr
refused csr-limit 'huge.csr' huge.csr $origin
# The signature's last octet.
openssl req -in p256.csr -outform DER -out flip.der
size=$(stat -c %s flip.der)
last=$(tail -c 1 flip.der | od -An -tu1 | tr -d ' ')
printf "\\$(printf %o $((last ^ 1)))" |
    dd of=flip.der bs=1 seek=$((size - 1)) conv=notrunc 2>/dev/null
refused csr-signature 'does not verify' flip.der $origin

# Keys: size, exponent, the CA's own.
csr small -newkey rsa:1024
refused key-unfit '1024 bits' small.csr --profile server
csr three -newkey rsa:2048 -pkeyopt rsa_keygen_pubexp:3
refused key-unfit 'exponent 3' three.csr --profile server
csr curve -newkey ec -pkeyopt ec_paramgen_curve:secp256k1
refused key-unfit 'P-256, P-384 or P-521' curve.csr --profile server
csr explicit -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
    -pkeyopt ec_param_enc:explicit
refused key-unfit 'named' explicit.csr --profile server
good ocsign csr create --subject CN=www.example.com --key web --token ca \
    --san www.example.com --out own.csr
refused key-of-ca "the CA's own" own.csr --profile server
openssl req -new -key p256.key -sha1 -out sha1.csr -subj /CN=a 2>/dev/null
refused csr-signature 'SHA-256' sha1.csr $origin

# What a request may not ask for, by name.
asks() {
	openssl req -new -key p256.key -out asks.csr -subj /CN=a \
	    -addext "$3" 2>/dev/null || die "openssl: $3"
	refused "$1" "$2" asks.csr $origin
}
asks csr-ca 'CA certificate' basicConstraints=critical,CA:TRUE
asks csr-key-usage keyUsage keyUsage=keyCertSign
asks csr-extended-key-usage codeSigning extendedKeyUsage=codeSigning
asks csr-extension 1.2.3.4 1.2.3.4=DER:0500
asks csr-extension 11129.2.4.3 1.3.6.1.4.1.11129.2.4.3=DER:0500

[ "$(ocsign cert list | wc -l)" -eq $rows ] || die "something was issued"

# --- below a constrained CA -----------------------------------------------

good ocsign key generate --token ca --label inner
cat >>ocsign.conf <<-EOT

	[issuer inner]
	certificate = inner.pem
	chain = inner-chain.pem
	token = ca
	key = inner
EOT
sed -i 's/^path-length.*//' ocsign.conf
good ocsign ca create inner --issuer root --profile inner \
    --subject CN=Inner,O=Example,C=DE
openssl x509 -in inner.pem -noout -text >text
for line in 'Name Constraints: critical' 'DNS:example.com' \
    'IP:192.0.2.0/255.255.255.0' 'DNS:bad.example.com'; do
	grep -q "$line" text || die "no \"$line\" in $(cat text)"
done
# inner NAME: whether it is issued below it; OpenSSL must say the same.
inner() {
	openssl req -new -key p256.key -subj /O=Example -out in.csr
	if [ "$1" = yes ]; then
		good ocsign cert issue --issuer inner --profile server \
		    --san "$2" --out in.pem in.csr
		good openssl verify -x509_strict -CAfile root.pem \
		    -untrusted inner.pem in.pem
		return
	fi
	ocsign cert issue --issuer inner --profile server --san "$2" \
	    --explain in.csr >out 2>err && die "issued: $2"
	grep -q '^refused by the rule name-constraint: ' out ||
	    die "$2: $(cat out err)"
}
inner yes www.example.com
inner yes 192.0.2.77
inner no example.org
inner no x.bad.example.com
inner no 198.51.100.1
inner no 2001:db8::1
