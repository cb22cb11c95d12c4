# SPDX-License-Identifier: Apache-2.0
#
# Sourced after lib.sh: a token behind p11-kit's server on an AF_UNIX socket,
# with SoftHSM behind it.  The server has a child for each connection: that is
# what holds the sessions, and what is killed.

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
section="module = $client
environment = P11_KIT_SERVER_ADDRESS=unix:path=$work/p11.sock"
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

server_start
