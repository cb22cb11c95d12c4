#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What answers say, in OpenSSL's eyes and the probe's: every reason, a hold
# and its end, the validities that the Baseline Requirements know, a signer
# that ends before its answers would, and a CA that is compromised.

. "$top_srcdir/tests/conformance/conformance.sh"

ca_folder
ca_make
sed -i 's/^table-directory.*/&\nrenew-every = 0s/' ocsign.conf
service_start

# RFC 5280, 5.3.1: a reason is said, and with the time of the records.
for reason in keyCompromise affiliationChanged superseded \
    cessationOfOperation privilegeWithdrawn aACompromise; do
	ca_issue $reason.test
	ocsign cert revoke --reason $reason $reason.test.pem
	expect revoked $reason.test.pem
	# OpenSSL 3.0 has no names for 9 and 10.
	grep -Eq "Reason: ($reason|\(UNKNOWN\))\$" answer ||
	    fail "$reason: $(cat answer)"
	ocsign --json ocsp query --issuer ca.pem --cert $reason.test.pem \
	    >query.json || [ $? -eq 1 ]
	grep -q "\"reason\": \"$reason\"" query.json ||
	    fail "$reason: $(cat query.json)"
	said=$(sed -n 's/^.*Revocation Time: //p' answer)
	kept=$(ocsign --json cert show $reason.test.pem |
	    sed -n 's/.*"revoked_at": "\(.*\)".*/\1/p')
	[ "$(date -ud "$said" +%s)" -eq "$(date -ud "$kept" +%s)" ] ||
	    fail "$reason: $said, not $kept"
done

# None is said by leaving it out.
ca_issue none.test
ocsign cert revoke none.test.pem
expect revoked none.test.pem
! grep -q Reason answer || fail "unspecified: $(cat answer)"

# A hold, and its end.
ca_issue hold.test
ocsign cert revoke --reason certificateHold hold.test.pem
expect revoked hold.test.pem
grep -q 'Reason: certificateHold' answer || fail "$(cat answer)"
ocsign cert revoke --reason removeFromCRL hold.test.pem
expect good hold.test.pem

num_reloads=0
# reload SED-SCRIPT: and a new certificate, a.test, whose answer is new, too.
is_reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -eq $num_reloads ]
}
reload() {
	sed -i "$1" ocsign.conf
	num_reloads=$((num_reloads + 1))
	kill -HUP "$(cat ocsignd.pid)"
	within 10 is_reloaded || fail "not reloaded"
	rm -f a.test.pem
	ca_issue a.test
}
# window HOURS: from thisUpdate to nextUpdate, both counted.
window() {
	probe --case br-window --case signer-expiring --case max-age-bound
	no_failure
	says pass br-window "^$1 hours"
	says pass signer-expiring
	says pass max-age-bound
}

sed -i 's/^ocsp-url = .*/&\nocsp-lifetime = 4d/' ocsign.conf
for lifetime in '8h 8' '16h 16' '7d 168' '10d 240'; do
	reload "s/^ocsp-lifetime = .*/ocsp-lifetime = ${lifetime% *}/"
	window "${lifetime#* }"
done

# The signer ends in minutes, and so does what it signs; said in the log.
# It is as old as the CA: two thirds of its life are over, or soon will be.
ocsign cert issue --issuer ca --profile ocsp-signer --validity 450s \
    --out short.pem ocsp.csr
cp short.pem ocsp.pem
reload 's/^ocsp-lifetime = .*/ocsp-lifetime = 4d/'
probe --case signer-expiring --case br-window --case st-good
no_failure
says pass signer-expiring
says pass st-good
says policy br-window 'less than 8 hours'
within 60 grep -q 'issuer ca: .* ends at .*nobody has renewed' ocsignd.log ||
    fail "no alarm: $(cat ocsignd.log)"
ocsign cert issue --issuer ca --profile ocsp-signer --out long.pem ocsp.csr
cp long.pem ocsp.pem

# The CA's own certificate is revoked, for what does not touch its key.
expect good a.test.pem
sed -i 's/^ocsp-lifetime = .*/&\non-compromise = refused/' ocsign.conf
reloaded() {
	num_reloads=$((num_reloads + 1))
	kill -HUP "$(cat ocsignd.pid)"
	within 10 is_reloaded || fail "not reloaded"
}
reloaded
ocsign cert revoke --issuer root --reason certificateHold ca.pem >out 2>&1 ||
    fail "$(cat out)"
expect good a.test.pem
# Its key is compromised: nothing is said any more, by one policy,
ocsign cert revoke --issuer root --reason cACompromise ca.pem >out 2>&1 ||
    fail "$(cat out)"
for cert in a.test.pem keyCompromise.test.pem hold.test.pem; do
	openssl ocsp -issuer ca.pem -cert $cert -url "$url" -CAfile trust.pem \
	    >answer 2>&1 || true
	grep -qi unauthorized answer || fail "$cert: $(cat answer)"
done
# and all are revoked, by the other: what was revoked before as it was.
sed -i 's/^on-compromise = .*/on-compromise = revoked/' ocsign.conf
reloaded
for cert in a.test.pem hold.test.pem; do
	expect revoked $cert
	grep -q 'Reason: cACompromise' answer || fail "$cert: $(cat answer)"
done
expect revoked keyCompromise.test.pem
grep -q 'Reason: keyCompromise' answer || fail "$(cat answer)"
[ "$(count 'the CA is compromised since .*cACompromise' ocsignd.log)" -eq 2 ] ||
    fail "not said once a start"
service_stop
