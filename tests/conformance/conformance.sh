# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the conformance tests, on top of failure.sh: our service, and
# what "ocsign ocsp probe" says of it.

. "$top_srcdir/tests/interop/failure.sh"
need openssl

# probe OPTION...: of $url, with the certificates that there are; what it
# says is in probe.txt.
probe() {
	set -- --issuer "${issuer:-ca.pem}" "$@"
	for probe_cert in a b c; do
		[ ! -f $probe_cert.test.pem ] ||
			set -- --cert $probe_cert.test.pem "$@"
	done
	ocsign ocsp probe "$url" "$@" >probe.txt 2>probe.err || [ $? -eq 1 ]
	[ ! -s probe.err ] || fail "$(cat probe.err)"
	[ -s probe.txt ] || fail "ocsp probe says nothing"
}

# says VERDICT NAME [PATTERN]: so it was, and what was seen matches.
says() {
	awk -v verdict="$1" -v name="$2" -v pattern="${3-.}" '
	    $2 == name && $1 == verdict {
		sub(/^[^ ]+ +[^ ]+ +[^ ]+ +/, "")
		if ($0 ~ pattern)
			found = 1
	    }
	    END { exit !found }' probe.txt ||
	    fail "$2 is not $1 (${3-any}): $(grep " $2 " probe.txt)"
}

# Nothing failed.
no_failure() {
	! grep '^fail ' probe.txt || fail "the probe fails"
}
