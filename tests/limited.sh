# SPDX-License-Identifier: Apache-2.0
#
# usage: timeout --foreground SECONDS sh limited.sh TEST [ARGUMENT...]
#
# Runs a test in a session of its own.  Told to stop (by timeout: it hangs), it
# prints what runs in there and where, for the log; ends all of it; and exits
# with 124.

session=
where() {
	ps -L -s "$session" -o pid,ppid,lwp,stat,wchan:24,etime,args
	command -v gdb >/dev/null || return
	for pid in $(ps -s "$session" -o pid= -o comm= |
	    awk '$2 !~ /^(sh|sleep)$/ { print $1 }'); do
		echo "--- threads of $pid"
		timeout -k 5 30 gdb -nx -batch -p "$pid" \
		    -ex 'thread apply all backtrace 16' </dev/null 2>/dev/null |
		    grep -E '^(Thread|#)'
	done
}
stopped() {
	trap '' HUP INT TERM
	if [ -n "$session" ]; then
		echo "this test did not end; what it was doing:"
		where
		for signal in TERM KILL; do
			# shellcheck disable=SC2046 # numbers, one an argument
			kill -s $signal $(ps -s "$session" -o pid=) 2>/dev/null
			n=0
			while [ -n "$(ps -s "$session" -o pid=)" ] &&
			    [ $n -lt 100 ]; do
				sleep 0.1
				n=$((n + 1))
			done
		done
	fi
	exit 124
}

trap stopped HUP INT TERM
# What runs behind a shell ignores these two otherwise.
env --default-signal=INT,QUIT setsid "$@" &
session=$!
wait $session
