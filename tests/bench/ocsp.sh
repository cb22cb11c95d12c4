#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Answers that were signed before, for each second of CPU that the server
# takes; each server has one CPU, the client another, 64 kept connections:
#
#   get-presigned   GET, 10,000 certificates, beside nginx with the same
#                   responses as static files (nginx.conf.in)
#   post-presigned  POST, the same, beside "cfssl ocspserve" with them in
#                   memory
#
# A round is ours, then the peer's; the ratio is the median of the rounds'.

. "$top_srcdir/tests/bench/measure.sh"
need openssl cfssl jq taskset pgrep nginx sqlite3
certificates=${BENCH_CERTIFICATES:-10000}

# Certificates through the API, which is the quickest door.
ca_folder 'presign = all' >/dev/null
ca_make >/dev/null 2>&1
cat >>ocsign.conf <<EOF2
[api]
listen = 127.0.0.1:0
issuers = ca
profiles = server
EOF2
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout leaf.key -out leaf.csr -subj /CN=www.example.com \
    -addext subjectAltName=DNS:www.example.com 2>/dev/null
jq -cn --rawfile csr leaf.csr '{certificate_request: $csr}' >body
ocsignd -d -p "$dir/ocsignd.pid" 2>ocsignd.log
api=$(sed 's,.*:,,; s,/$,,' run/api.urls)
num_issued() {
	sqlite3 -readonly store.db 'SELECT count(*) FROM certificate
	    JOIN issuer ON issuer.id = issuer_id
	    WHERE issuer.name = "ca" AND profile = "server"'
}
n=0
until [ "$(num_issued)" -ge "$certificates" ]; do
	n=$((n + 1))
	[ $n -le 60 ] || fail "only $(num_issued) certificates"
	"$tools/issue_client" "$api" /api/v1/cfssl/sign body 16 2 >/dev/null
done
within 120 is_whole || fail "not everything is signed"
sqlite3 -readonly store.db "SELECT hex(serial) FROM certificate
    JOIN issuer ON issuer.id = issuer_id
    WHERE issuer.name = 'ca' AND profile = 'server'
    ORDER BY certificate.id LIMIT $certificates" |
    "$tools/ocsp_requests" ca.pem >requests

# The same octets for everybody.
mkdir files nginx.tmp
"$tools/ocsp_client" "$port" get requests save files >responses
nginx_port=$(free_port)
sed "s,@DIR@,$dir,; s,@PORT@,$nginx_port,; s,@USER@,$(id -un) $(id -gn)," \
    "$top_srcdir/tests/bench/nginx.conf.in" >nginx.conf
taskset -c "$server_cpus" nginx -p "$dir" -e stderr -c "$dir/nginx.conf" &
nginx=$!
cfssl_port=$(free_port)
taskset -c "$server_cpus" cfssl ocspserve -address 127.0.0.1 \
    -port "$cfssl_port" -responses responses -loglevel 5 >/dev/null 2>&1 &
cfssl=$!
pids="$nginx $cfssl"
responder=$(role responder)
taskset -cp "$server_cpus" "$responder" >/dev/null
same() {
	rm -rf seen
	mkdir seen
	"$tools/ocsp_client" "$1" "$2" requests save seen >seen.base64 \
	    2>/dev/null && diff responses seen.base64 >/dev/null
}
within 30 same "$nginx_port" file || fail "nginx has other answers"
within 30 same "$cfssl_port" post || fail "cfssl has other answers"
within 5 same "$port" post || fail "POST is answered otherwise"
worker=$(pgrep -P "$nginx")

# rate PORT KIND PID: answers for each second of the process's CPU.
rate() {
	begun=$(cpu "$3")
	answers=$(taskset -c "$client_cpus" "$tools/ocsp_client" "$1" "$2" \
	    requests 64 "$seconds")
	echo "$answers $begun $(cpu "$3")" |
	    awk '{ printf "%.0f\n", $1 * 1e9 / ($4 - $3) }'
}
# line NAME KIND PORT KIND PID: ours beside the peer.
line() {
	n=0
	while [ $n -lt "$rounds" ]; do
		echo "$(rate "$port" "$2" "$responder") $(rate "$3" "$4" "$5")"
		n=$((n + 1))
	done >rates
	report "$1" answers/CPU-s
}
line get-presigned get "$nginx_port" file "$worker"
line post-presigned post "$cfssl_port" post "$cfssl"
service_stop
