# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the script of each provider, which then says
#   label, algorithms   the token's label; "LABEL ALGORITHM" lines that it must
#                       sign (the label is the key's type)
#   types               the keys it makes, for "ocsign key generate"
#   keys                those of them that sign together
#   crowd               what the doctor may find when several do
#   sessions, num       how many sessions, and signatures, at once
#   section             the rest of [token hsm]
# and runs common_tests; what has a daemon runs dead_daemon, too, with
# daemon_kill and daemon_revive.

. "$top_srcdir/tests/interop/lib.sh"
driver=$top_builddir/tests/providers/driver
# Most of these libraries leak, some are unloaded before it could be said that
# it was them.  Unit tests on SoftHSM look for what is ours.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS
# What a token writes when nothing changes is its own business.
ignore=./
[ -x "$driver" ] || die "make tests/providers/driver"

# A provider's release runs when its daemons are gone.
release() {
	:
}
cleanup() {
	status=$?
	for pid in $daemons; do
		kill "$pid" 2>/dev/null && wait_gone "$pid"
	done
	cd /
	release
	rm -rf "$work"
	exit $status
}

# configure: writes ocsign.conf with [token hsm] and an issuer for each type.
configure() {
	port=$(free_port)
	mkdir -p run tables
	{
		cat <<-EOT
			[store]
			path = store/store.db
			[daemon]
			run-directory = run
			table-directory = tables
			[responder]
			listen = 127.0.0.1:$port
			[token hsm]
			uri = pkcs11:token=$(echo "$label" | sed 's/ /%20/g')
			pin-source = user.pin
			timeout = ${timeout:-20s}
			$section
		EOT
		for type in $types; do
			issuer_section "$type" "$type"
		done
	} >ocsign.conf
	OCSIGN_CONF=$work/ocsign.conf
	export OCSIGN_CONF
}

# issuer_section NAME KEY [ALGORITHM]
issuer_section() {
	cat <<-EOT
		[issuer $1]
		certificate = $1.pem
		token = hsm
		key = $2
		${3:+algorithm = $3}
		ocsp-url = http://127.0.0.1:$port/
	EOT
}

# within SECONDS COMMAND...: until it is true.
within() {
	within_end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt $within_end ] || return 1
		sleep 0.05
	done
}

# --- the driver, line by line

# driver_start SESSIONS LABEL...: $OCSIGN_SHIM_CONTROL as it is.
driver_start() {
	rm -f words answers
	mkfifo words answers
	"$driver" run hsm "$@" <words >answers 2>driver.log &
	driver_pid=$!
	daemons="$daemons $driver_pid"
	exec 7>words 8<answers
	driver_answer
	case $answer in
	ok*) ;;
	*) die "driver: $answer; $(cat driver.log)" ;;
	esac
}

driver_answer() {
	answer=
	read -r answer <&8 || die "the driver has ended: $(cat driver.log)"
}

# say WORD...: and its answer in $answer.
say() {
	echo "$*" >&7
	driver_answer
}

# must_say WORD...: which goes well.
must_say() {
	say "$@"
	case $answer in
	ok*) ;;
	*) die "$*: $answer; $(cat driver.log)" ;;
	esac
}

driver_stop() {
	echo quit >&7
	exec 7>&-
	wait "$driver_pid" || die "the driver: $(cat driver.log)"
	exec 8<&-
	# AddressSanitizer's reports go there.
	! grep -E 'Sanitizer|runtime error' driver.log || die "see above"
}

# --- what every provider is asked

discover() {
	good ocsign token list
	grep -q "$label" out || die "it is not listed: $(cat out)"
	[ "$(grep -c yes out)" -eq 1 ] ||
	    die "not one token is selected: $(cat out)"
}

generate() {
	for type in $types; do
		good ocsign key generate --token hsm --label "$type" \
		    --type "$type"
		bad 1 'has a key' ocsign key generate --token hsm \
		    --label "$type" --type "$type"
	done
	good ocsign key list
	for type in $types; do
		[ "$(grep -c "object=$type;.* $type " out)" -eq 1 ] ||
		    die "$type is not listed: $(cat out)"
	done
	# A PIN that is wrong is tried once, and the right one is then taken.
	cp user.pin right.pin
	(umask 077; echo 7654321 >user.pin)
	bad 1 'refused the PIN' ocsign key list
	bad 1 'refused this PIN before' ocsign key list
	cp right.pin user.pin
	good ocsign key list
}

# By label and by id, with and without the token; what is not there is named.
find_by_uri() {
	type=$(echo $types | cut -d' ' -f1)
	uri=pkcs11:token=$(echo "$label" | sed 's/ /%20/g')
	good ocsign --json key list
	id=$(sed -n '/"id"/s/.*: "\(.*\)".*/\1/p' out | sed q)
	[ -n "$id" ] || die "no id: $(cat out)"
	id=$(echo "$id" | sed 's/../%&/g')
	for key in "$uri;object=$type;type=private" "pkcs11:object=$type" \
	    "$type" "$uri;id=$id" "PKCS11:id=$id"; do
		good ocsign csr create --subject CN=x --key "$key" \
		    --out uri.csr
		good openssl req -in uri.csr -verify -noout
		rm uri.csr
	done
	bad 1 'no private key of this' ocsign csr create --subject CN=x \
	    --key "$uri;object=none" --out uri.csr
}

# Every mechanism, by trial; OpenSSL verifies what the pool releases.
every_algorithm() {
	"$driver" algorithms hsm $types >signed 2>refused ||
	    die "algorithms: $(cat signed refused)"
	echo "$algorithms" | tr ';' '\n' | sed 's/^ *//' | grep . >expected
	diff expected signed || die "what it signs: $(cat refused)"
}

concurrent() {
	driver_start "$sessions" $keys
	must_say many "$num"
	echo "$num signatures in ${answer#ok } ms, $sessions sessions"
	driver_stop
}

lost_login() {
	OCSIGN_SHIM_CONTROL=$work/shim
	export OCSIGN_SHIM_CONTROL
	driver_start "$sessions" $keys
	say status
	set -- $answer
	[ "$2" -eq 1 ] || die "$2 logins at the start"
	for how in logout close-all; do
		must_say many 10
		must_say $how
		must_say many $((num / 4))
		must_say sign 10000
	done
	say status
	set -- $answer
	[ "$1" -eq 1 ] && [ "$2" -le 3 ] ||
	    die "after two lost logins: $answer: $(cat driver.log)"
	echo "lost logins: $2 logins, $3 recoveries, $4 restarts"
	driver_stop
	unset OCSIGN_SHIM_CONTROL
}

# Killed in the middle; nothing hangs past its deadline, and it all works again
# in the same process once the daemon does.
dead_daemon() {
	driver_start "$sessions" $keys
	must_say sign 10000
	daemon_kill
	say sign 3000
	echo "without it: $answer"
	daemon_revive
	say recover 40
	echo "with it again: $answer"
	case $answer in
	ok*) ;;
	*) die "it does not come back: $answer: $(cat driver.log)" ;;
	esac
	must_say many "$num"
	driver_stop
}

# A CA, its certificates, its CRL, its responses.
ca_of() {
	good ocsign ca create "$1" --subject "CN=$1,O=Example"
	good openssl verify -CAfile "$1.pem" "$1.pem"
	[ -f good.csr ] || csr good -newkey rsa:2048
	good ocsign cert issue --issuer "$1" --profile server \
	    --out "$1-leaf.pem" good.csr
	good openssl verify -CAfile "$1.pem" "$1-leaf.pem"
	good ocsign crl create --issuer "$1" --out "$1.crl"
	good openssl crl -in "$1.crl" -CAfile "$1.pem" -noout
	grep -q 'verify OK' err || die "$1: CRL: $(cat err)"
	good ocsign ocsp sign --issuer "$1" --cert "$1-leaf.pem" \
	    --out "$1.ocsp"
	good openssl ocsp -issuer "$1.pem" -cert "$1-leaf.pem" \
	    -respin "$1.ocsp" -CAfile "$1.pem" -no_nonce
	grep -q 'Response verify OK' err || die "$1: OCSP: $(cat err)"
	grep -q 'leaf.pem: good' out || die "$1: $(cat out)"
}

# ask NAME [OPTION...]: a response; unless told -no_nonce, one with a nonce,
# which only a live signer can give.
ask() {
	name=$1
	shift
	openssl ocsp "$@" -timeout 10 -issuer "$name.pem" \
	    -cert "$name-leaf.pem" -url "http://127.0.0.1:$port/" \
	    -CAfile "$name.pem" >out 2>err &&
	    grep -q 'Response verify OK' err && ! grep -q 'no nonce' err &&
	    grep -q 'leaf.pem: good' out
}

signer() {
	pgrep -P "$(cat ocsignd.pid)" -f "/ocsign-signer " || true
}

is_another_signer() {
	now=$(signer)
	[ -n "$now" ] && [ "$now" != "$1" ]
}

# The whole service; its signer is killed, and so is the provider's daemon.
service() {
	name=$(echo $types | cut -d' ' -f1)
	ca_of "$name"
	start_ocsignd
	within 20 ask "$name" || die "no answer: $(cat out err ocsignd.log)"
	before=$(signer)
	kill -9 "$before"
	within 10 is_another_signer "$before" || die "no other signer"
	[ -z "${after_kill-}" ] || $after_kill
	within 30 ask "$name" ||
	    die "after kill -9: $(cat out err ocsignd.log)"
	if [ -n "${has_daemon-}" ]; then
		daemon_kill
		daemon_revive
		within 60 ask "$name" ||
		    die "without the daemon: $(cat out err ocsignd.log)"
		# A signer that starts while the daemon is away.
		before=$(signer)
		daemon_kill
		kill -9 "$before"
		within 10 is_another_signer "$before" || die "no other signer"
		daemon_revive
		within 60 ask "$name" ||
		    die "started without it: $(cat out err ocsignd.log)"
	fi
	stopped=$(cat ocsignd.pid)
	kill "$stopped"
	within 20 not kill -0 "$stopped" 2>/dev/null ||
	    die "ocsignd does not end"
	! grep -E 'Sanitizer|runtime error' ocsignd.log || die "see above"
}

not() {
	! "$@"
}

# Every probe ends well, and what it writes is a section with which the keys
# are found again.
doctored() {
	good ocsign --json doctor hsm --timeout 60
	cp out report
	grep -q '"usable": true' report || die "$(cat report)"
	! grep -E '"state": "(wrong|hung|crashed)"' report ||
	    die "$(cat report)"
	! grep -E '"seen".*(did not return|crashed the process)' report |
	    grep -v "${crowd:-nothing}" || die "$(cat report)"
	good ocsign doctor hsm --timeout 60
	sed '1,/^For ocsign.conf:/d' out >section
	{ sed '/^\[token/,$d' ocsign.conf; cat section; } >doctor.conf
	good ocsignd -t -c doctor.conf
	good ocsign -c doctor.conf key list
	for doctor_type in $types; do
		grep -q "object=$doctor_type;" out ||
		    die "$doctor_type is gone: $(cat out)"
	done
}

common_tests() {
	discover
	generate
	find_by_uri
	every_algorithm
	concurrent
	lost_login
	doctored
	[ -z "${has_daemon-}" ] || dead_daemon
	service
}
