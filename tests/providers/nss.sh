#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# NSS's softokn, with a database of its own.  C_Initialize wants a string.

. "$top_srcdir/tests/providers/lib.sh"
need certutil
softokn=$(find /usr/lib /usr/lib64 -name libsoftokn3.so 2>/dev/null | sed q)
[ -n "$softokn" ] || skip "libsoftokn3.so is not installed"

# What ocsign-tokens(7) says of it, so that an RSA key takes no seconds.
NSS_MAX_MP_PBE_ITERATION_COUNT=1
export NSS_MAX_MP_PBE_ITERATION_COUNT
mkdir nssdb
(umask 077; echo 123456 >user.pin)
certutil -N -d "sql:$work/nssdb" -f user.pin >out 2>&1 || die "$(cat out)"

label='NSS Certificate DB'
types='p256 p384 p521 rsa2048'
keys=$types
sessions=4
num=200
words="configdir='sql:$work/nssdb' certPrefix='' keyPrefix=''"
section="module = $softokn
init-args = $words secmod='secmod.db'
environment = NSS_MAX_MP_PBE_ITERATION_COUNT=1"
algorithms='p256 ecdsa-sha256; p256 ecdsa-sha384; p256 ecdsa-sha512;
    p384 ecdsa-sha256; p384 ecdsa-sha384; p384 ecdsa-sha512;
    p521 ecdsa-sha256; p521 ecdsa-sha384; p521 ecdsa-sha512;
    rsa2048 rsa-sha256; rsa2048 rsa-sha384; rsa2048 rsa-sha512;
    rsa2048 rsa-pss-sha256; rsa2048 rsa-pss-sha384; rsa2048 rsa-pss-sha512'
configure
sed 's/^init-args.*//' ocsign.conf >without.conf
bad 1 'init-args' ocsign -c without.conf token list
rm without.conf
common_tests
