#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A wrong PIN is tried once, whoever starts what how often: ocsignd, again
# ocsignd, ocsign beside it.  What is signed is served meanwhile, and a mended
# PIN file is enough.  A shim between us and the token counts.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep
shim=$top_builddir/tests/faults/ocsign-shim.so
[ -f "$shim" ] && [ -x "$top_builddir/tests/faults/shim_logins" ] ||
    fail "the shim is not built: make interop builds it"
logins() {
	"$top_builddir/tests/faults/shim_logins" "$dir/shim"
}

ca_folder
sed -i "s|^module = .*|module = $shim|
    s|^environment = .*|& OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE \
OCSIGN_SHIM_CONTROL=./shim|" ocsign.conf
logins >/dev/null
ca_make
ca_issue a.test
service_start
within 5 is_whole || fail "not all is signed: $(cat status.json)"
request a.test.pem a.request
num=$(logins)
[ "$num" -gt 0 ] || fail "the shim counts nothing"
service_stop

# is_served: from the table; what would have to be signed is tryLater.
is_served() {
	[ "$(post a.request answer.der 2>/dev/null)" = 200 ] || return 1
	openssl ocsp -issuer ca.pem -cert a.test.pem -respin answer.der \
	    -CAfile trust.pem >answer 2>&1 || true
	grep -q '^a.test.pem: good' answer
}
one_line() {
	[ "$(count 'ocsign-signer: error: .*PIN' ocsignd.log)" -eq 1 ] ||
	    fail "not one line about the PIN: $(cat ocsignd.log)"
	[ "$(count 'ocsign-signer .*(ended with status 78)' ocsignd.log)" \
	    -eq 1 ] || fail "ended with 78 once: $(cat ocsignd.log)"
	[ -z "$(role signer)" ] || fail "the signer runs"
}
has_ended() {
	grep -q 'ocsign-signer .*status 78' ocsignd.log
}

(umask 077; echo 9999 >user.pin)
for n in 1 2; do
	: >ocsignd.log
	service_run
	within 5 has_ended || fail "the signer takes the PIN"
	within 3 is_served || fail "what is signed is not served"
	# Longer than the first waits of a role that is started again.
	sleep 1
	one_line
	[ "$(logins)" -eq $((num + 1)) ] ||
	    fail "start $n: $(($(logins) - num)) logins with a wrong PIN"
	service_stop
done

: >ocsignd.log
service_run
within 5 has_ended || fail "the signer takes the PIN"
# These two wait for a signer that might be about to start: side by side.
ocsign crl create --issuer ca >out.crl 2>err.crl &
crl=$!
ocsign cert issue --issuer ca --profile server a.test.csr >out 2>err &&
    fail "issued with a wrong PIN"
grep -q "ocsignd's log" err || fail "cert issue: $(cat err)"
wait $crl && fail "a CRL with a wrong PIN"
grep -q "ocsignd's log" err.crl || fail "crl create: $(cat err.crl)"
ocsign key list --token demo >out 2>err && fail "keys with a wrong PIN"
grep -q PIN err || fail "key list: $(cat err)"
[ "$(logins)" -eq $((num + 1)) ] ||
    fail "with ocsign: $(($(logins) - num)) logins with a wrong PIN"
is_served || fail "what is signed is not served"
ocsign status >out || fail "no status without the signer"

# A reload without a change is no reason to try again, either.
kill -HUP "$(cat ocsignd.pid)"
within 5 grep -q 'reload failed at the signer' ocsignd.log ||
    fail "the reload does not end"
[ "$(logins)" -eq $((num + 1)) ] || fail "the reload tried the PIN again"
is_served || fail "what is signed is not served"

# Mended: a reload is enough, nothing has to be unlatched.
(umask 077; echo 1234 >user.pin)
kill -HUP "$(cat ocsignd.pid)"
within 5 is_whole || fail "mended, and: $(cat ocsignd.log)"
[ "$(logins)" -eq $((num + 2)) ] || fail "mended: logins"
expect good a.test.pem
ocsign cert revoke a.test.pem
expect revoked a.test.pem
ca_issue b.test
expect good b.test.pem
[ "$(logins)" -eq $((num + 2)) ] || fail "ocsign logged in by itself"
ocsign audit verify >out || fail "$(cat out)"
service_stop
