#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# p11-kit's server on an AF_UNIX socket, with SoftHSM behind it, and its client
# module.  The server has a child for each connection: that is what holds the
# sessions, and what is killed.

. "$top_srcdir/tests/providers/lib.sh"
need softhsm2-util p11-kit pgrep
client=$(find /usr/lib -name p11-kit-client.so 2>/dev/null | sed q)
[ -n "$client" ] || skip "p11-kit-client.so is not installed"

mkdir tokens
cat >softhsm.conf <<-EOT
	directories.tokendir = $work/tokens
	objectstore.backend = file
	log.level = ERROR
EOT
(umask 077; echo 123456 >user.pin)
SOFTHSM2_CONF=$work/softhsm.conf softhsm2-util --init-token --free \
    --label remote --so-pin 87654321 --pin 123456 >out 2>&1 ||
    die "$(cat out)"

server_start() {
	rm -f p11.sock
	SOFTHSM2_CONF=$work/softhsm.conf p11-kit server -f \
	    -n "$work/p11.sock" --provider "$module" pkcs11:token=remote \
	    >server.log 2>&1 7>&- 8>&- &
	server_pid=$!
	daemons="$daemons $server_pid"
	within 10 test -S p11.sock || die "p11-kit server: $(cat server.log)"
}

label=remote
types='p256 p384 p521 rsa2048'
keys=$types
sessions=4
num=200
section="module = $client
environment = P11_KIT_SERVER_ADDRESS=unix:path=$work/p11.sock"
algorithms='p256 ecdsa-sha256; p256 ecdsa-sha384; p256 ecdsa-sha512;
    p384 ecdsa-sha256; p384 ecdsa-sha384; p384 ecdsa-sha512;
    p521 ecdsa-sha256; p521 ecdsa-sha384; p521 ecdsa-sha512;
    rsa2048 rsa-sha256; rsa2048 rsa-sha384; rsa2048 rsa-sha512;
    rsa2048 rsa-pss-sha256; rsa2048 rsa-pss-sha384; rsa2048 rsa-pss-sha512'
has_daemon=yes

# The child of the connection first, then all of it.
daemon_kill() {
	for pid in $(pgrep -P "$server_pid"); do
		kill -9 "$pid"
	done
	kill -9 "$server_pid"
	wait "$server_pid" 2>/dev/null
}
daemon_revive() {
	server_start
}

child_killed() {
	driver_start "$sessions" $keys
	must_say sign 10000
	for pid in $(pgrep -P "$server_pid"); do
		kill -9 "$pid"
	done
	must_say many "$num"
	say status
	set -- $answer
	[ "$4" -ge 1 ] || die "nothing was restarted: $answer"
	driver_stop
}

server_start
configure
common_tests
child_killed
