#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# clock-jump: the calendar clock is set a day ahead, and a day back.  Nothing
# is signed until it is right again or a reload says that it is; what is
# signed is served while it is valid by both times; and it is said.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep
if ldd "$top_builddir/ocsign-status" 2>/dev/null | grep -q asan; then
	echo "a sanitizer wants to be the first library"
	exit 77
fi
day=86400

# Three days: so there is something left after one.
ca_folder "ocsp-lifetime = 3d"
printf '[metrics]\nlisten = 127.0.0.1:0\n' >>ocsign.conf
ca_make
ca_issue a.test
ca_issue b.test
request a.test.pem a.request
request b.test.pem b.request -sha256
openssl ocsp -issuer ca.pem -cert a.test.pem -nonce -reqout nonce.request

# Where each role may still read when it has given up the rest; written beside
# and renamed: it is read all the time.
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
within 10 is_whole || fail "not all is signed: $(cat status.json)"
expect good a.test.pem

signed() {
	ocsign --json status | awk '/"signed":/ { n += $2 } END { print n }'
}
clock_is() {
	[ "$(ocsign --json status | sed -n '/"clock"/,/}/s/.*"well": //p' |
	    tr -d ,)" = "$1" ]
}
metric() {
	curl -sS -m 10 "$(head -n 1 run/metrics.urls)" |
	    sed -n "s/^ocsign_$1 //p"
}
has_nonce() {
	[ "$(post nonce.request answer.der)" = 200 ] || fail "no answer"
	openssl ocsp -respin answer.der -noverify -text 2>&1 |
	    grep -q 'OCSP Nonce'
}
is_try_later() {
	post "$1" answer.der >/dev/null
	[ "$(od -An -tx1 answer.der)" = " 30 03 0a 01 03" ]
}
has_nonce || fail "no nonce while all is well"
# Of the CRL, by the clock as it should be.
crl_is_new() {
	crl_age=$(ocsign --json status |
	    sed -n 's/^ *"age_s": \(-*[0-9][0-9]*\).*/\1/p')
	[ -n "$crl_age" ] && [ "$crl_age" -ge 0 ] && [ "$crl_age" -lt 300 ]
}
ocsign crl create --issuer ca --out ca.crl
within 5 crl_is_new || fail "the CRL is ${crl_age:-not known} s old"

# what NUMBER: after each jump.
refuses_to_sign() {
	within 5 clock_is false || fail "$1: nobody notices"
	[ "$(metric clock_well)" = 0 ] || fail "$1: $(metric clock_well)"
	ahead=$(metric clock_ahead_seconds)
	[ "$ahead" -ge $(($1 - 2)) ] && [ "$ahead" -le $(($1 + 2)) ] ||
	    fail "$1: $ahead s ahead"
	before=$(signed)
	! has_nonce || fail "$1: a nonce was signed"
	expect good a.test.pem
	# One that nobody has asked for in this encoding.
	is_try_later b.request || fail "$1: $(od -An -tx1 answer.der)"
	[ "$(signed)" = "$before" ] || fail "$1: something was signed"
	within 5 crl_is_new || fail "$1: the CRL is ${crl_age:-not known} s old"
	! ocsign cert issue --issuer ca --profile server --out no.pem \
	    a.test.csr 2>err || fail "$1: a certificate was issued"
	grep -q 'the clock was set 86[34][0-9]* s .* reload' err ||
	    fail "$1: $(cat err)"
	! ocsign crl create --issuer ca --out no.crl 2>err ||
	    fail "$1: a CRL was signed"
}
signs() {
	within 5 clock_is true || fail "$1: $(ocsign --json status)"
	[ "$(metric clock_well)" = 1 ] || fail "$1: $(metric clock_well)"
	within 5 has_nonce || fail "$1: nothing is signed"
	ocsign cert issue --issuer ca --profile server --out one.pem \
	    a.test.csr 2>err || fail "$1: $(cat err)"
	rm -f one.pem
}

for jump in $day -$day; do
	set_clock "$jump"
	refuses_to_sign "$jump"
	# Who is started now knows of it.
	kill -9 "$(role status)" "$(role responder)"
	ready() {
		[ "$(count 'ocsign-(status|responder.*) .*is ready' \
		    ocsignd.log)" -ge "$num" ]
	}
	num=$(($(count 'ocsign-(status|responder.*) .*is ready' \
	    ocsignd.log) + 2))
	within 10 ready || fail "$jump: not ready again"
	refuses_to_sign "$jump"
	set_clock 0
	signs "$jump and back"
done
for way in ahead back; do
	grep -q "error: the clock was set 86[34][0-9]* s $way" ocsignd.log ||
	    fail "$way: no alarm in the log"
done
within 5 grep -q 'notice: the clock is right again' ocsignd.log ||
    fail "no end of it"

# A correction is none.
set_clock 20
sleep 0.6
signs "20 s"

# A month: by that time nothing is valid any more.
set_clock $((30 * day))
within 5 is_try_later a.request || fail "what has expired is served"
set_clock 0
signs "a month and back"
expect good a.test.pem

# A person says that it is right: then that time counts.
set_clock $day
refuses_to_sign $day
reloads=$(count 'notice: reloaded' ocsignd.log)
kill -HUP "$(cat ocsignd.pid)"
is_reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -gt "$reloads" ]
}
within 20 is_reloaded || fail "it is not reloaded"
signs "reloaded"
openssl ocsp -respin answer.der -noverify -text 2>/dev/null |
    sed -n 's/.*Produced At: //p' >produced
[ $(($(date -d "$(cat produced)" +%s) - $(date +%s))) -gt $((day - 600)) ] ||
    fail "produced at $(cat produced)"
service_stop

# A signer's certificate that was renewed by a clock that was ahead is renewed
# again by one that is right, though that one ends earlier.
set_clock $((10 * day))
(
	LD_PRELOAD=$top_builddir/tests/faults/ocsign-clock.so
	CLOCK_OFFSET=$dir/run/offset
	export LD_PRELOAD CLOCK_OFFSET
	ocsign ocsp renew --force >out
)
grep -q 'ca .*renewed' out || fail "$(cat out)"
begins() {
	date -d "$(openssl x509 -startdate -noout -in ocsp.pem |
	    sed 's/notBefore=//')" +%s
}
[ "$(begins)" -gt $(($(date +%s) + 9 * day)) ] || fail "not ahead"
ocsign ocsp renew >out
grep -q 'ca .*renewed' out || fail "it stays: $(cat out)"
[ "$(begins)" -le "$(date +%s)" ] || fail "it begins later"
