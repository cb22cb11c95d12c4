#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What CFSSL's commands must not take: one line that says so, a status that
# says so, and nothing half written.  A private key's file is never readable
# for others, not even for a moment.

. "$top_srcdir/tests/interop/lib.sh"
need sqlite3

write_config
make_cas >/dev/null
printf '{"CN":"www.example.com","hosts":["www.example.com"]}' >csr.json
printf '{"CN":"Root","ca":{}}' >ca.json
good ocsign genkey csr.json
mv out line
good ocsign json -bare site -f line
good ocsign sign -ca web site.csr

# What no CA should sign, nobody signs for himself.
echo '{"hosts": ["*.com"], "key": {"algo": "ecdsa", "size": 256}}' >star.json
bad 1 'the lint rule .*nothing was written' ocsign selfsign a.example star.json

# --- documents ----------------------------------------------------------

# doc PATTERN TEXT: a csr.json that no command takes.
doc() {
	printf "$2" >bad.json
	bad 1 "$1" ocsign genkey bad.json
	bad 1 "$1" ocsign gencert -ca web bad.json
	bad 1 "$1" ocsign selfsign a.example bad.json
	bad 1 "$1" ocsign genkey -initca bad.json
}
doc 'line 1, column 0' ''
doc 'line 2' '{"CN":\n"a"'
doc 'not a JSON object' '["CN"]'
doc 'duplicate object key' '{"CN":"a","CN":"b"}'
doc 'cn: is there twice' '{"CN":"a","cn":"b"}'
doc 'names\[0\].OV: .*did you mean "OU"' '{"names":[{"OV":"x"}]}'
doc 'bad.json: line 1' '{"CN":"a\\u0000b"}'
doc 'control character' '{"CN":"a\\u001bb"}'
doc 'bad.json: line 1' '{"CN":"a\033b"}'
doc 'bad.json: line 1' '{"CN":"a\377b"}'
doc 'hosts\[0\]: ' '{"CN":"a","hosts":["a\\nb"]}'
doc 'hosts\[0\]: ' '{"CN":"a","hosts":["a,DNS:b"]}'
doc 'key.algo: "dsa" is no algorithm' '{"CN":"a","key":{"algo":"dsa"}}'
doc 'key.size: an RSA key has 2048' \
    '{"CN":"a","key":{"algo":"rsa","size":1024}}'
doc 'key.size: an RSA key has 2048' \
    '{"CN":"a","key":{"algo":"rsa","size":16384}}'
doc 'key.size: an ECDSA key' '{"CN":"a","key":{"algo":"ecdsa","size":192}}'
doc 'is the profile.s to say' '{"CN":"a","crl_url":"http://x"}'
awk 'BEGIN { printf "{\"CN\":\"a\",\"hosts\":["
    for (i = 0; i < 300000; i++) printf " "; print "]}" }' >bad.json
bad 1 'larger than|the limit is' ocsign genkey bad.json
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "{\"a\":" }' >bad.json
bad 1 'larger than|brackets in each other' ocsign genkey bad.json
awk 'BEGIN { for (i = 0; i < 17; i++) printf "[" }' >bad.json
bad 1 'brackets in each other' ocsign genkey bad.json
bad 1 'brackets in each other' ocsign json -bare -f bad.json x
printf '{"hosts":["a.example"]}' >bad.json
bad 1 'a CA must have a subject' ocsign genkey -initca bad.json
bad 1 'no-such.json' ocsign genkey no-such.json
bad 1 'is a directory' ocsign genkey .
bad 1 'ca: only with -initca' ocsign genkey ca.json
bad 1 'ca: only with -initca' ocsign gencert -ca web ca.json
bad 1 'ca: no CA is made here' ocsign selfsign a.example ca.json
bad 1 'no host to certify|hosts|HOSTNAME' ocsign selfsign '' csr.json

# --- private keys where none belongs ------------------------------------

bad 1 'holds a private key' ocsign sign -ca web site-key.pem
cat site.csr site-key.pem >both
bad 1 'holds a private key' ocsign sign -ca web both
bad 1 'holds a private key' ocsign genkey site-key.pem
bad 1 'holds a private key' ocsign genkey - <site-key.pem
secret=$(sed -n 2p site-key.pem)
! grep -qF "$secret" err || die "the key is told"
bad 1 'line 1, column' ocsign json -bare -f site-key.pem x
! grep -qF "$(printf %.12s "$secret")" err || die "the key is told"
sed 's/"key":/"key" /' line >broken
bad 1 'line 1, column' ocsign json -bare -f broken x
! grep -qF "$(printf %.12s "$secret")" err || die "the key is told"

# --- -ca and -ca-key ----------------------------------------------------

openssl ecparam -genkey -name prime256v1 -noout -out ca-key.pem
openssl req -x509 -new -key ca-key.pem -subj /CN=Other -out other.pem \
    -days 9 2>/dev/null
bad 2 'which CA' ocsign sign site.csr
bad 1 'neither an \[issuer\] of .* nor a file' ocsign sign -ca none site.csr
bad 1 'the certificate of no \[issuer\]' ocsign sign -ca other.pem site.csr
# Another section's file may be broken.
cp web.pem web.good
printf -- '-----BEGIN CERTIFICATE-----\n!\n' >web.pem
bad 1 'the certificate of no \[issuer\]' ocsign sign -ca other.pem site.csr
mv web.good web.pem
bad 1 'key in a file is not used; put it into a token' \
    ocsign sign -ca other.pem -ca-key ca-key.pem site.csr
bad 1 'key in a file is not used; put it into a token' \
    ocsign sign -ca ca-key.pem -ca-key ca-key.pem site.csr
bad 1 'issuer web is in its token: leave -ca-key out' \
    ocsign gencert -ca web -ca-key ca-key.pem csr.json
bad 1 'issuer web is in its token' \
    ocsign gencert -ca web.pem -ca-key file:ca-key.pem csr.json
bad 1 'not the key of issuer web' \
    ocsign sign -ca web -ca-key 'pkcs11:object=root' site.csr
bad 1 'not the key of issuer web' \
    ocsign sign -ca web -ca-key 'pkcs11:token=x;object=web' site.csr
bad 1 '-ca-key' ocsign sign -ca web -ca-key 'pkcs11:object=web?pin-value=1' \
    site.csr
bad 2 'leave -ca out' ocsign gencert -initca -ca web ca.json
bad 2 'CSR is missing' ocsign sign -ca web
bad 2 'no option -remote' ocsign sign -remote h:1 site.csr
bad 2 '-loglevel' ocsign genkey -loglevel 9 csr.json
bad 1 '-hostname' ocsign sign -ca web -hostname 'a.example, b.example' \
    site.csr
printf '{"CN":"a","hosts":["b"]}' >bad.json
bad 1 'bad.json: hosts: there is no such key' \
    ocsign sign -ca web site.csr bad.json
bad 1 'none of the subject alternative names' \
    ocsign sign -ca web -profile server -hostname other.example site.csr
bad 2 'leave -initca out' ocsign genkey -initca -token ca -key x ca.json
bad 2 '-token wants -key' ocsign genkey -token ca csr.json
bad 1 'no \[token\]' ocsign genkey -key 'pkcs11:token=y;object=x' csr.json
bad 1 'web' ocsign genkey -token ca -key web csr.json

# --- output -------------------------------------------------------------

for words in 'genkey csr.json' 'genkey -initca ca.json' \
    'selfsign a.example csr.json' 'sign -ca web site.csr'; do
	ocsign $words >/dev/full 2>err && die "$words: a full disk is fine"
	grep -q 'No space left' err || die "$words: $(cat err)"
	grep -v 'vouches' err | grep -c . | grep -qx 1 || die "$(cat err)"
done
ocsign gencert -ca web csr.json >/dev/full 2>err && die "a full disk is fine"
grep -q 'it is issued (serial .*No space left' err || die "$(cat err)"

mkdir full
# A file size limit is what a full disk is: not even the CSR is written.
# What is said goes through a pipe: files are full.
(cd full && ulimit -f 0 && ocsign json -bare -f ../line x 2>&1 &&
    echo fine) | cat >err
[ "$(wc -l <err)" -eq 1 ] || die "$(cat err)"
[ -z "$(ls -A full)" ] || die "left: $(ls -A full)"
mkdir full/x.csr
bad 1 'x.csr exists and is not a regular file' ocsign json -bare -f line full/x
[ "$(ls -A full)" = x.csr ] || die "left: $(ls -A full)"
bad 1 'no-dir' ocsign json -bare -f line no-dir/x
bad 1 'nothing to write' ocsign json -bare -f bad.json x
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	# A key that its owner made read-only stays.
	mkdir mine && chmod 711 . && cp line mine && echo keep >mine/x-key.pem
	chmod 400 mine/x-key.pem && chown -R 65534:65534 mine
	(cd mine && setpriv --reuid 65534 --regid 65534 --clear-groups \
	    "$top_builddir/ocsign" json -bare -f line x 2>../err)
	if grep -q 'may not be overwritten' err; then
		[ "$(cat mine/x-key.pem)" = keep ] || die "overwritten"
		[ ! -e mine/x.csr ] || die "x.csr is written"
	else
		grep -qi 'permission denied\|cannot execute' err ||
		    die "overwritten: $(cat err)"
		echo "the build folder is not for others: not tried"
	fi
fi

# --- nobody else reads it -----------------------------------------------

mkdir keys
echo old >keys/k-key.pem
chmod 666 keys/k-key.pem
ln keys/k-key.pem keys/second
(umask 0; cd keys; ocsign json -bare -f ../line k) || die "json"
[ "$(stat -c %a keys/k-key.pem)" = 600 ] || die "$(ls -l keys)"
# Who had the old file open, or a link to it, does not see the key.
[ "$(cat keys/second)" = old ] || die "written over"
(umask 0; ocsign genkey csr.json >keys/line)
[ "$(stat -c %a keys/line)" = 600 ] || die "$(ls -l keys)"
(umask 0; ocsign json -bare -stdout -f line >keys/stdout)
[ "$(stat -c %a keys/stdout)" = 600 ] || die "$(ls -l keys)"
(umask 0; ocsign sign -ca web site.csr >keys/cert)
[ "$(stat -c %a keys/cert)" = 666 ] || die "$(ls -l keys)"
if command -v strace >/dev/null &&
    (umask 0; strace -f -o trace -e trace=openat,open,creat,fchmod,chmod \
    ocsign json -bare -f line traced) 2>/dev/null; then
	# Every file is made 0600 and by nobody before; of fchmod() only the
	# key's is 0600, and no other comes first.
	grep O_CREAT trace | grep -v 'O_EXCL.* 0600)' &&
	    die "a file that others may read"
	[ "$(grep -c 'fchmod.*0600' trace)" -eq 1 ] || die "$(cat trace)"
	[ "$(grep -c O_CREAT trace)" -eq 2 ] || die "$(cat trace)"
else
	echo "strace is not there, or not possible: not looked at"
fi

good ocsign audit verify
grep -q 'never issued: *0' out || die "$(cat out)"
exit 0
