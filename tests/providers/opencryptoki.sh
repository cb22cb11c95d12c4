#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# opencryptoki's soft token.

. "$top_srcdir/tests/providers/opencryptoki_token.sh"

num=400
algorithms='rsa2048 rsa-sha256; rsa2048 rsa-sha384; rsa2048 rsa-sha512;
    rsa2048 rsa-pss-sha256; rsa2048 rsa-pss-sha384; rsa2048 rsa-pss-sha512'
configure
ocsign key generate --token hsm --label p256 >out 2>err &&
    die "it makes EC keys"
grep -q 'C_GenerateKeyPair: CKR_MECHANISM_INVALID' err || die "$(cat err)"
common_tests
