#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The commands beside a running ocsignd: one login, and "revoked" when the
# command returns.

. "$top_srcdir/tests/interop/lib.sh"
[ -x "$top_builddir/ocsignd" ] || skip "ocsignd is not built"

port=$(free_port)
write_config "127.0.0.1:$port"
make_cas
csr site -newkey rsa:2048
bad 1 'does not run' ocsign status
start_ocsignd

good ocsign cert issue --issuer web --profile server --out a.pem site.csr
good openssl verify -CAfile root.pem -untrusted web.pem a.pem
# CFSSL's words ask the service, too.
printf '{"CN":"c.example","hosts":["c.example"]}' >csr.json
good ocsign gencert -ca web csr.json
mv out line
good ocsign json -bare c -f line
good openssl verify -CAfile root.pem -untrusted web.pem c.pem
good ocsign ocsp query "http://127.0.0.1:$port/" --issuer web.pem \
    --cert c.pem
grep -q 'status: *good' out || die "$(cat out)"
# The service has the token: nobody else logged in.
good ocsign --json status
grep -q '"logins": 1' out || die "$(cat out)"

for how in '' --get '--hash sha256' '--nonce --hash sha256' '--nonce --get'; do
	# shellcheck disable=SC2086
	good ocsign ocsp query --issuer web.pem --cert a.pem $how
	grep -q 'status: *good' out || die "$how: $(cat out)"
done
good openssl ocsp -issuer web.pem -cert a.pem -CAfile root.pem \
    -url "http://127.0.0.1:$port/"
grep -q '^a.pem: good' out || die "$(cat out)"

# hash_of FILE: of the response, as ocsp query keeps it.
hash_of() {
	sha256sum <"$1" | cut -d' ' -f1
}
# What is said to be the new response is what they are given.
good ocsign --json cert revoke --reason keyCompromise a.pem
mv out said
grep -q '"revoked_at": "20' said || die "$(cat said)"
grep -q '"status": "revoked"' said || die "$(cat said)"
for hash in sha1 sha256; do
	ocsign ocsp query --issuer web.pem --cert a.pem --hash $hash \
	    --out r.ocsp >out 2>err
	at=$(sed -n 's/^produced at: *//p' out)
	grep -q "\"response_sha256\": \"$(hash_of r.ocsp)\"" said ||
	    die "$hash: $(hash_of r.ocsp) is not in: $(cat said)"
	grep -q "\"produced_at\": \"$at\"" said || die "$at: $(cat said)"
done
good ocsign cert issue --issuer web --profile server --out b.pem site.csr
for reason in certificateHold:revoked removeFromCRL:good; do
	good ocsign cert revoke --reason ${reason%:*} b.pem
	mv out said
	ocsign ocsp query --issuer web.pem --cert b.pem --out r.ocsp \
	    >out 2>err
	grep -q "^OCSP: ${reason#*:}, CertID with SHA-1, produced 20.*Z," \
	    said || die "$reason: $(cat said)"
	grep -q "SHA-256 $(hash_of r.ocsp)\$" said ||
	    die "$reason: $(hash_of r.ocsp) is not in: $(cat said)"
	! grep -q 'CertID with SHA-256' said || die "nobody asked so"
done

for how in '' --get '--nonce --hash sha256'; do
	# shellcheck disable=SC2086
	ocsign ocsp query --issuer web.pem --cert a.pem $how >out 2>err
	[ $? -eq 1 ] || die "$how: $(cat out err)"
	grep -q 'status: *revoked' out || die "$how: $(cat out err)"
done
good openssl ocsp -issuer web.pem -cert a.pem -CAfile root.pem \
    -url "http://127.0.0.1:$port/"
grep -q '^a.pem: revoked' out || die "$(cat out)"

good ocsign crl create --issuer web --out web.crl
good openssl crl -in web.crl -CAfile web.pem -noout
good ocsign ocsp sign --issuer web --cert a.pem --out a.ocsp
good openssl ocsp -respin a.ocsp -issuer web.pem -cert a.pem \
    -CAfile root.pem -no_nonce
good ocsign --json status
grep -q '"logins": 1' out || die "a second login: $(cat out)"

# A delegated signer, from key to answer.
good ocsign key generate --token ca --label web-ocsp
good ocsign csr create --subject 'CN=Example Web OCSP' --key web-ocsp \
    --token ca --out web-ocsp.csr
good ocsign cert issue --issuer web --profile ocsp-signer \
    --out web-ocsp.pem web-ocsp.csr
good openssl verify -CAfile root.pem -untrusted web.pem web-ocsp.pem
sed 's/^ocsp-url/ocsp-certificate = web-ocsp.pem\nocsp-key = web-ocsp\n&/' \
    ocsign.conf >new.conf
mv new.conf ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
# What the CA itself has signed is served until its time has come; what is new
# is the delegate's.
good ocsign cert issue --issuer web --profile server --out new.pem site.csr
n=0
until ocsign ocsp query --issuer web.pem --cert new.pem 2>err |
    grep -q 'delegated: *yes'; do
	n=$((n + 1))
	[ $n -lt 100 ] || die "no delegated answer: $(cat err ocsignd.log)"
	sleep 0.1
done
ocsign ocsp query --issuer web.pem --cert a.pem >out 2>err
grep -q 'delegated: *no' out || die "signed again: $(cat out err)"
good openssl ocsp -issuer web.pem -cert new.pem -no_nonce \
    -CAfile root.pem -url "http://127.0.0.1:$port/"
good openssl ocsp -issuer web.pem -cert a.pem -no_nonce \
    -CAfile root.pem -url "http://127.0.0.1:$port/"
good ocsign ocsp sign --issuer web --cert a.pem --out a.ocsp
good ocsign --json ocsp show a.ocsp
grep -q '"has_certificates": true' out || die "$(cat out)"
good openssl ocsp -respin a.ocsp -issuer web.pem -cert a.pem \
    -CAfile root.pem -no_nonce

# What was answered above has been counted, whoever answered it.
good ocsign status
mv out said
requests=$(sed -n 's/^status responders requests: *//p' said)
[ "$requests" -ge 10 ] || die "requests: $(cat said)"
grep -q '^status issuers horizon:' said || die "no horizon: $(cat said)"
# The responder has been replaced by the reload above, or is about to be; what
# the first one counted is still there.
n=0
until grep -q '^web  *20[^ ]*Z  *20[^ ]*Z  *[1-9]' said &&
    grep -q '^status responders started: *2$' said &&
    grep -q '^status responders running: *1$' said; do
	n=$((n + 1))
	[ $n -lt 150 ] || die "$(cat said)"
	sleep 0.1
	ocsign status >said
done
[ "$(sed -n 's/^status responders requests: *//p' said)" -ge "$requests" ] ||
    die "$requests before: $(cat said)"
# One a second, each a line of its own; it goes on until it is stopped.
bad 2 'number of seconds' ocsign status --watch 0
timeout 4.5 ocsign status --watch 1 >lines 2>err
[ $? -eq 124 ] || die "it ended: $(cat err)"
[ "$(wc -l <lines)" -ge 2 ] || die "lines: $(cat lines)"
# shellcheck disable=SC2016
grep -vEq '^20[^ ]*Z requests/s [0-9.]* hits/s .* first_stale 20' lines &&
    die "$(cat lines)"
timeout 3.5 ocsign --json status --watch 1 >lines 2>err
[ "$(grep -c '^{.*"at":"20.*"responders":{' lines)" -ge 2 ] ||
    die "$(cat lines err)"
if command -v script >/dev/null; then
	timeout 3.5 script -qec 'ocsign status --watch 1' /dev/null \
	    </dev/null >lines 2>err
	# Drawn at least twice, each time from the top.
	[ "$(grep -c "$(printf '\033')\[H.*20..-" lines)" -ge 2 ] ||
	    die "$(cat -v lines err)"
	[ "$(grep -c '^status responders requests:' lines)" -ge 2 ] ||
	    die "$(cat -v lines err)"
fi
ocsign status --watch 1 2>err | head -n 1 >lines
[ "$(wc -l <lines)" -eq 1 ] || die "$(cat lines err)"

bad 1 'unauthorized' ocsign ocsp query "http://127.0.0.1:$port/" \
    --issuer web.pem --serial 1234
bad 1 'did not issue' ocsign ocsp query --issuer root.pem --cert a.pem
bad 1 'refused' ocsign ocsp query http://127.0.0.1:1/ --issuer web.pem \
    --cert a.pem
bad 2 'no http' ocsign ocsp query ftp://x/ --issuer web.pem --cert a.pem
bad 2 'whom' ocsign ocsp query --issuer web.pem --serial 1234
bad 1 'open' ocsign store restore web.pem

# A certificate that the service has not read yet.
good ocsign key generate --token ca --label late
cat >>ocsign.conf <<-EOT
	[issuer late]
	certificate = late.pem
	token = ca
	key = late
EOT
ocsign ca create late --issuer root --subject CN=Late >out 2>err ||
    die "ca create: $(cat err)"
grep -q 'reload ocsignd' err || die "no word of a reload: $(cat err)"
cp late.pem again.pem
ocsign ca import late --force --cert again.pem >out 2>err ||
    die "ca import: $(cat err)"
grep -q 'reload ocsignd' err || die "no word of a reload: $(cat err)"
good ocsign cert issue --issuer late --profile server --out l.pem site.csr
good ocsign cert revoke l.pem
grep -q '^OCSP: the running ocsignd does not answer for late' out ||
    die "$(cat out)"

# One that hangs keeps nobody for ever.
for pid in $(ps -o pid= --ppid "$(cat ocsignd.pid)"); do
	grep -q ocsign-status "/proc/$pid/cmdline" && status=$pid
done
kill -STOP "$status"
timeout 15 ocsign cert revoke b.pem >out 2>err || die "$?: $(cat out err)"
kill -CONT "$status"
grep -q 'does not say that it answers so' err || die "$(cat err)"
grep -q '^OCSP: ocsignd does not answer' out || die "$(cat out)"
exit 0
