#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Private keys in files: none is lost, none is taken for something else, none
# is left over.

. "$top_srcdir/tests/interop/lib.sh"
need sqlite3

write_config
make_cas
csr good -newkey rsa:2048
issue='ocsign cert issue --issuer web --profile server'
create='ocsign csr create --subject CN=a.example'

# --- the new key and the request are two files
bad 2 'both' $create --new-key same.pem --out same.pem
bad 2 'both' $create --new-key same.pem --out ./same.pem
good $create --new-key first.key --out first.csr
ln first.key second.key
ln -s first.key third.key
for name in first second third; do
	bad 1 'private key' $create --new-key new.key --out $name.key
	bad 2 'both' $create --force --new-key first.key --out $name.key
done
bad 1 'there already' $create --new-key first.key --out first.csr

# --- nothing that is written replaces a key
openssl pkey -in good.key -outform DER -out pkcs8.der
openssl pkcs8 -topk8 -in good.key -outform DER -v2 aes-256-cbc \
    -passout pass:x -out encrypted.der
openssl pkcs8 -topk8 -in good.key -v2 aes-256-cbc -passout pass:x \
    -out encrypted.pem
openssl rsa -in good.key -traditional -outform DER -out rsa.der 2>/dev/null
openssl ecparam -name prime256v1 -genkey -noout -outform DER -out ec.der
openssl genpkey -algorithm ed25519 -outform DER -out ed.der
openssl req -x509 -key good.key -subj /CN=x -out p12.crt
openssl pkcs12 -export -inkey good.key -in p12.crt -passout pass:x \
    -out keys.p12
keys='good.key encrypted.pem pkcs8.der encrypted.der rsa.der ec.der ed.der
    keys.p12'
for key in $keys; do
	bad 1 'holds a private key' $issue --out $key good.csr
	bad 1 'holds a private key' $create --key web --token ca --out $key
	bad 1 'holds a private key' $create --new-key n.key --out $key
	bad 1 'holds a private key' ocsign crl create --issuer web --out $key
	bad 1 'holds a private key' ocsign ca create new --token ca \
	    --key web --subject CN=x --csr $key
	# --- nor is one taken for what was asked for
	bad 1 "$key: holds a private key" $issue $key
	bad 1 "$key: holds a private key" ocsign csr show $key
	bad 1 "$key: holds a private key" ocsign cert show ./$key
	bad 1 "$key: holds a private key" ocsign crl show $key
	bad 1 "$key: holds a private key" ocsign ocsp show $key
done
good $issue --out good.pem good.csr
for key in $keys; do
	bad 1 'holds a private key' ocsign ocsp sign --issuer web \
	    --cert good.pem --out $key
	bad 1 'holds a private key' ocsign ocsp query http://127.0.0.1:1/ \
	    --issuer web.pem --cert good.pem --out $key
done
bad 1 'holds a CERTIFICATE' ocsign ocsp show good.pem
bad 1 'neither DER nor base64' ocsign ocsp show /etc/passwd
# What is none stays replaceable.
good $issue --out good.pem good.csr

# --- nor the records, nor the configuration
for file in store/store.db ocsign.conf; do
	ln $file linked
	for out in $file ./$file linked; do
		bad 1 'would be lost' ocsign crl create --issuer web \
		    --out $out
		bad 1 'would be lost' $create --new-key new.key --out $out
		bad 1 'would be lost' $create --force --new-key $out \
		    --out new.csr
	done
	rm linked
done
good ocsign cert list

# --- a request that cannot be written leaves no key
bad 1 'not-there' $create --new-key k.key --out not-there/k.csr
bad 1 'is a directory' $create --new-key k.key --out store
if [ -c /dev/full ]; then
	$create --new-key k.key >/dev/full 2>err
	[ $? -eq 1 ] || die "no room for the request: $(cat err)"
	[ "$(wc -l <err)" -eq 1 ] || die "not one line: $(cat err)"
	grep -q 'No space left' err || die "$(cat err)"
	[ ! -e k.key ] || die "a key without its request"
fi
said=$(sh -c 'ulimit -f 0; exec "$@"' sh $create --new-key k.key \
    --out k.csr 2>&1)
[ $? -eq 1 ] || die "no room: $said"
[ ! -e k.key ] && [ ! -e k.csr ] || die "half of it"
good $create --new-key k.key --out k.csr
good openssl req -in k.csr -noout -verify
# Nor does it lose the key that was there.
cp k.key kept.key
bad 1 'not-there' $create --force --new-key k.key --out not-there/k.csr
said=$(sh -c 'ulimit -f 0; exec "$@"' sh $create --force --new-key k.key \
    --out k2.csr 2>&1)
[ $? -eq 1 ] || die "no room: $said"
cmp -s k.key kept.key || die "the key is lost"
[ ! -e k2.csr ] || die "a request without its key"
good $create --force --new-key k.key --out k.csr
if cmp -s k.key kept.key; then
	die "--force did nothing"
fi

# --- a request that nobody could grant
bad 2 'neither a subject nor a name' ocsign csr create --subject '' \
    --new-key e.key --out e.csr
good ocsign csr create --subject '' --san a.example --new-key e.key \
    --out e.csr
good $issue --out e.pem e.csr

# --- several requests in one file
cat good.csr k.csr >two.csr
bad 1 'two.csr: holds several' $issue two.csr
bad 1 'two.csr: holds several' ocsign csr show two.csr
cat web.pem good.csr >beside.csr
good $issue --out beside.pem beside.csr
exit 0
