#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Debian's lego: register with an external account, http-01 by its own server
# and through nginx, dns-01 in a signed zone by dynamic update, wildcard,
# several names, renew, revoke; and nginx serves what it fetched.  It can
# neither roll an account's key nor deactivate it: acme_traps.sh does both.

. "$top_srcdir/tests/interop/acme.sh"
need lego nginx
acme_tls=yes
acme_begin
mkdir web
LEGO_CA_CERTIFICATES=$acme_ca
export LEGO_CA_CERTIFICATES
RFC2136_NAMESERVER=127.0.0.1:$dns_port
RFC2136_TSIG_KEY=update
RFC2136_TSIG_ALGORITHM=hmac-sha256.
RFC2136_TSIG_SECRET=$secret
RFC2136_PROPAGATION_TIMEOUT=10
RFC2136_POLLING_INTERVAL=1
RFC2136_TTL=1
RFC2136_SEQUENCE_INTERVAL=1
export RFC2136_NAMESERVER RFC2136_TSIG_KEY RFC2136_TSIG_ALGORITHM \
    RFC2136_TSIG_SECRET RFC2136_PROPAGATION_TIMEOUT \
    RFC2136_POLLING_INTERVAL RFC2136_TTL RFC2136_SEQUENCE_INTERVAL

lego_run() {
	lego --server "$directory" --accept-tos --path "$dir/lego" "$@" \
	    >lego.out 2>&1
}
good() {
	lego_run "$@" || fail "lego $*: $(cat lego.out)"
}
bad() {
	pattern=$1
	shift
	if lego_run "$@"; then
		fail "lego $* did not fail"
	fi
	grep -q "$pattern" lego.out ||
	    fail "lego $*: no \"$pattern\": $(cat lego.out)"
}
# lego wants both each time; they count when it registers.
bound() {
	eab
	eab="--eab --kid $eab_kid --hmac $eab_secret"
}
here=$dir/lego/certificates
mail=ops@example.test

# fetched FILE EXPECTED...: the chain is whole, and has these names alone.
fetched() {
	pem=$here/$1.crt
	shift
	printf '%s\n' "$@" | sort >expected
	names "$pem" >got
	cmp -s expected got || fail "names: $(cat got)"
	[ "$(grep -c BEGIN "$pem")" -ge 2 ] || fail "no chain: $(cat "$pem")"
	status good "$pem"
}

# --- registered, and http-01

bound
http="--http --http.port 127.0.0.1:$http_port"
# shellcheck disable=SC2086
bad 'External Account' --email $mail $http -d www.example.test run
# shellcheck disable=SC2086
good --email $mail $eab $http \
    -d www.example.test run
fetched www.example.test www.example.test
web_start web <<-END
	server { listen 127.0.0.1:$http_port; root $dir/web; }
END
# shellcheck disable=SC2086
good --email $mail $eab --key-type rsa2048 --http --http.webroot "$dir/web" \
    -d a.example.test -d b.example.test -d c.example.test run
fetched a.example.test a.example.test b.example.test c.example.test
web_stop

# --- dns-01, with an account whose key is RSA's

bound
dns_01="--dns rfc2136 --dns.disable-cp --dns.resolvers 127.0.0.1:$dns_port"
# shellcheck disable=SC2086
good --email rsa@example.test --key-type rsa2048 $eab $dns_01 \
    -d '*.example.test' -d example.test run
fetched _.example.test example.test '*.example.test'
# shellcheck disable=SC2086
good --email rsa@example.test $eab $dns_01 -d deep.under.example.test run
[ -z "$(dns _acme-challenge.example.test TXT)" ] || fail "not taken away"

# --- renewed, revoked

before=$(serial "$here/_.example.test.crt")
cp "$here/_.example.test.crt" old.pem
# shellcheck disable=SC2086
good --email rsa@example.test $eab $dns_01 -d '*.example.test' -d example.test \
    renew --days 4000 --no-random-sleep
[ "$before" != "$(serial "$here/_.example.test.crt")" ] ||
    fail "not renewed: $(cat lego.out)"
fetched _.example.test example.test '*.example.test'
status good old.pem
served www.example.test "$here/_.example.test.crt" "$here/_.example.test.key"
# shellcheck disable=SC2086
good --email $mail $eab -d a.example.test revoke --reason 4 --keep
status revoked "$here/a.example.test.crt"
status good "$here/www.example.test.crt"
# shellcheck disable=SC2086
bad 'lready' --email $mail $eab -d a.example.test revoke --keep

# --- what it is not given; what others do with its authorization

# shellcheck disable=SC2086
bad '.' --email $mail $eab $http -d www.example.test -d nowhere.example.net run
