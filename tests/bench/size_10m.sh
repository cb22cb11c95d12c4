#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What a big PKI costs on this machine: BENCH_COUNT certificates (ten million
# unless it says otherwise) in the store and in the response table.  Lines are
# "name value unit"; "bytes" are for each certificate.
#
# The certificates are an index.txt: a line each, with a serial number of 20
# octets that is nobody's neighbour, one in a hundred revoked; no certificate
# lies beside it.  "ocsign import" takes them in, so the store has a row, the
# line itself and a journal entry of each.  The table's slots are made by
# big_table, with signatures that nobody made: to sign them all takes what
# size-refresh-turn says.  All else is the service, the command and SoftHSM.
#
# BENCH_STORE=postgres has the records in a server of its own.  Ten million
# take 20 GB of disk while they are taken in, which $TMPDIR has to have.

. "$top_srcdir/tests/bench/measure.sh"
. "$top_srcdir/tests/postgres.sh"
need openssl curl
number=${BENCH_COUNT:-10000000}
revocations=${BENCH_REVOCATIONS:-11}
refresh_s=${BENCH_REFRESH_S:-20}
where=${BENCH_STORE:-sqlite}

# line NAME VALUE UNIT
line() {
	echo "size-$1 $2 $3"
}
# quotient A B [DIGITS]
quotient() {
	echo "$1 $2 ${3:-1}" | awk '{ printf "%.*f", $3, $1 / $2 }'
}
now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# --- where the records are ------------------------------------------------

finish_database() {
	status=$?
	trap - EXIT
	set +e
	[ ! -s "$dir/ocsignd.pid" ] || stop "$(cat "$dir/ocsignd.pid")"
	pg_stop "$dir/pg" || true
	(exit $status)
	finish
}
database_start() {
	need psql
	grep -q 'define HAVE_LIBPQ 1' "$top_builddir/config.h" && pg_find || {
		echo "skipped: no PostgreSQL"
		exit 77
	}
	chmod 711 "$dir"
	trap finish_database EXIT
	pg_create "$dir/pg"
	pg_start "$dir/pg"
	pg_sql "$dir/pg" 'CREATE DATABASE ocsign' postgres
}
configure() {
	ca_folder "presign = all" >/dev/null
	[ "$where" = sqlite ] || sed -i "s|^path = .*|&\\
database = host=$dir/pg user=ocsign dbname=ocsign|" ocsign.conf
	ca_make >/dev/null 2>&1
}
store_bytes() {
	if [ "$where" = sqlite ]; then
		cat store.db store.db-wal 2>/dev/null | wc -c
	else
		pg_sql "$dir/pg" "SELECT pg_database_size('ocsign')"
	fi
}

# --- what is in them ------------------------------------------------------

# serial N: in hex; N spread over all there are, so no two are neighbours.
make_index() {
	awk -v n="$number" 'BEGIN {
		for (i = 1; i <= n; i++) {
			a = (i * 40503 + 12345) % 65521 * 65536 + i % 65536
			b = (i * 69069 + 1) % 4294967296
			s = sprintf("4%07X%08X%08X%08X%08X", a % 268435456,
			    b, a, i, b)
			if (i % 100 == 0)
				printf "R\t351231235959Z\t260601120000Z," \
				    "superseded\t%s", s
			else
				printf "V\t351231235959Z\t\t%s", s
			printf "\tunknown\t/O=Example/CN=host%d.example.com\n",
			    i
		}
	}' >index.txt
}
# serial N: of line N, which is not revoked unless it is a hundredth.
serial() {
	sed -n "$1{p;q}" index.txt | cut -f 4
}

# kib FIELD PID: of /proc/PID/status, 0 once it is gone.
kib() {
	sed -n "s/^$1:[^0-9]*\([0-9]*\).*/\1/p" "/proc/$2/status" \
	    2>/dev/null | grep . || echo 0
}
# watched COMMAND...: took_ms, and the most it had of its own in most_kib.
watched() {
	most_kib=0
	begun=$(now_ms)
	"$@" >out 2>&1 &
	watched_pid=$!
	while kill -0 $watched_pid 2>/dev/null; do
		sample=$(kib RssAnon $watched_pid)
		[ "$sample" -le "$most_kib" ] || most_kib=$sample
		sleep 0.05
	done
	wait $watched_pid || fail "$*: $(cat out)"
	took_ms=$(($(now_ms) - begun))
}

# What this shell and all that it has waited for have written.
written() {
	sed -n 's/^wchar: //p' "/proc/$$/io"
}

import() {
	before=$(store_bytes)
	written_before=$(written)
	watched ocsign import index.txt --issuer ca --format index
	grep -q "^new: *$number\$" out || fail "$(cat out)"
	line import "$(quotient $took_ms 1000)" s
	line import-rate $((number * 1000 / took_ms)) certificates/s
	line import-memory $most_kib KiB
	line import-written "$(quotient $(($(written) - written_before)) \
	    "$number")" bytes
	line store-bytes \
	    "$(quotient $(($(store_bytes) - before)) "$number")" bytes
}

# table SECONDS: a slot for each, as if made so long ago, and the room that the
# service has beside.
table() {
	rm -f tables/ca.table
	"$tools/big_table" ocsign.conf ca $((number + number / 32)) \
	    -"$1" >/dev/null
}

# --- starts ---------------------------------------------------------------

request_for() {
	openssl ocsp -issuer ca.pem -serial "0x$1" -no_nonce -reqout "$2" \
	    2>/dev/null
}
# says WORD RESPONSE SERIAL
says() {
	openssl ocsp -issuer ca.pem -serial "0x$3" -respin "$2" -noverify \
	    >answer 2>&1 || true
	grep -q ": $1\$" answer || fail "not $1: $(cat answer)"
}
# signed REQUEST OUT: until it is, by whoever listens; for five minutes.
signed() {
	signed_by=$(($(date +%s) + 300))
	until [ "$(post "$1" "$2" 2>/dev/null)" = 200 ] &&
	    [ "$(wc -c <"$2")" -gt 100 ]; do
		[ "$(date +%s)" -lt $signed_by ] || fail "no answer"
	done
}
# What the disk alone has.
make_cold() {
	sync
	for file in store.db store.db-wal tables/ca.table; do
		[ ! -e $file ] || dd if=$file iflag=nocache count=0 2>/dev/null
	done
}
# start NAME N: one certificate is revoked while nothing runs.
start() {
	bad=$(serial "$2")
	good=$(serial $(($2 + 1)))
	ocsign cert revoke "0x$bad" --issuer ca --reason superseded >/dev/null \
	    2>&1
	request_for "$bad" bad.request
	request_for "$good" good.request
	[ "$1" = warm ] || make_cold
	begun=$(now_ms)
	service_run
	signed bad.request bad.der
	signed good.request good.der
	line "start-$1" $(($(now_ms) - begun)) ms
	says revoked bad.der "$bad"
	says good good.der "$good"
}
# ocsign-status reads the store while the table is served.
knows_all() {
	[ "$(counter certificates)" -ge "$number" ]
}
# And then it looks at all of the table, for what is to be made anew when; what
# is being signed is not in that order.
has_looked() {
	[ "$(counter scheduled)" -ge $((number / 10 * 9)) ]
}
# Anonymous memory is what a process has to itself; the rest it maps: the
# table, which is the same pages for all, and its own program.
memory() {
	for name in status responder signer; do
		pid=$(role $name | sed q)
		line "memory-$name$1" "$(kib RssAnon "$pid")" KiB
		line "mapped-$name$1" $(($(kib RssFile "$pid") + \
		    $(kib RssShmem "$pid"))) KiB
	done
}

# --- a revocation's way ---------------------------------------------------

# From the command's start to the first answer that says so.
revoke_one() {
	one=$(serial "$1")
	request_for "$one" one.request
	signed one.request before.der
	says good before.der "$one"
	begun=$(now_ms)
	ocsign cert revoke "0x$one" --issuer ca --reason keyCompromise \
	    >/dev/null 2>&1 || fail "it cannot be revoked"
	returned=$(now_ms)
	one_by=$(($(date +%s) + 120))
	# Meanwhile it may be told to try later.
	until post one.request one.der >/dev/null &&
	    ! cmp -s before.der one.der && [ "$(wc -c <one.der)" -gt 100 ]
	do
		[ "$(date +%s)" -lt $one_by ] || fail "it is not revoked"
	done
	echo "$(($(now_ms) - begun)) $((returned - begun))" >>ways
	says revoked one.der "$one"
}
# revoke_some SUFFIX NUMBER FIRST
revoke_some() {
	: >ways
	n=0
	while [ $n -lt "$2" ]; do
		n=$((n + 1))
		revoke_one $((n * (number / ($2 + 1)) / 100 * 100 + $3))
	done
	line "revoke-to-wire$1" "$(median ways 1)" ms
	line "revoke-to-wire$1-worst" "$(sort -n ways | tail -n 1 |
	    cut -d ' ' -f 1)" ms
	line "revoke-command$1" "$(median ways 2)" ms
}

# --- responses are made anew ----------------------------------------------

refresh() {
	service_run
	within 3600 knows_all || fail "it does not get to know all"
	within 3600 has_looked || fail "it does not look at all"
	signed_before=$(counter signed)
	begun=$(now_ms)
	sleep "$refresh_s"
	signed_after=$(counter signed)
	took_ms=$(($(now_ms) - begun))
	rate=$(((signed_after - signed_before) * 1000 / took_ms))
	[ $rate -gt 0 ] || fail "nothing is signed"
	line refresh-rate $rate signatures/s
	line refresh-turn "$(quotient "$number" $rate 0)" s
	memory -refreshing
	service_stop
}

# --- and a list -----------------------------------------------------------

crl() {
	watched ocsign crl create --issuer ca --der --out ca.crl
	openssl crl -in ca.crl -inform DER -CAfile trust.pem -noout 2>err ||
	    fail "$(cat err)"
	line crl $took_ms ms
	line crl-memory $most_kib KiB
	line crl-bytes "$(wc -c <ca.crl)" bytes/list
}

[ "$where" = sqlite ] || database_start
configure
line count "$number" certificates
make_index
import
table 0
line table-bytes "$(quotient "$(wc -c <tables/ca.table)" "$number")" bytes
start cold 1
within 3600 knows_all || fail "it does not get to know all"
begun_start=$begun
line start-knows-all $(($(now_ms) - begun)) ms
# shellcheck disable=SC2046
line start-status-cpu $(($(cpu $(role status)) / 1000000)) ms
revoke_some -starting 3 21
within 3600 has_looked || fail "it does not look at all"
line start-looked-at-all $(($(now_ms) - begun_start)) ms
memory ''
revoke_some '' "$revocations" 11
crl
service_stop
start warm 3
service_stop
table 302400
refresh
