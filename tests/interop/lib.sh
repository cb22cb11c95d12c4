# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the interop tests: a folder of its own, a SoftHSM token, a
# configuration, and what must hold after a command.  Leaves nothing behind.

set -u
LC_ALL=C
# No proxy is asked for what is on this machine.
no_proxy=127.0.0.1,localhost
export LC_ALL no_proxy
unset OCSIGN_CONF

skip() {
	echo "skipped: $*"
	exit 77
}

die() {
	echo "FAILED: $*" >&2
	exit 1
}

need() {
	for tool in "$@"; do
		command -v "$tool" >/dev/null || skip "$tool is not installed"
	done
}

: "${top_srcdir:?}" "${top_builddir:?}"
module=${SOFTHSM_MODULE:-}
[ -f "$module" ] || skip "SoftHSM is not installed"
need openssl
PATH=$top_builddir:$PATH
export PATH

work=$(mktemp -d "${TMPDIR:-/tmp}/ocsign.XXXXXX") || exit 1
daemons=
# Only what we started, by its number.
cleanup() {
	status=$?
	for pid in $daemons; do
		kill "$pid" 2>/dev/null && wait_gone "$pid"
	done
	rm -rf "$work"
	exit $status
}
wait_gone() {
	n=0
	while kill -0 "$1" 2>/dev/null && [ $n -lt 100 ]; do
		sleep 0.1
		n=$((n + 1))
	done
	kill -9 "$1" 2>/dev/null
}
trap cleanup EXIT
trap 'exit 129' HUP INT TERM
cd "$work" || exit 1

# A port that nobody has, below those that the kernel gives to clients.
free_port() {
	while :; do
		port=$(od -An -N2 -tu2 /dev/urandom)
		port=$((20000 + port % 12000))
		grep -qi "$(printf ':%04X ' $port)" /proc/net/tcp \
		    /proc/net/tcp6 2>/dev/null || break
	done
	echo $port
}

# write_config [HOST:PORT]: folders, PINs, and ocsign.conf with the issuers
# root and web in the token "ca"; $1, if given, is where the responder is.
write_config() {
	url=http://${1:-127.0.0.1:1}
	mkdir -p tokens
	cat >softhsm.conf <<-EOT
		directories.tokendir = $work/tokens
		objectstore.backend = file
		log.level = ERROR
	EOT
	(umask 077; printf 12345678 >so.pin; printf 123456 >user.pin)
	cat >ocsign.conf <<-EOT
		[store]
		path = store/store.db

		[daemon]
		run-directory = run
		table-directory = tables

		[responder]
		listen = ${1:-127.0.0.1:1}

		[token ca]
		module = $module
		uri = pkcs11:token=ca
		pin-source = file:user.pin
		environment = SOFTHSM2_CONF=./softhsm.conf

		[issuer root]
		certificate = root.pem
		token = ca
		key = root

		[issuer web]
		certificate = web.pem
		chain = web-chain.pem
		token = ca
		key = pkcs11:token=ca;object=web
		ocsp-url = $url/
		ca-issuers-url = $url/web.crt
		crl-url = $url/web.crl
	EOT
	OCSIGN_CONF=$work/ocsign.conf
	export OCSIGN_CONF
	usual_conf=$(cksum <ocsign.conf)
}

# This configuration's CAs were made already, not long ago; here nothing was.
prepared=$top_builddir/tests/interop/lib.tar
is_prepared() {
	[ "$(cksum <ocsign.conf)" = "$usual_conf" ] && [ -s "$prepared" ] &&
	    [ -n "$(find "$prepared" -mtime -1)" ] &&
	    [ -z "$(ls tokens)" ] && [ ! -e store ]
}

# The two CAs, in a token.
make_cas() {
	if is_prepared; then
		tar -xf "$prepared"
		return
	fi
	good ocsign token init ca --so-pin-source so.pin
	good ocsign key generate --token ca --label root --type p384
	good ocsign key generate --token ca --label web
	good ocsign ca create root \
	    --subject 'CN=Example Root,O=Example,C=DE'
	good ocsign ca create web --issuer root \
	    --subject 'CN=Example Web,O=Example,C=DE'
	good openssl verify -CAfile root.pem web.pem
}

# csr NAME KEY-OPTION... : NAME.key and NAME.csr for www.example.com
csr() {
	csr_name=$1
	shift
	openssl req -new -nodes "$@" -keyout "$csr_name.key" \
	    -out "$csr_name.csr" -subj /CN=www.example.com \
	    -addext subjectAltName=DNS:www.example.com 2>/dev/null ||
	    die "openssl req $*"
}

# good COMMAND...: it ends with 0 and says nothing on standard error.
good() {
	"$@" >out 2>err
	good_status=$?
	[ $good_status -eq 0 ] ||
	    die "$*: exit status $good_status: $(cat err)"
	case $1 in
	ocsign) [ ! -s err ] || die "$*: $(cat err)" ;;
	esac
}

# What there is, but for locks, counts and the database's scratch files.  An
# untouched database may still be checkpointed: its contents count.  At each
# login SoftHSM writes token.object, and we the mark of its PIN; ocsign-signer
# its own chain of the signing journal (up to a second after it has signed), a
# command has another.
snapshot() {
	find . -type f ! -name out ! -name err ! -name before ! -name after \
	    ! -name token.object ! -name 'pin-accepted-*' \
	    ! -path '*/signing-journal/signer.[0-9]*' \
	    ! -name ocsignd.log ! -name '*.lock' \
	    ! -name '*.counts' ! -name '*.db-*' ! -name '*.db' \
	    ! -path "${ignore:-./-}*" \
	    -exec cksum {} + | sort
	if [ -f store/store.db ]; then
		sqlite3 store/store.db .dump | cksum
	fi
}

# bad STATUS PATTERN COMMAND...: it ends with STATUS, says one line that
# matches on standard error and nothing on standard output, and leaves
# everything as it was, but for what lies under $ignore.
bad() {
	bad_want=$1
	bad_pattern=$2
	shift 2
	snapshot >before
	"$@" >out 2>err
	bad_status=$?
	snapshot >after
	[ $bad_status -eq "$bad_want" ] ||
	    die "$*: exit status $bad_status, not $bad_want: $(cat err)"
	[ "$(wc -l <err)" -eq 1 ] || die "$*: not one line: $(cat err)"
	grep -q '^ocsign: ' err || die "$*: $(cat err)"
	grep -Eq -- "$bad_pattern" err ||
	    die "$*: no \"$bad_pattern\" in: $(cat err)"
	[ ! -s out ] || die "$*: on standard output: $(cat out)"
	cmp -s before after ||
	    die "$*: something was written: $(diff before after)"
	echo "ok: $(cat err)"
}

# start_ocsignd: and wait until all roles are ready.
start_ocsignd() {
	OCSIGN_LIBEXECDIR=$top_builddir OCSIGN_BINDIR=$top_builddir \
	    ocsignd -d -p ocsignd.pid 2>ocsignd.log ||
	    die "ocsignd: $(cat ocsignd.log)"
	daemons="$daemons $(cat ocsignd.pid)"
}
