#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The response table is derived data: deleted, cut short or overwritten, while
# all runs and while nothing does, it never makes a wrong answer, and is made
# again.  A full disk under it is no end of the service.  What it said before
# the service ended is not said again before somebody has looked.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep flock sqlite3

ca_folder
ca_make
ca_issue good.test
ca_issue bad.test
ocsign cert revoke --reason keyCompromise bad.test.pem
service_start
within 5 is_whole || fail "not all is signed: $(cat status.json)"
table=tables/ca.table

# ask WORD CERTIFICATE: true if it is said; anything else that is signed is
# the end of the test, an error or no answer only false.
ask() {
	openssl ocsp -issuer ca.pem -cert "$2" -no_nonce -url "$url" \
	    -CAfile trust.pem >answer 2>&1 || true
	grep -q 'Response verify OK' answer || return 1
	grep -q "^$2: $1" answer || fail "wrong: $(cat answer)"
}
both() {
	ask good good.test.pem && ask revoked bad.test.pem
}
# never_wrong WHAT: and right within so many seconds.
never_wrong() {
	within "${2:-8}" both || fail "$1: $(cat answer)"
	for n in 1 2 3 4 5; do
		both || fail "$1, later: $(cat answer)"
	done
}
hurt() {
	case $1 in
	deleted) rm $table ;;
	emptied) : >$table ;;
	'cut short') truncate -s 10000 $table ;;
	'a header of noise') dd if=/dev/urandom of=$table bs=4096 count=1 \
	    conv=notrunc 2>/dev/null ;;
	'slots of noise') dd if=/dev/urandom of=$table bs=8192 seek=1 \
	    count=58 conv=notrunc 2>/dev/null ;;
	noise) dd if=/dev/urandom of=$table bs=8192 count=60 conv=notrunc \
	    2>/dev/null ;;
	esac
}
each() {
	for how in deleted emptied 'cut short' 'a header of noise' \
	    'slots of noise' noise; do
		"$1" "$how"
	done
}

while_stopped() {
	service_stop
	hurt "$1"
	service_start
	never_wrong "$1 while stopped"
	within 5 is_whole || fail "$1: not made again: $(cat status.json)"
	[ -s $table ] || fail "$1: no table"
}
each while_stopped

# While all runs: what is mapped may go on, but a restart of the status
# service, or a reload, finds the damage and makes the table anew.
while_running() {
	hurt "$1"
	for n in 1 2 3; do
		both || true
		sleep 0.1
	done
	kill -HUP "$(cat ocsignd.pid)"
	never_wrong "$1 while running" 15
	within 10 is_whole || fail "$1: not made again: $(cat status.json)"
	[ -s $table ] || fail "$1: no table"
	never_wrong "$1, made again"
}
each while_running

# Without a reload, too: a responder that starts alone finds one again.
for how in deleted emptied; do
	hurt $how
	kill -9 "$(role responder)"
	never_wrong "$how, responder anew" 8
	within 10 is_whole || fail "$how: not made again: $(cat status.json)"
	[ -s $table ] || fail "$how: no table"
done
service_stop

# Revoked while nothing ran, and ocsign-status cannot look yet: the table of
# before says "good", and nobody repeats it.
ca_issue late.test
service_start
within 5 is_whole || fail "late.test is not signed: $(cat status.json)"
ask good late.test.pem || fail "late.test: $(cat answer)"
service_stop
ocsign cert revoke late.test.pem
# "exec", and not "flock -c": the PID is the holder's.
(exec 9<>$table.lock; flock 9; : >held; exec sleep 60) &
holder=$!
pids="$pids $holder"
within 5 test -e held || fail "the table's lock is not to be had"
service_run
for n in 1 2 3; do
	openssl ocsp -issuer ca.pem -cert late.test.pem -no_nonce \
	    -url "$url" -CAfile trust.pem >answer 2>&1 || true
	grep -qi 'trylater' answer || fail "nobody has looked: $(cat answer)"
done
kill $holder
within 8 ask revoked late.test.pem || fail "looked, and: $(cat answer)"
ask good good.test.pem || fail "looked, and: $(cat answer)"
service_stop

# A disk that is full.
[ "$(id -u)" -eq 0 ] && mkdir small &&
    mount -t tmpfs -o size=256k tmpfs small 2>/dev/null || {
	echo "no tmpfs: a full disk is not tried"
	exit 0
}
trap 'status=$?; set +e; [ ! -s ocsignd.pid ] || stop "$(cat ocsignd.pid)"
    umount "$dir/small"; (exit $status); finish' EXIT
sed -i 's/^table-directory = .*/table-directory = small/' ocsign.conf
: >ocsignd.log
service_run
sleep 2
[ "$(count 'signal 7|Bus error' ocsignd.log)" -eq 0 ] || fail "SIGBUS"
grep -Eq 'error: .*(No space|small)' ocsignd.log ||
    fail "nobody says that the disk is full: $(cat ocsignd.log)"
[ "$(wc -l <ocsignd.log)" -le 20 ] || fail "a storm: $(cat ocsignd.log)"
ask good good.test.pem || true
mount -o remount,size=4m small
within 15 both || fail "there is room, and: $(cat answer)"
service_stop

# Full while a table grows: more certificates than it has slots, and no room
# for a larger one beside it.  What is in it is served, and it stays whole.
sqlite3 store.db <<-EOF2
	INSERT INTO certificate (issuer_id, serial, change_seq, state,
	    reserved_at, issued_at, not_before, not_after, profile, subject,
	    names)
	SELECT issuer.id, CAST(printf('A%015d', value) AS BLOB),
	    change_seq + value, 2, now, now, now, now + 7776000, 'server',
	    'CN=www.example.com', 'DNS:www.example.com'
	FROM generate_series(1, 5000), issuer, store,
	    (SELECT CAST(strftime('%s', 'now') AS INTEGER) AS now)
	WHERE issuer.name = 'ca';
	UPDATE store SET change_seq = change_seq + 5000;
EOF2
mount -o remount,size=1m small
: >ocsignd.log
service_run
within 60 grep -q 'takes nothing: .*make room' ocsignd.log ||
    fail "the table does not fill up: $(cat ocsignd.log status.json)"
never_wrong "full while it grows"
ocsign table verify --issuer ca >out || fail "full: $(cat out)"
grep -q '^responses: *4096$' out || fail "not full: $(cat out)"
[ ! -e small/ca.table.new ] || fail "half a table was left"
[ "$(wc -l <ocsignd.log)" -le 20 ] || fail "a storm: $(cat ocsignd.log)"
mount -o remount,size=4m small
within 60 is_whole || fail "there is room, and: $(cat status.json)"
never_wrong "grown"
ocsign table verify --issuer ca >out || fail "grown: $(cat out)"
grep -q 'takes responses again' ocsignd.log || fail "$(cat ocsignd.log)"
[ "$(count 'signal 7|Bus error' ocsignd.log)" -eq 0 ] || fail "SIGBUS"
service_stop
