#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Hosts that share responses: three, each with its own roles, tables and
# counter of C_Sign, on one database.  They cost the token what one costs; the
# leader is killed, stopped, and the database goes and comes; nobody believes
# what stands in the database, and what is revoked is good nowhere any more.
#
# $FLEET_COUNTS: a file for what one, two and three hosts cost, for README.

. "$top_srcdir/tests/interop/failure.sh"
. "$top_srcdir/tests/postgres.sh"
need openssl psql python3 pgrep
grep -q 'define HAVE_LIBPQ 1' "$top_builddir/config.h" && pg_find || {
	echo "skipped: no PostgreSQL"
	exit 77
}
shim_rule=$top_builddir/tests/bench/shim_rule
shim=$top_builddir/tests/faults/ocsign-shim.so
num=${FLEET_NUM:-300}
stopped_pid=
chmod 711 "$dir"
finish_all() {
	status=$?
	trap - EXIT
	set +e
	[ -z "$stopped_pid" ] || kill -CONT "$stopped_pid" 2>/dev/null
	for n in 1 2 3; do
		[ ! -s "$dir/h$n.pid" ] || stop "$(cat "$dir/h$n.pid")"
		[ $status -eq 0 ] || sed "s/^/host $n: /" "$dir/h$n.log" \
		    2>/dev/null
	done
	pg_stop "$dir/pg"
	(exit $status)
	finish
}
trap finish_all EXIT
pg_create "$dir/pg"
# It is killed, and its host is not.
echo 'fsync = off' >>"$dir/pg/data/postgresql.conf"
pg_start "$dir/pg"
pg_sql "$dir/pg" 'CREATE DATABASE ocsign' postgres
sql() {
	pg_sql "$dir/pg" "$1"
}

ca_folder
sed -i "s|^path = .*|path = h1/store.db\\
database = host=$dir/pg user=ocsign dbname=ocsign|" ocsign.conf
rm -rf store.db*
ca_make
sed -i '/^\[issuer ca\]/a presign = all' ocsign.conf
# Serials 1000 and up, as an index.txt has them.
python3 - "$num" >index.txt <<'EOT'
import sys
for n in range(int(sys.argv[1])):
    print('V\t490101000000Z\t\t%X\tunknown\t/CN=%d.test' %
        (0x6100000000001000 + n, n))
EOT
ocsign import --issuer ca --format index index.txt >/dev/null
serial() {
	printf '0x6100000000001%03X\n' "$1"
}

# --- hosts ----------------------------------------------------------------

ports=
for n in 1 2 3; do
	mkdir -p h$n/run h$n/tables
	port=$(free_port)
	ports="$ports $port"
	"$shim_rule" h$n.shim clear
	sed "s|= h1/|= h$n/|; s|= run|= h$n/run|; s|= tables|= h$n/tables|
	    s|^listen = .*|listen = 127.0.0.1:$port|
	    s|^module = .*|module = $shim|
	    s|^environment = .*|& OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE \
OCSIGN_SHIM_CONTROL=./h$n.shim|" \
	    ocsign.conf >h$n.conf
done
host_start() {
	OCSIGN_CONF=$dir/h$1.conf ocsignd -d -p "$dir/h$1.pid" 2>>"h$1.log" ||
	    fail "host $1 does not start: $(cat "h$1.log")"
}
host_stop() {
	stop "$(cat "h$1.pid")"
}
# of N NAME: of issuer ca
of() {
	OCSIGN_CONF=$dir/h$1.conf ocsign --json status 2>/dev/null |
	    python3 -c 'import json, sys
try:
    status = json.load(sys.stdin)
    row = next(i for i in status["status"]["issuers"] if i["issuer"] == "ca")
    for name in sys.argv[1].split("."):
        row = row[name]
    print(row)
except (ValueError, StopIteration, KeyError, TypeError):
    print("?")' "$2"
}
is() {
	[ "$(of "$1" "$2")" = "$3" ]
}
has_all() {
	has=$(of "$1" responses)
	[ "$has" = "$(of "$1" certificates)" ] && [ "$has" != "?" ]
}
calls() {
	"$shim_rule" "h$1.shim" calls
}
# says WORD NUMBER HOST
says() {
	says_port=$(echo $ports | cut -d ' ' -f "$3")
	openssl ocsp -issuer ca.pem -serial "$(serial "$2")" \
	    -url "http://127.0.0.1:$says_port/" -no_nonce -CAfile trust.pem \
	    2>/dev/null | grep -q "^$(serial "$2"): $1"
}

# --- what one costs, and two, and three -----------------------------------

# costs HOSTS: how often C_Sign was called by all of them, until each has a
# response for every certificate.
costs() {
	sql 'DELETE FROM response; DELETE FROM response_context'
	rm -rf h?/tables h?.shim
	for n in 1 2 3; do
		mkdir -p h$n/tables
		"$shim_rule" h$n.shim clear
	done
	for n in $(seq "$1"); do
		host_start "$n"
	done
	for n in $(seq "$1"); do
		within 90 has_all "$n" || fail "host $n of $1 has $(of "$n" \
		    responses) of $(of "$n" certificates)"
	done
	cost=0
	for n in $(seq "$1"); do
		cost=$((cost + $(calls "$n")))
	done
	echo "fleet-signatures-$1 $cost"
}
stop_all() {
	for n in $(seq "$1"); do
		host_stop "$n"
	done
}
costs 1
one=$cost
whole=$(of 1 certificates)
[ "$one" -ge "$num" ] || fail "one signs $one for $num"
stop_all 1
costs 2
two=$cost
stop_all 2
costs 3
three=$cost
[ -z "${FLEET_COUNTS-}" ] || printf '%s\n' "$one" "$two" "$three" \
    >"$FLEET_COUNTS"
# Each signs something when it starts, to see that the token does.
most=$((one + one / 25 + 20))
[ "$two" -le $most ] && [ "$three" -le $most ] ||
    fail "one costs $one, two $two, three $three"

# --- who leads ------------------------------------------------------------

leads() {
	is "$1" shared.state leads
}
# Sets leader, and others.
find_leader() {
	leader=
	others=
	for n in $hosts; do
		if leads "$n"; then
			leader="$leader$n"
		else
			others="$others $n"
		fi
	done
	[ ${#leader} -eq 1 ]
}
hosts='1 2 3'
within 15 find_leader || fail "leaders: \"$leader\""
for n in $others; do
	is "$n" shared.state follows || fail "host $n: $(of "$n" shared)"
	[ "$(of "$n" shared.taken)" -ge "$num" ] || fail "host $n takes $(of \
	    "$n" shared.taken)"
done
[ "$(of "$leader" shared.given)" -ge "$num" ] || fail "it gives nothing"
octets() {
	octets_port=$(echo $ports | cut -d ' ' -f "$2")
	openssl ocsp -issuer ca.pem -serial "$(serial "$1")" \
	    -url "http://127.0.0.1:$octets_port/" -no_nonce -noverify \
	    -respout "$3" >/dev/null 2>&1
}
for n in 1 2 3; do
	octets 7 "$n" "answer.$n" || fail "host $n does not answer"
done
cmp answer.1 answer.2 && cmp answer.2 answer.3 ||
    fail "not the same octets"

# --- revoked on one, answered by all --------------------------------------

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}
all_say() {
	for n in $hosts; do
		says "$1" "$2" "$n" || return 1
	done
}
# From whoever leads, and from one who does not.
follower=${others# }
follower=${follower%% *}
before=0
for n in 1 2 3; do
	before=$((before + $(calls "$n")))
done
soon=0
for pair in "10 $leader" "11 $follower" "12 $leader" "13 $follower" \
    "14 $follower"; do
	at=${pair#* } which=${pair% *}
	begin=$(now_ms)
	OCSIGN_CONF=$dir/h$at.conf ocsign cert revoke --issuer ca \
	    --reason keyCompromise "$(serial "$which")" >/dev/null
	within 10 all_say revoked "$which" || fail "$which is not revoked"
	passed=$(($(now_ms) - begin))
	echo "revoked on host $at, answered by all after $passed ms"
	[ $passed -gt 1500 ] || soon=$((soon + 1))
done
# Of a busy machine most, not all.
[ $soon -ge 3 ] || fail "not within a second"
