#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The calendar clock is set a day ahead, a day back, and a month ahead, with
# certificates by an index.txt, by a certdb and by a CRL: nothing is signed,
# what is signed is served; what a file says meanwhile is taken, so that no
# answer stays that is over; nothing has ended or is from the future by a clock
# that nobody believes; and when it is right again, all is as if nothing had
# been.

. "$top_srcdir/tests/interop/sources.sh"
if ldd "$top_builddir/ocsign-status" 2>/dev/null | grep -q asan; then
	echo "a sanitizer wants to be the first library"
	exit 77
fi
day=86400
sed -i 's/^ocsp-key = ocsp/&\nocsp-lifetime = 3d/' ocsign.conf

set_clock() {
	echo "$1" >run/offset.new
	mv run/offset.new run/offset
}
set_clock 0
(
	LD_PRELOAD=$top_builddir/tests/faults/ocsign-clock.so
	CLOCK_OFFSET=$dir/run/offset
	export LD_PRELOAD CLOCK_OFFSET
	service_start
)
within 20 all_in_force 1 || fail "not all is read"
for name in index certdb list; do
	for serial in 1000 3000 4000; do
		openssl ocsp -issuer $name.pem -serial 0x$serial -no_nonce \
		    -reqout $name.$serial >/dev/null 2>&1
	done
	# That nobody has asked for before.
	openssl ocsp -issuer $name.pem -sha256 -serial 0x4000 -no_nonce \
	    -reqout $name.other >/dev/null 2>&1
done

# says NAME SERIAL PATTERN: OpenSSL, whose clock is right.
says() {
	[ "$(post $1.$2 answer.der)" = 200 ] || return 1
	openssl ocsp -respin answer.der -issuer $1.pem -serial 0x$2 \
	    -no_nonce -CAfile $1.pem >answer 2>&1 || true
	grep -q 'Response verify OK' answer && grep -Eq "$3" answer
}
is_try_later() {
	post "$1" answer.der >/dev/null
	[ "$(od -An -tx1 answer.der)" = " 30 03 0a 01 03" ]
}
# By the signer, which stays, and counts all.
signed() {
	ocsign --json status | sed -n 's/.*"signed": \([0-9]*\).*/\1/p' |
	    sort -n | tail -n 1
}
clock_is() {
	[ "$(ocsign --json status | sed -n '/"clock"/,/}/s/.*"well": //p' |
	    tr -d ,)" = "$1" ]
}
all_current() {
	ocsign --json status >status.json 2>/dev/null &&
	    [ "$(count '"state": "current"' status.json)" -eq 3 ]
}
# all_say SERIAL PATTERN
all_say() {
	for name in index certdb list; do
		within 10 says $name $1 "$2" ||
		    fail "$name $1: not $2: $(cat answer)"
	done
}
# seconds FIELD: of the last answer.
seconds() {
	date -d "$(sed -n "s/.*$1: //p" answer)" +%s
}
all_say 1000 superseded
all_say 3000 'good'
all_say 4000 superseded

version=0
for jump in $day -$day $((30 * day)); do
	held=$((version % 2))
	[ $held -eq 1 ] && word=certificateHold || word=good
	set_clock "$jump"
	within 5 clock_is false || fail "$jump: nobody notices"
	before=$(signed)
	for name in index certdb list; do
		is_try_later $name.other || fail "$jump: $name: signed"
		# A month on, what was signed for three days is over.
		[ $jump -gt $day ] || says $name 3000 $word ||
		    fail "$jump: $name: not served: $(cat answer)"
	done
	# A new version, and who is started now.
	version=$((version + 1))
	put_all $version
	within 20 all_in_force $((version + 1)) ||
	    fail "$jump: not taken: $(tail ocsignd.log)"
	all_withdrawn() {
		for name in index certdb list; do
			is_try_later $name.3000 || return 1
		done
	}
	within 10 all_withdrawn || fail "$jump: what is over is served"
	old=$(role status)
	kill -9 "$old"
	is_new() {
		[ -n "$(role status)" ] && [ "$(role status)" != "$old" ] &&
		    all_current
	}
	within 20 is_new || fail "$jump: $(cat status.json)"
	all_withdrawn || fail "$jump: signed after a restart"
	[ "$(signed)" = "$before" ] ||
	    fail "$jump: $(signed) signed, $before before"
	# When it was read, by the time that is believed.
	for name in index certdb; do
		read_at=$(sed -n '1s/.* //p' tables/$name.source)
		off=$((read_at - $(date +%s)))
		[ $off -le 2 ] && [ $off -ge -60 ] ||
		    fail "$jump: $name was read at $off from now"
	done

	set_clock 0
	within 5 clock_is true || fail "$jump: the clock is not right again"
	case $((version % 3)) in
	0) reason=superseded ;;
	1) reason=keyCompromise ;;
	2) reason=affiliationChanged ;;
	esac
	[ $((version % 2)) -eq 1 ] && word=certificateHold || word=good
	all_say 3000 $word
	all_say 1000 $reason
	for name in index certdb list; do
		says $name 4000 $reason || fail "$(cat answer)"
		now=$(date +%s)
		[ "$(seconds 'This Update')" -le "$now" ] &&
		    [ "$(seconds 'Next Update')" -gt "$now" ] &&
		    [ "$(seconds 'Next Update')" -le $((now + 3 * day)) ] ||
		    fail "$jump: $name: $(cat answer)"
	done
	# The last one, by the list, whose dates it has.
	[ "$(seconds 'This Update')" -eq $((this + version)) ] &&
	    [ "$(seconds 'Next Update')" -le "$ends" ] || fail "$(cat answer)"
	all_current || fail "$jump and back: $(cat status.json)"
done
! grep -E 'error: .*(has ended|is refused|from the future)' ocsignd.log ||
    fail "an alarm by a clock that nobody believes"
service_stop
