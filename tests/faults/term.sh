#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# SIGTERM in the middle of signatures: the signer makes those that it has
# begun and ends; one whose token does not return ends all the same, in eight
# seconds, and the next signs what was asked; so does the whole service.  And
# nobody forks with an initialised module, of which half would be in the child.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep
shim=$top_builddir/tests/faults/ocsign-shim.so
shim_rule=$top_builddir/tests/bench/shim_rule
[ -f "$shim" ] && [ -x "$shim_rule" ] ||
    fail "the shim is not built: make interop builds it"

ca_folder
sed -i "s|^module = .*|module = $shim|
    s|^environment = .*|& OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE \
OCSIGN_SHIM_CONTROL=./shim\\ntimeout = 1m|" ocsign.conf
"$shim_rule" shim clear
ca_make
ca_issue a.test
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"

# issue_start NUM: so many at once, issued.N.pem, and what they ended with.
issue_start() {
	rm -f issued.*
	issue_pids=
	for n in $(seq "$1"); do
		ocsign cert issue --issuer ca --profile server \
		    --out issued.$n.pem a.test.csr >issued.$n.log 2>&1 &
		issue_pids="$issue_pids $!"
	done
	pids="$pids $issue_pids"
}
# They all end: $num of them well.
issue_end() {
	num=0
	for pid in $issue_pids; do
		! wait "$pid" || num=$((num + 1))
	done
	for pem in issued.*.pem; do
		[ ! -e "$pem" ] || openssl verify -CAfile root.pem \
		    -untrusted ca.pem "$pem" >/dev/null ||
		    fail "$pem does not verify"
	done
}
is_inside() {
	[ "$("$shim_rule" shim inside)" -ge "$1" ]
}
is_another() {
	[ "$(count 'ocsign-signer.*is ready' ocsignd.log)" -gt "$num_ready" ]
}
# term WHAT SECONDS: the signer, which ends in time.
term() {
	signer=$(role signer)
	num_ready=$(count 'ocsign-signer.*is ready' ocsignd.log)
	begun=$(date +%s%3N)
	kill -TERM "$signer"
	within "$2" not kill -0 "$signer" 2>/dev/null ||
	    fail "$1: the signer does not end"
	echo "$1: ended after $(($(date +%s%3N) - begun)) ms"
}

# Four are in the token, four wait: all have been taken.
"$shim_rule" shim lasts 600
issue_start 8
within 10 is_inside 4 || fail "nothing is being signed"
calls=$("$shim_rule" shim calls)
term "slow" 8
! grep 'left unsigned' ocsignd.log || fail "slow: some were left"
[ "$("$shim_rule" shim calls)" -gt "$calls" ] ||
    fail "slow: it signed nothing more"
"$shim_rule" shim clear
issue_end
[ "$num" = 8 ] || fail "slow: $num of 8: $(cat issued.*.log)"

within 10 is_another || fail "slow: no other signer"
"$shim_rule" shim hang
issue_start 2
within 10 is_inside 2 || fail "nothing hangs"
term "hung" 15
grep -q '[1-9] jobs are left unsigned' ocsignd.log ||
    fail "hung: nobody says that they are left"
"$shim_rule" shim clear
issue_end
[ "$num" = 2 ] || fail "hung: $num of 2: $(cat issued.*.log)"
within 10 is_another || fail "hung: no other signer"

# Who was killed inside has not said that it left.
inside=$("$shim_rule" shim inside)
"$shim_rule" shim hang
issue_start 2
within 10 is_inside $((inside + 2)) || fail "nothing hangs"
stopped=$(cat ocsignd.pid)
begun=$(date +%s%3N)
kill "$stopped"
within 15 not kill -0 "$stopped" 2>/dev/null || fail "ocsignd does not end"
echo "the service: ended after $(($(date +%s%3N) - begun)) ms"
"$shim_rule" shim clear
service_start
issue_end
[ "$num" = 2 ] || fail "the service: $num of 2: $(cat issued.*.log)"
forks=$("$shim_rule" shim forks)
[ "$forks" -eq 0 ] || fail "$forks forks with an initialised module"
ocsign audit verify >out || fail "$(cat out)"
service_stop
