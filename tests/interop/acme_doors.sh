#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Each resource of the ACME doors, to good and to bad requests: what it says,
# and that nothing but what was asked for was issued.

. "$top_srcdir/tests/interop/acme.sh"
need sqlite3
is_ours || exit 77
validation='tries = 2
	[profile short]
	based-on = server
	validity = 3d'
acme_folder 'terms-of-service = http://ca.test/terms
	website = http://ca.test/
	profiles = server short
	failures-max = 2
	zone-failures-max = 3
	orders-max = 90
	zone-orders-max = 75
	renewal-retry = 2h'
# Another root above the same CA.
sed -i 's/^key = ca$/&\nalternate-chain = crossed.pem/' ocsign.conf
cat >>ocsign.conf <<END
[issuer second]
certificate = second.pem
token = demo
key = second
allow = certificate
END
ocsign key generate --token demo --label second >/dev/null
ocsign ca create second --subject 'CN=Second Root,C=DE' >/dev/null
ocsign ca cross-sign ca --issuer second >/dev/null
for account in other busy; do
	ocsign account add $account >/dev/null
	ocsign zone add $account.test --account $account >/dev/null
done
ocsign zone add second.test --account site >/dev/null
ocsign account change busy --period-max 1 --period 1d >/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout busy.key -subj / -out busy.csr 2>/dev/null
ocsign cert issue --issuer ca --profile server --account busy \
    --san busy.test --out busy.pem busy.csr >/dev/null
for key in site.1 site.2 busy.3; do
	ocsign account acme-key "${key%.*}" --out "$key" >/dev/null
done
# For the client: one change of the zone.
cat >update.sh <<END
printf '%s\n' 'server 127.0.0.1 $dns_port' 'zone example.test.' \\
    "add \$1" send quit | knsupdate -v -k $dir/dns/update.key
END
service_start
within 20 acme_is_there || fail "$(cat ocsignd.log)"

before=$(sqlite3 store.db 'SELECT count(*) FROM certificate')
PYTHONPATH=$top_srcdir/tests/interop PYTHONDONTWRITEBYTECODE=1 python3 \
    "$top_srcdir/tests/interop/acme_doors.py" "$directory" "$http_port" \
    site.1 site.2 busy.3 || fail "the client: $(cat ocsignd.log)"
issued=$(sqlite3 store.db 'SELECT count(*) FROM certificate WHERE state = 2')
made=$(sqlite3 store.db 'SELECT count(*) FROM acme_order WHERE state = 4')
[ $((issued - before)) -eq "$made" ] ||
    fail "issued $((issued - before)), $made orders are valid"
[ "$(sqlite3 store.db 'SELECT count(*) FROM certificate')" -eq "$issued" ] ||
    fail "reserved and not issued"
stop "$(cat ocsignd.pid)"
grep -E 'Sanitizer|runtime error' ocsignd.log && fail "a sanitizer complains"
ocsign audit verify >verified || fail "audit: $(cat verified)"
