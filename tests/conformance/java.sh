#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Does the JDK believe the responder?  Good, with a nonce and without, then
# revoked with its reason, a hold and its end.

. "$top_srcdir/tests/conformance/conformance.sh"
need java javac
# Each of them runs for a second: nothing is optimised for longer.
brief='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'
javac -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC -d "$dir/classes" \
    "$top_srcdir/tests/conformance/Validate.java" >"$dir/javac.log" 2>&1 || {
	cat "$dir/javac.log"
	echo "this JDK is too old, or is none"
	exit 77
}

ca_folder
ca_make
ca_issue a.test
ca_issue b.test
service_start

# validated PATTERN CERTIFICATE [nonce]
validated() {
	pattern=$1
	shift
	timeout 60 java -Xshare:auto $brief -cp classes Validate "$url" \
	    root.pem ca.pem "$@" >java.out 2>&1 || true
	grep -Eq "^$pattern" java.out || fail "not $pattern: $(cat java.out)"
}

validated good a.test.pem
validated good a.test.pem nonce
ocsign cert revoke --reason keyCompromise a.test.pem
validated 'REVOKED KEY_COMPROMISE' a.test.pem
validated 'REVOKED KEY_COMPROMISE' a.test.pem nonce
ocsign cert revoke --reason certificateHold b.test.pem
validated 'REVOKED CERTIFICATE_HOLD' b.test.pem
ocsign cert revoke --reason removeFromCRL b.test.pem
validated good b.test.pem

service_stop
