#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# One CA in two tokens: its keys cloned from the first into the second, which
# is then behind another process (p11-kit's server).  That is killed under
# load, comes back, and is drained: no OCSP answer and no certificate fails.

. "$top_srcdir/tests/interop/failure.sh"
need openssl p11-kit pgrep python3

client=
for file in /usr/lib/*/pkcs11/p11-kit-client.so \
    /usr/lib*/pkcs11/p11-kit-client.so; do
	[ ! -f "$file" ] || client=$file
done
[ -n "$client" ] || {
	echo "p11-kit-client.so is not installed"
	exit 77
}

server_at=P11_KIT_SERVER_ADDRESS=unix:path=$dir/b.sock

# config MODULE-OF-B TOKENS: in whose [token b], and where the keys are.
config() {
	cat >ocsign.conf <<-EOF
	[store]
	path = store.db
	[daemon]
	run-directory = run
	table-directory = tables
	[responder]
	listen = 127.0.0.1:$port
	[token a]
	module = $SOFTHSM_MODULE
	uri = pkcs11:token=a
	pin-source = user.pin
	environment = SOFTHSM2_CONF=./softhsm2.conf
	[token b]
	module = $1
	uri = pkcs11:token=b
	pin-source = user.pin
	environment = SOFTHSM2_CONF=./softhsm2.conf $server_at
	[issuer root]
	certificate = root.pem
	token = a
	key = root
	allow = certificate crl
	[issuer ca]
	certificate = ca.pem
	chain = root.pem
	token = $2
	key = ca
	ocsp-certificate = ocsp.pem
	ocsp-key = ocsp
	ocsp-url = $url
	EOF
}

# says PATTERN COMMAND...: it fails, in one line.
says() {
	says_pattern=$1
	shift
	! "$@" >out 2>err || fail "$*: no error"
	[ "$(wc -l <err)" = 1 ] || fail "$*: $(cat err)"
	grep -Eq -- "$says_pattern" err || fail "$*: $(cat err)"
}

# token NAME MEMBER: what the service says of it.
token() {
	ocsign --json status 2>/dev/null | python3 -c '
import json, sys
for t in json.load(sys.stdin)["signer"]["tokens"]:
    if t["name"] == sys.argv[1]:
        print(t[sys.argv[2]])' "$1" "$2"
}
is_state() {
	[ "$(token "$1" state 2>/dev/null)" = "$2" ]
}

milliseconds() {
	date +%s%3N
}

# --- the keys, in both ------------------------------------------------------

token_folder
mkdir run tables
port=$(free_port)
url=http://127.0.0.1:$port/
OCSIGN_CONF=$dir/ocsign.conf
export OCSIGN_CONF
config "$SOFTHSM_MODULE" a
ocsign token init a --so-pin-source so.pin >/dev/null
ocsign token init b --so-pin-source so.pin >/dev/null
ocsign key generate --token a --label root >/dev/null
ocsign key generate --token a --label ca --type p384 --extractable >/dev/null
ocsign key generate --token a --label ocsp --extractable >/dev/null
ocsign ca create root --subject 'CN=Test Root,O=Example,C=DE'
ocsign ca create ca --issuer root --subject 'CN=Test CA,O=Example,C=DE'
ocsign csr create --subject 'CN=Test OCSP,O=Example,C=DE' --token a \
    --key ocsp --out ocsp.csr
ocsign cert issue --issuer ca --profile ocsp-signer --out ocsp.pem ocsp.csr
cat root.pem ca.pem >trust.pem

says 'CKA_EXTRACTABLE' ocsign key clone root --from a --to b
says 'same token' ocsign key clone ca --from a --to a
ocsign key clone ca --from a --to b >out 2>err || fail "$(cat err)"
grep -qx 'pkcs11:token=b;object=ca;type=private' out || fail "$(cat out)"
grep -q 'never in the clear' err || fail "$(cat err)"
grep -q 'cannot be taken out of b' err || fail "$(cat err)"
says 'token b has a private key of this label' \
    ocsign key clone ca --from a --to b
ocsign --json key clone ocsp --from a --to b --seal >clone.json
grep -q '"from_extractable": false' clone.json || fail "$(cat clone.json)"
grep -q '"mechanisms": "CKM_' clone.json || fail "$(cat clone.json)"
ocsign --json key list --token a >out
[ "$(grep -c '"extractable": true' out)" = 1 ] || fail "$(cat out)"
ocsign --json key list --token b >out
[ "$(grep -c '"extractable": false' out)" = 2 ] || fail "$(cat out)"
[ "$(grep -c '"local": false' out)" = 2 ] || fail "$(cat out)"
# Nothing is left of what they were wrapped with.
[ "$(grep -c '"label"' out)" = 2 ] || fail "$(cat out)"

# The second alone issues for the same CA.
config "$SOFTHSM_MODULE" b
ca_issue b.test
openssl verify -CAfile trust.pem b.test.pem >out 2>&1 || fail "$(cat out)"

# One from a file; what it signs, OpenSSL verifies with the file's own.
(umask 077; openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 \
    -aes-256-cbc -pass pass:secret -out old.key 2>/dev/null
    printf 'secret\n' >old.pass)
says 'chmod' sh -c 'chmod 644 old.key; ocsign key import old.key --token b \
    --label old --passphrase-source old.pass; s=$?; chmod 600 old.key; exit $s'
says 'passphrase is wrong' ocsign key import old.key --token b --label old \
    --passphrase-source so.pin
says 'no terminal' setsid ocsign key import old.key --token b --label old \
    </dev/null
ocsign key import old.key --token b --label old \
    --passphrase-source old.pass >out 2>err || fail "$(cat err)"
grep -q 'was in a file' err || fail "$(cat err)"
ocsign csr create --subject CN=old --token b --key old --out old.csr
openssl req -in old.csr -noout -verify >out 2>&1 || fail "$(cat out)"
openssl req -in old.csr -noout -pubkey >one.pub
openssl pkey -in old.key -passin file:old.pass -pubout >two.pub
cmp one.pub two.pub || fail "another key was imported"

# --- the service ------------------------------------------------------------

serve_b() {
	SOFTHSM2_CONF=$dir/softhsm2.conf p11-kit server -f -n "$dir/b.sock" \
	    --provider "$SOFTHSM_MODULE" pkcs11:token=b >/dev/null 2>&1 &
	server=$!
	pids="$pids $server"
	within 10 test -S b.sock || fail "p11-kit server does not start"
}
# Each connection has a process of its own.
kill_b() {
	kill -9 "$server" $(pgrep -P "$server") 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	rm -f b.sock
}

serve_b
config "$client" "a b"
ocsignd -t 2>/dev/null || true
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"
within 20 is_state a up || fail "a is $(token a state)"
within 20 is_state b up || fail "b is $(token b state): $(token b error)"
ca_issue first.test

# Certificates, and OCSP answers that must be signed, one after the other; a
# line "WHAT STATUS MILLISECONDS BEGUN" for each.
issue_load() {
	n=0
	while [ ! -e load.stop ]; do
		n=$((n + 1))
		begun=$(milliseconds)
		ocsign cert issue --issuer ca --profile server \
		    --out "load.$1.pem" first.test.csr >/dev/null \
		    2>"load.$1.err" &&
		    openssl verify -CAfile trust.pem "load.$1.pem" \
		    >/dev/null 2>&1
		echo "cert $? $(($(milliseconds) - begun)) $begun" \
		    >>"load.log.$1"
	done
}
ocsp_load() {
	while [ ! -e load.stop ]; do
		begun=$(milliseconds)
		openssl ocsp -issuer ca.pem -cert first.test.pem -url "$url" \
		    -nonce -CAfile trust.pem >"load.$1.out" 2>&1
		grep -q '^first.test.pem: good' "load.$1.out" &&
		    grep -q 'verify OK' "load.$1.out"
		echo "ocsp $? $(($(milliseconds) - begun)) $begun" \
		    >>"load.log.$1"
	done
}
begin_load() {
	rm -f load.*
	load_pids=
	issue_load i1 &
	load_pids="$load_pids $!"
	issue_load i2 &
	load_pids="$load_pids $!"
	ocsp_load o1 &
	load_pids="$load_pids $!"
	ocsp_load o2 &
	load_pids="$load_pids $!"
	pids="$pids $load_pids"
	within 20 has_lines 12 || fail "no load: $(cat load.*)"
}
has_lines() {
	[ "$(cat load.log.* 2>/dev/null | wc -l)" -ge "$1" ]
}
more_lines() {
	lines=$(cat load.log.* | wc -l)
	within 60 has_lines $((lines + $1)) || fail "the load stands still"
}
# end_load WHAT: nobody failed.
end_load() {
	: >load.stop
	for pid in $load_pids; do
		wait "$pid" || true
	done
	cat load.log.* >all
	! awk '$2 != 0' all | grep . ||
	    fail "$1: failed: $(cat load.*.err load.*.out)"
	awk -v what="$1" '{ n[$1]++; if ($3 > m[$1]) m[$1] = $3 }
	    END { for (k in n)
		printf "%s: %d %s, none failed, the slowest %d ms\n", what,
		    n[k], k, m[k] }' all
}

begin_load
more_lines 10
[ "$(token b signed)" -gt 0 ] || fail "b got no work"
killed=$(milliseconds)
kill_b
within 20 not is_state b up || fail "nobody sees that b is dead"
more_lines 12
[ "$(token a state)" = up ] || fail "a is $(token a state)"
begun=$(milliseconds)
serve_b
within 90 is_state b up || fail "b is $(token b state): $(token b error)"
echo "b is back after $(($(milliseconds) - begun)) ms"
signed=$(token b signed)
more_lines 24
[ "$(token b signed)" -gt "$signed" ] || fail "b gets no work again"
end_load "killed and back"
# Those that were under way, or began in the second after it.
awk -v at="$killed" '$4 + $3 >= at && $4 < at + 1000 && $3 > m { m = $3 }
    END { printf "failover: the slowest of them took %d ms\n", m }' all
awk -v at="$killed" '$4 + $3 < at && $3 > m { m = $3 }
    END { printf "before it: %d ms\n", m }' all

# --- drained ----------------------------------------------------------------

begin_load
ocsign token drain b >out 2>err || fail "$(cat err)"
within 20 is_state b drained || fail "b is $(token b state)"
signed=$(token b signed)
more_lines 12
[ "$(token b signed)" = "$signed" ] || fail "b still works"
says 'no other token works.*--force' ocsign token drain a
says 'no \[token none\]' ocsign token drain none
kill_b					# firmware
more_lines 12
end_load "drained"
ocsign status >out
grep -q drained out || fail "$(cat out)"
# Others do not ask it either, and a restart changes nothing.
service_stop
ocsign token list >out 2>&1 || true
serve_b
ocsign token list >out || fail "$(cat out)"
service_start
within 20 is_state b drained || fail "b is $(token b state)"
ca_issue second.test
openssl verify -CAfile trust.pem second.test.pem >out || fail "$(cat out)"
ocsign token undrain b >out 2>err || fail "$(cat err)"
within 30 is_state b up || fail "b is $(token b state): $(token b error)"
begin_load
signed=$(token b signed)
more_lines 24
[ "$(token b signed)" -gt "$signed" ] || fail "b gets no work again"
end_load "undrained"
service_stop

# Without a service it is recorded; the last one is not given up unasked.
ocsign token drain b >out 2>err || fail "$(cat err)"
says 'no other token is left.*--force' ocsign token drain a
ca_issue third.test
openssl verify -CAfile trust.pem third.test.pem >out || fail "$(cat out)"
ocsign token undrain b >out 2>err || fail "$(cat err)"
ocsign audit verify >out || fail "$(cat out)"
