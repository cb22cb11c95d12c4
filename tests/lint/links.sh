#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What a program does not link it cannot be made to do: the process that
# faces the network has no cryptography, no database and no module loader,
# only the signer has p11-kit, and only what fetches or looks at names has
# libcurl.

status=0

# links PROGRAM LIBRARY: says so and fails.
refuse() {
	for library in $2; do
		if readelf -d "$top_builddir/$1" | grep NEEDED |
		    grep -q "\[$library"; then
			echo "$1 links $library"
			status=1
		fi
	done
}

[ -x "$top_builddir/ocsign-responder" ] || {
	echo "$top_builddir/ocsign-responder is not there"
	exit 1
}
refuse ocsign-responder 'libcrypto libssl libsqlite3 libp11 libjansson'
refuse ocsign-status 'libp11 libssl'
refuse ocsign-signer 'libssl'
refuse ocsignd 'libsqlite3'
for program in ocsign-responder ocsign-status ocsign-signer ocsignd; do
	refuse $program 'libcurl libunbound'
done
refuse ocsign-issuer 'libcurl libunbound'
refuse ocsign 'libcurl libunbound'
if [ -x "$top_builddir/ocsign-fetcher" ]; then
	refuse ocsign-fetcher 'libp11 libsqlite3 libjansson libevent'
fi
if [ -x "$top_builddir/ocsign-validator" ]; then
	refuse ocsign-validator 'libp11 libsqlite3 libpq libidn2'
fi
exit $status
