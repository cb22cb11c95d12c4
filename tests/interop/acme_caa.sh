#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# CAA at finalize: what the records of a name allow (RFC 8659), to which ACME
# account and by which method (RFC 8657); an order that they forbid stays
# ready, nothing is reserved for it, and it gets its certificate when they
# allow it.

. "$top_srcdir/tests/interop/acme.sh"
need sqlite3 jq
is_ours || exit 77
validation='caa-identities = ca.test other.ca.test'
acme_begin
ACME_DIRECTORY=$directory
ACME_HTTP_PORT=$http_port
ACME_DNS_PORT=$dns_port
PYTHONDONTWRITEBYTECODE=1
PYTHONWARNINGS=ignore
export ACME_DIRECTORY ACME_HTTP_PORT ACME_DNS_PORT PYTHONDONTWRITEBYTECODE \
    PYTHONWARNINGS
python3 "$top_srcdir/tests/interop/acme_caa.py" ${ACME_CASES-} >said ||
    fail "$(cat said)"
cat said

# As many as there are valid orders, and nothing that was begun for another.
[ -n "${ACME_CASES-}" ] ||
    [ "$(sql 'SELECT count(*) FROM acme_order WHERE state = 4')" -eq 9 ] ||
    fail "orders: $(sql 'SELECT state, names FROM acme_order')"
issued=$(sql "SELECT count(*) FROM certificate
    WHERE names LIKE 'DNS:%.example.test'")
[ "$issued" -eq "$(sql 'SELECT count(*) FROM acme_order WHERE state = 4')" ] ||
    fail "certificates: $issued"
# Each step of a proof is in the journal, and what was seen.
[ -n "${ACME_CASES-}" ] || ocsign --json audit list | jq -e '[.[] |
    select(.event == "proof" and .detail.name == "n1.example.test").detail] |
    (map(.challenge_state) | join(" ")) == " pending valid" and
    (last.seen | contains("/acme-challenge/") and contains("status 200"))' \
    >/dev/null || fail "not in the journal: $(ocsign audit list)"
ocsign audit verify >audit || fail "$(cat audit)"
