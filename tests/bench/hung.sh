#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# p99-hsm-hung: the latency that 99 of 100 answers which were signed before
# keep within while the token hangs in C_Sign and others wait for signatures,
# beside the same with a healthy token; 64 kept connections.  Here less is
# better: at most 1.5 times is asked for.

. "$top_srcdir/tests/bench/measure.sh"
need openssl taskset
num_certificates=20

ca_folder 'presign = all' >/dev/null
ca_make >/dev/null 2>&1
n=0
while [ $n -lt $num_certificates ]; do
	n=$((n + 1))
	ca_issue "site$n" >/dev/null
	openssl x509 -in "site$n.pem" -noout -serial | sed 's/.*=//'
done >serials
"$tools/ocsp_requests" ca.pem <serials >requests
"$tools/ocsp_requests" ca.pem nonce <serials >live
"$tools/shim_rule" shim clear
sed -i "s|^module = .*|module = $top_builddir/tests/faults/ocsign-shim.so|
s|^environment = .*|& OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE \
OCSIGN_SHIM_CONTROL=./shim|" ocsign.conf
taskset -c "$server_cpus" ocsignd -d -p "$dir/ocsignd.pid" 2>>ocsignd.log
within 30 is_whole || fail "not everything is signed"
p99() {
	taskset -c "$client_cpus" "$tools/ocsp_client" "$port" get requests \
	    64 "$seconds" | sed 's/.* //'
}
# They find every session hung, and are told something else.
ask_live() {
	"$tools/ocsp_client" "$port" post live 16 "$((seconds + 1))" \
	    >/dev/null 2>&1 &
	asking=$!
	pids="$pids $asking"
	sleep 0.2
}
openssl ocsp -issuer ca.pem -cert site1.pem -nonce -reqout nonce.request
has_nonce() {
	post nonce.request answer.der >/dev/null &&
	    openssl ocsp -respin answer.der -noverify -text 2>&1 |
	    grep -q 'OCSP Nonce'
}
n=0
while [ $n -lt "$rounds" ]; do
	within 30 has_nonce || fail "nothing is signed: $(cat ocsignd.log)"
	healthy=$(p99)
	"$tools/shim_rule" shim hang
	ask_live
	hung=$(p99)
	! has_nonce || fail "the token did not hang"
	"$tools/shim_rule" shim clear
	wait "$asking" || true
	echo "$hung $healthy"
	n=$((n + 1))
done >rates
report p99-hsm-hung us
service_stop
