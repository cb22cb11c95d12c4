#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Does golang.org/x/crypto/ocsp believe the responder?  A delegated signer,
# then the CA itself; good, revoked with its reason, unissued; and no answer in
# which an octet is another.

. "$top_srcdir/tests/conformance/conformance.sh"
need go

GO111MODULE=off
GOPATH=/usr/share/gocode
GOCACHE=$dir/gocache
GOFLAGS=
GOTOOLCHAIN=local
export GO111MODULE GOPATH GOCACHE GOFLAGS GOTOOLCHAIN
[ -d $GOPATH/src/golang.org/x/crypto/ocsp ] || {
	echo "golang-golang-x-crypto-dev is not installed"
	exit 77
}
go build -o "$dir/validate" "$top_srcdir/tests/conformance/validate.go" \
    >"$dir/go.log" 2>&1 || {
	cat "$dir/go.log"
	fail "validate.go does not compile"
}

ca_folder
ca_make
ca_issue a.test
ca_issue b.test
service_start

# told ANSWER CERTIFICATE: by each method, in each hash.
told() {
	for method in post get; do
		for hash in sha1 sha256; do
			timeout 30 ./validate "$url" ca.pem "$2" $method \
			    $hash >go.out 2>&1 || true
			[ "$(cat go.out)" = "$1" ] ||
			    fail "$method, $hash: $(cat go.out), not $1"
		done
	done
}
# all_of WHO: what is told of all there are, signed by him.
all_of() {
	told "good $1" a.test.pem
	told "revoked $2 $1" b.test.pem
	timeout 60 ./validate "$url" ca.pem a.test.pem tampered sha1 >go.out \
	    2>&1 || true
	grep -q '^0 of [1-9]' go.out || fail "tampered: $(cat go.out)"
}

ocsign cert revoke --reason keyCompromise b.test.pem
all_of delegate 1
told 'not believed: ocsp: error from server: unauthorized' root.pem

# The CA signs itself; no certificate is inside.  Without what the delegate has
# signed, which would be served until it is due.
service_stop
rm -r tables
sed -i '/^ocsp-certificate\|^ocsp-key/d' ocsign.conf
service_start
all_of issuer 1

service_stop
