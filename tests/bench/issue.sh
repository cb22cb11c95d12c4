#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Line "issue": certificates a second through the API with everything on
# (proof of possession, policy, lint, durable reserve and record, signature
# in SoftHSM, verified; P-256, 16 connections; OCSP responses are signed when
# asked for), beside cfssl serve with a key file, no records and no lint.
# Servers have one CPU, all of a server's processes the same; the client has
# another.  Each round is of both, so that what disturbs disturbs both; the
# ratio is the median of the rounds' ratios.

. "$top_srcdir/tests/bench/measure.sh"
need openssl cfssl cfssljson jq taskset pgrep

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

taskset -c "$server_cpus" ocsignd -d -p "$dir/ocsignd.pid" 2>ocsignd.log
ours=$(sed 's,.*:,,; s,/$,,' run/api.urls)
theirs=$(free_port)
taskset -c "$server_cpus" cfssl serve -address 127.0.0.1 -port "$theirs" \
    -loglevel 5 -ca peer.pem -ca-key peer-key.pem -config config.json \
    >/dev/null 2>&1 &
pids="$pids $!"
run() {
	taskset -c "$client_cpus" "$tools/issue_client" "$1" \
	    /api/v1/cfssl/sign body 16 "$2"
}
answers() {
	run "$1" 1 >/dev/null 2>&1
}
within 30 answers "$ours" || fail "ours does not answer"
within 30 answers "$theirs" || fail "cfssl does not answer"
# The key's first signatures are verified without a table.
run "$ours" 1 >/dev/null
n=0
while [ $n -lt "$rounds" ]; do
	echo "$(run "$ours" "$seconds") $(run "$theirs" "$seconds")"
	n=$((n + 1))
done >rates
report issue certificates/s
service_stop
