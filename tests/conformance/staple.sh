# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the tests of servers that staple, on top of conformance.sh:
# handshakes as clients see them.

need curl
tls_port=$(free_port)

# stapled PATTERN: openssl finds it in what is stapled.
stapled() {
	openssl s_client -connect "127.0.0.1:$tls_port" -status \
	    -servername a.test -CAfile trust.pem </dev/null >shake 2>&1 || true
	grep -q "$1" shake
}

# curl takes nothing that is not stapled, and nothing but good.
curl_takes() {
	curl -sS -m 10 --cacert root.pem --cert-status \
	    --resolve "a.test:$tls_port:127.0.0.1" \
	    "https://a.test:$tls_port/" >curl.out 2>curl.err
}

server_starts() {
	openssl s_client -connect "127.0.0.1:$tls_port" </dev/null \
	    >shake 2>&1 || ! grep -q 'connect:errno' shake
}
