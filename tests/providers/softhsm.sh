#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# SoftHSMv2.

. "$top_srcdir/tests/providers/lib.sh"
need softhsm2-util

mkdir tokens
cat >softhsm.conf <<-EOT
	directories.tokendir = $work/tokens
	objectstore.backend = file
	log.level = ERROR
EOT
(umask 077; echo 123456 >user.pin)
SOFTHSM2_CONF=$work/softhsm.conf softhsm2-util --init-token --free \
    --label soft --so-pin 87654321 --pin 123456 >out 2>&1 || die "$(cat out)"

label=soft
types='p256 p384 p521 ed25519 rsa2048'
keys=$types
sessions=4
num=400
section="module = $module
environment = SOFTHSM2_CONF=./softhsm.conf"
algorithms='p256 ecdsa-sha256; p256 ecdsa-sha384; p256 ecdsa-sha512;
    p384 ecdsa-sha256; p384 ecdsa-sha384; p384 ecdsa-sha512;
    p521 ecdsa-sha256; p521 ecdsa-sha384; p521 ecdsa-sha512;
    ed25519 ed25519;
    rsa2048 rsa-sha256; rsa2048 rsa-sha384; rsa2048 rsa-sha512;
    rsa2048 rsa-pss-sha256; rsa2048 rsa-pss-sha384; rsa2048 rsa-pss-sha512'
configure
common_tests

# Where the PIN may come from, and that nothing of it is seen.
variant() {
	sed "$@" ocsign.conf >variant.conf
}
mkdir credentials
cp -p user.pin credentials/user-pin
variant 's/^pin-source.*/pin-source = fd:5/'
good ocsign -c variant.conf key list 5<user.pin
bad 1 'was not handed to' ocsign -c variant.conf key list
variant 's/^pin-source.*/pin-source = credential:user-pin/'
CREDENTIALS_DIRECTORY=$work/credentials good ocsign -c variant.conf key list
variant "s|^pin-source.*||
    s|^uri = .*|&?pin-source=file:$work/user.pin\&module-path=$module|"
good ocsign -c variant.conf key list
good ocsign -c variant.conf csr create --subject CN=x --key p256 --out x.csr
variant "s|^uri = .*|&?pin-source=file:$work/other.pin|"
bad 1 'pin-source and that of the URI differ' \
    ocsign -c variant.conf key list
variant "s|^uri = .*|&?pin-value=123456|"
bad 1 'pin-value puts the PIN where' ocsign -c variant.conf key list
! grep 123456 err || die "the PIN is in the error"
variant 's|^uri = .*|uri = pkcs11:token=soft?module-path=/usr/lib/x.so|'
bad 1 'module-path' ocsign -c variant.conf key list
variant 's|^uri = .*|uri = pkcs11:library-manufacturer=SoftHSM;token=soft|'
good ocsign -c variant.conf key list
variant 's|^uri = .*|uri = pkcs11:token=soft;slot-id=4711|'
bad 1 'no initialised token' ocsign -c variant.conf key list
