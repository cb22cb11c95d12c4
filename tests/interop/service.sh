# SPDX-License-Identifier: Apache-2.0
#
# Sourced by tests that need a whole CA with a running service: a folder of
# their own with a SoftHSM token, root and issuing CA, a delegated OCSP
# signer, and ocsignd on a port that the kernel had free.  Everything is
# stopped, by PID, and removed when the script ends.

set -eu
LC_ALL=C
export LC_ALL
PATH=$top_builddir:$PATH:/usr/sbin:/sbin
OCSIGN_LIBEXECDIR=$top_builddir
OCSIGN_BINDIR=$top_builddir
# No proxy is asked for what is on this machine.
no_proxy=127.0.0.1,localhost
export PATH OCSIGN_LIBEXECDIR OCSIGN_BINDIR no_proxy

dir=$(mktemp -d "${TMPDIR:-/tmp}/ocsign-interop.XXXXXX")
pids=

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# need COMMAND...: exit 77, which is SKIP, if one is missing.
need() {
	for command; do
		command -v "$command" >/dev/null || {
			echo "$command is not installed"
			exit 77
		}
	done
}

# stop PID: and wait until it is gone.
stop() {
	kill "$1" 2>/dev/null || return 0
	n=0
	while kill -0 "$1" 2>/dev/null; do
		n=$((n + 1))
		[ $n -lt 150 ] || { kill -9 "$1"; fail "PID $1 does not stop"; }
		sleep 0.1
	done
}

finish() {
	status=$?
	trap - EXIT
	[ ! -s "$dir/ocsignd.pid" ] || stop "$(cat "$dir/ocsignd.pid")"
	for pid in $pids; do
		stop "$pid"
	done
	if [ $status -ne 0 ] && [ -f "$dir/ocsignd.log" ]; then
		echo "--- what ocsignd said"
		cat "$dir/ocsignd.log"
	fi
	rm -rf "$dir"
	exit $status
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# A port nobody listens on, for what cannot tell us the one it was given.
free_port() {
	while :; do
		port=$(od -An -N2 -tu2 /dev/urandom)
		port=$((20000 + port % 12000))
		grep -qi "$(printf ':%04X ' $port)" /proc/net/tcp \
		    /proc/net/tcp6 /proc/net/udp /proc/net/udp6 \
		    2>/dev/null || break
	done
	echo $port
}

# The folder of a SoftHSM, and its PINs.
token_folder() {
	cd "$dir"
	mkdir tokens
	echo "directories.tokendir = $dir/tokens" >softhsm2.conf
	(umask 077; echo 1234 >user.pin; echo 5678 >so.pin)
}

# The folder, the configuration, the token.  $1: more lines of [issuer ca].
ca_folder() {
	token_folder
	mkdir run tables
	port=$(free_port)
	url=http://127.0.0.1:$port/
	cat >ocsign.conf <<-EOF
	[store]
	path = store.db
	[daemon]
	run-directory = run
	table-directory = tables
	[responder]
	listen = 127.0.0.1:$port
	[token demo]
	module = $SOFTHSM_MODULE
	uri = pkcs11:token=demo
	pin-source = user.pin
	environment = SOFTHSM2_CONF=./softhsm2.conf
	[issuer root]
	certificate = root.pem
	token = demo
	key = root
	allow = certificate crl
	[issuer ca]
	certificate = ca.pem
	chain = root.pem
	token = demo
	key = ca
	ocsp-certificate = ocsp.pem
	ocsp-key = ocsp
	ocsp-url = $url
	${1-}
	EOF
	OCSIGN_CONF=$dir/ocsign.conf
	export OCSIGN_CONF
	ocsign token init demo --so-pin-source so.pin
	usual_conf=
	[ -n "${1-}" ] || usual_conf=$(cksum <ocsign.conf)
}

# This configuration's CA was made already, not long ago; here nothing was.
prepared=$top_builddir/tests/interop/service.tar
is_prepared() {
	[ "$(cksum <ocsign.conf)" = "$usual_conf" ] && [ -s "$prepared" ] &&
	    [ -n "$(find "$prepared" -mtime -1)" ] &&
	    [ -z "$(find tokens -name '*.object' ! -name token.object)" ]
}

# Root, issuing CA, OCSP signer; $1: the issuing CA's key type.
ca_make() {
	if [ $# -eq 0 ] && is_prepared; then
		rm -r tokens store.db*
		tar -xf "$prepared"
		return
	fi
	ocsign key generate --token demo --label root >/dev/null
	ocsign key generate --token demo --label ca --type "${1:-p256}" \
	    >/dev/null
	ocsign key generate --token demo --label ocsp --type "${1:-p256}" \
	    >/dev/null
	ocsign ca create root --subject 'CN=Test Root,O=Example,C=DE'
	ocsign ca create ca --issuer root \
	    --subject 'CN=Test CA,O=Example,C=DE'
	ocsign csr create --subject 'CN=Test OCSP,O=Example,C=DE' \
	    --token demo --key ocsp --out ocsp.csr
	ocsign cert issue --issuer ca --profile ocsp-signer --out ocsp.pem \
	    ocsp.csr
	cat root.pem ca.pem >trust.pem
}

# ca_issue NAME: NAME.key, NAME.csr, NAME.pem for the host NAME.
ca_issue() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" \
	    -addext "subjectAltName=DNS:$1" 2>/dev/null
	ocsign cert issue --issuer ca --profile server --out "$1.pem" "$1.csr"
	cat "$1.pem" ca.pem root.pem >"$1-chain.pem"
}

service_start() {
	ocsignd -d -p "$dir/ocsignd.pid" 2>>ocsignd.log ||
	    fail "ocsignd does not start"
}

# expect WORD FILE: what "openssl ocsp" says of the certificate FILE.
expect() {
	openssl ocsp -issuer ca.pem -cert "$2" -url "$url" \
	    -CAfile trust.pem >answer 2>&1 || true
	grep -q 'Response verify OK' answer || fail "$(cat answer)"
	grep -q "^$2: $1" answer || fail "not $1: $(cat answer)"
}
