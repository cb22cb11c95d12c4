#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What ocsignd cannot start with: one clear line, the exit status that the
# manual says, and nothing left behind.

. "$top_srcdir/tests/interop/failure.sh"
need openssl pgrep

ca_folder
ca_make
cp ocsign.conf good.conf

# All there is, with what it holds; not what we write ourselves, nor what a
# signer that runs does.
tree() {
	find . ! -name '*.out' ! -name '*.err' ! -name 'tree.*' \
	    ! -path './signing-journal/signer.*' \
	    ! -path './tokens/*' ! -name ocsign.conf ! -name store.db\* \
	    -printf '%y %m %p\n' | sort
}

# bad STATUS PATTERN OPTION...
bad() {
	want=$1
	pattern=$2
	shift 2
	tree >tree.before
	got=0
	timeout 20 ocsignd "$@" >bad.out 2>bad.err || got=$?
	[ $got -eq "$want" ] ||
	    fail "ocsignd $*: status $got, not $want: $(cat bad.err)"
	# What the roles say on their way out is theirs.
	[ "$(wc -l <bad.err)" -eq 1 ] ||
	    fail "ocsignd $*: not one line: $(cat bad.err)"
	grep -Eq -- "$pattern" bad.err ||
	    fail "ocsignd $*: no \"$pattern\" in $(cat bad.err)"
	[ ! -s bad.out ] || fail "ocsignd $*: says $(cat bad.out)"
	tree >tree.after
	cmp -s tree.before tree.after ||
	    fail "ocsignd $*: $(diff tree.before tree.after)"
	echo "ok: $(cat bad.err)"
}
# config SED-SCRIPT: the good one, changed.
config() {
	sed "$1" good.conf >ocsign.conf
}

bad 2 'no-such-option: no option' --no-such-option
bad 2 '-p: no option' -p
bad 2 'no arguments' start
bad 2 'exclude' -d -t
bad 78 'nowhere.conf: No such file' -c nowhere.conf
bad 78 'is a directory' -c "$dir"
# To root nothing is unreadable.
if [ "$(id -u)" -ne 0 ]; then
	chmod 0 ocsign.conf
	bad 78 'ocsign.conf: Permission denied'
	chmod 600 ocsign.conf
fi

for how in '' -d; do
	pid="-p $dir/ocsignd.pid"
	config 's/^\[daemon\]/&\nlog-levle = info/'
	bad 78 'ocsign.conf:[0-9]+: .*log-levle' $how $pid
	config 's/^\[responder\]/[respnoder]/'
	bad 78 'ocsign.conf:[0-9]+: .*respnoder' $how $pid
	config 's/^listen = .*/&\nworkers = many/'
	bad 78 'ocsign.conf:[0-9]+: .*workers' $how $pid
	config 's/^listen = .*/&\nlisten = 127.0.0.1:1/'
	bad 78 'ocsign.conf:[0-9]+: .*listen' $how $pid
	config 's/^listen = .*/listen = localhost:80/'
	bad 78 'ocsign.conf:[0-9]+: .*listen' $how $pid
	config 's/^uri = .*/uri = token=demo/'
	bad 78 'ocsign.conf:[0-9]+: .*uri' $how $pid
	echo 'no certificate' >no.pem
	config 's/^certificate = ca.pem/certificate = no.pem/'
	bad 78 'ocsign.conf:[0-9]+: .*no.pem' $how $pid

	# Not an address of this machine (RFC 5737).
	config 's/^listen = .*/listen = 192.0.2.1:8080/'
	bad 1 '192.0.2.1:8080: Cannot assign' $how $pid
	# A file where the directory should be; nobody can write through it.
	: >file
	config 's/^run-directory = .*/run-directory = file/'
	bad 1 'file: .*(Not a directory|File exists|not a directory)' \
	    $how $pid
	config 's/^run-directory = .*/run-directory = file\/run/'
	bad 1 'file.*: .*(Not a directory|not a directory)' $how $pid
	config ''
	bad 1 'nowhere/ocsignd.pid: No such file' $how \
	    -p "$dir/nowhere/ocsignd.pid"
	OCSIGN_LIBEXECDIR=$dir bad 1 'ocsign-signer: No such file' $how $pid
done
# Not for root either: a file system that takes nothing.
if [ -d /proc/self/fdinfo ]; then
	config 's,^run-directory = .*,run-directory = /proc/self/fdinfo/x,'
	bad 1 '/proc/self/fdinfo/x' -d -p "$dir/ocsignd.pid"
fi

# Beside one that runs: the same directory, PID file, or address.
config ''
service_start
first=$(cat ocsignd.pid)
bad 1 'ocsignd.pid.*(another|locked|busy|in use|runs)' -p "$dir/ocsignd.pid"
config 's/^listen = .*/listen = 127.0.0.1:0/'
bad 1 '/run/.*(another|in use|runs|listens)' -p "$dir/second.pid"
bad 1 '/run/.*(another|in use|runs|listens)' -d -p "$dir/second.pid"
config 's/^run-directory = .*/run-directory = run2/'
mkdir run2
bad 1 "127.0.0.1:$port: Address already in use" -p "$dir/second.pid"
bad 1 "127.0.0.1:$port: Address already in use" -d -p "$dir/second.pid"
[ -z "$(ls -A run2)" ] || fail "left in run2: $(ls -A run2)"

# The one that runs has not noticed.
[ "$(cat ocsignd.pid)" = "$first" ] || fail "the PID file was changed"
cp good.conf ocsign.conf
ca_issue a.test
expect good a.test.pem
service_stop
