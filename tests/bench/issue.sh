#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Line "issue": certificates a second through the API with everything on
# (proof of possession, policy, lint, durable reserve and record, signature
# in SoftHSM, verified; P-256, 16 connections), beside cfssl serve with a key
# file, no records and no lint.  Each has the same CPUs in turn; the client
# shares them.

. "$top_srcdir/tests/interop/failure.sh"
need openssl cfssl cfssljson jq taskset pgrep
seconds=${BENCH_SECONDS:-4}
rounds=${BENCH_ROUNDS:-3}
cpus=${BENCH_CPUS:-0,1}
taskset -c "$cpus" true 2>/dev/null || cpus=0

echo '{"signing": {"default": {"usages": ["signing", "server auth"],
    "expiry": "8760h"}}}' >"$dir/config.json"
ca_folder 'presign = asked' >/dev/null
ca_make >/dev/null 2>&1
cat >>ocsign.conf <<EOF
[cfssl]
config = config.json
[api]
listen = 127.0.0.1:0
issuers = ca
EOF
echo '{"CN": "Peer", "key": {"algo": "ecdsa", "size": 256}}' >peer.json
cfssl genkey -initca peer.json 2>/dev/null | cfssljson -bare peer
echo '{"CN": "www.example.com", "hosts": ["www.example.com"],
    "key": {"algo": "ecdsa", "size": 256}}' >leaf.json
cfssl genkey leaf.json 2>/dev/null | cfssljson -bare leaf
jq -cn --rawfile csr leaf.csr '{certificate_request: $csr}' >body

taskset -c "$cpus" ocsignd -d -p "$dir/ocsignd.pid" 2>ocsignd.log
ours=$(sed 's,.*:,,; s,/$,,' run/api.urls)
theirs=$(free_port)
taskset -c "$cpus" cfssl serve -address 127.0.0.1 -port "$theirs" \
    -loglevel 5 -ca peer.pem -ca-key peer-key.pem -config config.json \
    >/dev/null 2>&1 &
pids="$pids $!"
run() {
	taskset -c "$cpus" "$top_builddir/tests/bench/issue_client" "$1" \
	    /api/v1/cfssl/sign body 16 "$2"
}
answers() {
	run "$1" 1 >/dev/null 2>&1
}
within 30 answers "$ours" || fail "ours does not answer"
within 30 answers "$theirs" || fail "cfssl does not answer"
n=0
while [ $n -lt "$rounds" ]; do
	run "$ours" "$seconds" >>ours.rates
	run "$theirs" "$seconds" >>theirs.rates
	n=$((n + 1))
done
median() {
	sort -n "$1" | awk '{ r[NR] = $1 } END { print r[int((NR + 1) / 2)] }'
}
median ours.rates >ours.rate
median theirs.rates | paste ours.rate - |
    awk '{ printf "issue %d %d %.2f certificates/s\n", $1, $2, $1 / $2 }'
service_stop
