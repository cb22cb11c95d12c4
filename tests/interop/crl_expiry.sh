#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What has expired leaves a CRL after it stood on one that was made on schedule
# beyond its life (RFC 5280, 3.3), in a partition and on deltas too: by a clock
# that is set.

. "$top_srcdir/tests/interop/failure.sh"
need openssl
if ldd "$top_builddir/ocsign" 2>/dev/null | grep -q asan; then
	echo "a sanitizer wants to be the first library"
	exit 77
fi

ca_folder 'crl-url = http://127.0.0.1:1/ca.crl
	crl-delta-url = http://127.0.0.1:1/delta.crl
	crl-partitions = 1
	crl-lifetime = 1d
	crl-delta-lifetime = 12h'
ca_make
mkdir lists
for name in early late; do
	ca_issue $name.test
	ocsign cert issue --issuer ca --profile server --validity 2d \
	    --out $name.pem $name.test.csr
done

# at HOURS COMMAND...: by a clock that is so much ahead.
at() {
	echo $(($1 * 3600)) >offset
	shift
	LD_PRELOAD=$top_builddir/tests/faults/ocsign-clock.so \
	    CLOCK_OFFSET=$dir/offset "$@" >out 2>&1 ||
	    fail "$*: $(cat out)"
}
# publish HOURS FULL DELTA: how many of each are due, of both lists.
publish() {
	at "$1" ocsign crl publish --issuer ca --directory lists --due
	[ "$(grep -c ' full ' out)" -eq "$2" ] &&
	    [ "$(grep -c ' delta ' out)" -eq "$3" ] || fail "$1: $(cat out)"
}
# says LIST NAME...: exactly those.
says() {
	openssl crl -inform DER -in "lists/$1.crl" -noout -text >text
	shift
	[ "$(grep -c 'Serial Number' text)" -eq $# ] || fail "$*: $(cat text)"
	for one in "$@"; do
		grep -q "Serial Number: $(openssl x509 -in "$one.pem" -noout \
		    -serial | cut -d= -f2)" text || fail "$one: $(cat text)"
	done
}
at 0 ocsign cert revoke early.pem --reason superseded
publish 0 2 2
says ca-1 early
publish 36 2 2
says ca-1 early
# On a delta first, a while before both expire.
at 37 ocsign cert revoke late.pem --reason superseded
publish 37 0 1
says ca-1 early
says delta-1 late
publish 50 2 2
says ca-1 early late
# Each has stood on one beyond its life now; whoever fetches only every other
# list finds it on the next.
publish 63 2 2
says ca-1 early late
says delta-1
publish 100 2 2
says ca-1
says delta-1
says ca
