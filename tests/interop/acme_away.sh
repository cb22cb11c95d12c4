#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# An ACME order whose token is away, or whose server is killed while it is being
# signed: it is where it was, the client's next try succeeds, and it has one
# certificate.

. "$top_srcdir/tests/interop/acme.sh"
need sqlite3 pgrep
is_ours || exit 77
acme_begin
role() {
	pgrep -P "$(cat ocsignd.pid)" -f "/ocsign-$1 " || true
}
ocsign account acme-key site --out site.key >/dev/null
client() {
	PYTHONPATH=$top_srcdir/tests/interop PYTHONDONTWRITEBYTECODE=1 \
	    python3 "$top_srcdir/tests/interop/acme_away.py" "$directory" \
	    "$http_port" site.key "$@"
}
issued() {
	sqlite3 store.db "SELECT count(*) FROM certificate WHERE state = 2"
}
state_is() {
	[ "$(client state)" = "$1" ]
}

# --- the token is away: the order stays ready -------------------------------
client take || fail "no order: $(cat ocsignd.log)"
before=$(issued)
signer=$(role signer)
kill -STOP "$signer"
client finalize >said || fail "$(cat ocsignd.log)"
kill -CONT "$signer"
grep -q '^503 serverInternal [1-9]' said || fail "away: $(cat said)"
within 10 state_is ready || fail "away: $(client state)"
[ "$(issued)" -eq "$before" ] || fail "issued all the same"
client finalize >said
grep -q '^200 valid' said || fail "back: $(cat said)"
[ "$(issued)" -eq $((before + 1)) ] || fail "not one certificate"
client finalize >said
grep -q '^200 valid' said || fail "again: $(cat said)"
[ "$(issued)" -eq $((before + 1)) ] || fail "one more certificate"

# --- killed while it is being signed ----------------------------------------
client take
kill -STOP "$signer"
client finalize >said 2>&1 &
asking=$!
within 10 state_is processing || fail "not being signed: $(client state)"
kill -KILL "$(role issuer)"
kill -CONT "$signer"
wait $asking && fail "an answer of the dead: $(cat said)"
within 20 state_is ready || fail "killed: $(client state)"
[ "$(issued)" -eq $((before + 1)) ] || fail "issued by the dead"
client finalize >said
grep -q '^200 valid' said || fail "after the kill: $(cat said)"
[ "$(issued)" -eq $((before + 2)) ] || fail "not one certificate"

stop "$(cat ocsignd.pid)"
grep -E 'Sanitizer|runtime error' ocsignd.log && fail "a sanitizer complains"
ocsign audit verify >verified || fail "audit: $(cat verified)"
