#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Requests and files as CFSSL makes them: of each csr.json both programs make
# the same CertificationRequestInfo but for the key, and of each line of JSON
# both write the same files with the same modes.

. "$top_srcdir/tests/interop/lib.sh"
need cfssl cfssljson

# Tags and values of a CSR, without the offsets and lengths, which differ with
# the signature's.
shape() {
	openssl asn1parse -in "$1" |
	    sed 's/^ *[0-9]*:d=\([0-9]*\).*l=[^:]*\(....\): */\1 \2 /'
}

# same NAME JSON: of this csr.json.
same() {
	printf '%s' "$2" >"$1.json"
	cfssl genkey "$1.json" 2>log | cfssljson -bare "theirs-$1" ||
	    die "cfssl genkey $1: $(cat log)"
	good ocsign genkey "$1.json"
	[ "$(wc -l <out)" -eq 1 ] || die "not one line: $(cat out)"
	mv out line
	good ocsign json -bare "ours-$1" -f line
	shape "theirs-$1.csr" >theirs
	shape "ours-$1.csr" >ours
	cmp -s ours theirs || die "$1: $(diff ours theirs)"
	good openssl req -in "ours-$1.csr" -noout -verify
	head -1 "ours-$1-key.pem" >ours
	head -1 "theirs-$1-key.pem" >theirs
	cmp -s ours theirs || die "$1: $(cat ours theirs)"
	good openssl pkey -in "ours-$1-key.pem" -pubout -out ours.pub
	good openssl req -in "ours-$1.csr" -noout -pubkey
	cmp -s out ours.pub || die "$1: another key's request"
	echo "same: $1"
}

names='"names":[{"C":"US","L":"San Francisco","O":"My Company, Inc.",
    "OU":"My Company’s IT Department","ST":"California"}]'
same origin '{"CN":"www.example.com","hosts":["www.example.com",
    "example.com","jdoe@example.com","127.0.0.1"],
    "key":{"algo":"rsa","size":2048},'"$names"'}'
same rsa3072 '{"CN":"a.example","key":{"algo":"rsa","size":3072}}'
same rsa4096 '{"CN":"a.example","key":{"algo":"rsa","size":4096}}'
same default '{"CN":"a.example","hosts":["a.example"]}'
same p256 '{"CN":"a.example","key":{"algo":"ecdsa","size":256}}'
same p384 '{"CN":"a.example","key":{"algo":"ecdsa","size":384}}'
same p521 '{"CN":"a.example","key":{"algo":"ecdsa","size":521}}'
same size '{"CN":"a.example","key":{"size":384}}'
same case '{"cn":"a.example","HOSTS":["a.example"],"Key":{"ALGO":"ecdsa"}}'
same null '{"CN":"a.example","hosts":null,"names":null,"key":null}'
same idn '{"CN":"xn--bcher-kva.example",
    "hosts":["xn--bcher-kva.example","*.xn--bcher-kva.example"]}'
same addresses '{"hosts":["::1","10.0.0.1","2001:db8::1","::ffff:10.1.2.3",
    "a.example","z@a.example","b.example"]}'
same several '{"CN":"x","names":[{"OU":"zz","O":"o"},{"OU":"b"},
    {"OU":"aaa","C":"DE"},{"C":"AT","ST":"s","L":"l"}]}'
same alphabet '{"CN":"a*b","names":[{"O":"A & B","OU":"a@b","L":"Köln",
    "ST":"(1) + 2 = 3, / : ?"}]}'
same serial '{"CN":"x","names":[{"O":"o"}],"serialnumber":"AB-12"}'
same noname '{"CN":"","names":[{"C":"","O":""}],"hosts":["a.example"]}'
same nothing '{}'

# CFSSL 1.2.0 writes a URI as a DNS name, and knows no Ed25519.
printf '{"hosts":["https://a.example/x","a.example"]}' >uri.json
good ocsign genkey uri.json
mv out line
good ocsign json -bare uri -f line
good openssl req -in uri.csr -noout -text
grep -q 'DNS:a.example, URI:https://a.example/x' out || die "$(cat out)"
printf '{"CN":"a","key":{"algo":"ed25519"}}' >ed.json
good ocsign genkey ed.json
mv out line
good ocsign json -bare ed -f line
good openssl req -in ed.csr -noout -verify
good openssl pkey -in ed-key.pem -noout
[ "$(head -1 ed-key.pem)" = "-----BEGIN PRIVATE KEY-----" ] ||
    die "$(head -1 ed-key.pem)"

# A "ca": the same extensions, in our order.
ca() {
	printf '%s' "$2" >"$1.json"
	cfssl genkey -initca "$1.json" 2>log | cfssljson -bare "theirs-$1" ||
	    die "cfssl genkey -initca $1: $(cat log)"
	good ocsign genkey -initca "$1.json"
	mv out line
	good ocsign json -bare "ours-$1" -f line
	shape "theirs-$1.csr" | sort >theirs
	shape "ours-$1.csr" | sort >ours
	cmp -s ours theirs || die "$1: $(diff ours theirs)"
	for who in ours theirs; do
		good openssl verify -x509_strict -check_ss_sig \
		    -CAfile "$who-$1.pem" "$who-$1.pem"
		openssl x509 -in "$who-$1.pem" -noout -text |
		    sed -n '/Basic Constraints/,/CA:/p' >"$who"
		openssl x509 -in "$who-$1.pem" -noout -subject -issuer \
		    -nameopt RFC2253 >>"$who"
	done
	cmp -s ours theirs || die "$1: $(diff ours theirs)"
	seconds "ours-$1.pem" >ours
	seconds "theirs-$1.pem" >theirs
	# Ours ends a second before, as RFC 5280, 4.1.2.5, counts.
	[ $(($(cat ours) + 1)) -eq "$(cat theirs)" ] ||
	    die "$1: $(cat ours theirs)"
	echo "same: $1"
}
seconds() {
	from=$(openssl x509 -in "$1" -noout -startdate | cut -d= -f2)
	to=$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)
	echo $(($(date -d "$to" +%s) - $(date -d "$from" +%s)))
}
ca plain '{"CN":"Root","names":[{"C":"DE","O":"o"}]}'
ca empty '{"CN":"Root","ca":{}}'
ca length '{"CN":"Root","ca":{"pathlen":2,"expiry":"87600h"}}'
ca zero '{"CN":"Root","ca":{"pathlenzero":true,"expiry":"1h30m"}}'
ca hosts '{"CN":"Root","hosts":["a.example"],"ca":{"pathlen":1}}'

# --- cfssljson ----------------------------------------------------------

# files NAME UMASK OPTIONS: of the line in NAME.json.
files() {
	files_name=$1
	files_mask=$2
	shift 2
	rm -rf theirs.d ours.d
	mkdir theirs.d ours.d
	(umask "$files_mask"; cd theirs.d &&
	    cfssljson "$@" <"../$files_name.json" >stdout) ||
	    die "cfssljson $*: $files_name"
	(umask "$files_mask"; cd ours.d &&
	    ocsign json "$@" <"../$files_name.json" >stdout 2>../err) ||
	    die "ocsign json $*: $files_name: $(cat err)"
	for d in theirs.d ours.d; do
		(cd $d && stat -c '%n %a' -- * && cksum -- *) >$d.list
	done
	cmp -s theirs.d.list ours.d.list ||
	    die "$files_name: $(diff theirs.d.list ours.d.list)"
	echo "same files: $files_name $files_mask $*"
}

key=$(awk '{ printf "%s\\n", $0 }' ours-p256-key.pem)
csr=$(awk '{ printf "%s\\n", $0 }' ours-p256.csr)
cert=$(awk '{ printf "%s\\n", $0 }' ours-plain.pem)
printf '{"csr":"%s","key":"%s"}\n' "$csr" "$key" >genkey.json
printf '{"cert":"%s","csr":"%s","key":"%s"}' "$cert" "$csr" "$key" \
    >gencert.json
printf '{"certificate":"%s","certificate_request":"%s","private_key":"%s"}' \
    "$cert" "$csr" "$key" >api.json
printf '{"ocspResponse":"aGFsbG8K","encrypted_key":"xyz","bundle":"%s"}' \
    "$cert" >rest.json
printf '{"success":true,"errors":[],"messages":[],"result":%s}' \
    "$(cat api.json)" >envelope.json
printf '{"cert":"","key":"","csr":"%s","other":[1]}' "$csr" >some.json
printf '{"cert":"Ümlaut \\u00fc \\"\\\\ \\/","csr":"no newline"}' >odd.json
for mask in 022 002 077 000; do
	files genkey $mask -bare site
	files gencert $mask -bare=true site
	files api $mask --bare
	files rest $mask -bare site
	files envelope $mask site
done
files some 022 -bare site
files odd 022 -bare site
files gencert 022 -bare -stdout
files rest 022 -bare -stdout site
files envelope 022 -stdout
files gencert 022 -bare -f ../api.json site

# HEAD's bundle: an object in a result.
printf '{"result":{"bundle":{"bundle":"b\\n","root":"r\\n"}}}' >bundle.json
good ocsign json -bare b -f bundle.json
[ "$(cat b-root.pem)" = r ] || die "b-root.pem"
[ "$(head -1 b-bundle.pem)" = b ] || die "b-bundle.pem"

# Failures of the API are failures.
printf '{"success":false,"result":null,"messages":[],"errors":[
    {"code":5400,"message":"Unknown policy"}]}' >failed.json
bad 1 'the request failed: Unknown policy' ocsign json -f failed.json site
cfssljson -f failed.json site >out 2>err && die "cfssljson takes it"
exit 0
