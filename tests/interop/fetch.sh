#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A responder in front of CAs that OpenSSL runs, whose CRLs it fetches from a
# real nginx: whatever that does, what was good stays, and "openssl ocsp" is
# told what the last good list says.  Each case has a CA of its own, so that
# all of them wait at once.

. "$top_srcdir/tests/interop/service.sh"
need openssl nginx curl python3
[ -x "$top_builddir/ocsign-fetcher" ] || {
	echo "built without libcurl"
	exit 77
}

ca_folder
sed -i '/^\[issuer root\]/,$d; s/^table-directory.*/&\
fetch-directory = fetched\
log-level = info/' ocsign.conf
ocsign key generate --token demo --label ocsp >/dev/null
ocsign csr create --subject 'CN=OCSP signer' --token demo --key ocsp \
    --out ocsp.csr
cat >ocsp.ext <<'EOT'
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
EOT
cat >ca.cnf <<'EOT'
[ca]
default_ca = one
[one]
database = $ENV::CA.db
crlnumber = $ENV::CA.number
default_md = sha256
crl_extensions = extensions
[extensions]
authorityKeyIdentifier = keyid
[delta]
authorityKeyIdentifier = keyid
deltaCRL = critical, DER:020105
[delta_six]
authorityKeyIdentifier = keyid
deltaCRL = critical, DER:020106
EOT
http=$(free_port)
metrics=$(free_port)
printf '[metrics]\nlisten = 127.0.0.1:%s\n' "$metrics" >>ocsign.conf
cat >>ca.cnf <<EOT
[fresh]
authorityKeyIdentifier = keyid
freshestCRL = URI:http://127.0.0.1:$http/fresh.dcrl
EOT
tls=$(free_port)
slow=$(free_port)

# ca NAME URL [LINE...]
ca() {
	ca_name=$1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
	    -nodes -keyout $1.key -out $1.pem -subj "/CN=CA $1" -days 30 \
	    -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
	openssl x509 -req -in ocsp.csr -CA $1.pem -CAkey $1.key \
	    -set_serial 3161 -days 20 -extfile ocsp.ext \
	    -out $1-ocsp.pem 2>/dev/null
	revoked $1 1001
	{
		echo "[issuer $1]"
		echo "certificate = $1.pem"
		echo 'source = crl'
		echo "crl-fetch = $2"
		echo "crl-fetch-interval = 10s"
		echo "crl-fetch-timeout = 3s"
		echo "ocsp-certificate = $1-ocsp.pem"
		echo 'ocsp-token = demo'
		echo 'ocsp-key = ocsp'
		shift 2
		for line; do
			echo "$line"
		done
	} >>ocsign.conf
}
# revoked NAME SERIAL...: these and no others.
revoked() {
	revoked_name=$1
	shift
	for one; do
		printf 'R\t491231235959Z\t260101000000Z\t%s' "$one"
		printf '\tunknown\t/CN=x\n'
	done >$revoked_name.db
}
# crl NAME NUMBER FILE [OPTION...]: in one step.
crl() {
	CA=$1
	export CA
	printf '%02X\n' "$2" >$1.number
	crl_out=$3
	shift 3
	openssl ca -config ca.cnf -gencrl -keyfile $CA.key -cert $CA.pem \
	    -crldays 7 "$@" -out new.crl 2>crl.err || fail "$(cat crl.err)"
	mv new.crl $crl_out
}
# says NAME SERIAL PATTERN: OpenSSL, of the answer.
says() {
	openssl ocsp -issuer $1.pem -serial "0x$2" -url "$url" -no_nonce \
	    -CAfile $1.pem >answer 2>&1 || true
	grep -Eq -- "$3" answer || return 1
	case $3 in
	*later* | *unauthorized*) ;;
	*) grep -q 'Response verify OK' answer ;;
	esac
}
# within SECONDS COMMAND...
within() {
	within_end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt $within_end ] || return 1
		sleep 0.3
	done
}
# fetch NAME FIELD: of "ocsign --json status".
fetch() {
	ocsign --json status 2>/dev/null | python3 -c '
import json, sys
for row in json.load(sys.stdin)["status"]["crl_files"]:
    if row["issuer"] == sys.argv[1]:
        print(row["fetch"][sys.argv[2]])' "$1" "$2"
}
is_fetch() {
	fetch "$1" "$2" | grep -Eq -- "$3"
}
said() {
	grep -Eq "issuer $1: .*$2" ocsignd.log
}
# requests PATTERN: lines of nginx's log that have it.
requests() {
	grep -Ec -- "$1" nginx/access.log || true
}

# --- the server -----------------------------------------------------------

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout server.key -out server.pem -subj /CN=localhost -days 30 \
    -addext subjectAltName=DNS:localhost 2>/dev/null
mkdir -p nginx www
# Its workers are to read this folder.
user=
[ "$(id -u)" -ne 0 ] || user='user root;'
cat >nginx.conf <<EOT
daemon off;
$user
pid $dir/nginx/pid;
error_log $dir/nginx/error.log info;
worker_processes 1;
events { worker_connections 64; }
http {
	log_format one escape=none
	    '\$request_uri \$status \$http_if_none_match'
	    ' \$http_if_modified_since';
	access_log $dir/nginx/access.log one;
	client_body_temp_path $dir/nginx/body;
	proxy_temp_path $dir/nginx/proxy;
	fastcgi_temp_path $dir/nginx/fastcgi;
	uwsgi_temp_path $dir/nginx/uwsgi;
	scgi_temp_path $dir/nginx/scgi;
	server {
		listen 127.0.0.1:$http;
		root $dir/www;
		location /error { return 500 "broken"; }
		location /html.crl {
			default_type text/html;
			return 200 "<html><body>Log in here</body></html>";
		}
		location /loop { return 302 /loop; }
		location = /moved { return 301 /moved.crl; }
		location /ftp { return 302 ftp://127.0.0.1/x.crl; }
		location /date/ {
			alias $dir/www/;
			etag off;
		}
		location /large.crl { limit_rate 1m; }
	}
	server {
		listen 127.0.0.1:$tls ssl;
		ssl_certificate $dir/server.pem;
		ssl_certificate_key $dir/server.key;
		root $dir/www;
		location /down { return 302 http://127.0.0.1:$http/tls.crl; }
	}
}
EOT
start_nginx() {
	nginx -e "$dir/nginx/error.log" -c "$dir/nginx.conf" 2>nginx.err &
	nginx_pid=$!
	pids="$nginx_pid $slow_pid"
	within 10 curl -s -o /dev/null "http://127.0.0.1:$http/" ||
	    fail "nginx: $(cat nginx.err nginx/error.log)"
}
# One that says nothing, and one that stops in the middle.
cat >slow.py <<'EOT'
import socket, sys, threading, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(16)
half = open(sys.argv[2], "rb").read()
def serve(c):
    path = c.recv(4096).split()[1]
    if path == b"/cut.crl":
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" %
                  len(half) + half[:len(half) // 2])
    elif path == b"/short.crl":
        c.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + half[:len(half) // 2])
    elif path == b"/huge.crl":
        c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n")
        time.sleep(1)
    else:
        time.sleep(20)
    c.close()
while True:
    threading.Thread(target=serve, args=(s.accept()[0],),
                     daemon=True).start()
EOT

at=http://127.0.0.1:$http
ca etag $at/etag.crl
ca date $at/date/date.crl
ca missing $at/missing.crl
ca error $at/error
ca html $at/html.crl
ca loop $at/loop
ca moved $at/moved
ca ftp $at/ftp
ca other $at/other.crl
ca expired $at/expired.crl
ca mirror "$at/error $at/mirror.crl"
ca stale "$at/stale-old.crl $at/stale.crl"
ca cut http://127.0.0.1:$slow/cut.crl
ca short http://127.0.0.1:$slow/short.crl
ca huge http://127.0.0.1:$slow/huge.crl
ca slow http://127.0.0.1:$slow/slow.crl
ca tls https://localhost:$tls/tls.crl 'crl-fetch-ca = server.pem'
ca badtls https://localhost:$tls/badtls.crl
ca name https://127.0.0.1:$tls/name.crl 'crl-fetch-ca = server.pem'
ca down https://localhost:$tls/down 'crl-fetch-ca = server.pem'
ca proxy http://pki.example.invalid/proxy.crl \
    "crl-fetch-proxy = http://127.0.0.1:$http"
ca soon $at/soon.crl
sed -i '/^\[issuer soon\]/,$s/^crl-fetch-interval.*/crl-fetch-interval = 1h/' \
    ocsign.conf
ca ends $at/ends.crl
ca delta $at/delta.crl "crl-delta-fetch = $at/error $at/delta.dcrl"
ca fresh $at/fresh.crl 'crl-delta-fetch = freshest'
ca nodelta $at/nodelta.crl 'crl-delta-fetch = freshest'
good='delta fresh etag date moved mirror tls proxy soon ends stale'
bad='missing error html loop ftp other expired cut short huge slow badtls name
    down'
for name in etag date moved mirror tls proxy badtls name nodelta; do
	crl $name 5 www/$name.crl
done
# 1001 and 1003 on the list; 1002 on the delta, which takes 1003 away.
revoked delta 1001 1003
revoked fresh 1001 1003
sed -i 's/Z\t1003/Z,certificateHold\t1003/' delta.db fresh.db
crl delta 5 www/delta.crl
crl fresh 5 www/fresh.crl -crlexts fresh
revoked delta 1002 1003
revoked fresh 1002 1003
sed -i 's/Z\t1003/Z,removeFromCRL\t1003/' delta.db fresh.db
crl delta 7 www/delta.dcrl -crlexts delta
crl fresh 7 www/fresh.dcrl -crlexts delta
crl cut 5 cut.crl
crl short 5 short.crl
crl etag 5 www/other.crl
crl expired 5 www/expired.crl -crl_lastupdate 20200101000000Z \
    -crl_nextupdate 20200201000000Z
crl stale 4 www/stale-old.crl
revoked stale 1001 1002
crl stale 5 www/stale.crl
now=$(date +%s)
crl soon 5 www/soon.crl \
    -crl_nextupdate "$(date -ud "@$((now + 60))" +%Y%m%d%H%M%SZ)"
crl ends 5 www/ends.crl \
    -crl_nextupdate "$(date -ud "@$((now + 75))" +%Y%m%d%H%M%SZ)"
openssl crl -in www/tls.crl -outform DER -out www/tls.der
mv www/tls.der www/tls.crl
python3 slow.py $slow cut.crl &
slow_pid=$!
pids=$slow_pid
within 10 curl -s -o /dev/null "http://127.0.0.1:$slow/short.crl" ||
    fail "slow.py"
start_nginx

# No proxy is asked but the configured one.
http_proxy=http://127.0.0.1:1/ https_proxy=http://127.0.0.1:1/
export http_proxy https_proxy
no_proxy_before=$no_proxy
unset no_proxy
service_start
no_proxy=$no_proxy_before
export no_proxy
unset http_proxy https_proxy

# --- first -----------------------------------------------------------------

for name in $good; do
	within 20 says $name 1001 '^0x1001: revoked' ||
	    fail "$name: $(cat answer)"
	within 5 is_fetch $name failures '^0$' ||
	    fail "$name: $(fetch $name why)"
done
echo "ok: fetched"
crl soon 6 www/soon.crl
# A list and its delta together.
for name in delta fresh; do
	within 5 says $name 1002 '^0x1002: revoked' || fail "$(cat answer)"
	says $name 1003 '^0x1003: good' || fail "$(cat answer)"
	says $name 1004 unauthorized || fail "$(cat answer)"
	said $name 'CRL number 7 \(by a delta\) is in force' || fail "$name"
	openssl crl -in fetched/$name.crl-delta -inform DER -noout \
	    -nextupdate >/dev/null || fail "$name: no delta"
done
says nodelta 1001 trylater || fail "nodelta: $(cat answer)"
within 20 said nodelta 'delta CRL cannot be fetched.*freshestCRL' ||
    fail "nodelta"
# One to a later list than there is: what both said stays.
revoked delta 1001 1002 1005
crl delta 8 www/delta.dcrl -crlexts delta_six
within 30 said delta 'delta CRL: it is to a CRL of the number 0x06' ||
    fail "another base is taken"
says delta 1002 '^0x1002: revoked' || fail "$(cat answer)"
says delta 1005 unauthorized || fail "$(cat answer)"
crl delta 6 www/delta.crl
within 30 says delta 1005 '^0x1005: revoked' || fail "$(cat answer)"
echo "ok: deltas"
wants() {
	is_fetch "$1" why "$2" || fail "$1: $(fetch "$1" why)"
	says "$1" 1001 trylater || fail "$1: $(cat answer)"
}
for name in $bad; do
	within 20 is_fetch $name failures '[1-9]' || fail "$name"
done
wants missing 'missing.crl: HTTP status 404'
wants error 'error: HTTP status 500'
wants html 'html.crl: neither PEM nor DER|html.crl.*PEM'
wants loop 'more than 5 redirects'
wants ftp 'neither http nor https'
wants other 'issued by "CN=CA etag"'
wants expired 'it has expired'
wants cut 'cut.crl: '
wants short 'short.crl: '
wants huge 'more than [0-9]* octets'
wants slow 'slow.crl: .*time'
wants badtls 'badtls.crl: .*certificate'
wants name 'name.crl: .*(name|certificate)'
wants down 'a redirect from https'
is_fetch missing http_status '^404$' || fail "$(fetch missing http_status)"
is_fetch slow http_status None || fail "$(fetch slow http_status)"
for name in $bad; do
	[ ! -e fetched/$name.crl ] || fail "$name is there"
	said $name 'the CRL cannot be fetched' || fail "$name: not in the log"
done
is_fetch mirror url mirror.crl || fail "$(fetch mirror url)"
is_fetch stale url stale-old.crl || fail "$(fetch stale url)"
# The same by metrics.
curl -s "http://127.0.0.1:$metrics/metrics" >metrics.txt || fail "metrics"
has_metric() {
	grep -Eq "^ocsign_crl_fetch_$1\\{issuer=\"$2\",kind=\"$3\"\\} $4\$" \
	    metrics.txt || fail "$*: $(grep ocsign_crl_fetch metrics.txt)"
}
has_metric failures missing crl '[1-9]'
has_metric http_status missing crl 404
has_metric http_status slow crl 0
has_metric success_timestamp_seconds missing crl 0
has_metric tried_timestamp_seconds missing crl '[1-9][0-9]{9}'
has_metric next_timestamp_seconds missing crl '[1-9][0-9]{9}'
has_metric success_timestamp_seconds etag crl '[1-9][0-9]{9}'
has_metric failures etag crl 0
has_metric failures delta delta 0
has_metric failures nodelta delta '[1-9]'
! grep -q 'crl_fetch_.*issuer="etag",kind="delta"' metrics.txt ||
    fail "a delta of nobody"
! command -v promtool >/dev/null || promtool check metrics <metrics.txt ||
    fail "promtool"
echo "ok: each failure by its name"

# --- again -----------------------------------------------------------------

within 30 sh -c '[ "$(grep -c "^/etag.crl 304 \"" nginx/access.log)" -ge 1 ]' ||
    fail "no ETag: $(cat nginx/access.log)"
within 30 sh -c 'grep -q "^/date/date.crl 304  [A-Z]" nginx/access.log' ||
    fail "no date: $(cat nginx/access.log)"
is_fetch etag http_status 304 || fail "$(fetch etag http_status)"
echo "ok: not modified"
revoked etag 1001 1002
crl etag 6 www/etag.crl
within 20 says etag 1002 '^0x1002: revoked' || fail "new: $(cat answer)"
# A list that comes back is that of a mirror which has fallen behind.
revoked etag 1001
crl etag 4 www/etag.crl
within 20 is_fetch etag why 'older than the last good one' ||
    fail "old: $(fetch etag why)"
says etag 1002 '^0x1002: revoked' || fail "old: $(cat answer)"
# The mirror that was asked second has what is newer.
rm www/stale-old.crl
within 20 says stale 1002 '^0x1002: revoked' || fail "$(cat answer)"
is_fetch stale url 'stale.crl' || fail "$(fetch stale url)"
# What was broken is mended.
crl missing 5 www/missing.crl
within 30 says missing 1001 '^0x1001: revoked' || fail "$(cat answer)"
said missing 'the CRL can be fetched again' || fail "missing: not in the log"
# Before its end, in an interval of an hour: the answer goes on.
within 45 said soon 'CRL number 6 is in force' || fail "soon: too late"
! said soon 'has ended' || fail "soon: after its end"
says soon 1001 '^0x1001: revoked' || fail "soon: $(cat answer)"

# Damaged files are made anew, whoever damaged them; a condition is not put on
# what is not there.
head -c 100 fetched/tls.crl >half
cp half fetched/tls.crl
echo nonsense >fetched/date.state
rm fetched/proxy.crl
# Killed in the middle of what slow.py sends, or anywhere.
old=$(pgrep -P "$(cat ocsignd.pid)" -x ocsign-fetcher)
kill -9 "$old"
is_new() {
	new=$(pgrep -P "$(cat ocsignd.pid)" -x ocsign-fetcher) &&
	    [ "$new" != "$old" ]
}
within 10 is_new || fail "ocsign-fetcher stays away"
is_whole() {
	openssl crl -in fetched/$1.crl -inform DER -noout 2>/dev/null
}
for name in tls date proxy; do
	within 15 is_whole $name || fail "$name is damaged"
	within 5 is_fetch $name failures '^0$' || fail "$(fetch $name why)"
	says $name 1001 '^0x1001: revoked' || fail "$name: $(cat answer)"
done
said date 'how fetching stood is not known' || fail "date: not in the log"
echo "ok: damage"

# A reload asks at once.
before=$(requests '^/soon.crl')
kill -HUP "$(cat ocsignd.pid)"
within 5 sh -c "[ \$(grep -c '^/soon.crl' nginx/access.log) -gt $before ]" ||
    fail "not at once: $(cat nginx/access.log)"
echo "ok: again"

# The server is away until the CRL is over.
stop $nginx_pid
pids=$slow_pid
within 60 says ends 1001 trylater || fail "ends: $(cat answer)"
[ "$(date +%s)" -ge $((now + 75)) ] || fail "ends: before its end"
within 20 is_fetch ends why 'ends.crl: .*onnect' ||
    fail "ends: $(fetch ends why)"
said ends 'has ended' || fail "ends: no alarm"
says tls 1001 '^0x1001: revoked' || fail "tls: $(cat answer)"
crl ends 6 www/ends.crl
start_nginx
within 40 says ends 1001 '^0x1001: revoked' || fail "ends: $(cat answer)"
echo "ok: the end"

# Without anything that is fetched there is no such role.
sed -i 's/^crl-fetch = .*/crl-file = none.crl/; /^crl-fetch-/d;
    /^crl-delta-/d' ocsign.conf
kill -HUP "$(cat ocsignd.pid)"
within 20 sh -c '! pgrep -P "$(cat ocsignd.pid)" -x ocsign-fetcher \
    >/dev/null' ||
    fail "ocsign-fetcher goes on"
