#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Roots offline in one token, RSA and ECC issuing CAs in another, each token
# with a module and a folder of its own.  A CA is certified under both roots;
# a leaf goes out with either chain, and openssl takes each with its own root
# only.  Then the roots' token is taken away, and issuing goes on.

. "$top_srcdir/tests/interop/lib.sh"

# Two copies of a module are two modules.
cp "$module" ./libroots.so
cp "$module" ./libissuing.so
port=$(free_port)
url=http://127.0.0.1:$port/
for name in roots issuing; do
	mkdir -p "tokens.$name"
	cat >"softhsm.$name.conf" <<-EOT
		directories.tokendir = $work/tokens.$name
		objectstore.backend = file
		log.level = ERROR
	EOT
done
(umask 077; printf 12345678 >so.pin; printf 123456 >user.pin)
cat >ocsign.conf <<-EOT
	[store]
	path = store/store.db
	[daemon]
	run-directory = run
	table-directory = tables
	[responder]
	listen = 127.0.0.1:$port
	[profile above]
	based-on = intermediate
	path-length = 1
	[profile fixed]
	based-on = intermediate
	subject = fixed
	subject-name = CN=Fixed
	[token roots]
	module = $work/libroots.so
	uri = pkcs11:token=roots
	pin-source = file:user.pin
	environment = SOFTHSM2_CONF=./softhsm.roots.conf
	[token issuing]
	module = $work/libissuing.so
	uri = pkcs11:token=issuing
	pin-source = file:user.pin
	environment = SOFTHSM2_CONF=./softhsm.issuing.conf
EOT
# issuer NAME TOKEN LINE...
issuer() {
	printf '[issuer %s]\ncertificate = %s.pem\ntoken = %s\nkey = %s\n' \
	    "$1" "$1" "$2" "$1"
	shift 2
	for line; do
		echo "$line"
	done
}
{
	issuer root1 roots 'allow = certificate crl'
	issuer root2 roots 'allow = certificate crl'
	issuer rsa issuing "ocsp-url = $url" 'chain = rsa-chain.pem' \
	    'alternate-chain = rsa-alt1.pem ./rsa-alt2.pem'
	issuer ecc issuing "ocsp-url = $url" 'chain = ecc-chain.pem' \
	    'alternate-chain = ecc-alt.pem'
} >>ocsign.conf
OCSIGN_CONF=$work/ocsign.conf
export OCSIGN_CONF

good ocsign token init roots --so-pin-source so.pin
good ocsign token init issuing --so-pin-source so.pin
good ocsign key generate --token roots --label root1 --type rsa4096
good ocsign key generate --token roots --label root2 --type p384
good ocsign key generate --token issuing --label rsa --type rsa2048
good ocsign key generate --token issuing --label ecc --type p256
good ocsign ca create root1 --subject 'CN=Root One,O=Example,C=DE'
good ocsign ca create root2 --subject 'CN=Root Two,O=Example,C=DE'
good ocsign ca create rsa --issuer root1 \
    --subject 'CN=Issuing RSA,O=Beispiel Müller,C=DE'
good ocsign ca create ecc --issuer root2 \
    --subject 'CN=Issuing ECC,O=Example,C=DE'
[ -d tokens.roots ] && [ "$(ls tokens.roots | wc -l)" -eq 1 ] &&
    [ "$(ls tokens.issuing | wc -l)" -eq 1 ] || die "not a token each"

# --- what is refused, before anything is signed

bad 2 'below itself' ocsign ca cross-sign rsa --issuer rsa
bad 1 'no \[issuer nowhere\]' ocsign ca cross-sign rsa --issuer nowhere
bad 1 'root1 is above rsa' ocsign ca cross-sign root1 --issuer rsa \
    --out x.pem
bad 1 'no alternate-chain' ocsign ca cross-sign root1 --issuer root2
bad 1 'rsa is below root1.*path-length' ocsign ca cross-sign root1 \
    --issuer root2 --out x.pem
# Another section's file may be broken.
cp rsa.pem rsa.good
printf -- '-----BEGIN CERTIFICATE-----\n!\n' >rsa.pem
bad 1 'ecc is below root2.*path-length' ocsign ca cross-sign root2 \
    --issuer root1 --out x.pem
mv rsa.good rsa.pem
bad 1 'does not make CAs' ocsign ca cross-sign rsa --issuer root2 \
    --profile server
bad 1 'fixed subject' ocsign ca cross-sign rsa --issuer root2 --profile fixed
bad 1 'is there already' ocsign ca cross-sign rsa --issuer root2 \
    --out rsa.pem
bad 1 'path length is 0' ocsign ca cross-sign rsa --issuer ecc
bad 2 'validity' ocsign ca cross-sign rsa --issuer root2 --validity soon
bad 1 'not there|No such file|cannot' ocsign ca cross-sign rsa \
    --issuer root2 --out nowhere/x.pem
bad 2 'issuer' ocsign ca cross-sign rsa

# --- crosswise

good ocsign ca cross-sign rsa --issuer root2
[ -f rsa-alt1.pem ] && [ ! -e rsa-alt2.pem ] || die "not the first file"
good ocsign --json ca cross-sign ecc --issuer root1
grep -q '"issuer": "root1"' out || die "$(cat out)"
for name in rsa ecc; do
	alternate=$(ls $name-alt*.pem)
	for field in -subject '-ext subjectKeyIdentifier' -pubkey; do
		# shellcheck disable=SC2086
		openssl x509 -noout $field -in $name.pem >one
		# shellcheck disable=SC2086
		openssl x509 -noout $field -in "$alternate" >other
		cmp one other || die "another $field: $(cat one other)"
	done
	openssl x509 -in "$alternate" -noout -text >text
	grep -q 'CA:TRUE, pathlen:0' text || die "$(cat text)"
done
# Octet for octet, the umlaut's UTF8String too.
openssl asn1parse -in rsa.pem >one
openssl asn1parse -in rsa-alt1.pem >other
[ "$(grep -c UTF8STRING one)" -eq "$(grep -c UTF8STRING other)" ] ||
    die "the subject's encoding is another"
good openssl verify -CAfile root2.pem rsa-alt1.pem
good ocsign ca show rsa
grep -q '1: under CN=Root Two' out || die "$(cat out)"
grep -q '2: .*rsa-alt2.pem' out || die "$(cat out)"

# A root under the other, with a CA below it: outside of the configuration.
ocsign ca cross-sign root1 --issuer root2 --profile above \
    --out root1-under-root2.pem 2>err || die "$(cat err)"
grep -q 'add it to alternate-chain of \[issuer root1\]' err ||
    die "no advice: $(cat err)"
good openssl verify -CAfile root2.pem -untrusted root1-under-root2.pem \
    rsa.pem

# A CA that a root outside made in its own way: UTF8String where we write
# PrintableString, and a key identifier out of the blue.
cat >>ocsign.conf <<-EOT
	[issuer taken]
	certificate = taken.pem
	token = issuing
	key = taken
	alternate-chain = taken-alt.pem
EOT
good ocsign key generate --token issuing --label taken
ocsign ca create taken --subject CN=Taken --csr taken.csr || die "--csr"
good openssl req -x509 -newkey rsa:2048 -nodes -keyout outside.key \
    -out outside.pem -subj '/CN=Outside' -days 30
good openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -utf8 -keyout dummy.key -out dummy.csr -subj '/O=Beispiel/CN=Taken'
openssl req -in taken.csr -noout -pubkey >taken.pub
printf '%s\n' 'basicConstraints = critical,CA:TRUE,pathlen:0' \
    'keyUsage = critical,keyCertSign,cRLSign' \
    'subjectKeyIdentifier = 0102030405' >taken.ext
good openssl x509 -req -in dummy.csr -force_pubkey taken.pub -CA outside.pem \
    -CAkey outside.key -CAcreateserial -days 30 -extfile taken.ext \
    -out given.pem
good ocsign ca import taken --cert given.pem
good ocsign ca cross-sign taken --issuer root2
for file in taken.pem taken-alt.pem; do
	# The last one is the subject's.
	openssl asn1parse -in $file | grep -A1 ':commonName' | tail -1 |
	    grep -q 'UTF8STRING.*:Taken' || die "$file: another encoding"
	openssl x509 -in $file -noout -ext subjectKeyIdentifier |
	    grep -q '01:02:03:04:05$' || die "$file: another key identifier"
done
good openssl verify -CAfile root2.pem taken-alt.pem

# --- a leaf with either chain

# leaf NAME ISSUER OPTION...: NAME.key, NAME.csr, NAME.pem
leaf() {
	leaf_name=$1
	leaf_issuer=$2
	shift 2
	csr "$leaf_name" -newkey ec -pkeyopt ec_paramgen_curve:P-256
	good ocsign cert issue --issuer "$leaf_issuer" --profile server \
	    --out "$leaf_name.pem" "$@" "$leaf_name.csr"
}

# only ROOT OTHER FILE: a chain that leads to ROOT and not to OTHER.
only() {
	good openssl verify -CAfile "$1" -untrusted "$3" "$3"
	if openssl verify -CAfile "$2" -untrusted "$3" "$3" >out 2>&1; then
		die "$3 leads to $2 too"
	fi
	[ "$(grep -c BEGIN "$3")" -eq 2 ] || die "$3: not two certificates"
}

leaf rsa-usual rsa --chain
leaf rsa-alternate rsa --chain --alternate 1
leaf rsa-named rsa --chain --alternate root2
leaf ecc-usual ecc --chain
leaf ecc-alternate ecc --alternate root1 --chain
only root1.pem root2.pem rsa-usual.pem
only root2.pem root1.pem rsa-alternate.pem
only root2.pem root1.pem rsa-named.pem
only root2.pem root1.pem ecc-usual.pem
only root1.pem root2.pem ecc-alternate.pem
# The same leaf, from the records and from its file.
serial=$(openssl x509 -in rsa-usual.pem -noout -serial | cut -d= -f2)
ocsign cert show --chain --alternate root2 "$serial" >again.pem ||
    die "cert show"
only root2.pem root1.pem again.pem
ocsign cert show --pem --chain rsa-alternate.pem >again.pem ||
    die "cert show"
only root1.pem root2.pem again.pem

bad 2 'give both' ocsign cert issue --issuer rsa --profile server \
    --alternate 1 rsa-usual.csr
bad 2 'give both' ocsign cert show --alternate 1 "$serial"
bad 1 'neither an .issuer. nor one of the 2' ocsign cert issue --issuer rsa \
    --profile server --chain --alternate 3 rsa-usual.csr
bad 1 'leads to ecc' ocsign cert issue --issuer rsa --profile server \
    --chain --alternate ecc rsa-usual.csr
bad 1 'rsa-alt2.pem' ocsign cert issue --issuer rsa --profile server \
    --chain --alternate 2 rsa-usual.csr
cp ecc-alt.pem rsa-alt2.pem
bad 1 'not one for the key' ocsign cert issue --issuer rsa \
    --profile server --chain --alternate 2 rsa-usual.csr
openssl x509 -in rsa-alt1.pem >rsa-alt2.pem
cat root1.pem >>rsa-alt2.pem
bad 1 'not issued by the next' ocsign cert show --chain --alternate 2 \
    "$serial"
rm rsa-alt2.pem

# --- the roots' token goes, issuing goes on: with the service and without

good ocsignd -t
mv tokens.roots tokens.away
leaf taken-leaf taken --chain --alternate root2
only root2.pem root1.pem taken-leaf.pem
leaf alone rsa --chain --alternate root2
only root2.pem root1.pem alone.pem
if ocsign ca cross-sign rsa --issuer root1 >out 2>err; then
	die "signed without a token"
fi
[ ! -e rsa-alt2.pem ] || die "a file without a certificate"
mv tokens.away tokens.roots
start_ocsignd
mv tokens.roots tokens.away
leaf served rsa --chain --alternate root2
leaf served-ecc ecc --chain --alternate root1
only root2.pem root1.pem served.pem
only root1.pem root2.pem served-ecc.pem
good ocsign ocsp query --issuer rsa.pem --cert served.pem
good ocsign --json audit verify
exit 0
