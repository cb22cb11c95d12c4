#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# p11-kit's server and its client module, with SoftHSM behind them.

. "$top_srcdir/tests/providers/lib.sh"
. "$top_srcdir/tests/providers/p11kit_token.sh"

types='p256 p384 p521 rsa2048'
keys=$types
sessions=4
num=200
algorithms='p256 ecdsa-sha256; p256 ecdsa-sha384; p256 ecdsa-sha512;
    p384 ecdsa-sha256; p384 ecdsa-sha384; p384 ecdsa-sha512;
    p521 ecdsa-sha256; p521 ecdsa-sha384; p521 ecdsa-sha512;
    rsa2048 rsa-sha256; rsa2048 rsa-sha384; rsa2048 rsa-sha512;
    rsa2048 rsa-pss-sha256; rsa2048 rsa-pss-sha384; rsa2048 rsa-pss-sha512'

child_killed() {
	driver_start "$sessions" $keys
	must_say sign 10000
	for pid in $(pgrep -P "$server_pid"); do
		kill -9 "$pid"
	done
	must_say many "$num"
	say status
	set -- $answer
	[ "$4" -ge 1 ] || die "nothing was restarted: $answer"
	driver_stop
}

configure
common_tests
child_killed
