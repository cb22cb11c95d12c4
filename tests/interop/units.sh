#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The units as they are installed, by systemd-analyze: nothing is wrong with
# them, and no role is exposed more than SECURITY says.

set -u
LC_ALL=C
export LC_ALL
unset MAKEFLAGS MAKELEVEL MFLAGS

: "${top_srcdir:?}" "${top_builddir:?}"
command -v systemd-analyze >/dev/null || {
	echo "systemd-analyze is not installed"
	exit 77
}
systemd-analyze --help 2>&1 | grep -q -e --offline || {
	echo "systemd-analyze has no --offline"
	exit 77
}
grep -q '^SYSTEMD_UNITDIR = .' "$top_builddir/Makefile" || {
	echo "configured without units"
	exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/ocsign.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP INT TERM

die() {
	echo "FAILED: $*" >&2
	exit 1
}

src=$(cd "$top_srcdir" && pwd) || exit 1
cd "$top_builddir" || exit 1
make -s install DESTDIR="$work/d" >"$work/log" 2>&1 ||
    die "make install: $(tail -n 5 "$work/log")"
units=$(dirname "$(find "$work/d" -name ocsign.target)")
cd "$units" || exit 1
for unit in "$src"/dist/ocsign* ; do
	case $unit in
	*.sysusers.in | *.tmpfiles.in | *-units.in) continue ;;
	esac
	unit=${unit##*/}
	[ -f "${unit%.in}" ] || die "${unit%.in} is not installed"
done
! grep -n '@[a-z]*@' ocsign* || die "holes"

# exposed UNIT LIMIT, in tenths: its exposure is below.
exposed() {
	systemd-analyze security --offline=true "./$1" >"$work/out" 2>&1
	level=$(sed -n 's/.*Overall exposure level.*: \([0-9.]*\).*/\1/p' \
	    "$work/out")
	[ -n "$level" ] || die "$1: $(tail -n 3 "$work/out")"
	echo "$1 $level"
	[ "$(echo "$level" | tr -d .)" -lt "$2" ] || {
		grep -v '^. ✓' "$work/out" || true
		die "$1 is exposed: $level"
	}
}
exposed ocsign-signer.service 10
exposed ocsign-status.service 15
exposed ocsign-issuer.service 15
exposed ocsign-fetcher.service 15
exposed ocsign-validator.service 15
exposed ocsign-responder@.service 15
exposed ocsignd.service 15
exposed ocsign-prepare.service 15
exposed ocsign-reload.service 15
exposed ocsign-renew.service 15
# It can fail.
sed 's/^CapabilityBoundingSet=/#/; s/^PrivateNetwork=/#/' \
    ocsign-signer.service >open.service
(exposed open.service 10) >"$work/open" 2>&1 && die "an open one passes"
rm open.service

# --- what a configuration makes of them -----------------------------------

cat >"$work/ocsign.conf" <<EOF
[daemon]
signer-user = 61201
status-user = 61202
responder-user = 61203
issuer-user = 61204
table-directory = $work/tables
run-directory = /run/ocsign%i
signer-directory = $work/sig
[responder]
listen = 127.0.0.1:8889 [::1]:8889
workers = 2
[api]
listen = 127.0.0.1:8888
issuers = ca
[token a]
module = /usr/lib/a.so
uri = pkcs11:token=a
network = 192.0.2.0/24 2001:db8::1
[token b]
module = /usr/lib/b.so
uri = pkcs11:token=b
devices = /dev/tpmrm0
paths = /var/lib/b"%\\c
[issuer ca]
certificate = ca.pem
token = a
key = ca
EOF
ocsignd=$OLDPWD/ocsignd
mkdir "$work/drop"
"$ocsignd" -c "$work/ocsign.conf" --drop-ins "$work/drop" >"$work/new" ||
    die "--drop-ins"
# has UNIT LINE
has() {
	grep -qxF -e "$2" "$work/drop/$1.d/50-ocsign.conf" ||
	    die "$1: no $2: $(cat "$work/drop/$1.d/50-ocsign.conf")"
}
has ocsign-signer.service 'User=61201'
has ocsign-signer.service 'PrivateNetwork=no'
has ocsign-signer.service 'RestrictAddressFamilies=AF_INET AF_INET6'
has ocsign-signer.service 'IPAddressAllow=192.0.2.0/24'
has ocsign-signer.service 'IPAddressAllow=2001:db8::1'
has ocsign-signer.service 'PrivateDevices=no'
has ocsign-signer.service 'DeviceAllow=/dev/tpmrm0 rw'
has ocsign-signer.service 'ReadWritePaths=-"/var/lib/b\"%%\\c"'
has ocsign-signer.service "ReadWritePaths=-\"$work/sig\""
has ocsign-status.service "ReadWritePaths=-\"$work/tables\""
has ocsign-signer-status.socket 'SocketUser=61201'
has ocsign-signer-status.socket 'SocketGroup=61202'
has ocsign-status.socket 'SocketGroup=61203'
has ocsign-status.socket 'ListenStream=/run/ocsign%%i/status.sock'
has ocsign-responder@.socket 'ListenStream=[::1]:8889'
has ocsign-issuer.socket 'ListenStream=127.0.0.1:8888'
has ocsign-issuer.service 'Sockets=ocsign-issuer.socket'
has ocsign-issuer.service 'Requires=ocsign-issuer.socket'
has ocsign.target 'Wants=ocsign-issuer.socket'
has ocsign.target \
    'Wants=ocsign-responder@2.socket ocsign-responder@2.service'
lacks() {
	grep -qxF -e "$2" "$work/drop/$1.d/50-ocsign.conf" &&
	    die "$1 has $2"
}
lacks ocsign-status.service 'PrivateNetwork=no'
# The way to a server of PostgreSQL, for who reads and writes records.
sed '1i [store]\
database = host=db1 dbname=x\
database-network = 192.0.2.5' "$work/ocsign.conf" >"$work/database.conf"
"$ocsignd" -c "$work/database.conf" --drop-ins "$work/drop" >"$work/again" ||
    die "--drop-ins, database"
for unit in status issuer; do
	has ocsign-$unit.service 'PrivateNetwork=no'
	has ocsign-$unit.service 'RestrictAddressFamilies=AF_INET AF_INET6'
	has ocsign-$unit.service 'IPAddressAllow=192.0.2.5'
done
lacks ocsign-responder@.service 'PrivateNetwork=no'
has ocsign-renew.service 'RestrictAddressFamilies=AF_INET AF_INET6'
# And of CFSSL's, for who reads it.
sed '/^\[issuer /a source = certdb\
certdb-database = host=db2 dbname=cfssl\
certdb-network = 192.0.2.6' "$work/ocsign.conf" >"$work/certdb.conf"
"$ocsignd" -c "$work/certdb.conf" --drop-ins "$work/drop" >"$work/again" ||
    die "--drop-ins, certdb"
has ocsign-status.service 'PrivateNetwork=no'
has ocsign-status.service 'IPAddressAllow=192.0.2.6'
lacks ocsign-issuer.service 'PrivateNetwork=no'
"$ocsignd" -c "$work/ocsign.conf" --drop-ins "$work/drop" >"$work/again" ||
    die "--drop-ins"
[ ! -e "$work/drop/ocsign-renew.service.d/50-ocsign.conf" ] ||
    die "the renewal keeps its network"
# Only what is new is written; what is not wanted any more goes.
"$ocsignd" -c "$work/ocsign.conf" --drop-ins "$work/drop" >"$work/again" ||
    die "--drop-ins"
[ ! -s "$work/again" ] || die "written again: $(cat "$work/again")"
sed '/^\[api\]/,/^issuers/d' "$work/ocsign.conf" >"$work/plain.conf"
"$ocsignd" -c "$work/plain.conf" --drop-ins "$work/drop" >"$work/again" ||
    die "--drop-ins"
[ ! -e "$work/drop/ocsign-issuer.socket.d/50-ocsign.conf" ] ||
    die "the API's socket stays"
grep -q ocsign-issuer "$work/drop/ocsign.target.d/50-ocsign.conf" &&
    die "nobody needs the issuer"
# Who only publishes has no socket.
sed 's/^certificate = .*/&\ncrl-publish = scheduled/' "$work/plain.conf" \
    >"$work/publish.conf"
"$ocsignd" -c "$work/publish.conf" --drop-ins "$work/drop" >"$work/again" ||
    die "--drop-ins"
has ocsign.target 'Wants=ocsign-issuer.service'
has ocsign-issuer.service 'User=61204'
lacks ocsign.target 'Wants=ocsign-issuer.socket'
lacks ocsign-issuer.service 'Sockets=ocsign-issuer.socket'
lacks ocsign-issuer.service 'Requires=ocsign-issuer.socket'
grep -q '^Sockets' ocsign-issuer.service && die "the unit itself has one"
"$ocsignd" -c "$work/plain.conf" --drop-ins "$work/drop" >"$work/again" ||
    die "--drop-ins"
"$ocsignd" -c "$work/plain.conf" --drop-ins - >"$work/print" || die "-"
grep -q '^# ocsign-signer.service.d/50-ocsign.conf' "$work/print" ||
    die "nothing is printed"
# A reload restarts the signer for its own section alone.
needs() {
	"$ocsignd" -c "$1" --signer-needs
}
needs "$work/ocsign.conf" >"$work/needs" || die "--signer-needs"
needs "$work/plain.conf" | cmp -s - "$work/needs" || die "needs: the API"
sed 's/^network = .*/network = yes/' "$work/ocsign.conf" >"$work/net.conf"
needs "$work/net.conf" | cmp -s - "$work/needs" && die "needs: the network"

# It wants the programs where the units say: any will do.
mkdir "$work/copy"
for unit in ocsign*; do
	sed 's|^\(Exec[A-Za-z]*=[+-]*\)/[^ ]*|\1/bin/true|' "$unit" \
	    >"$work/copy/$unit"
done
cd "$work/copy" || exit 1
cp -r "$work"/drop/*.d .
cp ocsign-responder@.service ocsign-responder@1.service
cp ocsign-responder@.socket ocsign-responder@1.socket
rm ocsign-responder@.service ocsign-responder@.socket
SYSTEMD_UNIT_PATH=$work/copy: systemd-analyze verify --man=no \
    $(find . -maxdepth 1 -type f -name 'ocsign*') \
    >"$work/verify" 2>&1 || die "verify: $(grep ocsign "$work/verify")"
! grep ocsign "$work/verify" || die "systemd-analyze verify"
exit 0
