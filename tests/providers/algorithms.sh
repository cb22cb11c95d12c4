#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every algorithm in everything that is signed: request, certificate, CRL, OCSP
# response; OpenSSL verifies each and finds the algorithm that was asked for.
# Then a token whose key takes one mechanism only.

. "$top_srcdir/tests/providers/lib.sh"
need softhsm2-util pkcs11-tool

mkdir tokens
cat >softhsm.conf <<-EOT
	directories.tokendir = $work/tokens
	objectstore.backend = file
	log.level = ERROR
EOT
(umask 077; echo 123456 >user.pin)
SOFTHSM2_CONF=$work/softhsm.conf
export SOFTHSM2_CONF
softhsm2-util --init-token --free --label soft --so-pin 87654321 \
    --pin 123456 >out 2>&1 || die "$(cat out)"

label=soft
types='p256 p384 p521 ed25519 rsa2048'
section="module = $module
environment = SOFTHSM2_CONF=./softhsm.conf"
configure
for type in $types; do
	good ocsign key generate --token hsm --label $type --type $type
done

# signed_by FILE NAME: what OpenSSL calls its signature algorithm.
signed_by() {
	grep -q "Signature Algorithm: $2" "$1" ||
	    die "not $2: $(grep Algorithm "$1")"
}

# all_of NAME ALGORITHM-OF-OPENSSL [HASH]
all_of() {
	good ocsign ca create "$1" --subject "CN=$1" --csr "$1.csr"
	good openssl req -in "$1.csr" -verify -noout -text
	signed_by out "$2"
	[ -z "${3-}" ] || grep -q "Hash Algorithm: $3" out || die "not $3"
	ca_of "$1"
	for file in "$1.pem" "$1-leaf.pem"; do
		good openssl x509 -in "$file" -noout -text
		signed_by out "$2"
	done
	good openssl crl -in "$1.crl" -noout -text
	signed_by out "$2"
	good openssl ocsp -respin "$1.ocsp" -noverify -resp_text
	signed_by out "$2"
	[ -z "${3-}" ] || grep -q "Hash Algorithm: $3" out || die "not $3"
}

for hash in 256 384 512; do
	for type in p256 p384 p521; do
		issuer_section $type-$hash $type ecdsa-sha$hash
	done
	issuer_section rsa-$hash rsa2048 rsa-sha$hash
	issuer_section pss-$hash rsa2048 rsa-pss-sha$hash
done >>ocsign.conf
issuer_section ed ed25519 ed25519 >>ocsign.conf
# One pair of each kind; of the rest every fourth would do.
all_of p256-256 ecdsa-with-SHA256
all_of p384-384 ecdsa-with-SHA384
all_of p521-512 ecdsa-with-SHA512
all_of p256-512 ecdsa-with-SHA512
all_of ed ED25519
all_of rsa-256 sha256WithRSAEncryption
all_of rsa-384 sha384WithRSAEncryption
all_of rsa-512 sha512WithRSAEncryption
all_of pss-256 rsassaPss sha256
all_of pss-384 rsassaPss sha384
all_of pss-512 rsassaPss sha512

# A delegated signer of another algorithm than its CA's.
good ocsign csr create --subject CN=OCSP --key rsa2048 --token hsm \
    --out ocsp.csr
good ocsign cert issue --issuer p256-256 --profile ocsp-signer \
    --out ocsp.pem ocsp.csr
sed -i 's/^\[issuer p256-256\]$/&\
ocsp-certificate = ocsp.pem\
ocsp-key = rsa2048\
ocsp-algorithm = rsa-pss-sha384/' ocsign.conf
good ocsign ocsp sign --issuer p256-256 --cert p256-256-leaf.pem \
    --out delegated.ocsp
good openssl ocsp -issuer p256-256.pem -cert p256-256-leaf.pem \
    -respin delegated.ocsp -CAfile p256-256.pem -no_nonce -resp_text
grep -q 'Response verify OK' err || die "delegated: $(cat err)"
signed_by out rsassaPss
grep -q 'Hash Algorithm: sha384' out || die 'delegated: not sha384'

# Keys of one mechanism: the token hashes itself; or makes PSS alone.
tool() {
	pkcs11-tool --module "$module" --token-label soft --login \
	    --pin 123456 "$@" >out 2>&1 || die "pkcs11-tool $*: $(cat out)"
}
tool --keypairgen --key-type RSA:2048 --id 71 --label hashing \
    --allowed-mechanisms SHA256-RSA-PKCS
tool --keypairgen --key-type RSA:2048 --id 72 --label pss \
    --allowed-mechanisms RSA-PKCS-PSS
tool --keypairgen --key-type EC:prime256v1 --id 73 --label always \
    --always-auth
issuer_section hashing hashing >>ocsign.conf
issuer_section pss pss >>ocsign.conf
issuer_section always always >>ocsign.conf
all_of hashing sha256WithRSAEncryption
bad 1 'signature of rsa-sha256 with it, but of rsa-pss-sha256' \
    ocsign ca create pss --subject CN=pss
sed -i 's/^key = pss$/&\
algorithm = rsa-pss-sha256/' ocsign.conf
all_of pss rsassaPss sha256
good ocsign csr create --subject CN=x --key pss --token hsm --out free.csr
good openssl req -in free.csr -verify -noout
# Its PIN for each signature.
all_of always ecdsa-with-SHA256

# The section that "ca create" writes.
ocsign ca create made --subject CN=made --token hsm --key rsa2048 \
    --algorithm rsa-pss-sha512 >out 2>err || die "made: $(cat err)"
good openssl x509 -in made.pem -noout -text
signed_by out rsassaPss
grep -q 'Hash Algorithm: sha512' out || die 'made: not sha512'
bad 1 'algorithm: "rsa-md5" is none of' ocsign ca create never \
    --subject CN=never --token hsm --key rsa2048 --algorithm rsa-md5
bad 2 'leave out --token, --key and --algorithm' ocsign ca create made \
    --subject CN=made --algorithm rsa-pss-sha512

# The responder: what stands in its table, and what is signed for a nonce.
start_ocsignd
for name in p256-256 p384-384 p521-512 ed rsa-512 pss-384 hashing always; do
	within 20 ask $name -no_nonce || die "$name: $(cat out err)"
	within 20 ask $name || die "$name: $(cat out err)"
done
service=$(cat ocsignd.pid)
kill "$service"
within 20 not kill -0 "$service" 2>/dev/null || die "ocsignd does not end"

# What is asked for in vain.
issuer_section wrong p256 rsa-sha256 >>ocsign.conf
bad 1 'rsa-sha256 is for keys of another type' \
    ocsign ca create wrong --subject CN=x
sed -i '/^\[issuer wrong\]/,$d' ocsign.conf
issuer_section wrong p256 md5 >>ocsign.conf
bad 1 'algorithm.*"md5"' ocsign ca create wrong --subject CN=x
