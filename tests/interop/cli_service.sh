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

for how in '' --get '--nonce --hash sha256' '--nonce --get'; do
	# shellcheck disable=SC2086
	good ocsign ocsp query --issuer web.pem --cert a.pem $how
	grep -q 'status: *good' out || die "$how: $(cat out)"
done
good openssl ocsp -issuer web.pem -cert a.pem -CAfile root.pem \
    -url "http://127.0.0.1:$port/"
grep -q '^a.pem: good' out || die "$(cat out)"

good ocsign cert revoke --reason keyCompromise a.pem
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
n=0
until ocsign ocsp query --issuer web.pem --cert a.pem 2>err |
    grep -q 'delegated: *yes'; do
	n=$((n + 1))
	[ $n -lt 100 ] || die "no delegated answer: $(cat err ocsignd.log)"
	sleep 0.1
done
good openssl ocsp -issuer web.pem -cert a.pem -no_nonce \
    -CAfile root.pem -url "http://127.0.0.1:$port/"
good ocsign ocsp sign --issuer web --cert a.pem --out a.ocsp
good ocsign --json ocsp show a.ocsp
grep -q '"has_certificates": true' out || die "$(cat out)"
good openssl ocsp -respin a.ocsp -issuer web.pem -cert a.pem \
    -CAfile root.pem -no_nonce

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
exit 0
