# SPDX-License-Identifier: Apache-2.0
#
# Sourced instead of lib.sh, which it sources: opencryptoki's soft token.  Its
# paths are compiled in, and a machine has one pkcsslotd: this one runs in
# namespaces of its own, over empty folders that nobody else sees; the script
# begins again in them.

if [ -z "${OCSIGN_OWN_NAMESPACES-}" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "skipped: pkcsslotd wants root"
		exit 77
	fi
	PATH=$PATH:/usr/sbin:/sbin
	for tool in unshare mount pkcsslotd pkcsconf; do
		command -v $tool >/dev/null || {
			echo "skipped: $tool is not installed"
			exit 77
		}
	done
	unshare --mount --ipc true 2>/dev/null || {
		echo "skipped: no namespaces here"
		exit 77
	}
	OCSIGN_OWN_NAMESPACES=yes
	export OCSIGN_OWN_NAMESPACES PATH
	exec unshare --mount --ipc --propagation private \
	    "${SHELL:-/bin/sh}" "$0"
fi

. "$top_srcdir/tests/providers/lib.sh"
need pkcsslotd pkcsconf
ock=$(find /usr/lib /usr/lib64 -name libopencryptoki.so.0 2>/dev/null | sed q)
[ -n "$ock" ] || skip "libopencryptoki.so.0 is not installed"

# What the package made, without what somebody may have put there.
mkdir lock log shm run
cp -a /var/lib/opencryptoki lib
find lib -type f -exec rm {} +
for name in lib/*; do
	mkdir "lock/${name#lib/}"
done
chgrp -R pkcs11 lock log
chmod 1777 shm
# own FOLDER-HERE PATH
own() {
	mkdir -p "$2"
	mount --bind "$work/$1" "$2" || die "mount $2"
}
mkdir -p run/lock
own run /run
own lib /var/lib/opencryptoki
own lock /var/lock/opencryptoki
own log /var/log/opencryptoki
own shm /dev/shm
# They are gone with the namespace; before that nothing below can be removed.
release() {
	umount /var/lib/opencryptoki /var/lock/opencryptoki \
	    /var/log/opencryptoki /dev/shm /run 2>/dev/null
}

slotd_start() {
	rm -f run/pkcsslotd.*
	pkcsslotd -f >slotd.log 2>&1 7>&- 8>&- &
	slotd_pid=$!
	daemons="$daemons $slotd_pid"
	within 10 test -S run/pkcsslotd.socket ||
	    die "pkcsslotd: $(cat slotd.log)"
}
daemon_kill() {
	kill -9 "$slotd_pid"
	wait "$slotd_pid" 2>/dev/null
}
daemon_revive() {
	slotd_start
}

conf() {
	pkcsconf -c 3 "$@" >out 2>&1 || die "pkcsconf $*: $(cat out)"
}

slotd_start
(umask 077; echo 1234567 >user.pin)
echo ock | pkcsconf -c 3 -I -S 87654321 >out 2>&1 || die "$(cat out)"
conf -P -S 87654321 -n 76543210
conf -u -S 76543210 -n 12345678
conf -p -U 12345678 -n 1234567

label=ock
types=rsa2048
keys=$types
# Two at once crash it now and then: its list of objects has no lock.
sessions=1
crowd='C_Sign in .* sessions crashed'
section="module = $ock"
has_daemon=yes
