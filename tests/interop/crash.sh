#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The signer under load is killed, stopped, told to end; its module crashes,
# aborts, hangs.  What was asked is asked again of the next one and signed
# within its time: certificates all the while, none is lost, and none is
# issued that the records do not have.  Responders notice nothing.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep
shim=$top_builddir/tests/faults/ocsign-shim.so
shim_rule=$top_builddir/tests/bench/shim_rule
[ -f "$shim" ] && [ -x "$shim_rule" ] ||
    fail "the shim is not built: make interop builds it"

ca_folder
sed -i "s|^module = .*|module = $shim|
    s|^environment = .*|& OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE \
OCSIGN_SHIM_CONTROL=./shim\\ntimeout = 2s|" ocsign.conf
"$shim_rule" shim clear
ca_make
ca_issue a.test
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"
request a.test.pem a.request

# Certificates, one after the other, in two loops; each must come.
issue_load() {
	issue_n=0
	while [ ! -e issue.stop ]; do
		issue_n=$((issue_n + 1))
		ocsign cert issue --issuer ca --profile server \
		    --out "issued.$1.$issue_n.pem" a.test.csr \
		    >>"issue.$1.log" 2>&1 || echo "LOST" >>"issue.$1.log"
	done
}
issue_start() {
	rm -f issue.stop issue.*.log
	issue_pids=
	for n in 1 2; do
		issue_load $n &
		issue_pids="$issue_pids $!"
	done
	pids="$pids $issue_pids"
}
num_issued() {
	set -- issued.*.pem
	[ -e "$1" ] && echo $# || echo 0
}
# Some more certificates than there were.
has_issued() {
	[ "$(num_issued)" -ge "$1" ]
}
goes_on() {
	within 20 has_issued $(($(num_issued) + 4)) ||
	    fail "$1: nothing is issued: $(tail -3 issue.*.log)"
}
is_another() {
	new=$(role signer)
	[ -n "$new" ] && [ "$new" != "$1" ] &&
	    [ "$(count 'ocsign-signer.*is ready' ocsignd.log)" -gt "$2" ]
}

# hurt WHAT COMMAND...: it is done, and another signer goes on.
hurt() {
	what=$1
	shift
	before=$(role signer)
	num_ready=$(count 'ocsign-signer.*is ready' ocsignd.log)
	begun=$(date +%s%3N)
	"$@"
	within 20 is_another "$before" "$num_ready" ||
	    fail "$what: no other signer"
	"$shim_rule" shim clear
	echo "$what: another after $(($(date +%s%3N) - begun)) ms"
	goes_on "$what"
	load_goes_on || fail "$what: responders do not answer"
}

load_start a.request
issue_start
goes_on "at first"
for n in 1 2; do
	hurt "kill -9" kill -9 "$(role signer)"
done
hurt "SIGTERM" kill -TERM "$(role signer)"
hurt "SIGSEGV in C_Sign" "$shim_rule" shim count crash 1
hurt "abort() in C_Sign" "$shim_rule" shim count abort 1

# One call hangs: a session less, and the same process.
signer=$(role signer)
"$shim_rule" shim count hang 1
has_lost() {
	ocsign --json status 2>/dev/null | grep -q '"lost": [1-9]'
}
within 10 has_lost || fail "no session is lost"
goes_on "one call hangs"
[ "$(role signer)" = "$signer" ] || fail "one call that hangs ends the signer"
[ "$(counter hung)" -ge 1 ] || fail "it is not counted: $(cat status.json)"
"$shim_rule" shim clear
has_none_lost() {
	ocsign --json status >status.json 2>/dev/null &&
	    grep -q '"lost": 0' status.json &&
	    ! grep -q '"lost": [1-9]' status.json
}
within 10 has_none_lost || fail "it returned, and is still lost"

# Too many: another process.
hurt "calls hang" "$shim_rule" shim count hang 3
grep -q 'ocsign-signer .*status 75' ocsignd.log ||
    fail "it did not end with 75"
[ "$(counter hung)" -ge 2 ] ||
    fail "what hung went with the process: $(ocsign --json status)"

# It stands still, for longer than a call may take.
signer=$(role signer)
kill -STOP "$signer"
sleep 3
load_goes_on || fail "stopped: responders do not answer"
kill -CONT "$signer"
goes_on "stopped and continued"

: >issue.stop
for pid in $issue_pids; do
	wait "$pid" || true
done
load_stop
! grep -q LOST issue.*.log ||
    fail "certificates were lost: $(grep -B1 LOST issue.*.log)"
[ -z "$(load_failures)" ] || fail "answers: $(load_failures | head -5)"
echo "$(num_issued) certificates, $load_total answers"

for pem in issued.*.pem; do
	openssl verify -CAfile root.pem -untrusted ca.pem "$pem" >/dev/null ||
	    fail "$pem does not verify"
done
ocsign audit verify >out || fail "$(cat out)"
service_stop
