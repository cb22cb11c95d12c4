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
# of HOST NAME: the first of its status that is called so.
of() {
	OCSIGN_CONF=$dir/h$1.conf ocsign --json status 2>/dev/null |
	    sed -n "s/^ *\"$2\": \([0-9]*\),*\$/\1/p" | sed q
}
# shared HOST NAME: of what it shares.
shared() {
	OCSIGN_CONF=$dir/h$1.conf ocsign --json status 2>/dev/null |
	    sed -n '/"shared": {/,/}/p' |
	    sed -n "s/^ *\"$2\": \"*\([a-z0-9]*\)\"*,*\$/\1/p"
}
is() {
	[ "$(shared "$1" "$2")" = "$3" ]
}
has_all() {
	has=$(of "$1" responses)
	[ "$has" = "$(of "$1" certificates)" ] && [ -n "$has" ]
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
	is "$1" state leads
}
# Sets leader, and others.
find_leader() {
	leader=
	others=
	for host in $hosts; do
		if leads "$host"; then
			leader="$leader$host"
		else
			others="$others $host"
		fi
	done
	[ ${#leader} -eq 1 ]
}
hosts='1 2 3'
within 15 find_leader || fail "leaders: \"$leader\""
for n in $others; do
	is "$n" state follows || fail "host $n: $(shared "$n" state)"
	[ "$(shared "$n" taken)" -ge "$num" ] || fail "host $n takes $(shared \
	    "$n" taken)"
done
[ "$(shared "$leader" given)" -ge "$num" ] || fail "it gives nothing"
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
	for host in $hosts; do
		says "$1" "$2" "$host" || return 1
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
# Of a busy machine one will do.
[ $soon -ge 1 ] || fail "not within a second"

# --- nobody believes the database -----------------------------------------

# Rows are read again after this, as if they had come just now.
again='UPDATE response_context SET seq = seq + 1;
    UPDATE response SET seq = (SELECT max(seq) FROM response_context)'
# name_of NUMBER: of the response that nearly all clients ask for.
name_of() {
	printf '\\x00%s' "$(serial "$1" | sed 's/^0x//')"
}
refused() {
	refused_sum=0
	for host in $hosts; do
		refused_num=$(shared "$host" refused)
		refused_sum=$((refused_sum + ${refused_num:-0}))
	done
	[ "$refused_sum" -ge "$1" ]
}
good_row() {
	sql "SELECT encode(body, 'hex') FROM response
	    WHERE name = '$(name_of "$1")'"
}
[ "$(sql 'SELECT count(*) FROM response')" -ge "$num" ] || fail "no rows"
refused 0
[ "$refused_sum" -eq 0 ] || fail "$refused_sum are refused already"
# Later times, a longer life, and a status, that nobody signed.
forge() {
	sql "UPDATE response SET next_update = next_update + 1,
	    body = substr(body, 1, 11) || decode(lpad(to_hex(
	    ('x' || encode(substr(body, 12, 4), 'hex'))::bit(32)::int8 + 1),
	    8, '0'), 'hex') || int4send((next_update + 1)::int4) ||
	    substr(body, 20) WHERE name IN ('$(name_of 20)',
	    '$(name_of 21)');
	    UPDATE response SET next_update = next_update + 100, body =
	    overlay(overlay(body PLACING '\\x010000000000'::bytea FROM 1)
	    PLACING int4send((next_update + 100)::int4) FROM 16)
	    WHERE name = '$(name_of 10)';
	    UPDATE response SET next_update = next_update + 100, body =
	    overlay(body PLACING int4send((next_update + 100)::int4) FROM 16)
	    WHERE name = '$(name_of 23)';
	    UPDATE response SET body = '\\x' || repeat('7f', 83)::bytea
	    WHERE name = '$(name_of 22)';
	    $again"
}
octets 20 1 before.der
forge
# 20, 21 by signature, 10 and 23 as a lie, 22 as nothing at all.
within 20 refused 5 || fail "only $refused_sum are refused"
octets 20 1 after.der
cmp before.der after.der || fail "20 is another"
for n in 20 21 22 23; do
	all_say good $n || fail "$n is not good"
done
all_say revoked 10 || fail "10 is good again"
grep -q 'damaged, not signed by its key, or good' h?.log ||
    fail "it is not said"

# A true one, of yesterday: as it was, and as if it had been signed since.
# Whoever has a true one puts it there again.
is_there_again() {
	[ "$(sql "SELECT count(*) FROM response WHERE name IN (
	    '$(name_of 20)', '$(name_of 21)', '$(name_of 22)',
	    '$(name_of 23)', '$(name_of 10)')")" -eq 5 ]
}
within 10 is_there_again || fail "what was true does not come back"
row=$(good_row 30)
next=$(sql "SELECT next_update FROM response WHERE name = '$(name_of 30)'")
seq=$(sql "SELECT change_seq FROM response WHERE name = '$(name_of 30)'")
ocsign cert revoke --issuer ca --reason superseded "$(serial 30)" >/dev/null
within 10 all_say revoked 30 || fail "30 is not revoked"
is_shared_revoked() {
	[ "$(sql "SELECT get_byte(body, 1) FROM response
	    WHERE name = '$(name_of 30)'")" = 1 ]
}
within 10 is_shared_revoked || fail "nobody shares it"
put_back() {
	sql "UPDATE response SET body = '\\x$row', next_update = $next,
	    change_seq = $1 WHERE name = '$(name_of 30)'; $again"
}
put_back "$seq"
sleep 1
all_say revoked 30 || fail "an old response came back"
refused 0
so_far=$refused_sum
put_back "(SELECT change_seq FROM store)"
within 20 refused $((so_far + 1)) || fail "it is not refused"
all_say revoked 30 || fail "an old response came back"

# --- a host that has nothing ----------------------------------------------

new=$follower
host_stop "$new"
rm -rf "h$new/tables"
mkdir "h$new/tables"
sql "UPDATE response SET body = set_byte(body, 50, get_byte(body, 50) # 1)
    WHERE name IN ('$(name_of 40)', '$(name_of 41)', '$(name_of 42)')"
before=$(calls "$new")
host_start "$new"
has_most() {
	[ "$(of "$new" responses)" -ge $((whole - 3)) ]
}
within 30 has_most || fail "host $new has $(of "$new" responses)"
within 10 is "$new" refused 3 || fail "host $new refuses $(shared \
    "$new" refused)"
says good 40 "$new" || fail "what was dropped is not signed"
cost=$(($(calls "$new") - before))
[ $cost -le 8 ] || fail "host $new signed $cost when it started"

# --- the leader is killed, stopped, and comes back ------------------------

# of_host N: the PID of its ocsign-status.
of_host() {
	pgrep -P "$(cat "h$1.pid")" -f '/ocsign-status '
}
within 20 find_leader || fail "leaders: \"$leader\""
kill -9 "$(of_host "$leader")"
within 30 find_leader || fail "killed; leaders: \"$leader\""
stopped=$leader
stopped_pid=$(of_host "$stopped")
kill -STOP "$stopped_pid"
hosts=$(echo 1 2 3 | tr -d "$stopped")
within 30 find_leader || fail "stopped; leaders: \"$leader\""
at=${others##* }
OCSIGN_CONF=$dir/h$at.conf ocsign cert revoke --issuer ca \
    "$(serial 50)" >/dev/null
within 20 all_say revoked 50 || fail "50 is not revoked"
kill -CONT "$stopped_pid"
stopped_pid=
hosts='1 2 3'
was=$leader
within 20 is "$stopped" state follows || fail "who was stopped leads on"
within 20 find_leader && [ "$leader" = "$was" ] ||
    fail "was $was, leaders: \"$leader\""
within 20 all_say revoked 50 || fail "50 is good"

# --- the database goes and comes ------------------------------------------

pg_stop "$dir/pg" || true
each_is() {
	for host in $hosts; do
		is "$host" state "$1" || return 1
	done
}
within 30 each_is alone || fail "somebody is not alone"
all_say good 51 || fail "51 is not good"
all_say revoked 50 || fail "50 is not revoked"
# What nobody has is signed where it is asked for.
grep -q 'responses are not shared' h1.log || fail "it is not said"
pg_start "$dir/pg"
within 60 find_leader || fail "after it; leaders: \"$leader\""
ocsign cert revoke --issuer ca "$(serial 51)" >/dev/null
within 20 all_say revoked 51 || fail "51 is not revoked"
stop_all 3

# --- only what is asked for -----------------------------------------------

# Host 3 may read the records, and no more.
sql "CREATE ROLE reader LOGIN;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"
sed -i 's/^presign = all/presign = asked/' h?.conf
sed -i 's/ user=ocsign / user=reader /' h3.conf
for n in 1 2 3; do
	host_start $n
done
hosts='1 2'
within 20 find_leader || fail "asked; leaders: \"$leader\""
[ "$(sql 'SELECT count(*) FROM response_context')" -eq 2 ] ||
    fail "not a context of its own"
within 20 is 3 state alone || fail "host 3 writes"
grep -q 'may not: grant it' h3.log || fail "host 3 does not say why"
before=$(($(calls 1) + $(calls 2)))
for n in 60 61 62 63 64 65 66 67 68 69; do
	all_say good $n || fail "$n is not good"
	says good $n 3 || fail "$n is not good of who is alone"
done
cost=$(($(calls 1) + $(calls 2) - before))
[ $cost -le 10 ] || fail "ten that two were asked for cost $cost"
# What is for one client is not shared.
rows=$(sql 'SELECT sum(seq) FROM response_context')
openssl ocsp -issuer ca.pem -serial "$(serial 70)" -nonce -CAfile trust.pem \
    -url "http://127.0.0.1:$(echo $ports | cut -d ' ' -f 1)/" >out 2>&1
grep -q "^$(serial 70): good" out || fail "$(cat out)"
sleep 0.5
[ "$(sql 'SELECT sum(seq) FROM response_context')" -eq "$rows" ] ||
    fail "an answer with a nonce is shared"
if grep -E 'Sanitizer|runtime error' h?.log; then
	fail "a sanitizer complains"
fi
