#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# One config.json, one CA key, the same requests: "cfssl sign" with the key in
# a file and "ocsign cert issue" with it in a token give certificates with the
# same extensions, but for what cfssl_config.h lists.

. "$top_srcdir/tests/interop/lib.sh"

need cfssl cfssljson

write_config
good ocsign token init ca --so-pin-source so.pin

# The CA, made by CFSSL; its key goes into the token, too.
cat >ca.json <<-EOT
	{ "CN": "Example CA", "key": { "algo": "ecdsa", "size": 256 },
	  "names": [{ "C": "DE", "O": "Example" }] }
EOT
cfssl genkey -initca ca.json 2>cfssl.log | cfssljson -bare cfssl-ca ||
    die "cfssl: $(cat cfssl.log)"
openssl pkcs8 -topk8 -nocrypt -in cfssl-ca-key.pem -out ca.p8
SOFTHSM2_CONF=$work/softhsm.conf softhsm2-util --import ca.p8 --token ca \
    --label cfssl --id 01 --pin 123456 >log 2>&1 || die "$(cat log)"
cat >>ocsign.conf <<-EOT

	[issuer cfssl]
	certificate = cfssl-ca.pem
	token = ca
	key = cfssl

	[cfssl]
	config = config.json
EOT
cfssl print-defaults config >printed.json
cat >full.json <<-EOT
	{ "signing": {
	    "default": { "expiry": "24h",
	        "usages": ["signing", "server auth"],
	        "ocsp_url": "http://ocsp.example/",
	        "crl_url": "http://crl.example/ca.crl",
	        "issuer_urls": ["http://aia.example/ca.cer",
	            "http://b.example/ca.cer"] },
	    "profiles": {
	        "plain": { "usages": ["signing", "key encipherment",
	            "server auth", "client auth"], "expiry": "8760h" },
	        "odd": { "expiry": "24h", "usages": ["digital signature", "content commitment",
	            "code signing", "s/mime", "timestamping", "ipsec user",
	            "microsoft sgc", "any"], "backdate": "1h" },
	        "ekuonly": { "expiry": "24h", "usages": ["client auth"] },
	        "policies": { "expiry": "24h", "usages": ["signing", "server auth"],
	            "Policies": [ { "ID": "1.2.3.4.5", "Qualifiers": [
	                { "Type": "id-qt-cps",
	                  "Value": "http://cps.example/" },
	                { "Type": "id-qt-unotice", "Value": "Read it" } ] },
	                { "ID": "1.2.3.4.6" } ] },
	        "ocsp": { "expiry": "24h", "usages": ["signing", "ocsp signing"],
	            "ocsp_no_check": true },
	        "csr": { "expiry": "24h", "usages": ["signing", "server auth"],
	            "CSRWhitelist": { "Subject": true, "PublicKey": true,
	            "PublicKeyAlgorithm": true, "SignatureAlgorithm": true,
	            "DNSNames": true } },
	        "listed": { "expiry": "24h", "usages": ["signing", "server auth"],
	            "name_whitelist": "^[a-z0-9.]*\\\\.example\\\\.com$" },
	        "ca": { "expiry": "24h", "usages": ["cert sign", "crl sign"],
	            "ca_constraint": { "is_ca": true, "max_path_len": 0,
	            "max_path_len_zero": true } },
	        "upperca": { "expiry": "24h", "usages": ["cert sign", "crl sign"],
	            "ca_constraint": { "is_ca": true } } } } }
EOT

# --- requests -------------------------------------------------------------

openssl req -new -nodes -newkey rsa:2048 -keyout rsa.key -out rsa.csr \
    -subj '/C=DE/O=Example/CN=www.example.com' -addext \
    subjectAltName=DNS:www.example.com,DNS:example.com 2>/dev/null
openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
    -keyout ec.key -out ec.csr -subj '/CN=www.example.com' -addext \
    subjectAltName=DNS:www.example.com,IP:192.0.2.1,email:a@example.com \
    2>/dev/null
openssl req -new -key rsa.key -out bare.csr -subj '/CN=sub.example.com'
for file in rsa ec bare; do
	[ -s $file.csr ] || die "$file.csr"
done

# what CERT: its extensions, one a line, sorted, and so are the names in one;
# then subject and how long it lives.
what() {
	openssl x509 -in "$1" -noout -ext basicConstraints,keyUsage,\
extendedKeyUsage,subjectAltName,authorityInfoAccess,crlDistributionPoints,\
certificatePolicies,noCheck,subjectKeyIdentifier,authorityKeyIdentifier \
	    2>/dev/null | sed 's/ *$//' | awk '/DNS:|IP Address:|email:/ {
	    gsub(/^ */, ""); n = split($0, part, ", "); for (i = 2; i <= n;
	    i++) for (j = i; j > 1 && part[j] < part[j - 1]; j--) {
	    t = part[j]; part[j] = part[j - 1]; part[j - 1] = t }
	    $0 = part[1]; for (i = 2; i <= n; i++) $0 = $0 ", " part[i] }
	    { print }' | awk '/^X509v3|^Auth|^OCSP/ {
	    if (line != "") print line; line = $0; next }
	    { line = line "|" $0 } END { print line }' | sort
	openssl x509 -in "$1" -noout -subject -issuer
	from=$(date -d "$(openssl x509 -in "$1" -noout -startdate |
	    sed 's/.*=//')" +%s)
	until=$(date -d "$(openssl x509 -in "$1" -noout -enddate |
	    sed 's/.*=//')" +%s)
	echo "life $((until - from)) from second $((from % 60))"
	openssl x509 -in "$1" -noout -text | grep -c 'X509v3\|Authority Info'
}

# same CONFIG PROFILE CSR [FILTER]: both issue, and say the same.
same() {
	cp "$1" config.json
	cfssl sign -ca cfssl-ca.pem -ca-key cfssl-ca-key.pem -config "$1" \
	    -profile "$2" "$3" 2>cfssl.log | cfssljson -bare theirs ||
	    die "cfssl sign: $(cat cfssl.log)"
	good ocsign cert issue --issuer cfssl --profile "cfssl:$2" \
	    --out ours.pem "$3"
	what theirs.pem | sed "${4:-}" >theirs
	what ours.pem >ours
	diff theirs ours >log || die "$1, $2, $3: $(cat log)"
	echo "same: $1 $2 $3"
}

# As cfssl_config.h lists: an EC key enciphers no keys.
no_encipher='s/, Key Encipherment//'
same printed.json www rsa.csr
same printed.json www ec.csr "$no_encipher"
same printed.json client rsa.csr
same full.json plain rsa.csr
same full.json plain bare.csr
same full.json odd rsa.csr
same full.json odd ec.csr
same full.json ekuonly ec.csr
same full.json policies rsa.csr
same full.json ocsp bare.csr
same full.json csr rsa.csr
same full.json ca bare.csr
same full.json upperca bare.csr
same full.json ca rsa.csr
same full.json listed rsa.csr
same full.json default rsa.csr

# --- where both refuse, and where we do and they do not -------------------

cp full.json config.json
issue="ocsign cert issue --issuer cfssl"
cfssl sign -ca cfssl-ca.pem -ca-key cfssl-ca-key.pem -config full.json \
    -profile listed bare.csr >/dev/null 2>&1 || die "bare.csr is listed"
openssl req -new -key rsa.key -out org.csr -subj '/CN=www.example.org'
cfssl sign -ca cfssl-ca.pem -ca-key cfssl-ca-key.pem -config full.json \
    -profile listed org.csr >/dev/null 2>&1 &&
    die "cfssl takes what is not listed"
bad 1 'does not match the name-whitelist' $issue --profile cfssl:listed \
    org.csr
# B3: CFSSL asks its name_whitelist about no IP address.
openssl req -new -key rsa.key -out ip.csr -subj '/CN=www.example.com' \
    -addext subjectAltName=IP:8.8.8.8 2>/dev/null
bad 1 '"8.8.8.8" does not match' $issue --profile cfssl:listed ip.csr
# B2: CFSSL takes its default for a profile that is not there.
cfssl sign -ca cfssl-ca.pem -ca-key cfssl-ca-key.pem -config full.json \
    -profile nonesuch rsa.csr >/dev/null 2>&1 ||
    echo "note: this cfssl refuses an unknown profile, too"
bad 1 'no profile "nonesuch"' $issue --profile cfssl:nonesuch rsa.csr
bad 1 'there is no profile "plain"' $issue --profile plain rsa.csr

# What cannot be honoured is an error, with its place.
sed 's/"expiry": "8760h"/"expiry": "8760h", "ct_log_servers": ["a"]/' \
    full.json >config.json
bad 1 'signing.profiles.plain.ct_log_servers: cannot be honoured' \
    $issue --profile cfssl:ca bare.csr
sed 's/"server auth", "client auth"/"server auth", "tea making"/' \
    full.json >config.json
bad 1 'signing.profiles.plain.usages\[3\]: is no usage' \
    $issue --profile cfssl:ca bare.csr
