#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# external-account = optional: who shows no key is part of the account that the
# configuration names, and shares its zones and limits; who shows one is the
# key's account's; and one that is wrong is still refused.  No alternates; and
# how long a proof is good for.

. "$top_srcdir/tests/interop/acme.sh"
need sqlite3
is_ours || exit 77
acme_folder 'external-account = optional
	account = site
	alternates = no
	orders-max = 8'
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
ocsign account add other >/dev/null
ocsign zone add other.test --account other >/dev/null
service_start
within 20 acme_is_there || fail "$(cat ocsignd.log)"
ACME_DIRECTORY=$directory
ACME_HTTP_PORT=$http_port
ACME_DNS_PORT=$dns_port
PYTHONDONTWRITEBYTECODE=1
PYTHONWARNINGS=ignore
export ACME_DIRECTORY ACME_HTTP_PORT ACME_DNS_PORT PYTHONDONTWRITEBYTECODE \
    PYTHONWARNINGS
python3 "$top_srcdir/tests/interop/acme_open.py" || fail "the client"
stop "$(cat ocsignd.pid)"
ocsign audit verify >audit || fail "$(cat audit)"
