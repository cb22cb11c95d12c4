#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Everything that can be wrong with what ocsign is given: the exit status,
# one line, and nothing written.

. "$top_srcdir/tests/interop/lib.sh"
need sqlite3

write_config
make_cas
csr good -newkey rsa:2048
issue='ocsign cert issue --issuer web --profile server'

# --- the command line
bad 2 'no command' ocsign
bad 2 'did you mean "ocsign cert"' ocsign crt list
bad 2 'did you mean "ocsign cert issue"' ocsign cert isue
bad 2 'wants a verb' ocsign cert
# Of CFSSL's words there are five.
for word in gencsr serve revoke gencrl ocspsign ocsprefresh ocspserve \
    ocspdump certinfo bundle scan info print-defaults; do
	bad 2 'there is no command' ocsign $word
done
for word in genkey gencert sign selfsign json; do
	ocsign help $word >out || die "no $word"
done
bad 2 'did you mean --issuer' ocsign cert list --isuer web
bad 2 'no option' ocsign cert list --frobnicate
bad 2 'wants a value' ocsign cert list --issuer
bad 2 'takes no value' ocsign cert list --valid=yes
bad 2 'is missing' ocsign cert issue --issuer web good.csr
bad 2 'is missing' ocsign cert issue --issuer web --profile server
bad 2 'too many' $issue good.csr good.csr
bad 2 'twice' $issue --validity 1d --validity 2d good.csr
bad 2 'no duration' $issue --validity 1 good.csr
for none in 0s 0d; do
	bad 2 'no time' $issue --validity $none good.csr
	bad 2 'no time' ocsign ca create new --subject CN=x --token ca \
	    --key new --validity $none
	bad 2 'no time' ocsign ca cross-sign web --issuer root --out x.pem \
	    --validity $none
done
bad 2 'exclude' ocsign cert list --valid --revoked
bad 2 'no key type' ocsign key generate --token ca --label x --type dsa
bad 2 'whose key' ocsign csr create --subject CN=a
bad 2 'key only' ocsign csr create --subject CN=a --token ca --new-key k
bad 2 'which certificate' ocsign ocsp sign --issuer web --out x

# --- requests
bad 1 'cannot open' $issue none.csr
bad 1 'private key' $issue good.key
cat good.csr good.key >both.csr
bad 1 'private key' $issue both.csr
head -c 400 good.csr >cut.csr
bad 1 'cut.csr' $issue cut.csr
openssl req -in good.csr -outform DER -out good.der
head -c 300 good.der >cut.der
bad 1 'cut.der' $issue cut.der
for at in 5 30 200; do
	{ head -c $at good.der; printf '\377'
	tail -c +$((at + 2)) good.der; } >bent.der
	bad 1 'bent.der' $issue bent.der
done
size=$(wc -c <good.der)
printf '\001' >last
! tail -c 1 good.der | cmp -s - last || printf '\002' >last
{ head -c $((size - 1)) good.der; cat last; } >signature.der
bad 1 'signature' $issue signature.der
cat good.der good.der >twice.der
bad 1 'twice.der' $issue twice.der
echo hello >text.csr
bad 1 'neither in PEM nor in DER' $issue text.csr
: >empty.csr
bad 1 'neither in PEM nor in DER' $issue empty.csr
head -c 300000 /dev/zero >large.csr
bad 1 'large.csr' $issue large.csr
bad 1 'not a certification request' $issue web.pem
mkdir folder.csr
bad 1 'folder.csr' $issue folder.csr
openssl req -new -newkey rsa:1024 -nodes -keyout w.key -out weak.csr \
    -subj /CN=w.example 2>/dev/null
bad 1 'RSA' $issue weak.csr
openssl req -new -key good.key -out ca.csr -subj /CN=w.example \
    -addext basicConstraints=CA:TRUE
bad 1 'does not give' $issue ca.csr
bad 1 'no profile' ocsign cert issue --issuer web --profile none good.csr
bad 1 'no \[issuer' ocsign cert issue --issuer none --profile server good.csr
bad 2 '--subject' $issue --subject 'CN' good.csr
bad 2 '--san' $issue --san 'a b' good.csr
bad 1 'there already' ocsign ca create root --subject CN=x
bad 1 'there already' ocsign ca create web --issuer root --subject CN=x
bad 1 'no \[issuer' ocsign ca create new --subject CN=x
bad 1 'no \[token' ocsign ca create new --subject CN=x --token none --key web
bad 1 'already' ocsign key generate --token ca --label web
bad 1 'no \[token' ocsign key generate --token none --label x
bad 1 'already' ocsign token init ca --so-pin-source so.pin
bad 1 'neither a file nor a serial' ocsign cert show zzz
bad 1 'neither an OCSP' ocsign ocsp show good.der
bad 1 'crl' ocsign crl show root.pem

# --- certificates
# Nothing is signed, nor recorded, that could not be written.
bad 1 '/not-there' $issue --out "$PWD/not-there/x.pem" good.csr
bad 1 'is a directory' $issue --out . good.csr
bad 1 'not-there' ocsign crl create --issuer web --out not-there/x.crl
mv web.pem web.kept
bad 1 'ocsign ca create' $issue good.csr
head -c 300 web.kept >web.pem
bad 1 'web.pem' $issue good.csr
echo junk >web.pem
bad 1 'web.pem' $issue good.csr
openssl x509 -in web.kept -outform DER | head -c 200 >web.pem
bad 1 'web.pem' $issue good.csr
cp root.pem web.pem
bad 1 'another key' $issue good.csr
# One of the right name, for another key.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout o.key -out web.pem -subj '/C=DE/O=Example/CN=Example Web' \
    2>/dev/null
bad 1 'has not issued' $issue good.csr
sed '/^chain/d' ocsign.conf >chainless.conf
bad 1 'another key' ocsign -c chainless.conf ${issue#ocsign } good.csr
mv web.kept web.pem

# --- the configuration
cp ocsign.conf kept.conf
# with SED-EXPRESSION STATUS PATTERN COMMAND...
with() {
	sed "$1" kept.conf >ocsign.conf
	shift
	bad "$@"
	cp kept.conf ocsign.conf
}
bad 1 'cannot open' ocsign -c none.conf cert list
with 's/^uri/timout = 9s\nuri/' 1 'did you mean timeout' $issue good.csr
with 's/^module.*//' 1 'module: is missing' $issue good.csr
with 's/^token = ca/token = cb/' 1 'did you mean ca' $issue good.csr
with '1s/.*/[store/' 1 'ocsign.conf:1' $issue good.csr
with '$s/$/\nkey = two/' 1 'also on line' $issue good.csr
with 's/^\(crl-url\).*/\1 = https:\/\/x\//' 1 'https' $issue good.csr
with 's/^uri.*/uri = pkcs11/' 1 'no PKCS#11 URI' $issue good.csr
with 's/^uri.*/uri = pkcs11:token=no/' 1 'token' $issue good.csr
with 's/^uri.*/uri = pkcs11:token=ca;pin-value=1/' 1 'pin' $issue good.csr
with 's/^uri.*/uri = pkcs11:tokn=ca/' 1 'ca' $issue good.csr
with 's/^key = pkcs11.*/key = pkcs11:object=nix/' 1 'key' $issue good.csr
with 's/^key = pkcs11.*/key = pkcs11:objct=web/' 1 'key' $issue good.csr
with 's/^key = pkcs11.*/key = root/' 1 'key' $issue good.csr
with 's/^key = pkcs11.*/key = pkcs11:token=no;object=web/' 1 \
    'another token' $issue good.csr
with 's/^key = pkcs11.*/key = pkcs11:serial=00;object=web/' 1 'token' \
    $issue good.csr
with 's/^key = pkcs11.*/key = pkcs11:object=root;object=web/' 1 'twice' \
    $issue good.csr
bad 1 'another token' ocsign csr create --subject CN=a --token ca \
    --key 'pkcs11:token=no;object=web'
bad 1 'is the one of this key' ocsign csr create --subject CN=a \
    --key 'pkcs11:token=no;object=web'
good ocsign csr create --subject CN=a --key 'pkcs11:token=ca;object=web'
good ocsign csr create --subject CN=a --key web
with 's/^module.*/module = \/nonexistent.so/' 1 'nonexistent.so' \
    $issue good.csr
with 's/^module.*/module = \/bin\/sh/' 1 '/bin/sh' $issue good.csr
with 's/^module.*/module = \/nonexistent.so/' 1 'nonexistent.so' \
    ocsign token list
head -c 1100000 /dev/zero | tr '\0' '#' >big.conf
bad 1 'big.conf' ocsign -c big.conf cert list

# --- the PIN; it never reaches the token
with 's/^pin-source.*/pin-source = file:none.pin/' 1 'none.pin' \
    $issue good.csr
with 's/^pin-source.*/pin-source = fd:99/' 1 'fd 99' $issue good.csr
with 's/^pin-source.*/pin-source = credential:x/' 1 'redential' \
    $issue good.csr
chmod 644 user.pin
bad 1 'can be read by others' $issue good.csr
chmod 600 user.pin
cp user.pin kept.pin
: >user.pin
bad 1 'user.pin' $issue good.csr
printf '1\n2\n' >user.pin
bad 1 'user.pin' $issue good.csr
head -c 1000 /dev/zero | tr '\0' 1 >user.pin
bad 1 'user.pin' $issue good.csr
cp kept.pin user.pin
bad 1 'so-none.pin' ocsign token init ca --so-pin-source so-none.pin
# Our own files are no PIN.
for fd in 3 4 5 6 7 8 9; do
	with "s/^pin-source.*/pin-source = fd:$fd/" 1 'not handed' \
	    $issue good.csr
done

# --- a user PIN that the token does not take: begun, and gone on with
sed 's/^uri = .*/uri = pkcs11:token=new/
    s/^pin-source.*/pin-source = file:new.pin/' ocsign.conf >new.conf
(umask 077; printf 12 >new.pin)
ignore=./	# there is a token more
bad 1 'put another' ocsign -c new.conf token init ca --so-pin-source so.pin
(umask 077; printf 654321 >new.pin)
good ocsign -c new.conf token init ca --so-pin-source so.pin
good ocsign -c new.conf key generate --token ca --label web
bad 1 'already' ocsign -c new.conf token init ca --so-pin-source so.pin
ignore=

# --- a locked database
mkfifo hold
{ echo 'BEGIN IMMEDIATE;'; cat hold; } | sqlite3 store/store.db &
holder=$!
exec 3>hold
sleep 1
bad_locked() {
	"$@" >out 2>err
	[ $? -eq 1 ] || die "$*: $(cat err)"
	[ "$(wc -l <err)" -eq 1 ] || die "$*: $(cat err)"
	grep -Eqi 'lock|busy' err || die "$*: $(cat err)"
	[ ! -s out ] || die "$*: $(cat out)"
	echo "ok: $(cat err)"
}
bad_locked $issue good.csr
bad_locked ocsign cert revoke --reason superseded web.pem
exec 3>&-
wait $holder

# --- no space: the limit on file sizes says what a full disk says
bad 1 '.' sh -c 'ulimit -f 1; exec "$@"' sh $issue good.csr
said=$(sh -c 'ulimit -f 0; exec "$@"' sh ocsign csr create --subject CN=a \
    --new-key x.key 2>&1 >/dev/null)
[ $? -eq 1 ] || die "csr create without space: $said"
echo "$said" | grep -q '^ocsign: csr create: .*x.key' || die "$said"
[ -z "$(find . -name '*x.key*' -o -name '.ocsign*')" ] || die "half a key"
if [ -c /dev/full ]; then
	ocsign cert list >/dev/full 2>err
	[ $? -eq 1 ] || die "standard output is full"
	grep -q 'No space left' err || die "$(cat err)"
fi
bad 1 'create a file in none' \
    ocsign csr create --subject CN=a --key web --token ca \
    --out none/x.csr

# After all this it works.
good $issue --out a.pem good.csr
good openssl verify -CAfile root.pem -untrusted web.pem a.pem
good ocsign audit verify
grep -q 'never issued: *0' out || die "$(cat out)"
exit 0
