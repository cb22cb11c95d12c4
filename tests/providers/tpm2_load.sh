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

# What was killed left its session, and the TPM has three: the next signer is
# up at once, or cannot log in and says why; the doctor names the command, and
# after that it goes on by itself.
is_down() {
	status_json && grep -q '"error": ".*C_Login: CKR_GENERAL_ERROR' \
	    status.json
}
is_decided() {
	is_another_signer "$before" && { is_down || is_up; }
}
for n in 1 2 3 4 5; do
	before=$(signer)
	kill -9 "$before"
	within 20 is_decided || die "killed: $(cat status.json ocsignd.log)"
	! is_down || break
	goes_on 10 || die "killed: $(tail -n 3 live.log; cat ocsignd.log)"
done
is_down || die "no sessions are left over"
ocsign doctor hsm >out 2>err && die "the doctor finds nothing"
advice_is_taken
begun=$(ms)
goes_on 30 || die "cleared: $(tail -n 3 live.log; cat ocsignd.log)"
echo "$n killed, cleared: signs again $(($(ms) - begun)) ms after"
load_over
