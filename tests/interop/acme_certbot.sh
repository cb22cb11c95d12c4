#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Debian's certbot: register with an external account, http-01 by its own
# server and through nginx, dns-01 in a signed zone, wildcard, several names,
# renew, revoke by account and by key, unregister; and nginx serves what it
# fetched.  It cannot roll its account's key: acme_traps.sh does that.

. "$top_srcdir/tests/interop/acme.sh"
need certbot nginx
acme_tls=yes
acme_begin
mkdir web
REQUESTS_CA_BUNDLE=$acme_ca
export REQUESTS_CA_BUNDLE

# bot COMMAND...: its own interpreter, whatever else is in the PATH.
bot() {
	/usr/bin/python3 "$(command -v certbot)" "$@" -n \
	    --config-dir "$dir/bot" --work-dir "$dir/bot-work" \
	    --logs-dir "$dir/bot-logs" --server "$directory" \
	    >bot.out 2>&1
}
good() {
	bot "$@" || fail "certbot $*: $(cat bot.out bot-logs/letsencrypt.log)"
}
bad() {
	pattern=$1
	shift
	if bot "$@"; then
		fail "certbot $* did not fail"
	fi
	grep -q "$pattern" bot.out bot-logs/letsencrypt.log ||
	    fail "certbot $*: no \"$pattern\": $(cat bot.out)"
}
live=$dir/bot/live

# fetched NAME EXPECTED...: the chain is whole, and has these names alone.
fetched() {
	pem=$live/$1/cert.pem
	shift
	printf '%s\n' "$@" | sort >expected
	names "$pem" >got
	cmp -s expected got || fail "names: $(cat got)"
	[ "$(grep -c BEGIN "${pem%/*}/fullchain.pem")" -ge 2 ] ||
	    fail "no chain: $(cat "${pem%/*}/fullchain.pem")"
	status good "$pem"
}

# --- accounts

eab
bad 'external' register --agree-tos -m ops@example.test --no-eff-email
bad 'nauthorized\|external account' register --agree-tos \
    -m ops@example.test --no-eff-email --eab-kid "$eab_kid" \
    --eab-hmac-key AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
good register --agree-tos -m ops@example.test --no-eff-email \
    --eab-kid "$eab_kid" --eab-hmac-key "$eab_secret"
good update_account -m new@example.test --no-eff-email

# --- http-01

good certonly --standalone --http-01-port "$http_port" \
    --http-01-address 127.0.0.1 -d www.example.test
fetched www.example.test www.example.test
web_start web <<-END
	server { listen 127.0.0.1:$http_port; root $dir/web; }
END
good certonly --webroot -w "$dir/web" --key-type rsa --cert-name several \
    -d a.example.test -d b.example.test -d c.example.test
fetched several a.example.test b.example.test c.example.test
web_stop

# --- dns-01

# A hook adds or takes away; a name and its wildcard have a value each.
cat >hook.sh <<-END
	#!/bin/sh
	printf '%s\n' 'server 127.0.0.1 $dns_port' 'zone example.test.' \
	    "\$1 _acme-challenge.\$CERTBOT_DOMAIN. 1 TXT \$CERTBOT_VALIDATION" \
	    send quit | knsupdate -v -k $dir/dns/update.key >>$dir/hook.out 2>&1
END
chmod +x hook.sh
dns_01() {
	good certonly --manual --preferred-challenges dns \
	    --manual-auth-hook "$dir/hook.sh add" \
	    --manual-cleanup-hook "$dir/hook.sh del" "$@"
}
dns_01 --cert-name wild -d example.test -d '*.example.test'
fetched wild example.test '*.example.test'
dns_01 --cert-name deep -d deep.under.example.test
[ -z "$(dns _acme-challenge.example.test TXT)" ] ||
    fail "not taken away: $(cat hook.out)"

# --- renewed, revoked

before=$(serial "$live/wild/cert.pem")
old=$(readlink -f "$live/wild/cert.pem")
good renew --force-renewal --no-random-sleep-on-renew \
    --cert-name wild
[ "$before" != "$(serial "$live/wild/cert.pem")" ] || fail "not renewed"
fetched wild example.test '*.example.test'
served www.example.test "$live/wild/fullchain.pem" "$live/wild/privkey.pem"
good revoke --cert-path "$old" --reason superseded --no-delete-after-revoke
status revoked "$old"
good revoke --cert-path "$live/several/cert.pem" \
    --key-path "$live/several/privkey.pem" --reason keycompromise \
    --no-delete-after-revoke
status revoked "$live/several/cert.pem"
bad 'lready' revoke --cert-path "$live/several/cert.pem" \
    --no-delete-after-revoke
status good "$live/www.example.test/cert.pem"

# --- what it is not given, and no account any more

bad '.' certonly --standalone --http-01-port "$http_port" \
    --http-01-address 127.0.0.1 -d www.example.test -d nowhere.example.net
good unregister
eab
good register --agree-tos -m ops@example.test --no-eff-email \
    --eab-kid "$eab_kid" --eab-hmac-key "$eab_secret"
good unregister
