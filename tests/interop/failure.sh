# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the tests that hurt a running service: who its roles are, a
# steady load that notes every answer, and waiting with a deadline.

. "$top_srcdir/tests/interop/service.sh"

# role NAME: the PIDs of ocsign-NAME below our ocsignd.
role() {
	pgrep -P "$(cat ocsignd.pid)" -f "/ocsign-$1 " || true
}

# within SECONDS COMMAND...: until it is true.  The longer it takes, the less
# often it is asked: 5 times a second in the end.
within() {
	within_n=$(($1 * 20)) within_pause=1 within_asked=0
	shift
	until "$@"; do
		within_asked=$((within_asked + 1))
		case $within_asked in
		5|9) within_pause=$((2 * within_pause)) ;;
		esac
		within_n=$((within_n - within_pause))
		[ $within_n -gt 0 ] || return 1
		sleep 0.$((within_pause / 2))$((within_pause % 2 * 5))
	done
}

# count PATTERN FILE
count() {
	grep -Ec -- "$1" "$2" || true
}

# counter NAME: one number of "ocsign --json status", the first of the name.
counter() {
	ocsign --json status 2>/dev/null |
	    sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" | sed q
}

# Both are there, and there is a response for every certificate.
is_whole() {
	ocsign --json status >status.json 2>/dev/null || return 1
	grep -q '"up": true' status.json || return 1
	awk '/"certificates":/ { c += $2 } /"responses":/ { r += $2 }
	    /"older_responses":/ { r += $2 }
	    /"signing":/ { s += $2 } /"scheduled":/ { d += $2 }
	    END { exit !(c > 0 && r >= c && s == 0) }' status.json
}

# Like service_start, but in the foreground of a job, so that a role which
# does not start leaves the others alone.
service_run() {
	ocsignd -p "$dir/ocsignd.pid" 2>>ocsignd.log &
	service=$!
	within 10 test -s ocsignd.pid || fail "ocsignd does not start"
}

# service_stop: ended with 0, and nothing of it is left.
service_stop() {
	stopped=$(cat ocsignd.pid)
	kill "$stopped"
	within 8 not kill -0 "$stopped" 2>/dev/null ||
	    fail "ocsignd does not end"
	[ ! -e ocsignd.pid ] || fail "the PID file is still there"
	left=$(find run -type s)
	[ -z "$left" ] || fail "left in the run directory: $left"
	# A mapped file that was cut short is no mistake of ours.
	! grep -E 'Sanitizer|runtime error' ocsignd.log |
	    grep -Eqv 'BUS|DEADLYSIGNAL|can not provide' ||
	    fail "a sanitizer complains"
}

not() {
	! "$@"
}

# request CERTIFICATE FILE [OPTION...]: an OCSP request, without nonce.
request() {
	request_cert=$1
	request_out=$2
	shift 2
	openssl ocsp -issuer "${issuer:-ca.pem}" "$@" -cert "$request_cert" \
	    -no_nonce -reqout "$request_out" 2>/dev/null
}

# post FILE OUT: prints the HTTP status.
post() {
	curl -sS -m 10 -o "$2" -w '%{http_code}\n' \
	    -H 'Content-Type: application/ocsp-request' \
	    --data-binary "@$1" "$url"
}

# One of each until load.stop is there; a line "STATUS OCTETS" an answer.  A
# load that takes all of the machine would be other tests' as well.
keep_alive_load() {
	while [ ! -e load.stop ]; do
		curl -sS -m 10 -K load.many \
		    -w '%{http_code} %{size_download}\n' >>"$1" 2>&1 || true
		sleep 0.02
	done
}
connection_load() {
	while [ ! -e load.stop ]; do
		curl -sS -m 10 -K load.one \
		    -w '%{http_code} %{size_download}\n' >>"$1" 2>&1 || true
		sleep 0.02
	done
}

# load_start REQUEST-FILE: two of each.
load_start() {
	rm -f load.stop
	{
		echo 'header = "Content-Type: application/ocsp-request"'
		echo "data-binary = \"@$1\""
		echo "url = \"$url\""
		echo 'output = "/dev/null"'
	} >load.one
	cp load.one load.many
	for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		printf 'url = "%s"\noutput = "/dev/null"\n' "$url"
	done >>load.many
	rm -f load.log.*
	load_pids=
	for n in 1 2; do
		keep_alive_load load.log.k$n &
		load_pids="$load_pids $!"
		connection_load load.log.c$n &
		load_pids="$load_pids $!"
	done
	pids="$pids $load_pids"
	within 5 load_goes_on || fail "no answers: $(cat load.log.*)"
}

# Ten more answers come, each a whole response; on a busy machine not at once.
load_goes_on() {
	load_before=$(cat load.log.* | wc -l)
	for load_n in 1 2 3 4 5 6 7 8 9 10; do
		sleep 0.2
		[ "$(cat load.log.* | wc -l)" -lt $((load_before + 10)) ] ||
		    return 0
	done
	return 1
}

# What is no "200" with a signed response: tryLater has five octets.
load_failures() {
	cat load.log.* | awk '!(NF == 2 && $1 == 200 && $2 > 100)'
}

load_stop() {
	: >load.stop
	for load_pid in $load_pids; do
		wait "$load_pid" || true
	done
	load_total=$(cat load.log.* | wc -l)
}
