#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the commands say: JSON where it is asked for, messages in the user's
# words, and exit status 2 for the command line alone.

. "$top_srcdir/tests/interop/lib.sh"
need sqlite3

write_config
make_cas
csr good -newkey rsa:2048
issue='ocsign cert issue --issuer web --profile server'
create='ocsign csr create --subject CN=a.example'
# says PATTERN...: the last command's standard output does.
says() {
	for pattern in "$@"; do
		grep -Eq -- "$pattern" out || die "no \"$pattern\": $(cat out)"
	done
}

# --- one JSON document
if command -v python3 >/dev/null; then
	is_json() {
		python3 -c 'import json, sys; json.load(sys.stdin)' <out ||
		    die "no JSON: $(cat out)"
	}
else
	is_json() { says '^{$'; }
fi
good $create --json --new-key a.key
is_json
says '"subject": "CN=a.example"' '"pem": "-----BEGIN CERTIFICATE REQUEST'
good $create --json --new-key b.key --out b.csr --san b.example
is_json
says '"out": "b.csr"' '"DNS:b.example"'
good openssl req -in b.csr -noout -verify
good $create --json --key web --token ca --out c.csr
is_json
says '"out": "c.csr"'
ocsign ca create root2 --json --token ca --key root --subject CN=x \
    --csr root2.csr >out 2>err || die "ca create --csr: $(cat err)"
is_json
says '"out": "root2.csr"' '"ca": true'
rm -f ocsign.conf.d/issuer-root2.conf
good $issue --json --out good.pem good.csr
is_json
says '"out": "good.pem"' '"serial": "[0-9A-F]{40}"'
good ocsign ocsp sign --json --issuer web --cert good.pem --out good.ocsp
is_json
says '"out": "good.ocsp"' '"status": "good"' '"next_update": "20'
bad 2 'json' ocsign ocsp sign --json --issuer web --cert good.pem --out -
bad 2 'json' $issue --json --out - good.csr
good $issue --out - good.csr
says 'BEGIN CERTIFICATE'
[ ! -e ./- ] || die "a file called -"

# --- what is issued is named, wherever it could not be printed
if [ -c /dev/full ]; then
	for json in '' --json; do
		$issue $json good.csr >/dev/full 2>err
		[ $? -eq 1 ] || die "standard output is full"
		[ "$(wc -l <err)" -eq 1 ] || die "not one line: $(cat err)"
		serial=$(sed -n 's/.*issued (serial \([0-9A-F]*\)).*/\1/p' err)
		good ocsign cert show --pem "$serial"
		ocsign crl create $json --issuer web >/dev/full 2>err
		[ $? -eq 1 ] || die "standard output is full"
		grep -q 'signed and recorded' err || die "$(cat err)"
	done
fi

# --- serial numbers that are none
bad 2 'may be hexadecimal or decimal' ocsign cert show 0010
bad 2 'odd number of digits' ocsign cert revoke ABC
bad 2 'no serial number' ocsign cert show 12:3
bad 2 'too large' ocsign cert show 0102030405060708090A0B0C0D0E0F101112131415
bad 2 'odd number' ocsign ocsp sign --issuer web --serial ABC --out x
bad 1 'neither a file nor a serial' ocsign cert show zzz
bad 1 'neither a file nor a serial' ocsign cert show ''

# --- numbers are written one way
good ocsign --json crl create --issuer web --out web.crl
says '"number": "[0-9A-F]+"'
number=$(sed -n 's/.*"number": "\(.*\)".*/\1/p' out)
good openssl crl -in web.crl -noout -crlnumber
says "0x0*$number\$"
good ocsign crl show web.crl
says "number: +$number\$"
good ocsign ca show web
says "crl number: +$number\$"
good ocsign cert revoke --reason 4 good.pem
says superseded

# --- all that a request asks for
openssl req -new -key good.key -out staple.csr -subj /CN=w.example \
    -addext tlsfeature=status_request -addext 1.2.3.4=critical,DER:0500
good ocsign csr show staple.csr
says 'other extensions: +1.3.6.1.5.5.7.1.24 \(TLS Feature\), 1.2.3.4 \(crit'
openssl req -in good.csr -outform DER -out good.der
size=$(wc -c <good.der)
{ head -c $((size - 1)) good.der; printf '\001'; } >forged.der
ocsign --json csr show forged.der >out 2>err
[ $? -eq 1 ] || die "a bad signature: $(cat out)"
says '"signature": "bad"' '"signature_error": ".*sign'
good ocsign --json csr show good.csr
says '"signature": "good"'

# --- 2 is what is wrong whatever the files hold
bad 2 '--subject' $create --subject garbage --new-key q
bad 2 '--subject' ocsign csr create --subject garbage --new-key q
bad 2 '--san: "DNS:a b" has' $issue --san 'a b' good.csr
bad 2 '--san: a name is empty' $issue --san '' good.csr
bad 2 '--san: a name is empty' $issue --san DNS: good.csr
bad 2 '--san: "IP:1.2.3" ' $issue --san IP:1.2.3 good.csr
bad 2 '--label' ocsign key generate --token ca --label ''
bad 2 '--label' ocsign key generate --token ca \
    --label "$(printf '%0300d' 1)"
bad 2 '--key' ocsign csr create --subject CN=a --token ca \
    --key pkcs11:objct=a
bad 2 'no http:// URL' ocsign ocsp query foo --issuer web.pem --cert good.pem
# 1 is what they say.
openssl x509 -req -in good.csr -CA root.pem -CAkey good.key -out bare.pem \
    -days 1 2>/dev/null || openssl req -x509 -key good.key -subj /CN=bare \
    -addext basicConstraints=CA:TRUE -out bare.pem
bad 1 'names no responder' ocsign ocsp query --issuer bare.pem --cert bare.pem
bad 2 'whom' ocsign ocsp query --issuer web.pem --serial 0x12
bad 1 'no \[token' ocsign key generate --token none --label x

# --- in the user's words
for path in /not-there none.conf; do
	bad 1 "^ocsign: cert list: cannot open [^ ]*$path: No such file" \
	    ocsign -c $path cert list
done
printf 999999 >user.pin
ocsign key list >out 2>err && die "a wrong PIN is good"
if grep -q 'token ca: token ca' err; then
	die "$(cat err)"
fi
printf 123456 >user.pin

# --- help
good ocsign help
cp out help
good ocsign help help
cmp -s out help || die "help help: $(cat out)"
bad 2 'no command "nope"; "ocsign help" lists them' ocsign nope
exit 0
