#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# pkcsslotd under load: killed, stopped, and a signer killed while it is away.
# Who runs needs it no more, who starts waits for it.

. "$top_srcdir/tests/providers/opencryptoki_token.sh"
. "$top_srcdir/tests/providers/load.sh"

timeout=2s
configure
load_service

stop_slotd() {
	kill -STOP "$slotd_pid"
}
go_on() {
	kill -CONT "$slotd_pid"
}
kill_both() {
	daemon_kill
	kill -9 "$(signer)"
}
stop_both() {
	stop_slotd
	kill -9 "$(signer)"
}
hurt "kill -9 of pkcsslotd" 10 none 0 daemon_kill 1 daemon_revive
hurt "SIGSTOP of pkcsslotd" 10 none 0 stop_slotd 3 go_on
hurt "kill -9 of pkcsslotd and the signer" 20 none 1 kill_both 1 \
    daemon_revive
hurt "SIGSTOP of pkcsslotd, kill -9 of the signer" 20 none 1 stop_both 3 go_on
load_over
