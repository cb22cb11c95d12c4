#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Does Python's cryptography believe the responder?  With CertIDs of each
# hash, a nonce in every request.

. "$top_srcdir/tests/conformance/conformance.sh"
need python3
python3 -c 'from cryptography.x509 import ocsp' 2>/dev/null || {
	echo "python3 has no cryptography"
	exit 77
}

ca_folder
ca_make
ca_issue a.test
service_start

# asked HASH PATTERN...: each matches a line of what it says.
asked() {
	hash=$1
	shift
	timeout 60 python3 "$top_srcdir/tests/conformance/client.py" "$url" \
	    ca.pem a.test.pem "$hash" >python.out 2>&1 ||
	    fail "$hash: $(cat python.out)"
	for pattern; do
		grep -q "^$pattern\$" python.out ||
		    fail "$hash: no \"$pattern\" in $(cat python.out)"
	done
}
for hash in sha1 sha256 sha384 sha512; do
	asked $hash 'status GOOD' 'algorithm 1.2.840.10045.4.3.2'
done
ocsign cert revoke --reason superseded a.test.pem
for hash in sha1 sha256; do
	asked $hash 'status REVOKED' 'reason superseded'
done
service_stop
