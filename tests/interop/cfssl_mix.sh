#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every mix of CFSSL's halves and ours, with one CA: its key is in a file for
# cfssl, and the same key in the token for ocsign.  Certificates verify and
# say the same.

. "$top_srcdir/tests/interop/lib.sh"
need cfssl cfssljson softhsm2-util sqlite3

write_config
good ocsign token init ca --so-pin-source so.pin
printf '{"CN":"Old CA","names":[{"O":"Example"}],"ca":{"expiry":"87600h"}}' \
    >ca.json
cfssl gencert -initca ca.json 2>log | ocsign json -bare ca ||
    die "no CA: $(cat log)"

# As ocsign(1) says.
SOFTHSM2_CONF=$work/softhsm.conf
export SOFTHSM2_CONF
good openssl pkcs8 -topk8 -nocrypt -in ca-key.pem -out ca-key.p8
good softhsm2-util --import ca-key.p8 --token ca --label old --id 01 \
    --pin 123456
unset SOFTHSM2_CONF
ocsign ca add old --cert ca.pem --token ca --key old >out 2>err ||
    die "ca add: $(cat err)"
for line in 'openssl pkcs8 -topk8 -nocrypt -in ca-key.pem -out ca-key.p8' \
    'softhsm2-util --import ca-key.p8 --token ca --label old --id 01' \
    'ocsign ca add old --cert ca.pem --token ca --key old'; do
	grep -qF "$ $line" "$top_srcdir/man/ocsign.1" ||
	    die "ocsign(1) does not say: $line"
done

# What a certificate says, but for serial, times and key.
says() {
	openssl x509 -in "$1" -noout -subject -issuer -nameopt RFC2253
	openssl x509 -in "$1" -noout -text | awk '
	    /X509v3 extensions:/ { in_ext = 1; next }
	    /Signature Algorithm/ { in_ext = 0 }
	    in_ext && /Subject Key Identifier/ { print; skip = 1; next }
	    skip { skip = 0; next }
	    in_ext { sub(/^ */, ""); sub(/ *$/, ""); text = text $0 " "
	        if ($0 !~ /:( critical)?$/) { print text; text = "" } }' |
	    sort
	# How long, to the minute.
	from=$(openssl x509 -in "$1" -noout -startdate | cut -d= -f2)
	to=$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)
	echo $((($(date -d "$to" +%s) - $(date -d "$from" +%s) + 1) / 60))
}

# check NAME: NAME.pem, NAME.csr, NAME-key.pem belong together and verify.
check() {
	good openssl verify -x509_strict -purpose sslserver -CAfile ca.pem \
	    "$1.pem"
	good openssl verify -purpose sslclient -CAfile ca.pem "$1.pem"
	openssl pkey -in "$1-key.pem" -pubout >key.pub
	good openssl x509 -in "$1.pem" -noout -pubkey
	cmp -s out key.pub || die "$1.pem is for another key"
	good openssl req -in "$1.csr" -noout -pubkey
	cmp -s out key.pub || die "$1.csr is of another key"
	[ "$(stat -c %a "$1-key.pem")" = 600 ] || die "$1-key.pem"
	says "$1.pem" >"$1.says"
	[ "$(wc -l <"$1.says")" -ge 8 ] || die "$(cat "$1.says")"
	cmp -s "$1.says" a.says || die "$1: $(diff "$1.says" a.says)"
}

theirs='-ca ca.pem -ca-key ca-key.pem'
for algo in '"rsa","size":2048' '"ecdsa","size":256'; do
	printf '{"CN":"www.example.com","hosts":["www.example.com",
	    "10.0.0.1","a@example.com"],"key":{"algo":%s},
	    "names":[{"C":"DE","O":"Käse","OU":"b"},{"OU":"a"}]}' "$algo" \
	    >csr.json

	cfssl genkey csr.json 2>log | ocsign json -bare a || die "a: $(cat log)"
	cfssl sign $theirs a.csr 2>log | ocsign json -bare a ||
	    die "a: $(cat log)"
	# Only an RSA key can encipher a key; CFSSL says so of every key.
	says a.pem | case $algo in
	*rsa*) cat ;;
	*) sed 's/Digital Signature, Key Encipherment/Digital Signature/' ;;
	esac >a.says
	ocsign genkey csr.json | cfssljson -bare b || die b
	ocsign sign -ca old b.csr | cfssljson -bare b || die b
	check b
	cfssl genkey csr.json 2>log | cfssljson -bare c || die "c: $(cat log)"
	ocsign sign -ca=ca.pem c.csr | cfssljson -bare c || die c
	check c
	ocsign genkey csr.json | ocsign json -bare d || die d
	cfssl sign $theirs d.csr 2>log | cfssljson -bare d ||
	    die "d: $(cat log)"
	case $algo in
	*rsa*) check d ;;
	*) good openssl verify -CAfile ca.pem d.pem ;;
	esac
	cfssl gencert $theirs csr.json 2>log | ocsign json -bare e ||
	    die "e: $(cat log)"
	case $algo in
	*rsa*) check e ;;
	*) good openssl verify -CAfile ca.pem e.pem ;;
	esac
	ocsign gencert -ca old csr.json | cfssljson -bare f || die f
	check f
	ocsign gencert -ca ca.pem -ca-key 'pkcs11:token=ca;object=old' \
	    csr.json | ocsign json -bare g || die g
	check g
	echo "all mixes: $algo"
done

# Only what ocsign issued is recorded, and all of it; two rounds of b, c, f, g.
good ocsign cert list --issuer old
[ "$(grep -c DNS:www.example.com out)" -eq 8 ] || die "$(cat out)"
good ocsign audit verify

# -hostname, -cn and SUBJECTJSON, in both programs.
printf '{"CN":"new.example","names":[{"O":"New","ST":"Bavaria"}]}' >sub.json
cfssl sign $theirs -hostname=n.example,::1 d.csr sub.json 2>log |
    cfssljson -bare h || die "$(cat log)"
ocsign sign -ca old -hostname=n.example,::1 d.csr sub.json |
    cfssljson -bare i || die i
ocsign sign -ca old -hostname n.example,::1 -csr d.csr sub.json |
    cfssljson -bare j || die j
says h.pem | sed 's/Digital Signature, Key Encipherment/Digital Signature/' \
    >h.says
for n in i j; do
	says $n.pem >$n.says
	cmp -s h.says $n.says || die "$n: $(diff h.says $n.says)"
done
cfssl gencert $theirs -hostname n.example -cn n.example csr.json 2>log |
    cfssljson -bare k || die "$(cat log)"
ocsign gencert -ca old -hostname n.example -cn n.example csr.json |
    cfssljson -bare l || die l
says k.pem | sed 's/Digital Signature, Key Encipherment/Digital Signature/' \
    >k.says
says l.pem >l.says
cmp -s k.says l.says || die "$(diff k.says l.says)"
openssl req -in k.csr -noout -text | grep DNS: >k.names
openssl req -in l.csr -noout -text | grep DNS: >l.names
cmp -s k.names l.names || die "$(cat k.names l.names)"

# A profile of ours.
good ocsign sign -ca old -profile server -hostname www.example.com d.csr
mv out line
good ocsign json -bare m -f line
bad 1 'there is no profile "nobody"' ocsign sign -ca old -profile nobody d.csr
bad 1 'of a kind that the profile server' ocsign sign -ca old \
    -profile server b.csr

# CFSSL's config.json, read by both.
cat >config.json <<'EOT'
{ "signing": {
    "default": { "expiry": "720h",
	"usages": ["signing", "key encipherment", "server auth"] },
    "profiles": {
	"www": { "expiry": "2160h", "ocsp_url": "http://ocsp.example/",
	    "crl_url": "http://crl.example/a.crl",
	    "issuer_urls": ["http://ca.example/ca.crt"],
	    "usages": ["signing", "key encipherment", "server auth"] },
	"peer": { "expiry": "8760h", "backdate": "1h", "usages": ["signing",
	    "key encipherment", "server auth", "client auth"] },
	"only": { "expiry": "1h", "usages": ["signing", "client auth"],
	    "name_whitelist": "^[a-z.]*\\.example$" },
	"sub": { "expiry": "43800h", "usages": ["cert sign", "crl sign"],
	    "ca_constraint": { "is_ca": true, "max_path_len": 0,
		"max_path_len_zero": true } }
    } } }
EOT
printf '{"CN":"w.example","hosts":["w.example"],"key":{"algo":"rsa",
    "size":2048}}' >w.json
ocsign genkey w.json | ocsign json -bare w || die w
for profile in '' www peer only sub; do
	cfssl sign $theirs -config config.json -profile "$profile" w.csr \
	    2>log | cfssljson -bare w1 || die "$profile: $(cat log)"
	ocsign sign -ca old -config=config.json -profile="$profile" w.csr |
	    ocsign json -bare w2 || die "$profile"
	good openssl verify -CAfile ca.pem w2.pem
	says w1.pem >w1.says
	says w2.pem >w2.says
	# A CA certificate of ours has no names of hosts.
	cmp -s w1.says w2.says || die "$profile: $(diff w1.says w2.says)"
	echo "same of config.json: $profile"
done
ocsign gencert -ca old -config config.json -profile www w.json |
    cfssljson -bare w3 || die w3
good openssl x509 -in w3.pem -noout -ocsp_uri
[ "$(cat out)" = http://ocsp.example/ ] || die "$(cat out)"
bad 1 'no profile "nobody"' ocsign sign -ca old -config config.json \
    -profile nobody w.csr
bad 1 'does not match the name-whitelist' ocsign sign -ca old \
    -config config.json -profile only -hostname 8.8.8.8 w.csr
echo '{"signing":{"default":{"expiry":"1y"}}}' >wrong.json
bad 1 'wrong.json' ocsign sign -ca old -config wrong.json w.csr
bad 1 'none.json' ocsign sign -ca old -config none.json w.csr

# A key in a token stays there.
printf '{"CN":"t.example","hosts":["t.example"],"key":{"algo":"rsa",
    "size":2048}}' >token.json
good ocsign genkey -token ca -key site token.json
! grep -q '"key"' out || die "$(cat out)"
mv out line
good ocsign json -bare t -f line
[ ! -e t-key.pem ] || die "t-key.pem"
good openssl req -in t.csr -noout -verify
good ocsign genkey -key 'pkcs11:token=ca;object=site2' token.json
good ocsign key list --token ca
grep -q 'object=site2' out || die "$(cat out)"
ocsign sign -ca old t.csr | ocsign json -bare t || die t
good openssl verify -CAfile ca.pem t.pem
good ocsign audit list
[ "$(grep -c key-generate out)" -eq 2 ] || die "$(cat out)"

# Signed by itself.
ocsign selfsign self.example token.json 2>err | ocsign json -bare s ||
    die "selfsign: $(cat err)"
[ "$(wc -l <err)" -eq 1 ] || die "$(cat err)"
good openssl verify -x509_strict -CAfile s.pem -verify_hostname self.example \
    s.pem
good openssl verify -CAfile s.pem -verify_hostname t.example s.pem
# It needs no authorityKeyIdentifier: RFC 5280, 4.2.1.1.
good ocsign cert lint --issuer-cert s.pem s.pem
good ocsign cert lint s.pem
good ocsign gencert -initca ca.json
mv out line
good ocsign json -bare own -f line
good openssl verify -x509_strict -CAfile own.pem own.pem
good ocsign audit verify
exit 0
