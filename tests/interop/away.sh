#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A token that is not there: its module's file or its directory, at start and
# while all runs; or one that hangs.  What is signed is served, what is not is
# tryLater, the log tells it once, and all goes on by itself when the token is
# back.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep

ca_folder
cp "$SOFTHSM_MODULE" module.so
sed -i "s|^module = .*|module = $dir/module.so|" ocsign.conf
ca_make
ca_issue a.test
service_start
within 5 is_whole || fail "not all is signed: $(cat status.json)"
request a.test.pem a.request
request a.test.pem miss.request -sha256

is_served() {
	[ "$(post a.request answer.der 2>/dev/null)" = 200 ] || return 1
	openssl ocsp -issuer ca.pem -cert a.test.pem -respin answer.der \
	    -CAfile trust.pem >answer 2>&1 || true
	grep -q '^a.test.pem: good' answer
}
is_signing() {
	is_whole && ocsign cert issue --issuer ca --profile server \
	    --out back.pem a.test.csr >out 2>err
}

{
	echo 'parallel'
	echo 'header = "Content-Type: application/ocsp-request"'
	echo 'data-binary = "@miss.request"'
	for n in 1 2 3 4 5 6 7 8 9 10; do
		printf 'url = "%s"\noutput = "miss.%d"\n' "$url" $n
	done
} >misses

# away WHAT: served, tryLater, and a bounded number of lines, over the five
# seconds that a miss waits for its signature.
away() {
	within 3 is_served || fail "$1: what is signed is not served"
	lines=$(wc -l <ocsignd.log)
	rm -f miss.[0-9]*
	curl -sS -m 20 -K misses >out 2>&1 &
	misses=$!
	while kill -0 $misses 2>/dev/null; do
		is_served || fail "$1: not served: $(cat answer)"
		sleep 0.1
	done
	wait $misses || fail "$1: misses: $(cat out)"
	for n in 1 2 3 4 5 6 7 8 9 10; do
		openssl ocsp -respin miss.$n -noverify >answer 2>&1 || true
		grep -qi 'trylater' answer || fail "$1: a miss: $(cat answer)"
	done
	[ $(($(wc -l <ocsignd.log) - lines)) -le 4 ] ||
	    fail "$1: a storm of lines: $(tail -n +$lines ocsignd.log)"
}

# The directory, while all runs; and while the signer starts again.
mv tokens gone
away "tokens moved away"
kill -9 "$(role signer)"
away "tokens moved away, signer anew"
mv gone tokens
within 6 is_signing || fail "tokens are back, and: $(cat err)"
expect good a.test.pem
expect good back.pem

# The module's file, while the signer starts again.
rm -f back.pem
mv module.so gone.so
kill -9 "$(role signer)"
away "module moved away"
mv gone.so module.so
within 6 is_signing || fail "the module is back, and: $(cat err)"

# It hangs: what is signed is served as fast as ever, a miss waits its time.
rm -f back.pem
signer=$(role signer)
kill -STOP "$signer"
begun=$(date +%s)
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	[ "$(post a.request answer.der)" = 200 ] || fail "hung: not served"
done
[ $(($(date +%s) - begun)) -le 2 ] || fail "a signer that hangs slows down"
away "the signer hangs"
kill -CONT "$signer"
within 6 is_signing || fail "it goes on, and: $(cat err)"
service_stop

# Both, at the start.
for what in tokens module.so; do
	rm -f back.pem
	mv $what gone
	: >ocsignd.log
	service_run
	away "started without $what"
	[ "$(count 'error: .*(C_Initialize|module)' ocsignd.log)" -ge 1 ] ||
	    fail "started without $what, and nobody says so"
	mv gone $what
	within 8 is_signing || fail "$what is back, and: $(cat err)"
	expect good a.test.pem
	service_stop
	wait $service || fail "ocsignd ends with $?"
done
ocsign audit verify >out || fail "$(cat out)"
