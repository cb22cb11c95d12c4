#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Who asks about eight certificates at once gets one response, of one
# signature, and OpenSSL believes it of each; who asks about one gets one, from
# the table, as clients that take no more want it.

. "$top_srcdir/tests/conformance/conformance.sh"
need ocsptool

ca_folder
ca_make
names='a b c d e f g h'
for name in $names; do
	ca_issue $name.test
done
ocsign cert revoke --reason superseded d.test.pem
ocsign cert revoke --reason keyCompromise h.test.pem
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"

signed() {
	ocsign --json status >status.json || fail "ocsign status"
	sed -n '/"issuer": "ca"/,/}/s/^ *"signed": \([0-9]*\),*$/\1/p' \
	    status.json
}
# ask OPTION...: of $certs.
ask() {
	set -- "$@" -issuer ca.pem
	for name in $certs; do
		set -- "$@" -cert $name.test.pem
	done
	openssl ocsp "$@" -url "$url" -CAfile trust.pem -respout response.der \
	    >answer 2>&1 || true
}
num_entries() {
	openssl ocsp -respin response.der -noverify -resp_text >text 2>&1 ||
	    true
	[ "$(count 'Serial Number: [0-9A-F]*$' text)" -gt 0 ] ||
	    fail "$(cat text)"
	count '^ *Cert Status:' text
}
expect_each() {
	grep -q 'Response verify OK' answer || fail "$(cat answer)"
	for name in $certs; do
		case $name in
		d | h) wanted=revoked ;;
		*) wanted=good ;;
		esac
		grep -q "^$name.test.pem: $wanted" answer ||
		    fail "$name: not $wanted: $(cat answer)"
	done
}

# One signature for all eight, with a nonce and without, in their order.
certs=$names
for option in -no_nonce ''; do
	before=$(signed)
	ask $option
	expect_each
	[ "$(num_entries)" -eq 8 ] || fail "$(num_entries) entries"
	[ $(($(signed) - before)) -eq 1 ] ||
	    fail "$(($(signed) - before)) signatures"
done
certs='h a e'
ask -no_nonce
expect_each
[ "$(num_entries)" -eq 3 ] || fail "$(num_entries) entries"
sed -n 's/^ *Serial Number: \([0-9A-F]*\)$/\1/p' text >found
for name in $certs; do
	openssl x509 -in $name.test.pem -noout -serial
done | sed 's/serial=//' >wanted
diff wanted found || fail "not in the order of the question"

# One is one, also next to those that were asked about together: GnuTLS and
# others read no more, and it costs nothing.
before=$(signed)
for certs in $names; do
	ask -no_nonce
	expect_each
	[ "$(num_entries)" -eq 1 ] || fail "$certs: $(num_entries) entries"
	ocsptool --verify-response --load-response response.der \
	    --load-trust ca.pem >gnutls 2>&1 || fail "$(cat gnutls)"
done
[ "$(signed)" = "$before" ] || fail "signatures for what is at hand"
probe --case batch-mode --case multi-same-issuer --case multi-dup
no_failure
says pass batch-mode 'one entry'

# Within the budget: with none of it, eight at once are too many, and one is
# not.
sed -i 's/^listen = .*/&\nnonce-budget = 0/' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
within 10 grep -q 'notice: reloaded' ocsignd.log || fail "not reloaded"
certs=$names
ask -no_nonce
grep -q 'Responder Error: trylater' answer || fail "$(cat answer)"
certs=d
ask -no_nonce
expect_each
service_stop
