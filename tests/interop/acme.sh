# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the tests of ACME, on top of failure.sh: a CA whose ocsign-issuer
# is an ACME server and whose ocsign-validator asks a knot of its own, which
# has the signed zone example.test and takes updates with a TSIG key; and an
# account with that zone.

# A bench has it already.
[ -n "${dir-}" ] || . "$top_srcdir/tests/interop/failure.sh"
need openssl knotd knotc keymgr knsupdate kdig python3 curl
python3 -c 'import cryptography' 2>/dev/null || {
	echo "python3-cryptography is not installed"
	exit 77
}

given=
# new_port VARIABLE: none that was given out here before, and not listened on.
new_port() {
	new=$(free_port)
	while [ "${given#* "$new" }" != "$given" ]; do
		new=$(free_port)
	done
	given="$given $new "
	eval "$1=$new"
}

# --- the DNS

dns() {
	kdig +tcp +short +timeout=2 @127.0.0.1 -p "$dns_port" "$@"
}
dns_is_there() {
	[ -n "$(dns example.test RRSIG 2>/dev/null)" ]
}
# update LINE...: signed, by TCP.
update() {
	{
		echo "server 127.0.0.1 $dns_port"
		echo "zone example.test."
		printf '%s\n' "$@"
		echo send
		echo quit
	} | knsupdate -v -k "$dir/dns/update.key" >update.out 2>&1 ||
	    fail "knsupdate: $(cat update.out)"
}

dns_start() {
	new_port dns_port
	mkdir -p dns/zones dns/run dns/kasp
	keymgr -t update hmac-sha256 >dns/update.yaml
	secret=$(sed -n 's/^ *secret: *//p' dns/update.yaml)
	(umask 077; printf 'hmac-sha256:update:%s\n' "$secret" >dns/update.key)
	cat >dns/zones/example.test.zone <<-END
	\$ORIGIN example.test.
	\$TTL 1
	@ SOA ns hostmaster 1 3600 900 86400 1
	@ NS ns
	@ A 127.0.0.1
	ns A 127.0.0.1
	* A 127.0.0.1
	END
	cat >dns/knot.conf <<-END
	server:
	    rundir: $dir/dns/run
	    listen: 127.0.0.1@$dns_port
	    udp-workers: 1
	    tcp-workers: 1
	    background-workers: 1
	database:
	    storage: $dir/dns/kasp
	log:
	  - target: stderr
	    any: warning
	key:
	  - id: update
	    algorithm: hmac-sha256
	    secret: $secret
	acl:
	  - id: update
	    key: update
	    action: update
	policy:
	  - id: quick
	    single-type-signing: on
	    algorithm: ecdsap256sha256
	    nsec3: off
	zone:
	  - domain: example.test
	    storage: $dir/dns/zones
	    dnssec-signing: on
	    dnssec-policy: quick
	    zonefile-sync: -1
	    zonefile-load: difference-no-serial
	    journal-content: all
	    acl: update
	END
	knotd -c dns/knot.conf >dns/log 2>&1 &
	dns_pid=$!
	pids="$pids $dns_pid"
	within 20 dns_is_there || fail "knot: $(cat dns/log)"
	dns example.test DNSKEY | sed 's/^/example.test. 3600 IN DNSKEY /' \
	    >dns/anchor
}

# --- the server

# tls_make FOLDER: a certificate for a server here, its own CA, key.pem and
# cert.pem; sets $acme_ca, whom clients have to trust.
tls_make() {
	mkdir -p "$1"
	(umask 077; openssl req -x509 -newkey ec \
	    -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1/key.pem" \
	    -out "$1/cert.pem" -days 30 -subj /CN=localhost \
	    -addext subjectAltName=IP:127.0.0.1 2>/dev/null) ||
	    fail "openssl req -x509"
	acme_ca=$dir/$1/cert.pem
}

# store_start: with ACME_STORE=postgres the records are in a PostgreSQL of its
# own.
store_start() {
	[ "${ACME_STORE-}" = postgres ] || return 0
	. "$top_srcdir/tests/postgres.sh"
	need psql
	grep -q 'define HAVE_LIBPQ 1' "$top_builddir/config.h" && pg_find || {
		echo "skipped: no PostgreSQL"
		exit 77
	}
	chmod 711 "$dir"
	trap 'store_finish; finish' EXIT
	pg_create "$dir/pg"
	pg_start "$dir/pg"
	pg_sql "$dir/pg" 'CREATE DATABASE ocsign' postgres
	sed "s|^path = .*|&\\
database = host=$dir/pg user=ocsign dbname=ocsign|" ocsign.conf >new.conf
	mv new.conf ocsign.conf
}
store_finish() {
	store_status=$?
	set +e
	[ ! -s "$dir/ocsignd.pid" ] || stop "$(cat "$dir/ocsignd.pid")"
	pg_stop "$dir/pg" || :
	(exit $store_status)
}
# sql SQL: what it says, a row a line.
sql() {
	if [ "${ACME_STORE-}" = postgres ]; then
		pg_sql "$dir/pg" "$1"
	else
		sqlite3 -cmd '.timeout 5000' store.db "$1"
	fi
}

# acme_folder [LINE...]: the CA and its configuration; the lines go into
# [acme], what is in $issuer_lines into [issuer ca]; with acme_tls=yes by TLS.
acme_folder() {
	cd "$dir"
	dns_start
	new_port http_port
	new_port acme_port
	directory=http://127.0.0.1:$acme_port/acme/directory
	tls=
	if [ -n "${acme_tls-}" ]; then
		tls_make tls
		directory=https${directory#http}
		tls="tls-certificate = tls/cert.pem
		tls-key = tls/key.pem"
	fi
	ca_folder ${issuer_lines+"$issuer_lines"}
	store_start
	ca_make
	cat >>ocsign.conf <<-END
	[api]
	listen = 127.0.0.1:$acme_port
	$tls
	[acme]
	url = $directory
	issuer = ca
	$*
	[validation]
	stub-zones = example.test=127.0.0.1:$dns_port
	trust-anchor = $dir/dns/anchor
	allow-addresses = 127.0.0.0/8
	http-port = $http_port
	${validation-}
	END
	ocsign account add site >/dev/null
	ocsign zone add example.test --account site >/dev/null
}

# acme_begin [LINE...]: all of it runs.  With OCSIGN_ACME_PEER=pebble Debian's
# pebble is in the place of ours, to see whether a test of clients is right.
acme_begin() {
	if is_ours; then
		acme_folder "$@"
		# shellcheck disable=SC2086
		${acme_cpu-} ocsignd -d -p "$dir/ocsignd.pid" 2>>ocsignd.log ||
		    fail "ocsignd does not start"
		within 20 acme_is_there || fail "$(cat ocsignd.log)"
		return
	fi
	cd "$dir"
	dns_start
	new_port http_port
	PEBBLE_WFE_NONCEREJECT=0
	PEBBLE_VA_NOSLEEP=1
	export PEBBLE_WFE_NONCEREJECT PEBBLE_VA_NOSLEEP
	pebble_start
	eab_num=0
}
is_ours() {
	[ "${OCSIGN_ACME_PEER-}" != pebble ]
}
acme_is_there() {
	curl -s -f ${acme_ca:+--cacert "$acme_ca"} -o directory.json \
	    "$directory"
}

# eab [ACCOUNT]: sets $eab_kid and $eab_secret, which are good once.
eab() {
	if ! is_ours; then
		eab_num=$((eab_num + 1))
		eab_kid=kid-$eab_num
		return
	fi
	ocsign account acme-key "${1:-site}" >eab.out
	eab_kid=$(sed -n 's/^kid: *//p' eab.out)
	eab_secret=$(sed -n 's/^\(hmac\|secret\|key\): *//p' eab.out)
	[ -n "$eab_kid" ] && [ -n "$eab_secret" ] || fail "$(cat eab.out)"
}

# --- who serves what was fetched

# web_start NAME <SERVERS: an nginx; sets $started.
web_start() {
	mkdir -p "$1.tmp"
	{
		cat <<-END
		daemon off;
		$([ "$(id -u)" -ne 0 ] || echo 'user root;')
		pid $dir/$1.tmp/pid;
		error_log $dir/$1.tmp/error.log info;
		worker_processes 1;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path $dir/$1.tmp/body;
			proxy_temp_path $dir/$1.tmp/proxy;
			fastcgi_temp_path $dir/$1.tmp/fastcgi;
			uwsgi_temp_path $dir/$1.tmp/uwsgi;
			scgi_temp_path $dir/$1.tmp/scgi;
		END
		cat
		echo "}"
	} >"$1.conf"
	nginx -e "$dir/$1.tmp/error.log" -c "$dir/$1.conf" 2>>"$1.err" &
	started=$!
	pids="$pids $started"
	within 20 [ -s "$dir/$1.tmp/pid" ] ||
	    fail "nginx: $(cat "$1.err" "$1.tmp/error.log")"
}
# Waits until nobody listens there any more.
web_stop() {
	stop "$started"
}

# served NAME CHAIN KEY: an origin has it, an edge in front that verifies it,
# by CRL too, as "full (strict)" does; and "ocsign origin check" is content.
served() {
	new_port origin_port
	new_port edge_port
	if is_ours; then
		ocsign origin bundle --out bundle.pem
		ocsign crl create --issuer root --out root.crl
		ocsign crl create --issuer ca --out ca.crl
		cat root.crl ca.crl >crls.pem
		crls="proxy_ssl_crl $dir/crls.pem;"
	else
		curl -s --cacert "$acme_ca" -o bundle.pem \
		    "https://127.0.0.1:$pebble_admin/roots/0"
		crls=
	fi
	web_start served <<-END
	server {
		listen 127.0.0.1:$origin_port ssl;
		ssl_certificate $2;
		ssl_certificate_key $3;
		return 200 "over TLS";
	}
	server {
		listen 127.0.0.1:$edge_port;
		location / {
			proxy_pass https://127.0.0.1:$origin_port/;
			proxy_ssl_verify on;
			proxy_ssl_verify_depth 3;
			proxy_ssl_trusted_certificate $dir/bundle.pem;
			$crls
			proxy_ssl_name $1;
			proxy_ssl_server_name on;
			proxy_ssl_session_reuse off;
		}
	}
	END
	code=$(curl -s -o body -w '%{http_code}' "http://127.0.0.1:$edge_port/")
	[ "$code" = 200 ] && [ "$(cat body)" = "over TLS" ] ||
	    fail "the edge: $code: $(cat served.tmp/error.log)"
	if is_ours; then
		ocsign origin check "$1" --ca bundle.pem \
		    --connect "127.0.0.1:$origin_port" \
		    --http-port "$edge_port" >said || fail "$(cat said)"
		grep -q '^mode  *strict' said || fail "not strict: $(cat said)"
	fi
	web_stop
}

# names FILE: the DNS names of a certificate, one a line, sorted.
names() {
	openssl x509 -in "$1" -noout -ext subjectAltName |
	    grep -o 'DNS:[^,]*' | sed 's/DNS://' | sort
}
serial() {
	openssl x509 -in "$1" -noout -serial
}
# status good|revoked FILE: soon, as the responder has it.
status() {
	is_ours || return 0
	within 5 has_status "$1" "$2" || fail "$2: not $1: $(cat answer)"
}
has_status() {
	ocsign ocsp query --issuer ca.pem --cert "$2" >answer 2>&1 || true
	grep -q "^status: *$1" answer
}

# --- other people's server, for what is compared with it

# pebble_start: sets $directory and $acme_ca; keys for binding are kid-1 to
# kid-9, with the secret $eab_secret.
pebble_start() {
	need pebble
	new_port pebble_port
	new_port pebble_admin
	eab_secret=zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG
	tls_make pebble
	keys=
	for n in 1 2 3 4 5 6 7 8 9; do
		keys="$keys${keys:+,}\"kid-$n\": \"$eab_secret\""
	done
	cat >pebble/config.json <<-END
	{"pebble": {
		"listenAddress": "127.0.0.1:$pebble_port",
		"managementListenAddress": "127.0.0.1:$pebble_admin",
		"certificate": "$dir/pebble/cert.pem",
		"privateKey": "$dir/pebble/key.pem",
		"httpPort": ${http_port:-5002}, "tlsPort": 5001,
		"ocspResponderURL": "",
		"externalAccountBindingRequired": ${pebble_eab:-true},
		"externalAccountMACKeys": {$keys}
	}}
	END
	# shellcheck disable=SC2086
	${acme_cpu-} pebble -config pebble/config.json \
	    ${dns_port:+-dnsserver 127.0.0.1:$dns_port} >pebble/log 2>&1 &
	pids="$pids $!"
	directory=https://127.0.0.1:$pebble_port/dir
	within 20 curl -s -o /dev/null --cacert "$acme_ca" "$directory" ||
	    fail "pebble: $(cat pebble/log)"
}
