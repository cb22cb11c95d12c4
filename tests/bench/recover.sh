#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# How long it takes until a signature is there that meets a fault: by class
# (recover.c); when one of two tokens dies or hangs (failover.c); and when the
# whole signer is killed or hangs, through ocsignd and the command:
# "recover-killed", "recover-stuck".  Milliseconds, medians; "recover-command"
# is what the command takes when all is well.

. "$top_srcdir/tests/bench/measure.sh"
need openssl
"$tools/recover"
"$tools/failover"

ca_folder >/dev/null
sed -i "s|^module = .*|module = $top_builddir/tests/faults/ocsign-shim.so|
    s|^environment = .*|& OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE \
OCSIGN_SHIM_CONTROL=./shim\\ntimeout = 1s|" ocsign.conf
"$tools/shim_rule" shim clear
ca_make >/dev/null 2>&1
ca_issue site >/dev/null

# measure NAME COMMAND...: and how long a certificate takes after it.
measure() {
	measure_name=$1
	shift
	n=0
	while [ $n -lt "$rounds" ]; do
		# A new one: who dies again and again is started later.
		service_start
		within 30 is_whole || fail "$measure_name: not well"
		signer=$(role signer)
		begun=$(date +%s%N)
		"$@"
		ocsign cert issue --issuer ca --profile server \
		    --out "$measure_name.$n.pem" site.csr >/dev/null ||
		    fail "$measure_name: nothing is issued"
		echo $((($(date +%s%N) - begun) / 1000000))
		"$tools/shim_rule" shim clear
		service_stop
		n=$((n + 1))
	done >times
	echo "recover-$measure_name $(median times 1) ms"
}
killed() {
	kill -9 "$signer"
}
# All calls hang, until it has left.
stuck() {
	"$tools/shim_rule" shim hang
	{
		within 30 not kill -0 "$signer" 2>/dev/null
		"$tools/shim_rule" shim clear
	} &
}
measure command true
measure killed killed
measure stuck stuck
