#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A TPM under load: it loses its power, it stands still, and a signer that is
# killed leaves sessions in it.

. "$top_srcdir/tests/providers/lib.sh"
. "$top_srcdir/tests/providers/tpm2_token.sh"
. "$top_srcdir/tests/providers/load.sh"

types=p256
timeout=3s
configure
good ocsign token init hsm --so-pin-source so.pin
load_service

stop_tpm() {
	kill -STOP "$tpm_pid"
}
go_on() {
	kill -CONT "$tpm_pid"
}
hurt "kill -9 of swtpm" 20 module 1 daemon_kill 1 daemon_revive
hurt "SIGSTOP of swtpm" 20 hung 1 stop_tpm 4 go_on

load_over

# What was killed left its session, and the TPM has three: the next signer is
# up at once, or cannot log in and says why; the doctor names the command that
# clears them, and what is to be stopped meanwhile.
is_down() {
	status_json && grep -q '"error": ".*C_Login: CKR_GENERAL_ERROR' \
	    status.json
}
is_decided() {
	is_another_signer "$before" && { is_down || is_up; }
}
start_ocsignd
within 20 ask "$name" || die "no answer: $(cat out err ocsignd.log)"
for n in 1 2 3 4 5; do
	before=$(signer)
	kill -9 "$before"
	within 20 is_decided || die "killed: $(cat status.json ocsignd.log)"
	! is_down || break
	within 10 ask "$name" || die "killed: $(cat out err ocsignd.log)"
done
is_down || die "no sessions are left over"
ocsign doctor hsm >out 2>err && die "the doctor finds nothing"
tr -s ' \n' ' ' <out | grep -q 'clears them, with the signer stopped' ||
    die "no warning: $(cat out)"
cp out advice
service_over
cp advice out
advice_is_taken
start_ocsignd
within 20 ask "$name" || die "cleared: $(cat out err ocsignd.log)"
good ocsign cert issue --issuer "$name" --profile server --out cleared.pem \
    good.csr
echo "$n killed, cleared: signs again"
service_over
