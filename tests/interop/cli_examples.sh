#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The EXAMPLES of ocsign(1), run as they are printed, and what came of them.

. "$top_srcdir/tests/interop/lib.sh"

write_config
awk '/^\.Sh/ { in_examples = /EXAMPLES/ }
    in_examples && /^\.Bd/ { in_code = 1; next }
    /^\.Ed/ { in_code = 0 }
    in_code { sub(/^\$ /, ""); gsub(/\\e/, "\\"); print }' \
    "$top_srcdir/man/ocsign.1" >examples.sh
[ "$(wc -l <examples.sh)" -ge 10 ] || die "no examples in ocsign.1"
# What the examples find there.
printf '{"CN":"www.example.com","hosts":["www.example.com"],
    "names":[{"C":"DE","O":"Example"}]}' >csr.json
mkdir -p demoCA/newcerts demoCA/private
: >demoCA/index.txt
cat >openssl.cnf <<'EOT'
[ca]
default_ca = demo
[demo]
database = demoCA/index.txt
new_certs_dir = demoCA/newcerts
certificate = demoCA/cacert.pem
private_key = demoCA/private/cakey.pem
rand_serial = yes
crlnumber = demoCA/crlnumber
default_md = sha256
default_days = 20
default_crl_days = 7
policy = any
[any]
commonName = supplied
EOT
echo 1000 >demoCA/crlnumber
(umask 077; openssl req -x509 -newkey rsa:2048 -nodes -days 30 \
    -keyout demoCA/private/cakey.pem -out demoCA/cacert.pem \
    -subj '/CN=Old CA' -addext keyUsage=critical,keyCertSign,cRLSign \
    2>/dev/null)
csr theirs -newkey rsa:2048
good openssl ca -config openssl.cnf -batch -in theirs.csr -out theirs.pem
good openssl ca -config openssl.cnf -batch -revoke theirs.pem
good openssl ca -config openssl.cnf -batch -gencrl -out demoCA/crl.pem
sh -eux examples.sh 2>log || die "$(cat log)"

good openssl verify -CAfile root.pem -untrusted site.pem site.pem
[ "$(grep -c BEGIN site.pem)" -eq 2 ] || die "not a chain: site.pem"
for name in cfssl both; do
	good openssl verify -CAfile root.pem -untrusted web.pem $name.pem
	openssl pkey -in $name-key.pem -pubout >pub
	good openssl x509 -in $name.pem -noout -pubkey
	cmp -s out pub || die "$name.pem is for another key"
	[ "$(stat -c %a $name-key.pem)" = 600 ] || die "$name-key.pem"
done
good openssl crl -in demoCA/crl.pem -CAfile demoCA/cacert.pem -noout -text
theirs=$(openssl x509 -in theirs.pem -noout -serial | cut -d= -f2)
grep -q "Serial Number: $theirs" out || die "theirs is not on our CRL"
good openssl crl -in web.crl -CAfile web.pem -noout
cat root.pem web.pem >cas.pem
if openssl verify -CAfile cas.pem -crl_check -CRLfile web.crl site.pem \
    >out 2>&1; then
	die "openssl takes what is revoked"
fi
grep -q 'certificate revoked' out || die "$(cat out)"

good openssl verify -CAfile origin-cas.pem site.pem
good ocsign --json audit verify
grep -q '"chain": "good"' out || die "$(cat out)"
grep -q '"never_issued": 0' out || die "$(cat out)"
exit 0
