#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Signatures a second through the pool: each to-be-signed value is looked at,
# signed, verified once and handed back, in one process.
#
#   sign-softhsm-p256, sign-softhsm-rsa2048
#                      as many sessions as there are CPUs, beside a loop of
#                      C_SignInit, C_Sign and a verification in as many
#                      threads
#   sign-shim-2ms-N    RSA-2048 on a token that takes 2 ms for each C_Sign and
#                      none of our CPU, N sessions, beside a loop on the same
#                      that verifies nothing
#
# Rounds of both, by turns; the ratio is the median of the rounds' own.

. "$top_srcdir/tests/bench/measure.sh"
need openssl
cpus=$(getconf _NPROCESSORS_ONLN)

token_folder
cat >ocsign.conf <<EOF
[store]
path = store.db
[token demo]
module = $SOFTHSM_MODULE
uri = pkcs11:token=demo
pin-source = user.pin
environment = SOFTHSM2_CONF=./softhsm2.conf
EOF
OCSIGN_CONF=$dir/ocsign.conf
SOFTHSM2_CONF=$dir/softhsm2.conf
OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE
OCSIGN_SHIM_CONTROL=$dir/shim
export OCSIGN_CONF SOFTHSM2_CONF OCSIGN_SHIM_MODULE OCSIGN_SHIM_CONTROL
ocsign token init demo --so-pin-source so.pin
for type in p256 rsa2048; do
	ocsign key generate --token demo --label $type --type $type >/dev/null
	ocsign csr create --subject CN=x --token demo --key $type \
	    --out $type.csr
	openssl req -in $type.csr -pubkey -noout >$type.pub
done

# compare NAME MODULE KEY SESSIONS [PUBLIC-KEY]
compare() {
	n=0
	while [ $n -lt "$rounds" ]; do
		ours=$("$tools/pool_loop" "$2" demo "$3" "$dir/user.pin" "$4" \
		    "$seconds") || fail "pool_loop"
		peer=$("$tools/token_loop" "$2" demo "$3" user.pin "$4" \
		    "$seconds" ${5+"$5"}) || fail "token_loop"
		echo "${ours% *} ${peer% *}"
		n=$((n + 1))
	done >counts
	awk -v s="$seconds" '{ print $1 / s, $2 / s }' counts >rates
	report "$1" signatures/s
}

compare sign-softhsm-p256 "$SOFTHSM_MODULE" p256 "$cpus" p256.pub
compare sign-softhsm-rsa2048 "$SOFTHSM_MODULE" rsa2048 "$cpus" rsa2048.pub
"$tools/shim_rule" shim lasts-same 2
for num in ${BENCH_SESSIONS:-1 4 16 64}; do
	compare "sign-shim-2ms-$num" \
	    "$top_builddir/tests/faults/ocsign-shim.so" rsa2048 "$num"
done
