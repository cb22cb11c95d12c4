#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Whoever comes may have an account (external-account = optional), and gets
# nothing that it has not proven itself: not what the zone's owner has, and no
# word in a certificate but the names.  How many come is limited.

. "$top_srcdir/tests/interop/acme.sh"
is_ours || exit 77
validation='caa-identities = ca.test
	pending-max = 12'
acme_begin 'external-account = optional
	account = site
	accounts-max = 3'
# The owner proves the zone: all below it is his.
ocsign --json zone claim example.test --account site >claim ||
    fail "$(cat claim)"
token=$(python3 -c 'import json, sys; print([
    m["what"] for m in json.load(sys.stdin)["methods"]
    if m["method"] == "dns"][0])' <claim)
update "add _ocsign-challenge.example.test. 1 TXT $token" \
    'add example.test. 1 CAA 0 issue "ca.test"'
ocsign zone verify example.test --account site --method dns --wait=60s \
    >verified 2>&1 || fail "$(cat verified)"
ACME_DIRECTORY=$directory
ACME_HTTP_PORT=$http_port
ACME_DNS_PORT=$dns_port
PYTHONDONTWRITEBYTECODE=1
PYTHONWARNINGS=ignore
export ACME_DIRECTORY ACME_HTTP_PORT ACME_DNS_PORT PYTHONDONTWRITEBYTECODE \
    PYTHONWARNINGS
python3 "$top_srcdir/tests/interop/acme_unproven.py" ${ACME_CASES-} ||
    fail "$(cat ocsignd.log)"
ocsign audit verify >audit
grep -q '^chain: *good' audit || fail "$(cat audit)"
