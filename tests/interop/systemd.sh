#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The installed units under a real systemd: it is process 1 of namespaces of
# its own, on a copy of this machine's files that is thrown away (overlayfs),
# with a network that is loopback alone.  Each role is a unit with a user and a
# sandbox of its own; issuing, revoking and OCSP work; nobody else gets through
# a socket; each role is killed and comes back; a reload fails no request.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl jq python3 systemd-analyze unshare nsenter

skip() {
	echo "$*"
	exit 77
}

[ "$(id -u)" -eq 0 ] || skip "only root can start a systemd"
[ -x /lib/systemd/systemd ] || skip "/lib/systemd/systemd is not there"
grep -q '^SYSTEMD_UNITDIR = .' "$top_builddir/Makefile" ||
    skip "configured without units"
grep -Eq '^prefix = /usr(/local)?$' "$top_builddir/Makefile" ||
    skip "systemd does not look where this is installed"
nm "$top_builddir/ocsign-signer" 2>/dev/null | grep -q __asan_init &&
    skip "AddressSanitizer and MemoryDenyWriteExecute exclude each other"
src=$(cd "$top_srcdir" && pwd)
build=$(cd "$top_builddir" && pwd)
cd "$dir"

# --- a machine ------------------------------------------------------------

machine_stop() {
	if [ -n "${init-}" ]; then
		kill -9 "$init" 2>/dev/null || true
		wait "$outer" 2>/dev/null || true
		init=
	fi
	if [ -n "${group-}" ] && [ -d "$group" ]; then
		within 10 groups_gone || true
	fi
}
groups_gone() {
	find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
	[ ! -d "$group" ]
}
finish_machine() {
	status=$?
	trap - EXIT
	if [ $status -ne 0 ] && [ -n "${init-}" ]; then
		in_machine journalctl --no-pager -o short-monotonic |
		    tail -n 150 || true
	fi
	machine_stop
	set +e
	(exit $status)
	finish
}
trap finish_machine EXIT

in_machine() {
	nsenter -t "$init" -m -u -i -n -p -C -r -w "$@"
}

# Inside the namespaces, before systemd: its files.
cat >boot.sh <<'EOF'
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay \
    "$1/root"
root=$1/root
mount -t proc proc "$root/proc"
# The kernel's settings are this machine's.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" 2>/dev/null || {
	mount -t tmpfs tmpfs "$root/sys/fs"
	mkdir "$root/sys/fs/cgroup"
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
}
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
	touch "$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s pts/ptmx "$root/dev/ptmx"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
cp -a "$2/." "$root/"
mkdir "$root/run/test"
# Nothing of this machine is started: what is wanted here is ours alone.
rm -rf "$root"/etc/systemd/system/*.wants "$root/etc/systemd/system.conf.d"
for unit in timers.target systemd-udevd.service systemd-udev-trigger.service \
    systemd-networkd.service systemd-resolved.service dbus.service \
    dbus.socket systemd-timesyncd.service systemd-logind.service \
    systemd-update-utmp.service getty.target systemd-sysctl.service \
    systemd-remount-fs.service systemd-modules-load.service \
    modprobe@.service sys-fs-fuse-connections.mount \
    sys-kernel-config.mount sys-kernel-debug.mount \
    sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
rm -f "$root/etc/machine-id"
touch "$root/etc/machine-id"
cat >"$root/etc/systemd/system/test.target" <<'UNIT'
[Unit]
Requires=basic.target
After=basic.target
UNIT
: >"$1/made"
cd "$root"
mkdir -p old
pivot_root . old
umount -l /old
# As a machine has it: credentials are mounts of their own.
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=test.target --log-target=journal \
    --show-status=no
EOF

machine_start() {
	cgroup=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$cgroup" ] || skip "there is no cgroup2"
	group=$cgroup/ocsign-test.$$
	mkdir "$group" 2>/dev/null || skip "$cgroup is not ours to write"
	mkdir machine
	sh -c 'echo $$ >"$1/cgroup.procs" && exec unshare -m -u -i -n -p -C -f \
	    --kill-child sh boot.sh "$2" "$3"' sh "$group" "$dir/machine" \
	    "$dir/installed" >boot.log 2>&1 &
	outer=$!
	within 20 has_booted || {
		cat boot.log
		skip "a systemd does not start in namespaces here"
	}
}
has_booted() {
	kill -0 "$outer" 2>/dev/null || return 1
	init=$(pgrep -P "$outer") && [ -n "$init" ] &&
	    in_machine systemctl is-active -q test.target 2>/dev/null
}

prefix=$(sed -n 's/^prefix = //p' "$build/Makefile")
(cd "$build" && unset MAKEFLAGS MAKELEVEL MFLAGS &&
    make -s install DESTDIR="$dir/installed") >install.log 2>&1 ||
    fail "make install: $(tail -n 5 install.log)"
sysconf=$(sed -n 's/^sysconfdir = //p' "$build/Makefile" |
    sed "s|\${prefix}|$prefix|")
state=$(sed -n 's/^localstatedir = //p' "$build/Makefile" |
    sed "s|\${prefix}|$prefix|")/lib
machine_start
echo "systemd $(in_machine systemctl --version | sed q)"
in_machine ip link set lo up

# --- the packager's part --------------------------------------------------

in_machine systemd-sysusers
in_machine systemd-tmpfiles --create ocsign.conf
for user in signer status responder issuer fetcher validator; do
	in_machine id "ocsign-$user" >/dev/null || fail "no ocsign-$user"
done
owned() {
	[ "$(in_machine stat -c '%a %U %G' "$1")" = "$2" ] ||
	    fail "$1: $(in_machine stat -c '%a %U %G' "$1")"
}
owned "$sysconf/ocsign" '750 root ocsign'
owned "$state/ocsign" '2770 ocsign ocsign-issuer'
owned "$state/ocsign-tables" '2750 ocsign-status ocsign-responder'
owned "$state/ocsign-fetched" '2750 ocsign-fetcher ocsign-status'
owned "$state/ocsign-signer" '700 ocsign-signer ocsign-signer'
verify() {
	in_machine systemd-analyze verify "$@" >verify.log 2>&1 ||
	    fail "systemd-analyze verify: $(cat verify.log)"
	! grep -i ocsign verify.log || fail "systemd-analyze verify"
}
verify ocsign.target ocsignd.service ocsign-responder@1.service \
    ocsign-responder@1.socket ocsign-issuer.service ocsign-issuer.socket \
    ocsign-reload.service ocsign-reload.path ocsign-renew.timer \
    ocsign-prepare.service ocsign-fetcher.service \
    ocsign-validator.service ocsign-validator.socket
in_machine systemd-sysusers --inline 'u operator -:ocsign-issuer' \
    'm operator ocsign' 'u stranger -'

# --- a CA, made by root as a person would ---------------------------------

cat >ocsign.conf <<EOF
[store]
path = $state/ocsign/store.db
[daemon]
table-directory = $state/ocsign-tables
signer-directory = $state/ocsign-signer
signer-user = ocsign-signer
status-user = ocsign-status
responder-user = ocsign-responder
issuer-user = ocsign-issuer
fetcher-user = ocsign-fetcher
fetch-directory = $state/ocsign-fetched
validator-user = ocsign-validator
operators = operator ocsign
[responder]
listen = 127.0.0.1:8889
workers = 2
[api]
listen = 127.0.0.1:8890
issuers = ca
profiles = server
[validation]
resolvers = 127.0.0.1:5353
trust-anchor = none
[token demo]
module = $SOFTHSM_MODULE
uri = pkcs11:token=demo
pin-source = credential:pin
environment = SOFTHSM2_CONF=./softhsm2.conf
paths = /var/lib/test-token
[issuer root]
certificate = root.pem
token = demo
key = root
allow = certificate crl
crl-fetch = http://localhost:1/root.crl
[issuer ca]
certificate = ca.pem
chain = root.pem
token = demo
key = ca
ocsp-certificate = ocsp.pem
ocsp-key = ocsp
ocsp-url = http://127.0.0.1:8889/
crl-url = http://127.0.0.1:8889/ca.crl
crl-publish = at-once
crl-spacing = 1s
EOF
cat >setup.sh <<'EOF'
set -e
cd "$1/ocsign"
export OCSIGN_CONF=$1/ocsign/ocsign.conf
PATH=$2/bin:$2/sbin:$PATH
mkdir /var/lib/test-token
echo "directories.tokendir = /var/lib/test-token" >softhsm2.conf
(umask 077; echo 1234 >pin; echo 5678 >so.pin)
mkdir /run/creds
cp pin /run/creds/pin
export CREDENTIALS_DIRECTORY=/run/creds
ocsign token init demo --so-pin-source so.pin
for key in root ca ocsp; do
	ocsign key generate --token demo --label $key >/dev/null
done
ocsign ca create root --subject 'CN=Test Root,O=Example,C=DE'
ocsign ca create ca --issuer root --subject 'CN=Test CA,O=Example,C=DE'
ocsign csr create --subject 'CN=Test OCSP,O=Example,C=DE' --token demo \
    --key ocsp --out ocsp.csr
ocsign cert issue --issuer ca --profile ocsp-signer --out ocsp.pem ocsp.csr
rm -r /run/creds so.pin ocsp.csr
cat root.pem ca.pem >trust.pem
chown -R ocsign-signer: /var/lib/test-token
mkdir -p /etc/systemd/system/ocsign-signer.service.d
printf '[Service]\nLoadCredential=pin:%s/ocsign/pin\n' "$1" \
    >/etc/systemd/system/ocsign-signer.service.d/pin.conf
ocsignd --drop-ins /etc/systemd/system
systemctl daemon-reload
systemctl start ocsign.target
EOF
in_machine sh -c "cat >$sysconf/ocsign/ocsign.conf" <ocsign.conf
in_machine sh -s "$sysconf" "$prefix" <setup.sh || fail "setup"

# --- it works -------------------------------------------------------------

url=http://127.0.0.1:8889/
machine() {
	in_machine env OCSIGN_CONF="$sysconf/ocsign/ocsign.conf" \
	    PATH="$prefix/bin:$prefix/sbin:$PATH" "$@"
}
as() {
	as_user=$1
	shift
	machine setpriv --reuid "$as_user" --regid "$(in_machine id -g \
	    "$as_user")" --init-groups "$@"
}
# shell TEXT: in the directory of the configuration.
shell() {
	machine sh -c "cd $sysconf/ocsign && $1"
}
is_active() {
	[ "$(in_machine systemctl show -P ActiveState "$1")" = active ]
}
pid_of() {
	in_machine systemctl show -P MainPID "$1"
}
status_is_whole() {
	machine ocsign --json status >status.json 2>/dev/null || return 1
	grep -q '"up": true' status.json || return 1
	awk '/"certificates":/ { c += $2 } /"responses":/ { r += $2 }
	    /"signing":/ { s += $2 } /"scheduled":/ { d += $2 }
	    END { exit !(c > 0 && r >= c && s == 0) }' status.json
}
roles="ocsign-signer.service ocsign-status.service
    ocsign-responder@1.service ocsign-responder@2.service
    ocsign-issuer.service ocsign-fetcher.service ocsign-validator.service"
for unit in $roles; do
	within 10 is_active "$unit" || fail "$unit does not run"
done
within 10 status_is_whole || fail "not all is signed: $(cat status.json)"

# In its sandbox it finds names, asks, and says what came of it.
has_asked() {
	machine ocsign --json status >status.json 2>/dev/null &&
	    grep -q 'Failed to connect to localhost' status.json
}
within 20 has_asked || fail "nothing is fetched: $(cat status.json)"

# And looks names up, from a port of its own.
in_machine sh -c 'cat >/run/test/dns.py' <<'EOF'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 5353))
while True:
    asked, who = s.recvfrom(4096)
    end = asked.index(b"\0", 12) + 5
    s.sendto(asked[:2] + b"\x85\x83\0\1\0\0\0\0\0\0" +
        asked[12:end], who)
EOF
in_machine python3 -S /run/test/dns.py &
pids="$pids $!"
in_machine sh -c 'cat >/run/test/ask && chmod 755 /run/test/ask' \
    <"$build/tests/interop/validate_ask"
has_looked() {
	machine /run/test/ask /run/ocsign/validator.sock 8000 txt \
	    a.test 1 >looked 2>&1
	grep -q '^incorrectResponse.*no such name' looked
}
within 20 has_looked || fail "nothing is looked up: $(cat looked; in_machine \
    journalctl --no-pager -u ocsign-validator)"

# And publishes CRLs.
on_crl() {
	shell "curl -sS -m 10 -o /run/test/crl ${url}ca.crl &&
	    openssl crl -inform DER -in /run/test/crl -CAfile trust.pem \
	    -noout -text" >crl.text 2>&1 && grep -q 'verify OK' crl.text &&
	    grep -q "$1" crl.text
}
within 20 on_crl 'No Revoked' || fail "no CRL: $(cat crl.text; in_machine \
    journalctl --no-pager -u ocsign-issuer)"

for unit in $roles; do
	user=${unit%.service}
	user=${user%@*}
	pid=$(pid_of "$unit")
	in_machine cat "/proc/$pid/status" >status
	[ "$(in_machine ps -o user:32= -p "$pid" | tr -d ' ')" = "$user" ] ||
	    fail "$unit is $(in_machine ps -o user:32= -p "$pid")'s"
	grep -q '^NoNewPrivs:.1' status && grep -q '^Seccomp:.2' status &&
	    grep -q '^CapBnd:.0*$' status || fail "$unit: $(cat status)"
	in_machine grep -Eq '^Max core file size +0 +0 ' \
	    "/proc/$pid/limits" || fail "$unit may dump core"
done

# expect_in WORD FILE: what openssl says inside.
expect_in() {
	shell "openssl ocsp -issuer ca.pem -cert $2 -url $url \
	    -CAfile trust.pem" >answer 2>&1 || true
	grep -q 'Response verify OK' answer || fail "$(cat answer)"
	grep -q "^$2: $1" answer || fail "not $1: $(cat answer)"
}
make_csr() {
	shell "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
	    -nodes -keyout $1.key -out $1.csr -subj /CN=$1 \
	    -addext subjectAltName=DNS:$1" 2>/dev/null
}
issue() {
	make_csr "$1"
	shell "ocsign cert issue --issuer ca --profile server --out $1.pem \
	    $1.csr"
}
issue a.test
issue b.test
expect_in good a.test.pem
shell "ocsign cert revoke --reason superseded b.test.pem"
expect_in revoked b.test.pem
shell "ocsign crl create --issuer ca --out ca.crl"
# The API, whose role reserves and records, and has its signatures made.
make_csr c.test
shell 'jq -n --rawfile csr c.test.csr "{certificate_request: \$csr}" |
    curl -sS -d @- http://127.0.0.1:8890/api/v1/cfssl/sign' >api.json
jq -er .result.certificate api.json >c.test.pem 2>/dev/null ||
    fail "the API: $(cat api.json)"
in_machine sh -c "cat >$sysconf/ocsign/c.test.pem" <c.test.pem
# ocsign-status may hear of it just after the client.
c_is_known() {
	! shell "openssl ocsp -issuer ca.pem -cert c.test.pem -url $url \
	    -CAfile trust.pem" 2>&1 | grep -q unauthorized
}
within 2 c_is_known || fail "c.test is not known"
expect_in good c.test.pem
# An operator, who is not root.
as operator sh -c "cd $sysconf/ocsign && ocsign cert revoke c.test.pem" \
    2>err || fail "an operator cannot revoke: $(cat err)"
expect_in revoked c.test.pem
# What it signed, the signer has written down where it alone writes.
[ -n "$(in_machine find "$state/ocsign-signer/signing-journal" -type f \
    -user ocsign-signer)" ] || fail "no signing journal"
machine ocsign audit verify >audit 2>&1 || fail "audit: $(cat audit)"
echo "issued, revoked, answered"

# --- and for nobody else --------------------------------------------------

in_machine sh -c 'cat >/run/test/knock.py' <"$src/tests/interop/knock.py"
knock() {
	in_machine setpriv --reuid "$1" --regid "$(in_machine id -g "$1")" \
	    --init-groups env PATH=/usr/bin:/bin python3 -S \
	    /run/test/knock.py "/run/ocsign/$2.sock"
}
# Who is answered where; everybody else is kept out, or sent away.
for line in ocsign-signer: ocsign-status:signer-status \
    ocsign-responder:status ocsign-validator: \
    "ocsign-issuer:signer-issuer status-control validator" \
    "operator:signer-issuer status-control validator" \
    "ocsign:signer-issuer status-control validator" stranger: \
    "root:signer-status signer-issuer status status-control validator"; do
	user=${line%%:*}
	for name in signer-status signer-issuer status status-control \
	    validator; do
		said=$(knock $user $name)
		case " ${line#*:} " in
		*" $name "*)
			[ "$said" = answered ] || fail "$user at $name: $said"
			;;
		*)
			[ "$said" = closed ] || [ "$said" = "sent away" ] ||
			    fail "$user at $name: $said"
			;;
		esac
	done
done

# reads USER PATH: it may not.
reads() {
	! in_machine setpriv --reuid "$1" --regid "$(in_machine id -g "$1")" \
	    --init-groups cat "$2" >/dev/null 2>&1 ||
	    fail "$1 can read $2"
}
signer=$(pid_of ocsign-signer.service)
for user in ocsign-status ocsign-responder ocsign-issuer stranger; do
	reads $user "$sysconf/ocsign/pin"
	reads $user "/proc/$signer/environ"
	reads $user "/proc/$signer/mem"
	reads $user "/run/credentials/ocsign-signer.service/pin"
done
reads ocsign-responder "$state/ocsign/store.db"
reads ocsign-signer "$state/ocsign/store.db"
reads ocsign-issuer "$state/ocsign-tables/ca.table"
# Not even its own user, who is another process.
reads ocsign-signer "/proc/$signer/mem"
! in_machine sh -c "tr '\\0' '\\n' </proc/$signer/environ |
    grep -q 1234" || fail "the PIN is in the environment"
! in_machine sh -c "tr '\\0' '\\n' </proc/$signer/cmdline |
    grep -q 1234" || fail "the PIN is in the command line"
! in_machine journalctl --no-pager | grep -q '\b1234\b' ||
    fail "the PIN is in the journal"
# What is written where: by one role each.
in_machine find "$state/ocsign-tables" -type f ! -user ocsign-status \
    >others
[ ! -s others ] || fail "tables of others: $(cat others)"

# --- killed ---------------------------------------------------------------

another() {
	new=$(pid_of "$1")
	[ "$new" != 0 ] && [ "$new" != "$2" ] && is_active "$1"
}
for unit in $roles; do
	old=$(pid_of "$unit")
	in_machine kill -9 "$old"
	within 10 another "$unit" "$old" || fail "$unit does not come back"
done
within 10 status_is_whole || fail "after the kills: $(cat status.json)"
expect_in good a.test.pem
expect_in revoked b.test.pem
issue d.test
expect_in good d.test.pem
echo "each was killed and came back"

# --- a reload -------------------------------------------------------------

in_machine sh -c 'cat >/run/test/asker.py' <"$src/tests/interop/asker.py"
shell "openssl ocsp -issuer ca.pem -cert a.test.pem -no_nonce \
    -reqout /run/test/a.request" 2>/dev/null
in_machine python3 -S /run/test/asker.py "$url" /run/test/a.request \
    /run/test/stop >asked 2>&1 &
asker=$!
signer=$(pid_of ocsign-signer.service)
status=$(pid_of ocsign-status.service)
one=$(pid_of ocsign-responder@1.service)
in_machine systemctl start ocsign-reload.service || {
	in_machine journalctl --no-pager -u ocsign-reload
	fail "the reload"
}
another ocsign-status.service "$status" || fail "status was not replaced"
another ocsign-responder@1.service "$one" || fail "nor the responder"
[ "$(pid_of ocsign-signer.service)" = "$signer" ] ||
    fail "the signer was restarted for nothing"
[ "$(in_machine systemctl show -P ActiveState \
    ocsign-responder@relief.service)" = inactive ] ||
    fail "who stood in is still there"
# Now the signer's own section.
shell "sed -i 's/^pin-source = .*/&\nsessions = 2/' ocsign.conf"
in_machine systemctl start ocsign-reload.service || fail "the second"
another ocsign-signer.service "$signer" || fail "the signer was not replaced"
within 10 status_is_whole || fail "after the reloads: $(cat status.json)"
# By who may issue, without a word to systemd.
status=$(pid_of ocsign-status.service)
as operator sh -c 'echo >/run/ocsign/reload' || fail "may not wish for it"
within 20 another ocsign-status.service "$status" || fail "the wish"
is_reloaded() {
	[ "$(in_machine systemctl show -P ActiveState \
	    ocsign-reload.service)" = inactive ]
}
within 30 is_reloaded || fail "the reload does not end"
in_machine touch /run/test/stop
wait $asker || fail "the asker: $(cat asked)"
grep -q '^failed:' asked && fail "$(grep -c '^failed:' asked): $(head asked)"
echo "reloads: $(tail -n 1 asked)"
# One more responder, and one more address; then as it was.
at() {
	shell "openssl ocsp -issuer ca.pem -cert a.test.pem -CAfile trust.pem \
	    -url http://127.0.0.1:$1/" 2>&1 | grep -q '^a.test.pem: good'
}
shell "sed -i 's/^workers = 2/workers = 3/
    s/^listen = .*8889/& 127.0.0.1:8891/' ocsign.conf"
in_machine systemctl start ocsign-reload.service || fail "one more"
is_active ocsign-responder@3.service || fail "no third responder"
at 8889 && at 8891 || fail "not answered at both addresses"
shell "sed -i 's/^workers = 3/workers = 2/
    s/ 127.0.0.1:8891//' ocsign.conf"
in_machine systemctl start ocsign-reload.service || fail "one less"
! is_active ocsign-responder@3.service && ! is_active \
    ocsign-responder@3.socket || fail "the third stays"
at 8889 || fail "not answered"
! at 8891 || fail "still answered at the address of before"
# Without an API it publishes all the same, and listens nowhere.
shell "cp ocsign.conf good.conf && sed -i '/^.api./,/^profiles/d' ocsign.conf"
in_machine systemctl start ocsign-reload.service || fail "no API"
is_active ocsign-issuer.service || fail "nobody publishes"
! is_active ocsign-issuer.socket || fail "the API's socket stays"
serial_of() {
	shell "openssl x509 -in $1 -noout -serial" | sed 's/serial=//'
}
issue e.test
issue f.test
shell "ocsign cert revoke e.test.pem" >/dev/null
within 20 on_crl "$(serial_of e.test.pem)" ||
    fail "not published: $(cat crl.text)"
# What keeps it from that, ocsign-status says, which is another user.
signing="ocsign-signer.service ocsign-signer-issuer.socket
    ocsign-signer-status.socket"
in_machine systemctl stop $signing
shell "ocsign cert revoke f.test.pem" >/dev/null
has_alarm() {
	machine ocsign --json status >status.json 2>/dev/null &&
	    grep -q '"alarm": "CRL of ca .* could not be published: [^"]' \
	    status.json
}
within 30 has_alarm || fail "no alarm: $(cat status.json)"
in_machine systemctl start $signing
within 90 on_crl "$(serial_of f.test.pem)" ||
    fail "not published again: $(cat crl.text)"
shell "mv good.conf ocsign.conf"
in_machine systemctl start ocsign-reload.service || fail "the API again"
is_active ocsign-issuer.socket || fail "the API's socket is gone"
# A wrong configuration changes nothing.
shell "cp ocsign.conf good.conf"
shell "sed -i 's/^sessions = .*/&\nsesions = 3/' ocsign.conf"
before="$(for unit in $roles; do pid_of $unit; done)"
in_machine systemctl start ocsign-reload.service 2>/dev/null &&
    fail "a wrong configuration is taken"
[ "$(for unit in $roles; do pid_of $unit; done)" = "$before" ] ||
    fail "a wrong configuration replaced somebody"
shell "mv good.conf ocsign.conf"
expect_in good a.test.pem

# --- 78, and the other way ------------------------------------------------

# A wrong PIN is tried once, by nobody twice.
shell "echo 9999 >pin"
in_machine systemctl restart ocsign-signer.service 2>/dev/null || true
has_failed() {
	[ "$(in_machine systemctl show -P ActiveState \
	    ocsign-signer.service)" = failed ]
}
within 10 has_failed || fail "the signer with a wrong PIN"
sockets_closed() {
	! is_active ocsign-signer-status.socket &&
	    ! is_active ocsign-signer-issuer.socket
}
within 10 sockets_closed || fail "its sockets would start it again"
expect_in good a.test.pem
[ "$(in_machine journalctl --no-pager -u ocsign-signer |
    grep -c 'refused\|wrong PIN\|PIN.*incorrect')" -ge 1 ] ||
    fail "nothing is said of the PIN"
shell "echo 1234 >pin"
in_machine systemctl start ocsign-reload.service || fail "mended"
within 10 status_is_whole || fail "after the PIN: $(cat status.json)"
in_machine systemctl stop ocsign.target
none_left() {
	! in_machine pgrep -f '^[^ ]*/libexec/ocsign/ocsign-' >/dev/null
}
within 20 none_left || fail "left: $(in_machine ps ax)"
nothing_left() {
	[ -z "$(in_machine find /run/ocsign -type s -o -name run)" ]
}
within 10 nothing_left || fail "left: $(in_machine find /run/ocsign)"
in_machine systemctl start ocsign-reload.service
none_left || fail "a reload of nothing starts something"

# The simple way, with the records as they are.
shell "sed -i '/-user = /d; /^operators/d; /-directory = /d' ocsign.conf"
shell "chmod g+rw $state/ocsign/store.db*"
in_machine sh -c "chown -R ocsign: /var/lib/test-token &&
    mkdir -p /etc/systemd/system/ocsignd.service.d &&
    printf '[Service]\\nLoadCredential=pin:$sysconf/ocsign/pin\\n' \
    >/etc/systemd/system/ocsignd.service.d/pin.conf &&
    printf 'ReadWritePaths=/var/lib/test-token $state/ocsign\\n' \
    >>/etc/systemd/system/ocsignd.service.d/pin.conf &&
    systemctl daemon-reload && systemctl start ocsignd.service" ||
    fail "ocsignd.service"
within 10 status_is_whole || fail "the simple way: $(cat status.json)"
expect_in good a.test.pem
expect_in revoked b.test.pem
in_machine systemctl start ocsign.target
! is_active ocsignd.service || fail "both run"
in_machine systemctl stop ocsign.target
echo "passed"
