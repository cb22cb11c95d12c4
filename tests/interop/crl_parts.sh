#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# CRLs in partitions, and deltas: each certificate's URLs are answered by its
# own lists, whose issuingDistributionPoint OpenSSL, Python and our own rules
# find to be those of the certificate, and which say of each what is so; lists
# of another partition say nothing.  The partition of a certificate is for
# good, numbers rise, and what is published is all of it or nothing.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl sqlite3

parts='crl-partitions = 2\
crl-partitions-open = 1'
ca_folder 'crl-url = http://URL/crl/ca.crl
	crl-delta-url = http://URL/crl/ca-delta.crl
	freshest-crl = crl certificate
	crl-lifetime = 2d'
sed -i "s|http://URL/|$url|" ocsign.conf
ca_make
mkdir lists
# It has no partition, and never will have one.
ca_issue old.test
ocsign crl publish --issuer ca --directory lists >out
[ "$(ls lists | tr '\n' ' ')" = "ca-delta.crl ca.crl " ] ||
    fail "$(ls lists)"
! openssl crl -inform DER -in lists/ca.crl -noout -text |
    grep -q 'Issuing Distribution Point' || fail "a point without partitions"

# partition NAME: as the records have it, and as the URLs say.
partition() {
	openssl x509 -in "$1.pem" -noout \
	    -ext crlDistributionPoints,freshestCRL >points
	partition_url=$(sed -n 's/.*URI:.*crl\/ca\(.*\)\.crl$/\1/p' points |
	    grep -v delta)
	echo "${partition_url#-}"
}
# fill PARTITION: good, revoked and held ones.
fill() {
	filled=0
	for what in good bad held; do
		until [ -e "$what$1.test.pem" ]; do
			filled=$((filled + 1))
			[ $filled -lt 60 ] || fail "none gets into $1"
			ca_issue new.test
			[ "$(partition new.test)" = "$1" ] || continue
			for kind in key csr pem; do
				mv new.test.$kind "$what$1.test.$kind"
			done
		done
	done
}
sed -i "s|crl-lifetime.*|&\\
$parts|" ocsign.conf
fill 1
[ "$(sqlite3 store.db 'SELECT max(crl_partition) FROM certificate')" -eq 1 ] ||
    fail "into one that is not open"
sed -i '/^crl-partitions-open/d' ocsign.conf
fill 2
grep -q "URI:${url}crl/ca-2.crl" points || fail "$(cat points)"
grep -q "URI:${url}crl/ca-delta-2.crl" points || fail "$(cat points)"
# CAs' are in the list of those without partition, as are the issuer's own.
[ "$(sqlite3 store.db "SELECT count(*) FROM certificate WHERE
    crl_partition <> 0 AND profile NOT IN ('server', 'ocsp-signer')")" = 0 ] ||
    fail "a CA in a partition"

service_start
revoke() {
	ocsign cert revoke "$1.pem" --reason "$2" >out
}
revoke bad1.test keyCompromise
revoke held1.test certificateHold
revoke held2.test certificateHold

# publish OPTION...: into lists; the rows are in out.
publish() {
	ocsign --json crl publish --issuer ca --directory lists "$@" >out ||
	    fail "crl publish $*: $(cat out)"
}
rows() {
	grep -c '"kind"' out || true
}
publish
[ "$(rows)" -eq 6 ] || fail "not six: $(cat out)"

# crls: all of them in one file, as somebody would have them who fetched all.
crls() {
	for file in lists/*.crl; do
		openssl crl -inform DER -in "$file" "$@"
	done >all.pem
}
# says WORD NAME [CRL-FILE]: good, revoked or nothing, by full lists and
# deltas together.
says() {
	says_out=$(openssl verify -crl_check -extended_crl -use_deltas \
	    -CAfile trust.pem -CRLfile "${3:-all.pem}" "$2.pem" 2>&1) &&
	    says_so=good || case $says_out in
	*"certificate revoked"*) says_so=revoked ;;
	*) says_so=nothing ;;
	esac
	[ "$says_so" = "$1" ] || fail "$2 is $says_so, not $1: $says_out"
}
crls
for n in 1 2; do
	says good good$n.test
	says revoked held$n.test
done
says revoked bad1.test
says good bad2.test
says good old.test
# Nobody else's list says anything.
for n in 1 2; do
	openssl crl -inform DER -in lists/ca-$n.crl -out one.pem
	says good good$n.test one.pem
	says nothing good$((3 - n)).test one.pem
	says nothing bad$((3 - n)).test one.pem
	says nothing old.test one.pem
done
openssl crl -inform DER -in lists/ca.crl -out one.pem
says good old.test one.pem
says nothing bad1.test one.pem

# Whoever holds a full list goes on with newer deltas alone.
mkdir before
cp lists/ca-?.crl lists/ca.crl before
revoke bad2.test superseded
ocsign cert revoke held1.test.pem --reason removeFromCRL >out
publish --due
[ "$(rows)" -eq 2 ] || fail "not the two that changed: $(cat out)"
! grep -q '"full"' out || fail "a full list was due: $(cat out)"
cmp lists/ca-1.crl before/ca-1.crl || fail "the full list is another"
crls
says good held1.test
says revoked bad2.test
says revoked held2.test
says revoked bad1.test
says good good2.test
openssl crl -inform DER -in lists/ca-delta-1.crl -noout -text >text
grep -q 'Remove From CRL' text || fail "$(cat text)"
grep -A1 'Delta CRL Indicator: critical' text >indicator ||
    fail "not critical: $(cat text)"
! grep -q 'Freshest' text || fail "freshestCRL in a delta"
openssl crl -inform DER -in lists/ca-1.crl -noout -text >text
grep -A3 'Freshest CRL' text | grep -q "${url}crl/ca-delta-1.crl" ||
    fail "$(cat text)"
grep -A4 'Issuing Distribution Point: critical' text >point ||
    fail "$(cat text)"
grep -q "URI:${url}crl/ca-1.crl" point || fail "$(cat point)"
grep -q 'Only User Certificates' point || fail "$(cat point)"
publish --due
[ "$(rows)" -eq 0 ] || fail "nothing has changed: $(cat out)"

# number FILE
number() {
	openssl crl -inform DER -in "$1" -noout -crlnumber |
	    sed 's/crlNumber=0x//'
}
# A full list and its delta of one moment have one number, and say the same.
publish
for n in '' -1 -2; do
	[ "$(number lists/ca$n.crl)" = "$(number lists/ca-delta$n.crl)" ] ||
	    fail "two numbers in $n"
	[ $((0x$(number lists/ca$n.crl))) -gt \
	    $((0x$(number before/ca$n.crl))) ] || fail "the number of $n"
done
crls
says good held1.test
says revoked bad2.test

# The rules: where each is said to be, and against its issuer.
for file in lists/*.crl; do
	ocsign crl lint --issuer-cert ca.pem \
	    --url "${url}crl/${file#lists/}" "$file" >out ||
	    case $file in
	    *delta*) grep -q 'not_url' out || fail "$file: $(cat out)" ;;
	    *) fail "$file: $(cat out)" ;;
	    esac
done
! ocsign crl lint --url "${url}crl/ca-2.crl" lists/ca-1.crl >out ||
    fail "another's URL"
ocsign --json crl show lists/ca-2.crl >out
grep -q "\"${url}crl/ca-2.crl\"" out && grep -q '"only": "users"' out ||
    fail "$(cat out)"
ocsign crl list --issuer ca >out
[ "$(grep -c 'full' out)" -eq 3 ] && [ "$(grep -c 'delta' out)" -eq 3 ] ||
    fail "$(cat out)"

# What responders serve: every URL in every certificate.
is_served() {
	curl -sS -m 10 -o got "$1" && cmp -s got "lists/${1##*/}"
}
num=0
for name in old.test good1.test good2.test; do
	openssl x509 -in $name.pem -noout -text |
	    sed -n 's/.*URI:\(http.*crl\)$/\1/p' >urls
	[ "$(wc -l <urls)" -eq 2 ] || fail "$name: $(cat urls)"
	while read -r at; do
		within 8 is_served "$at" || fail "$at of $name"
		num=$((num + 1))
	done <urls
done
[ $num -eq 6 ] || fail "$num URLs"
openssl verify -crl_check -crl_download -CAfile trust.pem good2.test.pem \
    >out 2>&1 || fail "$(cat out)"
! openssl verify -crl_check -crl_download -CAfile trust.pem bad2.test.pem \
    >out 2>&1 || fail "not revoked"
grep -q 'certificate revoked' out || fail "$(cat out)"
ocsign --json status >status.json
[ "$(grep -c '"kind": "delta-crl"' status.json)" -eq 3 ] ||
    fail "$(cat status.json)"
service_stop

# More partitions are for new ones; what was issued stays where it is.
cp lists/ca-1.crl before
sed -i 's/^crl-partitions = 2/crl-partitions = 4/' ocsign.conf
publish
[ "$(rows)" -eq 10 ] || fail "not ten: $(cat out)"
crls
says revoked bad1.test
says good good1.test
[ "$(partition good1.test)" = 1 ] || fail "moved"
# Fewer: they would be on no list.
sed -i 's/^crl-partitions = 4/crl-partitions = 1/' ocsign.conf
cksum lists/* >sums
for verb in publish 'create --out no.crl'; do
	# shellcheck disable=SC2086
	! ocsign crl $verb --issuer ca >out 2>err || fail "$verb: $(cat out)"
	grep -q 'CRL partition 2, and crl-partitions is 1' err ||
	    fail "$verb: $(cat err)"
done
cksum lists/* | cmp - sums || fail "something was written"
sed -i 's/^crl-partitions = 1/crl-partitions = 4/' ocsign.conf

# All of them or the old ones: one that cannot be written leaves all.
if [ "$(id -u)" -ne 0 ]; then
	chmod 555 lists
	! ocsign crl publish --issuer ca --directory lists >out 2>err ||
	    fail "written: $(cat out)"
	chmod 755 lists
fi
rm lists/ca-3.crl
mkdir lists/ca-3.crl
cksum lists/ca.crl lists/ca-?.crl lists/ca-delta* >sums 2>err || true
! ocsign crl publish --issuer ca --directory lists >out 2>err ||
    fail "written: $(cat out)"
cksum lists/ca.crl lists/ca-?.crl lists/ca-delta* 2>err | cmp - sums ||
    fail "half of them was written"
[ "$(ls -A lists | wc -l)" -eq 10 ] || fail "left: $(ls -A lists)"

# Of several who write, the higher number wins in every file, and one waits for
# the other.
rmdir lists/ca-3.crl
sqlite3 store.db '.backup behind.db'
publish
publish
cksum lists/* >sums
sed 's|^path = store\.db|path = behind.db\
signing-journal = behind.journal|' ocsign.conf >behind.conf
OCSIGN_CONF=$dir/behind.conf ocsign crl publish --issuer ca \
    --directory lists >out 2>&1 || fail "$(cat out)"
cksum lists/* | cmp - sums || fail "a lower number has won: $(cat out)"
if command -v flock >/dev/null; then
	num_lists() {
		sqlite3 -cmd '.timeout 5000' store.db \
		    'SELECT count(*) FROM crl WHERE issued_at <> 0'
	}
	flock lists sh -c ': >locked
	    until [ -e unlock ]; do sleep 0.05; done' &
	pids="$pids $!"
	within 10 test -e locked || fail "not locked"
	before=$(num_lists)
	ocsign crl publish --issuer ca --directory lists >out 2>&1 &
	waiting=$!
	pids="$pids $waiting"
	within 30 eval '[ "$(num_lists)" -eq $((before + 10)) ]' ||
	    fail "not recorded: $(cat out)"
	! within 1 not kill -0 $waiting 2>/dev/null ||
	    fail "it does not wait: $(cat out)"
	cksum lists/* | cmp - sums || fail "written beside another"
	: >unlock
	wait $waiting || fail "$(cat out)"
	! cksum lists/* | cmp -s - sums || fail "not written: $(cat out)"
fi

ocsign audit verify >out || fail "$(cat out)"

# Whoever takes the certificates over has them in the same partitions.
ocsign export --issuer ca --format index --out index --certs certs >out
sed 's|store\.db|other.db|' ocsign.conf >other.conf
# parts DATABASE
parts() {
	sqlite3 "$1" "SELECT hex(serial), crl_partition FROM certificate
	    WHERE issuer_id = (SELECT id FROM issuer WHERE name = 'ca')
	    ORDER BY serial"
}
OCSIGN_CONF=$dir/other.conf ocsign import --issuer ca --format index \
    --certs certs index >out 2>&1 || fail "import: $(cat out)"
parts store.db >mine
parts other.db | cmp - mine || fail "$(parts other.db)"
rm other.db*
OCSIGN_CONF=$dir/other.conf ocsign import --issuer ca --format store \
    store.db >out 2>&1 || fail "import: $(cat out)"
parts other.db | cmp - mine || fail "$(parts other.db)"
[ "$(sqlite3 store.db 'SELECT count(*) FROM (SELECT number FROM crl
    WHERE base_number = 0 GROUP BY issuer_id, number HAVING count(*) > 1)')" \
    -eq 0 ] || fail "a number comes twice"

command -v python3 >/dev/null || exit 0
cat >read.py <<'EOF'
import sys
try:
    from cryptography import x509
except ImportError:
    sys.exit(0)
ca = x509.load_pem_x509_certificate(open("ca.pem", "rb").read())
for n in "1", "2":
    cert = x509.load_pem_x509_certificate(
        open("bad%s.test.pem" % n, "rb").read())
    for kind in "", "delta-":
        crl = x509.load_der_x509_crl(
            open("lists/ca-%s%s.crl" % (kind, n), "rb").read())
        assert crl.is_signature_valid(ca.public_key())
        idp = crl.extensions.get_extension_for_class(
            x509.IssuingDistributionPoint)
        cdp = cert.extensions.get_extension_for_class(
            x509.CRLDistributionPoints)
        assert idp.critical
        assert idp.value.only_contains_user_certs
        assert idp.value.full_name == cdp.value[0].full_name
    full = x509.load_der_x509_crl(open("lists/ca-%s.crl" % n, "rb").read())
    assert full.get_revoked_certificate_by_serial_number(
        cert.serial_number) is not None
    freshest = full.extensions.get_extension_for_class(x509.FreshestCRL)
    assert freshest.value[0].full_name == cert.extensions \
        .get_extension_for_class(x509.FreshestCRL).value[0].full_name
EOF
python3 read.py || fail "Python reads something else"
