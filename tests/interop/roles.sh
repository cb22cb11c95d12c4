#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Each role is killed under load.  What is in the tables is answered all the
# time, each role is back within three seconds, and no role survives ocsignd.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep

# Programs that can be taken away, so that a role stays away.
mkdir "$dir/libexec"
for name in signer status responder; do
	ln -s "$top_builddir/ocsign-$name" "$dir/libexec/ocsign-$name"
done
OCSIGN_LIBEXECDIR=$dir/libexec

ca_folder
sed -i 's/^listen = .*/&\nworkers = 2/' ocsign.conf
ca_make
ca_issue a.test
ca_issue b.test
service_start
within 5 is_whole || fail "not all is signed: $(cat status.json)"
request a.test.pem a.request

is_another() {
	new=$(role "$1")
	[ -n "$new" ] && [ "$(echo "$new" | wc -l)" -eq "$3" ] &&
	    ! echo "$new" | grep -qx "$2" &&
	    [ "$(count "ocsign-$1.*is ready" ocsignd.log)" -gt "$4" ]
}

is_gone() {
	[ -z "$(role "$1")" ]
}

# hurt NAME PID HOW-MANY: kill it, and it is back.
hurt() {
	num_ready=$(count "ocsign-$1.*is ready" ocsignd.log)
	kill -9 "$2"
	within 3 is_another "$1" "$2" "$3" "$num_ready" ||
	    fail "ocsign-$1 is not back after 3 s"
}

load_start a.request
for name in signer status; do
	hurt $name "$(role $name)" 1
	within 3 is_whole || fail "after $name: $(cat status.json)"
	load_goes_on || fail "killing $name stops the responders"

	# And now for as long as it takes to be sure of it.
	mv libexec/ocsign-$name away
	kill -9 "$(role $name)"
	within 2 is_gone $name || fail "$name is still there"
	for n in 1 2 3; do
		load_goes_on || fail "without $name nothing is answered"
	done
	[ -z "$(role $name)" ] || fail "$name was not away"
	expect_table=$(post a.request answer.der)
	[ "$expect_table" = 200 ] || fail "without $name: $expect_table"
	mv away libexec/ocsign-$name
	within 4 is_whole || fail "$name does not come back"
done
[ -z "$(load_failures)" ] ||
    fail "without signer or status: $(load_failures | head -5)"

# Two responders, one after the other: each costs at most what was under way,
# which with four clients is four requests (and as many lines of curl's).
for pid in $(role responder); do
	hurt responder "$pid" 2
	load_goes_on || fail "without a responder nothing is answered"
done
[ "$(load_failures | grep -c '^000')" -le 8 ] ||
    fail "requests lost: $(load_failures)"
[ -z "$(load_failures | grep -v '^000\|^curl: ')" ] ||
    fail "wrong answers: $(load_failures)"
load_stop
echo "$load_total answers"

ocsign cert revoke --reason superseded a.test.pem
expect revoked a.test.pem
expect good b.test.pem

daemon=$(cat ocsignd.pid)
all="$(role signer) $(role status) $(role responder)"
[ "$(echo "$all" | wc -w)" -eq 4 ] || fail "roles: $all"
kill -9 "$daemon"
all_gone() {
	for pid in $all; do
		# A zombie of the init process is none.
		! grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status" ||
		    return 1
	done
}
within 3 all_gone || fail "roles survive ocsignd: $all"

# What it left behind is no obstacle, and nothing was forgotten.
service_start
expect revoked a.test.pem
expect good b.test.pem
service_stop
