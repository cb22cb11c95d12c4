#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Twice as many ask for a signature of their own as the token can give.  Who
# gets one gets it soon, the token does not idle, and everybody else is told
# at once: a nonce is answered without, the rest is tryLater.  What was signed
# before is answered as ever.  The same while the token hangs.

. "$top_srcdir/tests/interop/failure.sh"
need openssl python3
shim_rule=$top_builddir/tests/bench/shim_rule

# 40 ms a signature, two sessions: 50 a second.
ca_folder
"$shim_rule" shim clear
sed "s|^module = .*|module = $top_builddir/tests/faults/ocsign-shim.so|
s|^environment = .*|& OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE \
OCSIGN_SHIM_CONTROL=./shim\\
sessions = 2|
s|^listen = .*|&\\
nonce-budget = 1000000|" ocsign.conf >new.conf
mv new.conf ocsign.conf
ca_make
ca_issue a.test
ca_issue b.test
request a.test.pem presigned
openssl ocsp -issuer ca.pem -cert a.test.pem -nonce -reqout live
openssl ocsp -issuer ca.pem -cert a.test.pem -cert b.test.pem -no_nonce \
    -reqout both 2>/dev/null
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"

# number REQUEST KIND, took REQUEST KIND: of the last run.
number() {
	awk -v r="$1" -v k="$2" '$1 == r && $2 == k { n = $3 }
	    END { print n + 0 }' result
}
took() {
	awk -v r="$1" -v k="$2" '$1 == r && $2 == k { n = $4 }
	    END { print n + 0 }' result
}
run() {
	python3 "$top_srcdir/tests/interop/overload.py" "$url" "$@" \
	    presigned live both >result 2>errors || fail "$(cat errors)"
	sed 's/^/  /' result
	! grep -q ' other ' result || fail "$(cat errors)"
	[ "$(number presigned signed)" -eq $(($1 * $2)) ] ||
	    fail "what was signed before is not answered"
}

echo "the token is quick:"
run 2 20
[ "$(number live nonce)" -eq 40 ] && [ "$(number both signed)" -eq 40 ] ||
    fail "it is no overload yet"

"$shim_rule" shim lasts 40
echo "50 signatures a second for 100 who want one:"
run 6 50
signatures=$(($(number live nonce) + $(number both signed)))
# 300 could be; a busy machine loses some.
[ $signatures -ge 180 ] || fail "the token idles: $signatures"
[ $signatures -le 360 ] || fail "it was no overload: $signatures"
[ "$(number live signed)" -gt 0 ] && [ "$(number both later)" -gt 0 ] ||
    fail "nobody was told"
# Half a second is what may wait; the rest is this machine's.
for case in "live nonce" "live signed" "both signed" "both later"; do
	[ "$(took ${case% *} ${case#* })" -le 1500 ] ||
	    fail "$case: $(took ${case% *} ${case#* }) ms"
done
[ "$(took presigned signed)" -le 500 ] ||
    fail "presigned: $(took presigned signed) ms"

# Those who came first wait until their time is over, and nobody after them.
"$shim_rule" shim hang
echo "the token hangs:"
run 8 20
"$shim_rule" shim clear
[ $(($(number live signed) + $(number live nonce))) -eq 160 ] ||
    fail "who wants a nonce is not answered"
[ "$(number both later)" -gt 100 ] || fail "nobody was told"
[ "$(took presigned signed)" -le 500 ] ||
    fail "presigned: $(took presigned signed) ms"
signs_again() {
	run 1 10 && [ "$(number live nonce)" -eq 10 ]
}
within 20 signs_again || fail "it does not recover"
service_stop
