#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What a CA's own rules say: who may issue what, below whom, for how long.

. "$top_srcdir/tests/interop/lib.sh"
need sqlite3

write_config
make_cas
csr good -newkey rsa:2048
issue='ocsign cert issue --issuer web --profile server'

# --- a life no longer than the profile's
bad 1 'longer than the profile server gives \(90 days\)' \
    $issue --validity 15y good.csr
bad 1 'longer than' $issue --validity 91d good.csr
good $issue --validity 90d --out good.pem good.csr
cat >>ocsign.conf <<-EOT
	[profile year]
	based-on = server
	validity = 1y
EOT
good ocsign cert issue --issuer web --profile year --validity 200d \
    --out year.pem good.csr

# --- a root is nobody's
openssl req -new -newkey rsa:2048 -nodes -keyout ca.key -out ca.csr \
    -subj '/CN=Other CA' 2>/dev/null
bad 1 'self-signed roots' ocsign cert issue --issuer root --profile root ca.csr
printf '[profile mine]\nbased-on = root\n' >>ocsign.conf
bad 1 'self-signed roots' ocsign cert issue --issuer root --profile mine ca.csr
good ocsign cert issue --issuer root --profile intermediate --out ca.pem ca.csr
bad 1 'no profile' ocsign cert issue --issuer root --profile none ca.csr
if grep -q root err; then
	die "root is for ca create: $(cat err)"
fi

# --- the configured chain is the CA's
cp web-chain.pem kept-chain.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout o.key -out other.pem -subj '/CN=Other Root' 2>/dev/null
# The same name, another key.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout t.key -out twin.pem -subj '/C=DE/O=Example/CN=Example Root' \
    2>/dev/null
cat root.pem other.pem >long.pem
for chain in good.pem other.pem twin.pem long.pem; do
	cp $chain web-chain.pem
	bad 1 '\[issuer web\] chain: .*web-chain.pem' $issue --chain good.csr
	ocsignd -t >out 2>err && die "ocsignd -t takes $chain"
	grep -q '\[issuer web\] chain: .*web-chain.pem' err ||
	    die "$(cat err)"
done
rm web-chain.pem
bad 1 '\[issuer web\] chain: .*web-chain.pem' ocsign crl create --issuer web
ocsignd -t >out 2>err && die "ocsignd -t does not miss the chain"
grep -q '\[issuer web\] chain: .*web-chain.pem' err || die "$(cat err)"
cp kept-chain.pem web-chain.pem
good ocsignd -t

# --- what else ocsignd -t looks at
mv user.pin kept.pin
ocsignd -t >out 2>err && die "ocsignd -t does not miss the PIN"
grep -q '\[token ca\] pin-source: .*user.pin' err || die "$(cat err)"
mv kept.pin user.pin
mv web.pem kept.pem
cp good.pem web.pem
ocsignd -t >out 2>err && die "ocsignd -t takes a leaf for a CA"
grep -q '\[issuer web\] certificate: .*not a CA' err || die "$(cat err)"
mv kept.pem web.pem
sed 's/^\[issuer web\]/&\nsigned-requests = verify\nrequestor-ca = no.pem/' \
    ocsign.conf >asked.conf
ocsignd -c "$PWD/asked.conf" -t >out 2>err && die "-t misses no requestor-ca"
grep -q '\[issuer web\] requestor-ca: .*no.pem' err || die "$(cat err)"
sed 's/no.pem/root.pem/' asked.conf >known.conf
good ocsignd -c "$PWD/known.conf" -t
long=http://127.0.0.1/$(printf %0300d 0).crl
sed "s|^crl-url = .*|crl-url = $long\ncrl-reference = yes|" ocsign.conf \
    >long.conf
ocsignd -c "$PWD/long.conf" -t >out 2>err && die "-t takes a long crl-url"
grep -q '\[issuer web\] .*crl-url has 3' err || die "$(cat err)"
# One that is not made yet is no error.
cp ocsign.conf new.conf
cat >>new.conf <<-EOT
	[issuer new]
	certificate = new.pem
	chain = new-chain.pem
	token = ca
	key = new
EOT
ocsignd -c "$PWD/new.conf" -t >out 2>err || die "$(cat err)"

# --- a CA that exists is added where it is, with a word if it has a twin
ocsign ca add twin --cert web.pem --token ca --key web >out 2>err
[ $? -eq 1 ] || die "two issuers with one certificate: $(cat err)"
cp web.pem web2.pem
ocsign ca add twin --cert web2.pem --token ca --key web >out 2>err ||
    die "$(cat err)"
grep -q 'web2.pem where it is' err || die "$(cat err)"
grep -q 'warning: \[issuer web\] has the same key' err || die "$(cat err)"
good_twin=$(ocsignd -t 2>&1) || die "$good_twin"
echo "$good_twin" | grep -q 'warning: .*has the same key' || die "$good_twin"
rm ocsign.conf.d/issuer-twin.conf
bad 1 'has not issued' ocsign ca import web --cert web2.pem --force \
    --chain other.pem

# --- an address that is not ours is one error, said once
sed 's/^listen.*/listen = 192.0.2.1:8080/' ocsign.conf >bind.conf
OCSIGN_LIBEXECDIR=$top_builddir timeout 30 ocsignd -c "$PWD/bind.conf" \
    >out 2>err
[ $? -eq 1 ] || die "ocsignd listens on 192.0.2.1: $(cat err)"
[ "$(grep -c 192.0.2.1 err)" -eq 1 ] || die "not once: $(cat err)"

# --- a damaged file of another CA is no obstacle
cat >broken.conf <<-EOT
	[issuer broken]
	certificate = broken.pem
	token = ca
	key = other
EOT
cat ocsign.conf >>broken.conf
mv broken.conf ocsign.conf
head -c 300 root.pem >broken.pem
good ocsign cert show good.pem
echo '-----BEGIN CERTIFICATE-----' >broken.pem
good ocsign cert show good.pem
cp new.conf ocsign.conf

# --- a revoked CA issues nothing, but still revokes
printf '[profile deep]\nbased-on = intermediate\npath-length = 1\n' \
    >>ocsign.conf
for name in mid low; do
	good ocsign key generate --token ca --label $name
done
ocsign ca create mid --issuer root --profile deep --token ca --key mid \
    --subject CN=Mid >out 2>err || die "$(cat err)"
ocsign ca create low --issuer mid --token ca --key low \
    --subject CN=Low >out 2>err || die "$(cat err)"
good ocsign cert issue --issuer low --profile server --out low-site.pem \
    good.csr
good ocsign cert revoke --reason cessationOfOperation mid.pem
bad 1 'issuer low: .*"CN=Mid" was revoked' \
    ocsign cert issue --issuer low --profile server good.csr
good ocsign cert revoke --reason certificateHold web.pem
bad 1 'issuer web: .*was revoked at .*certificateHold' $issue good.csr
good ocsign ca list
grep -Eq '^web +revoked ' out || die "$(cat out)"
grep -Eq '^root +ready ' out || die "$(cat out)"
good ocsign --json ca list
grep -q '"state": "revoked"' out || die "$(cat out)"
good ocsign cert revoke --reason removeFromCRL web.pem
good $issue --out second.pem good.csr
good ocsign cert revoke --reason cACompromise web.pem
bad 1 'issuer web: .*was revoked at .*cACompromise' $issue good.csr
good ocsign cert revoke --reason superseded good.pem
good ocsign crl create --issuer web --out web.crl
# It is answered for until it ends: its OCSP signer's certificate is renewed,
# and so is that of one below it.
good ocsign key generate --token ca --label answers
good ocsign csr create --subject 'CN=Answers' --key answers --token ca \
    --out answers.csr
for issuer in low web; do
	good ocsign cert issue --issuer $issuer --profile ocsp-signer \
	    --out answers.pem answers.csr
done
sed '/^\[issuer web\]/a ocsp-certificate = answers.pem\nocsp-key = answers' \
    ocsign.conf >answers.conf
good ocsign -c answers.conf ocsp sign --issuer web --cert good.pem \
    --out good.ocsp
good openssl ocsp -respin good.ocsp -issuer web.pem -cert good.pem \
    -CAfile root.pem -no_nonce
grep -q '^good.pem: revoked' out || die "$(cat out)"

# --- a root does not revoke itself
bad 1 'self-signed certificate of root itself' ocsign cert revoke root.pem
bad 1 'self-signed certificate of root itself' ocsign cert revoke \
    "$(openssl x509 -in root.pem -noout -serial | sed 's/.*=//')"
exit 0
