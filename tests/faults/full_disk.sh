#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A disk that is full, for the signing journal alone and for all records: a
# tmpfs in a mount namespace of the test's own.  Certificates and CRLs are
# refused, each in a line that says why; OCSP goes on, and an alarm is there to
# be seen.  With room again all of it works, in the same processes; the journal
# has a gap and knows how much is in it.

if [ -z "${OCSIGN_OWN_NAMESPACES-}" ]; then
	user=
	[ "$(id -u)" -eq 0 ] || user=--map-root-user
	unshare $user --mount sh -c 'd=$(mktemp -d) &&
	    mount -t tmpfs tmpfs "$d" && umount "$d"; s=$?; rmdir "$d"
	    exit $s' 2>/dev/null || {
		echo "skipped: no mount namespace here"
		exit 77
	}
	OCSIGN_OWN_NAMESPACES=yes
	export OCSIGN_OWN_NAMESPACES
	exec unshare $user --mount --propagation private \
	    "${SHELL:-/bin/sh}" "$0"
fi

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep

cd "$dir"
mkdir small
trap 'status=$?; set +e; [ ! -s ocsignd.pid ] || stop "$(cat ocsignd.pid)"
    umount -l "$dir/small" 2>/dev/null || :; (exit $status); finish' EXIT

fill() {
	dd if=/dev/zero of=small/fill bs=64k 2>/dev/null || true
	dd if=/dev/zero of=small/rest bs=4k 2>/dev/null || true
	dd if=/dev/zero of=small/rest bs=1 oflag=append conv=notrunc \
	    2>/dev/null || true
}
issue() {
	ocsign cert issue --issuer ca --profile server --out "$1" a.test.csr \
	    >out 2>err
}
# refused WHAT COMMAND...: in one line, which says that there is no space.
refused() {
	refusing=$1
	shift
	! "$@" >out 2>err || fail "$refusing: not refused"
	[ "$(wc -l <err)" -eq 1 ] && grep -Eqi 'no space|is full' err ||
	    fail "$refusing: $(cat err)"
	echo "$refusing: $(cat err)"
}
# A signature of its own, and nobody asked for it before.
is_answered() {
	openssl ocsp -issuer ca.pem -cert "$1" -url "$url" \
	    -CAfile trust.pem >answer 2>&1 || true
	grep -q 'Response verify OK' answer && ! grep -q 'no nonce' answer &&
	    grep -q "^$1: good" answer
}
metric() {
	curl -sS -m 10 "$(sed q run/metrics.urls)" |
	    awk -v name="ocsign_$1" '$1 == name { print $2 }'
}
is() {
	[ "$(metric "$1")" = "$2" ]
}
at_least() {
	[ "$(metric "$1")" -ge "$2" ] 2>/dev/null
}
is_issued() {
	num=$((num + 1))
	issue "$num.pem"
}
is_refused() {
	! is_issued
}

# full_disk WHAT LINE-OF-THE-STORE...: what stands on the small disk.
full_disk() {
	what=$1
	shift
	mount -t tmpfs -o size=2m tmpfs small
	rm -rf tokens run tables ./store.db* ./*.pem ca.crl
	ca_folder
	for line; do
		sed -i "/^\[store\]/a $line" ocsign.conf
	done
	[ $# -lt 2 ] || sed -i '/^path = store.db/d
	    s/^ocsp-key = ocsp/&\ncrl-publish = scheduled\ncrl-every = 1d/' \
	    ocsign.conf
	printf '[metrics]\nlisten = 127.0.0.1:0\n' >>ocsign.conf
	ca_make
	ca_issue a.test
	request a.test.pem a.request
	: >ocsignd.log
	service_start
	within 10 is_whole || fail "$what: not signed: $(cat status.json)"
	signer=$(role signer)
	load_start a.request
	num=0
	is_issued && is signing_journal_up 1 || fail "$what: $(cat err)"

	fill
	# A page that has room takes some more.
	within 10 is_refused || fail "$what: issued for ever: $(ls -l small)"
	refused "$what: a certificate" issue refused.pem
	refused "$what: a CRL" ocsign crl create --issuer ca --out ca.crl
	[ ! -e refused.pem ] && [ ! -e ca.crl ] || fail "$what: released"
}

# For the answers: what is at hand, and one that is made now.
answers_go_on() {
	for n in 1 2 3; do
		is_answered a.test.pem || fail "$what: $(cat answer)"
	done
	load_goes_on || fail "$what: not served: $(tail -n 3 load.log.*)"
}

# A CRL is due, and cannot be recorded; what the last one was stays.
publishes_nothing() {
	is 'crl_publish_failures{issuer="ca"}' 0 || fail "$what: $(ocsign \
	    --json status)"
	sed -i 's/^crl-every = 1d/crl-every = 10s/' ocsign.conf
	kill -HUP "$(cat ocsignd.pid)"
	within 40 at_least 'crl_publish_failures{issuer="ca"}' 1 ||
	    fail "$what: no CRL, and nobody says so"
	grep -Eqi 'warning: issuer ca: its CRL .*(no space|is full)' \
	    ocsignd.log || fail "$what: not in the log: $(cat ocsignd.log)"
}

room_again() {
	rm small/fill small/rest
	within 10 is_issued || fail "$what: there is room: $(cat err)"
	ocsign crl create --issuer ca --out ca.crl >out 2>err ||
	    fail "$what: there is room: $(cat err)"
	openssl crl -in ca.crl -CAfile ca.pem -noout 2>err ||
	    fail "$what: $(cat err)"
	within 10 is signing_journal_up 1 || fail "$what: the alarm stays"
	answers_go_on
	[ "$(role signer)" = "$signer" ] || fail "$what: another signer"
	load_stop
	[ -z "$(load_failures)" ] || fail "$what: $(load_failures | head -5)"
	for pem in [0-9]*.pem; do
		openssl verify -CAfile root.pem -untrusted ca.pem "$pem" \
		    >out 2>&1 || fail "$what: $(cat out)"
	done
	lines=30
	# A reload has some of its own.
	if [ "$what" = all ]; then
		lines=45
		within 90 is 'crl_publish_failures{issuer="ca"}' 0 ||
		    fail "$what: no CRL: $(cat ocsignd.log)"
	fi
	[ "$(wc -l <ocsignd.log)" -le $lines ] ||
	    fail "$what: a storm: $(cat ocsignd.log)"
	service_stop
	ocsign --json audit verify >out 2>err ||
	    fail "$what: $(cat out err)"
	grep -q '"signing_journal": "good"' out || fail "$what: $(cat out)"
}

full_disk "journal" "signing-journal = small/journal"
answers_go_on
grep -q 'error: the signing journal: .*No space' ocsignd.log ||
    fail "no alarm in the log"
within 5 is signing_journal_up 0 || fail "no alarm: $(metric \
    signing_journal_up)"
within 5 at_least signing_journal_lost_total 3 ||
    fail "the answers are not counted"
ocsign audit verify >out 2>err || fail "full: $(cat out err)"
room_again
# What was answered meanwhile: three at least.
gap=$(sed -n 's/^ *"not_recorded": \([1-9][0-9]*\),*$/\1/p' out)
[ "${gap:-0}" -ge 3 ] || fail "no gap: $(cat out)"
echo "journal: $gap responses are not recorded, and it says so"
umount small

full_disk "all" "signing-journal = small/journal" "path = small/store.db"
answers_go_on
ocsign audit verify >out 2>err || fail "full: $(cat out err)"
publishes_nothing
room_again
grep -q 'notice: issuer ca: CRLs are published again' ocsignd.log ||
    fail "no CRL is published with room again"
