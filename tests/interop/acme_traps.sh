#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What clients do wrong, and what real clients trip over: a client of our own
# tries each, and looks at every answer (acme_traps.py: requests, keys,
# accounts; acme_orders.py: orders, proofs, certificates, renewal).

. "$top_srcdir/tests/interop/acme.sh"
# A client that waits for a proof to fail waits for all of them.
validation='tries = 2
	pending-max = 10000'
acme_begin 'order-lifetime = 1h
	orders-max = 100000
	zone-orders-max = 0
	failures-max = 100000'
ACME_DIRECTORY=$directory
ACME_HTTP_PORT=$http_port
ACME_DNS_PORT=$dns_port
PYTHONDONTWRITEBYTECODE=1
PYTHONWARNINGS=ignore
export ACME_DIRECTORY ACME_HTTP_PORT ACME_DNS_PORT PYTHONDONTWRITEBYTECODE \
    PYTHONWARNINGS
for cases in traps orders; do
	python3 "$top_srcdir/tests/interop/acme_$cases.py" ${ACME_CASES-} ||
	    fail "$cases"
done
ocsign audit verify >audit
grep -q '^chain: *good' audit || fail "$(cat audit)"
