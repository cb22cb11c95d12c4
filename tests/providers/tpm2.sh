#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# tpm2-pkcs11 on a TPM in software.

. "$top_srcdir/tests/providers/lib.sh"
. "$top_srcdir/tests/providers/tpm2_token.sh"

types='p256 p384 rsa2048'
keys=p256
num=60
algorithms='p256 ecdsa-sha256; p256 ecdsa-sha384; p256 ecdsa-sha512;
    p384 ecdsa-sha256; p384 ecdsa-sha384; p384 ecdsa-sha512;
    rsa2048 rsa-sha256; rsa2048 rsa-sha384; rsa2048 rsa-sha512;
    rsa2048 rsa-pss-sha256; rsa2048 rsa-pss-sha384; rsa2048 rsa-pss-sha512'
configure
good ocsign token init hsm --so-pin-source so.pin
# A process that dies keeps its sessions in the TPM, of which that has three:
# the doctor says which command clears them, and that does.
leftovers() {
	for n in 1 2 3 4; do
		command ocsign doctor hsm --seconds 10 >killed.log 2>&1 &
		doctor_pid=$!
		daemons="$daemons $doctor_pid"
		within 60 is_measuring || die "$(cat killed.log)"
		[ -z "$probe_pid" ] || kill -9 "$probe_pid"
		wait "$doctor_pid"
	done
	ocsign doctor hsm >out 2>err && die "no sessions are left over"
	advice_is_taken
	good ocsign doctor hsm
}
# It has ended, or its child is logged in since a while, which only the one
# that measures is.
is_measuring() {
	probe_pid=
	kill -0 "$doctor_pid" 2>/dev/null || return 0
	probe_pid=$(pgrep -P "$doctor_pid") &&
	    [ "$(ps -o etimes= -p "$probe_pid")" -ge 4 ] 2>/dev/null
}

common_tests
leftovers
