#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The EXAMPLES of ocsign-issuer(8), run as they are printed, with the [api]
# and [acme] that ocsign.conf.example has behind "#"; then README's line.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep jq

ca_folder
ca_make
port=$(free_port)
here() {
	sed "s/127\.0\.0\.1:8888/127.0.0.1:$port/"
}
# Built without libunbound or libcurl, there is no ocsign-validator.
sections='api acme' without=
[ -x "$top_builddir/ocsign-validator" ] ||
    sections=api without='/^\[acme\]/,/^\[validation\]/d'
{
	printf '[profile internal]\nbased-on = server\nvalidity = 30d\n'
	sed -n 's/^#\([[a-z].*\)/\1/p' \
	    "$top_builddir/dist/ocsign.conf.example" |
	    sed -e 's/= web$/= ca/' -e "$without" | here
} >>ocsign.conf
for section in $sections; do
	grep -q "^\[$section\]" ocsign.conf ||
	    fail "no [$section] in ocsign.conf.example"
done
service_start
healthy() {
	curl -sS -m 5 "http://127.0.0.1:$port/api/v1/cfssl/health" 2>/dev/null |
	    grep -q '"healthy":true'
}
within 10 healthy || fail "not healthy"

awk '/^\.Sh/ { in_examples = /EXAMPLES/ }
    in_examples && /^\.Bd/ { in_code = 1; next }
    /^\.Ed/ && in_code { in_code = 0
	print "openssl verify -CAfile trust.pem site.pem"
	print "mv site.pem site$((num = num + 1)).pem" }
    in_code { sub(/^\$ /, ""); gsub(/\\e/, "\\"); print }' \
    "$top_srcdir/man/ocsign-issuer.8" | here >examples.sh
sh -eux examples.sh 2>log || fail "$(cat log)"
[ -s site2.pem ] || fail "not two examples: $(cat log)"
grep -q '\*.example.com' <<EOF || fail "site1.pem"
$(openssl x509 -in site1.pem -noout -ext subjectAltName)
EOF

awk '/^\tcurl/ { in_curl = 1 } /^$/ { in_curl = 0 } in_curl' \
    "$top_srcdir/README" | here >readme.sh
sh -eu readme.sh >answer || fail "README: $(cat answer)"
jq -e '.success and (.result.private_key | test("PRIVATE KEY"))' answer \
    >/dev/null || fail "README: $(cat answer)"
service_stop
