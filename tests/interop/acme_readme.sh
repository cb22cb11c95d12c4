#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What README says of zones and ACME (WHOSE NAME IS IT), done as it stands
# there, with another domain and other ports: the configuration is one, the
# zone is proven, and certbot has its certificate.

. "$top_srcdir/tests/interop/acme.sh"
need certbot jq
is_ours || exit 77
acme_tls=yes
acme_begin
REQUESTS_CA_BUNDLE=$acme_ca
export REQUESTS_CA_BUNDLE

awk '/^[A-Z][A-Z ]+$/ { is_in = $0 == "WHOSE NAME IS IT" }
    is_in && sub(/^\t/, "")' "$top_srcdir/README" >section
grep -E '^\[|^[a-z-]+ = ' section >lines
grep -Ev '^\[|^[a-z-]+ = ' section >commands
sed '/^\[acme\]/,$d' ocsign.conf >readme.conf
sed 's/= web$/= ca/' lines >>readme.conf
grep -q '^\[acme\]' readme.conf && ocsignd -t -c readme.conf >out 2>&1 ||
    fail "README's configuration: $(cat out)"

ocsign zone remove example.test >/dev/null
ocsign account add acme >/dev/null
sed -i "s|https://ca\.example\.com/acme/directory|$directory|
    s/example\.com/example.test/g" commands
# do_it WORDS: the command that has them, over all its lines.
do_it() {
	awk -v words="$1" 'index($0, words) { is_in = 1 } is_in
	    is_in && !/\\$/ { exit }' commands >command
	[ -s command ] || fail "README has no \"$1\""
	cat bot.sh command | sh -eu >out 2>&1 || fail "README: $1: $(cat out)"
}
cat >bot.sh <<-END_OF_BOT
	certbot() {
		/usr/bin/python3 "$(command -v certbot)" "\$@" -n \
		    --config-dir bot --work-dir bot-work --logs-dir bot-logs \
		    --http-01-port $http_port --http-01-address 127.0.0.1
	}
END_OF_BOT
do_it 'zone claim'
token=$(ocsign --json zone claim example.test --account acme |
    jq -r '.methods[] | select(.method == "dns").what')
grep -qF -e "$token" out || fail "what goes where: $(cat out)"
update "add _ocsign-challenge.example.test. 1 TXT \"$token\""
do_it 'zone verify'
ocsign zone list --account acme | grep -q example.test || fail "no zone"
do_it 'account acme-key'
sed -i "s|KID|$(sed -n 's/^kid: *//p' out)|
    s|KEY|$(sed -n 's/^key: *//p' out)|" commands
do_it 'certbot'
[ "$(names bot/live/www.example.test/cert.pem)" = www.example.test ] ||
    fail "$(cat out)"
ocsign cert list --issuer ca | grep -q . || fail "not recorded"
