# SPDX-License-Identifier: Apache-2.0
#
# Sourced after lib.sh and a provider's token: a whole service under a steady
# load, whose daemon is killed and stopped meanwhile.  The shim counts logins.
# A script says $types (one key), $timeout of the token's calls, and then
#   load_service; hurt WHAT...; load_over

shim=$top_builddir/tests/faults/ocsign-shim.so
shim_logins=$top_builddir/tests/faults/shim_logins
[ -f "$shim" ] && [ -x "$shim_logins" ] ||
    die "the shim is not built: make interop builds it"
need pgrep ps

# What a client may wait: a signature that nobody had asked for before has five
# seconds, a busy machine some more; ocsign itself a minute.
answer_ms=8000
issue_ms=60000

ms() {
	date +%s%3N
}

# One question after the other, with a nonce or as they come; a line "MS WHAT"
# each: an answer of its own, the one at hand, tryLater, or what went wrong.
asking() {
	while [ ! -e load.stop ]; do
		asked=$(ms)
		said=$(openssl ocsp "$@" -timeout 20 -issuer "$name.pem" \
		    -cert "$name-leaf.pem" -url "http://127.0.0.1:$port/" \
		    -CAfile "$name.pem" 2>&1)
		took=$(($(ms) - asked))
		case $said in
		*'Response verify OK'*'leaf.pem: good'*)
			case $said in
			*'no nonce'*) echo "$took at-hand" ;;
			*) echo "$took answered" ;;
			esac ;;
		*trylater*) echo "$took later" ;;
		*) echo "$took LOST: $said" | tr '\n' ' '; echo ;;
		esac
		sleep 0.05
	done
}
issuing() {
	issuing_n=0
	while [ ! -e load.stop ]; do
		issuing_n=$((issuing_n + 1))
		asked=$(ms)
		if said=$(command ocsign cert issue --issuer "$name" \
		    --profile server --out "issued.$issuing_n.pem" \
		    good.csr 2>&1); then
			echo "$(($(ms) - asked)) issued"
		else
			case $said in
			*"'s signer is not available now; "* | \
			    *': the token is not there now; '*)
				echo "$(($(ms) - asked)) refused" ;;
			*) echo "$(($(ms) - asked)) LOST: $said" ;;
			esac
		fi
		sleep 0.1
	done
}

# how_many WHAT LOG
how_many() {
	grep -c " $1" "$2" || true
}
status_json() {
	command ocsign --json status >status.json 2>/dev/null
}
# In the only token's part of it.
number() {
	sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" status.json | sed q
}
is_up() {
	status_json && grep -q '"up": true' status.json &&
	    ! grep -q '"up": false' status.json
}

# More than there were: of signatures for a nonce, certificates, and answers
# without either.
has_more() {
	[ "$(how_many answered live.log)" -gt "$1" ] &&
	    [ "$(how_many issued issue.log)" -gt "$2" ]
}
goes_on() {
	within "$1" has_more "$(how_many answered live.log)" \
	    "$(how_many issued issue.log)"
}
is_served() {
	[ "$(how_many answered plain.log)" -gt "$1" ]
}

# load_service: the CA, ocsignd, and the load.
load_service() {
	name=$types
	good ocsign key generate --token hsm --label "$name" --type "$name"
	ca_of "$name"
	real=$(sed -n 's/^module = //p' ocsign.conf)
	"$shim_logins" shim >/dev/null
	grep -q '^environment = ' ocsign.conf ||
	    sed -i '/^module = /a environment = ' ocsign.conf
	sed -i "s|^module = .*|module = $shim\\nsessions = $sessions|
	    s|^environment = .*|& OCSIGN_SHIM_CONTROL=./shim \
OCSIGN_SHIM_MODULE=$real|" ocsign.conf
	start_ocsignd
	within 20 ask "$name" || die "no answer: $(cat out err ocsignd.log)"
	rm -f load.stop
	: >live.log >plain.log >issue.log
	loads=
	for n in 1 2; do
		asking >>live.log &
		loads="$loads $!"
	done
	asking -no_nonce >>plain.log &
	loads="$loads $!"
	issuing >>issue.log &
	loads="$loads $!"
	daemons="$daemons $loads"
	goes_on 20 || die "no load: $(cat live.log issue.log ocsignd.log)"
}

# Whoever looks often sees what a signer that ends has counted.
watching() {
	while [ ! -e watch.stop ]; do
		command ocsign --json status 2>/dev/null |
		    sed -n '/"errors"/,/}/p' | tr -d ' \n'
		echo
		sleep 0.2
	done
}
# One of the class was counted that was not there before.
is_counted() {
	sed -n "s/.*\"$class\":\([0-9]*\),.*/\1/p" seen.log |
	    awk -v before="$errors" '$1 > before { seen = 1 }
	    END { exit !seen }'
}

# hurt WHAT SECONDS CLASS LOGINS BREAK AWAY MEND: BREAK is done, and after
# AWAY seconds MEND.  All the while what is at hand is served; SECONDS later at
# most there are signatures again, by at most LOGINS logins; the metrics had
# the CLASS ("none": nothing went wrong).
hurt() {
	what=$1 seconds=$2 class=$3 logins_max=$4
	status_json || die "$what: no status before"
	errors=$(number "$class")
	logins=$("$shim_logins" shim)
	rm -f watch.stop
	watching >seen.log &
	watcher=$!
	daemons="$daemons $watcher"
	$5
	served=$(how_many answered plain.log)
	within 5 is_served $((served + 3)) ||
	    die "$what: not served: $(tail -n 3 plain.log)"
	sleep "$6"
	begun=$(ms)
	$7
	goes_on "$seconds" && within "$seconds" is_up || die "$what: \
nothing is signed: $(tail -n 3 live.log issue.log; cat ocsignd.log)"
	took=$(($(ms) - begun))
	: >watch.stop
	wait "$watcher"
	logins=$(($("$shim_logins" shim) - logins))
	echo "$what: signs again $took ms after, $logins logins"
	[ $logins -le "$logins_max" ] || die "$what: $logins logins"
	if [ "$class" = none ]; then
		! sed 's/"token".*//' seen.log | grep -q ':[1-9]' ||
		    die "$what: $(tail -n 1 seen.log)"
	else
		is_counted || die "$what: no $class: $(sort -u seen.log)"
	fi
}

# It ends when it is told to, and what it has signed is in its journal.
service_over() {
	stopped=$(cat ocsignd.pid)
	kill "$stopped"
	within 20 not kill -0 "$stopped" 2>/dev/null ||
	    die "ocsignd does not end"
	good ocsign audit verify
	! grep -E 'Sanitizer|runtime error' ocsignd.log || die "see above"
}

# Everything that was asked had an end in time, and what was signed is right.
load_over() {
	: >load.stop
	for pid in $loads; do
		wait "$pid"
	done
	! grep LOST live.log plain.log issue.log || die "see above"
	! grep -v answered plain.log || die "what was at hand was not served"
	echo "$(how_many answered live.log) signed for a nonce," \
	    "$(how_many at-hand live.log) at hand instead," \
	    "$(how_many later live.log) later," \
	    "$(how_many answered plain.log) served," \
	    "$(how_many issued issue.log) certificates," \
	    "$(how_many refused issue.log) refused"
	slowest=$(cat live.log plain.log | sort -n | tail -n 1)
	[ "${slowest%% *}" -le $answer_ms ] || die "too late: $slowest"
	slowest_issue=$(sort -n issue.log | tail -n 1)
	[ "${slowest_issue%% *}" -le $issue_ms ] ||
	    die "too late: $slowest_issue"
	echo "the slowest: ${slowest%% *} ms, ${slowest_issue%% *} ms"
	for pem in issued.*.pem; do
		openssl verify -CAfile "$name.pem" "$pem" >out 2>&1 ||
		    die "$(cat out)"
	done
	service_over
}
