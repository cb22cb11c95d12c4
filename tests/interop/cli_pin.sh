#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A wrong PIN is tried once, whatever is asked how often; a spy between us
# and the token counts.

. "$top_srcdir/tests/interop/lib.sh"
spy=
for f in /usr/lib/*/pkcs11-spy.so /usr/lib/*/pkcs11/pkcs11-spy.so \
    /usr/lib64/pkcs11/pkcs11-spy.so; do
	[ -f "$f" ] && spy=$f
done
[ -n "$spy" ] || skip "OpenSC's pkcs11-spy is not installed"
need sqlite3

write_config
make_cas
csr site -newkey rsa:2048
sed "s|^module.*|module = $spy|
    s|^environment.*|& PKCS11SPY=$module PKCS11SPY_OUTPUT=./spy.log|" \
    ocsign.conf >spied.conf
mv spied.conf ocsign.conf
# The spy loses a few octets, which is none of our business.
echo leak:pkcs11-spy >spy.supp
LSAN_OPTIONS=suppressions=$work/spy.supp:print_suppressions=0
export LSAN_OPTIONS
logins() {
	grep -c ': C_Login$' spy.log
}

good ocsign cert issue --issuer web --profile server --out a.pem site.csr
[ "$(logins)" -eq 1 ] || die "$(logins) logins for one certificate"

: >spy.log
(umask 077; printf 999999 >user.pin)
ignore=./	# the latch, and what the token remembers
for n in 1 2 3 4; do
	bad 1 PIN ocsign cert issue --issuer web --profile server site.csr
	bad 1 PIN ocsign key list
	bad 1 PIN ocsign crl create --issuer web
done
[ "$(logins)" -eq 1 ] || die "$(logins) logins with a wrong PIN"
# The same PIN, from a file that is another.
touch user.pin
bad 1 'refused this PIN before' ocsign crl create --issuer web
rm user.pin
(umask 077; printf 999999 >user.pin)
bad 1 'refused this PIN before' ocsign crl create --issuer web
mkdir credentials
cp -p user.pin credentials/pin
sed 's/^pin-source.*/pin-source = credential:pin/' ocsign.conf >credential.conf
for n in 1 2; do
	CREDENTIALS_DIRECTORY=$work/credentials bad 1 'this PIN before' \
	    ocsign -c credential.conf crl create --issuer web
	mv credentials kept; cp -Rp kept credentials; rm -r kept
done
[ "$(logins)" -eq 1 ] || die "$(logins) logins with the same wrong PIN"
good ocsign token list
grep -q 'ready\|one PIN try left' out || die "$(cat out)"

# Not mended, but one more try is wanted: exactly one.
good ocsign token unlatch ca
bad 1 PIN ocsign cert issue --issuer web --profile server site.csr
bad 1 PIN ocsign cert issue --issuer web --profile server site.csr
[ "$(logins)" -eq 2 ] || die "$(logins) logins after unlatch"
bad 1 'no latch|not latched|latch' ocsign token unlatch none

# Mended: it goes on by itself.
sleep 1
(umask 077; printf 123456 >user.pin)
good ocsign cert issue --issuer web --profile server --out b.pem site.csr
good ocsign audit verify
exit 0
