#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Revoking: CRLs and OCSP responses in openssl's eyes, with and without the
# service.

. "$top_srcdir/tests/interop/lib.sh"
need sqlite3

write_config
make_cas
csr site -newkey rsa:2048
for name in a b hold; do
	good ocsign cert issue --issuer web --profile server \
	    --out $name.pem site.csr
done
cat root.pem web.pem >cas.pem

crl_says() {
	good ocsign crl create --issuer web --out web.crl
	openssl verify -CAfile cas.pem -crl_check -CRLfile web.crl "$1" \
	    >out 2>&1
	[ $? -eq "$2" ] || die "$1 with the CRL: $(cat out)"
}
# ocsp_says FILE STATUS
ocsp_says() {
	good ocsign ocsp sign --issuer web --cert "$1" --out r.ocsp
	good openssl ocsp -respin r.ocsp -issuer web.pem -cert "$1" \
	    -CAfile root.pem -no_nonce
	grep -q "^$1: $2" out || die "$(cat out)"
	good ocsign --json ocsp show r.ocsp
	grep -q "\"status\": \"$2\"" out || die "$(cat out)"
}

crl_says a.pem 0
ocsp_says a.pem good
good ocsign cert revoke --reason superseded --invalidity 2026-01-02 a.pem
grep -q 'OCSP: ocsignd does not run' out || die "$(cat out)"
crl_says a.pem 2
ocsp_says a.pem revoked
good openssl crl -in web.crl -noout -text
grep -q 'Superseded' out || die "$(cat out)"
grep -q 'Invalidity Date' out || die "$(cat out)"
bad 1 'revoked already' ocsign cert revoke a.pem
crl_says b.pem 0

good ocsign cert revoke --reason certificateHold hold.pem
crl_says hold.pem 2
good ocsign --json cert revoke --reason removeFromCRL hold.pem
grep -q '"ocsp_notice": "ocsignd does not run' out || die "$(cat out)"
crl_says hold.pem 0
ocsp_says hold.pem good
bad 1 'not on hold' ocsign cert revoke --reason removeFromCRL hold.pem

# A CA's has a reason: the Baseline Requirements, 7.2.2 and 7.3.
bad 1 "a CA's certificate.*name one" ocsign cert revoke web.pem
bad 1 "a CA's certificate.*name one" \
    ocsign cert revoke --reason unspecified web.pem

bad 1 'ever issued' ocsign cert revoke 1234
bad 2 'no revocation reason' ocsign cert revoke --reason x b.pem
bad 2 'future' ocsign cert revoke --invalidity 2999-01-01 b.pem
bad 1 'cannot open' ocsign cert revoke not-there.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout n.key -out nobody.pem -subj '/CN=Example Web' 2>/dev/null
bad 1 'no \[issuer\]' ocsign cert revoke nobody.pem
bad 1 'private key' ocsign cert revoke n.key

# A plan for many writes nothing, and says what is missing; nor is a store made
# to revoke from.
openssl x509 -in b.pem -noout -serial | cut -d= -f2 >serials
many='ocsign cert revoke --file serials --reason superseded'
snapshot >before
good $many --issuer web --dry-run
grep -q ', 1 of them to be revoked' out || die "$(cat out)"
snapshot | cmp -s before - || die "a plan has written something"
cp ocsign.conf kept.conf
cp web.pem new.pem
cat >>ocsign.conf <<'EOT'
[issuer new]
certificate = new.pem
token = ca
key = web
EOT
bad 1 'issuer new is not in the records' $many --issuer new --dry-run
cp kept.conf ocsign.conf
mv store kept
for how in --dry-run --yes; do
	bad 1 'there is no store .*yet' $many --issuer web $how
	[ ! -e store ] || die "$how makes a store"
done
mv kept store

# CRL numbers only ever rise, and are the same wherever they are printed.
good ocsign --json crl show web.crl
number=$(sed -n 's/.*"number": "\(.*\)".*/\1/p' out)
good ocsign --json crl create --issuer web --out web.crl
next=$(sed -n 's/.*"number": "\(.*\)".*/\1/p' out)
good ocsign --json crl show web.crl
grep -q "\"number\": \"$next\"" out || die "it is not $next: $(cat out)"
good ocsign --json ca show web
grep -q "\"crl_number\": \"$next\"" out || die "it is not $next: $(cat out)"
[ "$number" != "$next" ] || die "CRL number $number twice"
good ocsign crl create --issuer web --der --out web.der
good openssl crl -inform DER -in web.der -CAfile web.pem -noout

# Backup, and back: what was revoked since then is lost, and said to be.
good ocsign store backup copy.db
good ocsign cert revoke b.pem
good ocsign store restore copy.db
good ocsign cert show b.pem
grep -q 'status: *valid' out || die "$(cat out)"
good ocsign audit verify
! grep -q ' $' out || die "a value is missing: $(cat out)"
good ocsign crl create --issuer web --out web.crl
good ocsign --json crl show web.crl
later=$(sed -n 's/.*"number": "\(.*\)".*/\1/p' out)
[ "$(printf '%020s\n%020s\n' "$next" "$later" | sort | tail -n 1)" = \
    "$(printf '%020s' "$later")" ] || die "CRL number went back: $later"

# What is retained is among all that is signed, and for as long.
good ocsign cert issue --issuer web --profile server --validity 1m \
    --out gone.pem site.csr
gone=$(openssl x509 -in gone.pem -noout -serial | cut -d= -f2)
good ocsign ocsp sign --issuer web --all --out expired.all
[ ! -e expired.all/$gone-sha1.der ] || die "what has expired is signed"
cp ocsign.conf kept.conf
sed -i 's/^\[issuer web\]/&\narchive-cutoff = 365d/' ocsign.conf
good ocsign ocsp sign --issuer web --all --out retained.all
good openssl ocsp -respin retained.all/$gone-sha1.der -noverify -text
grep -q 'Archive Cutoff' out || die "$(cat out)"
cp kept.conf ocsign.conf

# Below a CA that is compromised nothing is called good here either: by
# configuration, and by the records.
compromised() {
	ocsp_says hold.pem revoked
	good openssl ocsp -respin r.ocsp -noverify -text
	grep -q 'Reason: cACompromise' out || die "$(cat out)"
	ocsp_says a.pem revoked
	good openssl ocsp -respin r.ocsp -noverify -text
	grep -q 'Reason: superseded' out || die "$(cat out)"
	good ocsign ocsp sign --issuer web --all --out "$1"
	! grep -q ' good ' out || die "$(cat out)"
}
sed -i 's/^\[issuer web\]/&\ncompromised-since = 2026-01-02/' ocsign.conf
compromised configured.all
cp kept.conf ocsign.conf
ocsp_says hold.pem good
# What a CA's certificate was first revoked for says nothing of the others,
# until it is known to be worse.
good ocsign cert revoke --reason superseded web.pem
ocsp_says hold.pem good
good ocsign --json cert show web.pem
since=$(sed -n 's/^ *"revoked_at": //p' out)
sleep 1
good ocsign --json cert revoke --reason cACompromise web.pem
[ -n "$since" ] && grep -qF "\"revoked_at\": $since" out ||
    die "revoked since $since: $(cat out)"
bad 1 'revoked already' ocsign cert revoke --reason cACompromise web.pem
compromised recorded.all
sed -i 's/^\[issuer web\]/&\non-compromise = refused/' ocsign.conf
bad 1 'is compromised, and on-compromise = refused' \
    ocsign ocsp sign --issuer web --cert hold.pem --out r.ocsp
cp kept.conf ocsign.conf
exit 0
