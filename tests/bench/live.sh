#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Answers that are signed for one question each (a nonce), with a P-256 key in
# SoftHSM, every signature verified once:
#
#   live-softhsm-p256  a connection a request, beside "openssl ocsp" with the
#                      same key through libp11's engine, which verifies none;
#                      for each second of the CPU of all of a server's
#                      processes
#   live-ceiling       the same, kept connections, beside a loop of C_SignInit,
#                      C_Sign and a verification, and nothing else
#   live-shim-2ms-8    a token that takes 2 ms for a C_Sign, 8 sessions, beside
#                      a loop on the same token that verifies nothing

. "$top_srcdir/tests/bench/measure.sh"
need openssl taskset pgrep
engine=$(openssl version -e | sed 's/^[^"]*"//; s/".*//')/pkcs11.so
[ -f "$engine" ] || {
	echo "openssl has no PKCS#11 engine"
	exit 77
}

ca_folder >/dev/null
ca_make >/dev/null 2>&1
sed -i 's/^\[responder\]/&\nnonce-budget = 1000000/' ocsign.conf
ca_issue site >/dev/null
serial=$(openssl x509 -in site.pem -noout -serial | sed 's/.*=//')
yes "$serial" | sed 5000q | "$tools/ocsp_requests" ca.pem nonce >requests

# All of ours share one CPU.
start() {
	taskset -c "$server_cpus" ocsignd -d -p "$dir/ocsignd.pid" \
	    2>>ocsignd.log
	ours=$(pgrep -P "$(cat ocsignd.pid)")
	within 10 answers "$port" post || fail "ours does not answer"
}
answers() {
	"$tools/ocsp_client" "$1" "$2" requests 1 1 >/dev/null 2>&1
}
# rate PORT KIND CONNECTIONS PID...: for each second of CPU.
rate() {
	rate_port=$1
	rate_kind=$2
	rate_connections=$3
	shift 3
	begun=$(cpu "$@")
	answers=$(taskset -c "$client_cpus" "$tools/ocsp_client" \
	    "$rate_port" "$rate_kind" requests "$rate_connections" "$seconds")
	echo "$answers $begun $(cpu "$@")" |
	    awk '{ printf "%.0f\n", $1 * 1e9 / ($4 - $3) }'
}
# loop MODULE SESSIONS [CERTIFICATE]
loop() {
	module=$1
	sessions=$2
	shift 2
	SOFTHSM2_CONF=$dir/softhsm2.conf OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE \
	    OCSIGN_SHIM_CONTROL=$dir/shim taskset -c "$server_cpus" \
	    "$tools/token_loop" "$module" demo ocsp user.pin "$sessions" \
	    "$seconds" "$@"
}

cat >engine.conf <<EOF2
openssl_conf = main
[main]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
dynamic_path = $engine
MODULE_PATH = $SOFTHSM_MODULE
PIN = $(cat user.pin)
init = 1
EOF2
printf 'V\t400101000000Z\t\t%s\tunknown\t/CN=site\n' "$serial" >index.txt
peer_port=$(free_port)
SOFTHSM2_CONF=$dir/softhsm2.conf OPENSSL_CONF=$dir/engine.conf \
    taskset -c "$server_cpus" openssl ocsp -port "$peer_port" \
    -index index.txt -CA ca.pem -rsigner ocsp.pem -ndays 1 \
    -rkey 'org.openssl.engine:pkcs11:pkcs11:token=demo;object=ocsp' \
    >/dev/null 2>peer.log &
peer=$!
pids="$pids $peer"
within 20 answers "$peer_port" once || fail "openssl ocsp: $(cat peer.log)"

start
# The key's first signatures are verified without a table.
rate "$port" post 16 $ours >/dev/null
n=0
while [ $n -lt "$rounds" ]; do
	echo "$(rate "$port" once 16 $ours) $(rate "$peer_port" once 16 \
	    "$peer")"
	n=$((n + 1))
done >rates
report live-softhsm-p256 answers/CPU-s

n=0
while [ $n -lt "$rounds" ]; do
	echo "$(rate "$port" post 16 $ours) $(loop "$SOFTHSM_MODULE" 1 \
	    ocsp.pem | awk '{ printf "%.0f\n", $1 * 1e9 / $2 }')"
	n=$((n + 1))
done >rates
report live-ceiling signatures/CPU-s
service_stop

"$tools/shim_rule" shim lasts 2
shim=$top_builddir/tests/faults/ocsign-shim.so
sed -i "s|^module = .*|module = $shim|
s|^environment = .*|sessions = 8\n& OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE \
OCSIGN_SHIM_CONTROL=./shim|" ocsign.conf
start
n=0
while [ $n -lt "$rounds" ]; do
	answers=$(taskset -c "$client_cpus" "$tools/ocsp_client" "$port" \
	    post requests 64 "$seconds")
	echo "$answers $(loop "$shim" 8)"
	n=$((n + 1))
done | awk -v s="$seconds" '{ print $1 / s, $3 / s }' >rates
report live-shim-2ms-8 signatures/s
service_stop
