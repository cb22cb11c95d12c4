#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# From the start of ocsignd, with store and table on the disk and not in
# memory, until a certificate that was revoked while nothing ran is answered
# "revoked" and another "good", in this order:
#
#   start-1m           a million certificates
#   start-10m          ten million; the peer is the line above
#   start-10m-killed   everything was killed before; the peer is start-10m
#   start-10m-cut      and the machine went down; the peer is start-10m
#
# BENCH_STARTS are other numbers of certificates; 10 M take 4 GB of disk.

. "$top_srcdir/tests/bench/measure.sh"
need openssl curl sqlite3
rounds=${BENCH_ROUNDS:-3}
starts=${BENCH_STARTS:-1000000 10000000}

ca_folder 'presign = all' >/dev/null
ca_make >/dev/null 2>&1
ca_issue good.test >/dev/null
request good.test.pem good.request
n=0
for number in $starts; do
	for other in $(seq $((3 * rounds))); do
		n=$((n + 1))
		ca_issue bad$n.test >/dev/null
		request bad$n.test.pem bad$n.request
	done
done

# fill NUMBER: so many certificates in the store, and a slot for each.
fill() {
	sqlite3 store.db >/dev/null <<-EOF2
		PRAGMA synchronous = OFF;
		PRAGMA cache_size = -1000000;
		BEGIN;
		INSERT INTO certificate (issuer_id, serial, change_seq,
		    state, reserved_at, issued_at, not_before, not_after,
		    profile, subject, names)
		SELECT issuer.id, CAST(printf('A%015d', value) AS BLOB),
		    store.change_seq + value - $before, 2, now, now, now,
		    now + 7776000, 'server', 'CN=www.example.com',
		    'DNS:www.example.com'
		FROM generate_series($before + 1, $1), issuer, store,
		    (SELECT CAST(strftime('%s', 'now') AS INTEGER) AS now)
		WHERE issuer.name = 'ca';
		UPDATE store SET change_seq = change_seq + $1 - $before;
		COMMIT;
		PRAGMA wal_checkpoint(TRUNCATE);
	EOF2
	before=$1
	rm -f tables/ca.table
	"$tools/big_table" ocsign.conf ca "$1" >/dev/null
}
before=0

# What the disk alone has.
make_cold() {
	sync
	for file in store.db store.db-wal tables/ca.table; do
		[ ! -e $file ] || dd if=$file iflag=nocache count=0 2>/dev/null
	done
}
# signed REQUEST OUT: until it is, by whoever listens; for two minutes.
signed() {
	signed_by=$(($(date +%s) + 120))
	until [ "$(post "$1" "$2" 2>/dev/null)" = 200 ] &&
	    [ "$(wc -c <"$2")" -gt 100 ]; do
		[ "$(date +%s)" -lt $signed_by ] || fail "no answer"
	done
}
now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# line NAME PEER: the median of the rounds' first answers.
line() {
	ours=$(median times 1)
	ratio=-
	[ "$2" = - ] || ratio=$(echo "$ours $2" |
	    awk '{ printf "%.2f", $1 / $2 }')
	echo "$1 $ours $2 $ratio ms"
}

# ended HOW: nothing runs any more.
ended() {
	if [ "$1" = closed ]; then
		service_stop
		return
	fi
	killed="$(cat ocsignd.pid) $(role status) $(role signer) \
	    $(role responder)"
	# At once, lest one notices that another is gone.
	# shellcheck disable=SC2086
	kill -9 $killed
	for pid in $killed; do
		within 10 not kill -0 "$pid" 2>/dev/null ||
		    fail "PID $pid does not end"
	done
	rm -f ocsignd.pid
	[ "$1" = killed ] || "$tools/big_table" cut tables/ca.table
}

# round HOW: one start, and how it ends then.
round() {
	n=$((n + 1))
	ocsign cert revoke --reason keyCompromise bad$n.test.pem \
	    >/dev/null 2>&1
	make_cold
	begun=$(now_ms)
	service_run
	signed bad$n.request bad.der
	signed good.request good.der
	echo $(($(now_ms) - begun)) >>times
	openssl ocsp -issuer ca.pem -cert bad$n.test.pem -respin bad.der \
	    -CAfile trust.pem >answer 2>&1 || true
	grep -q "^bad$n.test.pem: revoked" answer || fail "$(cat answer)"
	openssl ocsp -issuer ca.pem -cert good.test.pem -respin good.der \
	    -noverify >answer 2>&1 || true
	grep -q '^good.test.pem: good' answer || fail "$(cat answer)"
	ended "$1"
}

# starts NAME PEER HOW LAST: a line; each ends so, the last as what follows
# wants it.
starts() {
	: >times
	for other in $(seq "$((rounds - 1))"); do
		round "$3"
	done
	round "$4"
	line "$1" "$2"
}

n=0
peer=-
for number in $starts; do
	fill "$number"
	name=start-$(echo "$number" | sed 's/000000$/m/; s/000$/k/')
	starts "$name" $peer closed killed
	peer=$ours
done
starts "$name-killed" $peer killed cut
starts "$name-cut" $peer cut closed
