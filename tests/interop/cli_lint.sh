#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# cert lint, crl lint and ocsp lint: what we make is clean, what others make
# is told from it; and what breaks a rule is not issued.

. "$top_srcdir/tests/interop/lib.sh"

write_config
cat >>ocsign.conf <<EOT

[profile strict]
based-on = server
lint-exempt = none
EOT
make_cas

says() {
	grep -qe "$1" out || die "\"$1\" is not in: $(cat out)"
}

# Ours: nothing that is an error.
csr p256 -newkey ec -pkeyopt ec_paramgen_curve:P-256
good ocsign cert issue --issuer web --profile server --chain p256.csr
cp out p256.pem
good ocsign cert lint --issuer-cert web.pem p256.pem
says '^p256.pem: notice: sub_cert_certificate_policies_missing'
says '^p256.pem, certificate 2: notice: sub_ca_eku_missing'
good ocsign cert lint --as root root.pem
openssl x509 -in p256.pem -outform DER -out p256.der
good ocsign cert lint --exempt sub_cert_certificate_policies_missing p256.der
says '^p256.der: 1 certificate, nothing found$'
good ocsign cert lint --exempt=sub_cert_certificate_policies_missing - \
    <p256.der
says '^standard input: 1 certificate'
bad 1 'private key' ocsign cert lint p256.key

# By public rules it is not, and neither is it another issuer's.
ocsign cert lint --public p256.der >out 2>&1 && die "public: $(cat out)"
says 'error: sub_cert_certificate_policies_missing: .*(BR 7.1.2.7.9)'
ocsign cert lint --issuer-cert root.pem p256.der >out 2>&1 &&
    die "another issuer: $(cat out)"
says 'error: issuer_not_copied_from_issuer'
says 'error: signature_not_by_issuer'
ocsign cert lint --json --as client p256.der >out 2>&1 &&
    die "as a client: $(cat out)"
says '"rule": "sub_cert_eku_client_auth_missing"'
says '"errors": 1'

# Any octets: an end that is missing, PEM of nothing.
head -c 300 p256.der >cut.der
ocsign cert lint cut.der >out 2>&1 && die "cut: $(cat out)"
says 'error: asn1_syntax: .*it is not one SEQUENCE in DER'
echo text >text
bad 1 'text: not a certificate' ocsign cert lint text
bad 2 'there is no lint rule "asn1_sintax"; the nearest is asn1_syntax' \
    ocsign cert lint --exempt asn1_sintax p256.der
bad 2 'there is no kind "servers"' ocsign cert lint --as servers p256.der
bad 2 'wants a file' ocsign cert lint
good ocsign cert lint --list
says '^excessively_backdated  *9  *public  *any  *BR 7.1.2.7 '

# CRLs and responses.
good ocsign cert revoke --reason superseded p256.pem
good ocsign crl create --issuer web --out web.crl
good ocsign crl lint --issuer-cert web.pem web.crl
says '^web.crl: 1 CRL, nothing found$'
ocsign crl lint --issuer-cert root.pem web.crl >out 2>&1 &&
    die "another issuer's CRL: $(cat out)"
says 'error: crl_authority_key_identifier_not_issuers_ski'
good ocsign ocsp sign --issuer web --cert p256.pem --out p256.ocsp
good ocsign ocsp lint --signer-cert web.pem p256.ocsp
says '^p256.ocsp: 1 response, nothing found$'
openssl ocsp -issuer root.pem -cert web.pem -no_nonce -reqout other.req \
    2>/dev/null
ocsign ocsp lint --request other.req p256.ocsp >out 2>&1 &&
    die "another request: $(cat out)"
says 'error: ocsp_certid_not_echoed'

# A profile that keeps all rules; one that is exempt from what is no rule.
bad 1 'sub_cert_certificate_policies_missing \(BR 7.1.2.7.9\): no c' \
    ocsign cert issue --issuer web --profile strict p256.csr
good ocsign --json audit verify
says '"never_issued": 0'
sed 's/^lint-exempt = .*/lint-exempt = asn1_sintax/' ocsign.conf >wrong.conf
bad 1 'lint-exempt: there is no lint rule "asn1_sintax"' \
    ocsign -c wrong.conf cert issue --issuer web --profile strict p256.csr
exit 0
