#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# p11-kit's server under load: the child that has the sessions is killed, then
# the whole server; the child stands still, then all of it.

. "$top_srcdir/tests/providers/lib.sh"
. "$top_srcdir/tests/providers/p11kit_token.sh"
. "$top_srcdir/tests/providers/load.sh"

types=p256
sessions=4
timeout=2s
configure
load_service

children() {
	pgrep -P "$server_pid"
}
kill_child() {
	kill -9 $(children)
}
stop_child() {
	stopped=$(children)
	kill -STOP $stopped
}
stop_all() {
	stopped="$(children) $server_pid"
	kill -STOP $server_pid $stopped
}
go_on() {
	kill -CONT $stopped
}
hurt "kill -9 of the child" 10 module 1 kill_child 0 :
hurt "kill -9 of all" 20 module 1 daemon_kill 1 daemon_revive
hurt "SIGSTOP of the child" 20 hung 1 stop_child 3 go_on
hurt "SIGSTOP of all" 20 hung 1 stop_all 3 go_on
load_over
