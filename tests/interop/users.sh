#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ocsignd started by root, each role with a user of its own: nobody runs as
# root, nobody else is answered, and whoever is not separated does not run.
# And what a module that was taken over can do from within the signer.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep python3 setpriv
[ "$(id -u)" -eq 0 ] || {
	echo "only root can become other users"
	exit 77
}
nm "$top_builddir/ocsign-signer" 2>/dev/null |
    grep -q '__[at]san_init' && {
	echo "LeakSanitizer would look into processes that nobody may look into"
	exit 77
}
signer=61101 status=61102 responder=61103 operator=61105 stranger=61106
api=61104 fetcher=61107 validator=61108
has_seccomp=$(grep -c '^#define HAVE_SECCOMP 1' "$top_builddir/config.h" ||
    true)

# Where any user can read them, whatever folder this is built in.
libexec=$dir/libexec
mkdir "$libexec"
cp "$top_builddir/ocsign-signer" "$top_builddir/ocsign-status" \
    "$top_builddir/ocsign-responder" "$top_builddir/ocsign" \
    "$top_builddir/tests/faults/ocsign-grab.so" \
    "$top_srcdir/tests/interop/knock.py" "$libexec"
[ ! -x "$top_builddir/ocsign-fetcher" ] ||
    cp "$top_builddir/ocsign-fetcher" "$libexec"
[ ! -x "$top_builddir/ocsign-validator" ] ||
    cp "$top_builddir/ocsign-validator" "$libexec"
OCSIGN_LIBEXECDIR=$libexec
OCSIGN_BINDIR=$libexec
chmod 0755 "$dir" "$libexec"

ca_folder
ca_make
ca_issue a.test
ca_issue b.test
request a.test.pem a.request
chmod 0644 ./*.conf ./*.pem
mkdir sig
chown -R $signer:$signer tokens sig
chown $signer:$signer user.pin
# Those that root was before.
rm -rf run tables
mkdir store
mv store.db* store
chown -R 0:$status store
chmod 2770 store
chmod 0660 store/*
cp ocsign.conf one.conf

# --- what is not separated does not run -----------------------------------

separate() {
	sed "s|^run-directory = .*|&\n$1|
	    s|^path = store.db|path = store/store.db|
	    s|^table-directory = .*|table-directory = tables|" one.conf \
	    >ocsign.conf
}
refused() {
	code=0
	ocsignd >out 2>&1 || code=$?
	[ $code -eq 78 ] || fail "$1: ended with $code: $(cat out)"
	grep -q "$2" out || fail "$1: $(cat out)"
}
separate "signer-user = $signer\nstatus-user = $status"
refused "two of three" 'responder-user: is missing'
all="signer-user = $signer\nstatus-user = $status"
separate "$all\nresponder-user = root"
refused "root" 'user root is root'
separate "$all\nresponder-user = no-such-user-here"
refused "nobody" 'there is no user no-such-user-here'
number=$(id -u nobody)
separate "signer-user = nobody\nstatus-user = $status\nresponder-user = $number"
refused "one user for two" "have one user, $number"
separate "$all\nresponder-user = $responder\noperators = $responder"
refused "responders as operators" "is the responders' user"
mkdir run
chown $stranger run
separate "$all\nresponder-user = $responder"
ocsignd >out 2>&1 && fail "it runs in somebody's directory"
grep -q "is not root's alone to write" out || fail "run-directory: $(cat out)"
rm -r run
all="$all\nresponder-user = $responder\noperators = $operator"
all="$all\nissuer-user = $api\nfetcher-user = $fetcher"
all="$all\nvalidator-user = $validator"
roles="signer status responder"
if [ -x "$libexec/ocsign-fetcher" ]; then
	roles="$roles fetcher"
	sed -i 's|^\[issuer root\]|&\ncrl-fetch = http://127.0.0.1:1/x|' \
	    one.conf
fi
if [ -x "$libexec/ocsign-validator" ]; then
	roles="$roles validator"
	printf '[validation]\nresolvers = 127.0.0.1:1\n' >>one.conf
	echo 'trust-anchor = none' >>one.conf
fi
separate "$all\nsigner-directory = sig\nfetch-directory = fetched"
setpriv --reuid $stranger --regid $stranger --clear-groups \
    "$top_builddir/ocsignd" -c "$dir/ocsign.conf" >out 2>&1 && code=0 || code=$?
[ $code -eq 78 ] || grep -q 'ermission denied' out ||
    fail "a stranger starts roles: $code: $(cat out)"
for name in $roles; do
	"$libexec/ocsign-$name" -c "$dir/ocsign.conf" >out 2>&1 && code=0 ||
	    code=$?
	[ $code -eq 78 ] && grep -q 'is run by user 0' out ||
	    fail "ocsign-$name as root: $code: $(cat out)"
done

# --- each as its own ------------------------------------------------------

sed -i "s|^module = .*|module = $libexec/ocsign-grab.so|
    s|^environment = .*|& GRAB_MODULE=$SOFTHSM_MODULE GRAB_OUT=$dir/sig/grab|
    s|^environment = .*|& GRAB_FILE=$dir/mine|" \
    ocsign.conf
echo >mine
chown $signer mine
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"
! grep -q 'all roles run as root' ocsignd.log || fail "warned for nothing"
user_of() {
	awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$(role "$1")/status"
}
for line in signer:$signer status:$status responder:$responder \
    fetcher:$fetcher validator:$validator; do
	case " $roles " in
	*" ${line%:*} "*) ;;
	*) continue ;;
	esac
	name=${line%:*} uid=${line#*:}
	[ "$(user_of $name)" = "$uid $uid $uid $uid" ] ||
	    fail "ocsign-$name is user $(user_of $name)"
	pid=$(role $name)
	grep -q "^Groups:[[:space:]]*$" "/proc/$pid/status" ||
	    fail "ocsign-$name: $(grep ^Groups "/proc/$pid/status")"
	grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$pid/status" ||
	    fail "ocsign-$name may get new privileges"
	grep -Eq '^Max core file size +0 +0 ' "/proc/$pid/limits" ||
	    fail "ocsign-$name may dump core"
	case $has_seccomp:$name in
	1:signer | 1:responder | 1:fetcher | 1:validator)
		! grep -L '^Seccomp:[[:space:]]*2' \
		    "/proc/$pid"/task/*/status | grep . ||
		    fail "a thread of ocsign-$name has no filter" ;;
	esac
	[ $name != signer ] || grep -q '^VmLck:[[:space:]]*[1-9]' \
	    "/proc/$pid/status" || fail "the PIN was not locked into memory"
	# Not dumpable: what stands in /proc is root's.
	[ "$(stat -c %u "/proc/$pid/mem")" -eq 0 ] ||
	    fail "ocsign-$name is dumpable"
done
# What it writes, the status service reads, and nobody else.
case $roles in
*fetcher*)
	within 10 test -e fetched/root.state || fail "nothing is fetched"
	[ "$(stat -c '%a %u %g' fetched)" = "2750 $fetcher $status" ] &&
	    [ "$(stat -c '%a %u %g' fetched/root.state)" = \
	    "640 $fetcher $status" ] || fail "$(ls -ln fetched)"
	ocsign --json status | grep -q 'Failed to connect' ||
	    fail "nothing is told: $(ocsign --json status)" ;;
esac
case $roles in
*validator)
	ocsign --json status >status.json
	sed -n '/"validation": {/,/}/p' status.json |
	    grep -q '"running": 1' || fail "not told: $(cat status.json)"
	[ "$(stat -c '%a %u %g' run/validator)" = \
	    "2750 $validator $status" ] || fail "$(ls -ln run)" ;;
esac
expect good a.test.pem
ocsign cert revoke --reason superseded b.test.pem
expect revoked b.test.pem

# knocked UID SOCKET WORD: who is answered where.
knock() {
	setpriv --reuid "$1" --regid "$1" --clear-groups \
	    env PATH=/usr/bin:/bin python3 -S "$libexec/knock.py" \
	    "$dir/run/$2.sock"
}
if setpriv --reuid $stranger --regid $stranger --clear-groups \
    env PATH=/usr/bin:/bin python3 -S -c '' 2>/dev/null; then
	python=yes
else
	python=no
	echo "python3 is not there for other users: doors not tried"
fi
answered() {
	[ $python = no ] || [ "$(knock "$1" "$2")" = answered ] ||
	    fail "user $1 at $2: $(knock "$1" "$2")"
}
kept_out() {
	if [ $python = no ]; then
		return 0
	fi
	said=$(knock "$1" "$2")
	[ "$said" = closed ] || [ "$said" = "sent away" ] ||
	    fail "user $1 at $2: $said"
}
# Not by the modes alone.
doors() {
	answered $status signer-status
	answered $responder status
	for name in signer-status signer-issuer status status-control; do
		kept_out $stranger $name
		kept_out $signer $name
	done
	for name in signer-status signer-issuer status-control; do
		kept_out $responder $name
	done
	for name in signer-issuer status status-control; do
		kept_out $status $name
	done
	[ -x "$libexec/ocsign-validator" ] || return 0
	answered $api validator
	for uid in $signer $status $responder $stranger $fetcher; do
		kept_out $uid validator
	done
}
doors
chmod 0666 run/*.sock
doors
answered $operator signer-issuer
answered $operator signer-status
answered $operator status-control
[ ! -x "$libexec/ocsign-validator" ] || answered $operator validator
kept_out $operator status

# drains UID: what the signer says to "ocsign token drain" of that user.
drains() {
	setpriv --reuid "$1" --regid "$1" --clear-groups \
	    "$libexec/ocsign" -c "$dir/ocsign.conf" token drain --force demo \
	    2>&1
}
# The API's process is let in there, and drains nothing.
if said=$(drains $api); then
	fail "ocsign-issuer drains a token"
fi
echo "$said" | grep -q 'root and operators drain' || fail "issuer: $said"
drains $operator >out || fail "an operator drains no token: $(cat out)"
"$libexec/ocsign" -c "$dir/ocsign.conf" token undrain demo
within 10 is_whole || fail "the token does not work again"

# reads UID PATH: it may not.
kept_from() {
	! setpriv --reuid "$1" --regid "$1" --clear-groups cat "$2" \
	    >/dev/null 2>&1 || fail "user $1 can read $2"
}
for uid in $status $responder $operator $stranger; do
	kept_from $uid user.pin
	kept_from $uid "/proc/$(role signer)/mem"
	kept_from $uid "/proc/$(role signer)/environ"
done
kept_from $signer "/proc/$(role signer)/mem"
kept_from $responder store/store.db
kept_from $signer store/store.db
kept_from $stranger tables/ca.table
if command -v gcore >/dev/null; then
	! setpriv --reuid $signer --regid $signer --clear-groups \
	    gcore -o "$dir/sig/core" "$(role signer)" >out 2>&1 ||
	    fail "its memory can be dumped"
	[ -z "$(find sig -name 'core*')" ] || fail "a core: $(ls sig)"
fi
! tr '\0' '\n' <"/proc/$(role signer)/environ" | grep -q 1234 ||
    fail "the PIN is in the environment"
! grep -q '\b1234\b' ocsignd.log || fail "the PIN is in the log"

# --- what the module got --------------------------------------------------

# grabbed NAME WORD...: the errno that it met is one of these.
grabbed() {
	grab_name=$1
	shift
	grab_code=$(awk -v name="$grab_name" '$1 == name { print $2 }' \
	    sig/grab)
	case " $* " in
	*" $grab_code "*) ;;
	*) fail "$grab_name in the module: errno $grab_code, not $*" ;;
	esac
}
if [ "$has_seccomp" = 1 ]; then
	grabbed execve 1
	grabbed socket-unix 0
	grabbed bind 1
	grabbed listen 1
	for name in socket-inet socket-inet6 socket-netlink socket-packet; do
		grabbed $name 97
	done
	for name in process_vm_readv mount unshare setuid keyctl bpf \
	    io_uring_setup kexec_load; do
		grabbed $name 1
	done
	grabbed ptrace 1
	grabbed read 0
	grabbed write 0
	# The same with a network: clients' sockets, and nothing else; and with
	# all that it has to write.
	cp ocsign.conf plain.conf
	sed "s|^pin-source = .*|&\nnetwork = yes\npaths = tokens|" \
	    plain.conf >ocsign.conf
	rm sig/grab
	kill -HUP "$(cat ocsignd.pid)"
	within 20 test -s sig/grab || fail "the signer is not restarted"
	within 10 is_whole || fail "not all is signed: $(cat status.json)"
	grabbed socket-inet 0
	grabbed socket-inet6 0
	grabbed socket-packet 97
	grabbed listen 1
	grabbed execve 1
	grabbed read 0
	grep -q 'kernel has no Landlock' ocsignd.log || grabbed write 13
else
	echo "built without libseccomp: no filter to try"
fi

# --- killed, reloaded, ended ----------------------------------------------

load_start a.request
is_another() {
	[ -n "$(role "$1")" ] && [ "$(role "$1")" != "$2" ]
}
for name in signer status; do
	old=$(role $name)
	kill -9 "$old"
	within 5 is_another $name "$old" || fail "$name does not come back"
	within 5 is_whole || fail "after $name: $(cat status.json)"
done
num=$(count 'notice: reloaded' ocsignd.log)
kill -HUP "$(cat ocsignd.pid)"
is_reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -gt "$num" ]
}
within 20 is_reloaded || fail "the reload"
load_goes_on || fail "nothing is answered"
load_stop
[ -z "$(load_failures)" ] || fail "$(load_failures | head -5)"
expect good a.test.pem
expect revoked b.test.pem
# With it they die, though they are other users than it was.
all="$(role signer) $(role status) $(role responder)"
kill -9 "$(cat ocsignd.pid)"
all_gone() {
	for pid in $all; do
		! grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$pid/status" ||
		    return 1
	done
}
within 5 all_gone || fail "roles survive ocsignd: $all"
service_start
expect revoked b.test.pem
service_stop
