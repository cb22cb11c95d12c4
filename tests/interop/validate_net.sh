#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What is looked at by DNS and HTTP: a signed zone of knot's, one whose
# signatures are wrong, one whose have expired, nginx, and servers as they must
# not be.

. "$top_srcdir/tests/interop/lib.sh"
PATH=$PATH:/usr/sbin
need knotd kzonesign keymgr nginx python3
look=$top_builddir/tests/interop/validate_look
[ -x "$look" ] || skip "built without libunbound or libcurl"

# within SECONDS COMMAND...
within() {
	n=$(($1 * 20))
	shift
	until "$@"; do
		n=$((n - 1))
		[ $n -gt 0 ] || return 1
		sleep 0.05
	done
}

# --- zones ---------------------------------------------------------------

dns_port=$(free_port)
mkdir zones kasp run
soa='@ 60 SOA ns admin 1 3600 600 86400 1
@ 60 NS ns
ns 60 A 127.0.0.1'
cat >zones/signed.example.zone <<EOF
$soa
www A 127.0.0.1
_acme-challenge.www TXT "other"
_acme-challenge.www TXT "to" "ken"
_acme-challenge.alias CNAME _acme-challenge.www
_acme-challenge.away CNAME _acme-challenge.www.plain.example.
_acme-challenge.broken CNAME _acme-challenge.www.bogus.example.
_acme-challenge.split TXT "to\\"ken" "\\000\\255"
@ CAA 0 issue "ca.example.net"
deep.er CAA 0 issue ";"
wild CAA 0 issue "ca.example.net"
wild CAA 0 issuewild "other.example.net"
aliased CNAME deep.er
EOF
for zone in bogus expired; do
	cat >zones/$zone.example.zone <<-EOT
		$soa
		www A 127.0.0.1
		_acme-challenge.www TXT "token"
		@ CAA 0 issue "ca.example.net"
	EOT
done
{
	echo "$soa"
	echo '_acme-challenge.www TXT "token"'
	for host in www meta body comment plaintext xhtml binary large late \
	    nginx; do
		echo "$host A 127.0.0.1"
	done
	echo 'six AAAA ::1'
	echo 'six A 127.0.0.1'
	echo 'onlysix AAAA ::1'
	echo 'private A 10.9.9.9'
	echo 'mapped AAAA ::ffff:169.254.169.254'
	echo 'nat AAAA 64:ff9b::7f00:1'
	echo 'mixed A 10.9.9.9'
	echo 'mixed A 127.0.0.1'
	n=1
	while [ $n -lt 13 ]; do
		echo "_acme-challenge.c$n CNAME _acme-challenge.c$((n + 1))"
		n=$((n + 1))
	done
	echo '_acme-challenge.c13 TXT "token"'
	echo '_acme-challenge.loop CNAME _acme-challenge.pool'
	echo '_acme-challenge.pool CNAME _acme-challenge.loop'
	echo 'account CAA 0 issue "ca.example.net; accounturi=https://a/1"'
	echo 'method CAA 0 issue "ca.example.net;validationmethods=dns-01"'
	echo 'critical CAA 128 tbs "x"'
	echo 'percent CAA 0 issue "%%%%%"'
} >zones/plain.example.zone
cat >knot.conf <<EOF
server:
    listen: 127.0.0.1@$dns_port
    rundir: $work/run
    pidfile: $work/run/knot.pid
database:
    storage: $work/kasp
policy:
  - id: here
    algorithm: ecdsap256sha256
template:
  - id: default
    storage: $work/zones
    file: %s.zone
    dnssec-policy: here
zone:
  - domain: example
  - domain: signed.example
  - domain: bogus.example
  - domain: expired.example
  - domain: plain.example
EOF

# sign ZONE [TIME]
sign() {
	mkdir -p signed
	kzonesign -c knot.conf -o signed ${2:+-t "$2"} "$1" >sign.log 2>&1 ||
	    die "kzonesign $1: $(cat sign.log)"
	mv "signed/$1.zone" "zones/$1.zone"
}
ds() {
	keymgr -c knot.conf "$1" ds 2>/dev/null | sed 's/ DS / 60 IN DS /'
}
now=$(date +%s)
sign signed.example
sign bogus.example
sign expired.example $((now - 90 * 86400))
# The signatures stay, what they are of does not.
sed 's/"token"/"tuken"/; s/ca\.example\.net/cu.example.net/
    /^www\./s/127\.0\.0\.1/127.0.0.2/' \
    zones/bogus.example.zone >bogus && mv bogus zones/bogus.example.zone
{
	echo "$soa"
	for zone in signed bogus expired plain; do
		echo "$zone NS ns.$zone"
		echo "ns.$zone A 127.0.0.1"
	done
	for zone in signed bogus expired; do
		ds $zone.example
	done
} >zones/example.zone
sign example
ds example >anchor
[ -s anchor ] || die "no DS: $(cat sign.log)"

knotd -c knot.conf >knot.log 2>&1 &
daemons="$daemons $!"

# --- servers -------------------------------------------------------------

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout web.key -out web.crt -subj /CN=nobody.example -days 1 \
    2>/dev/null || die "openssl req"
python3 "$top_srcdir/tests/interop/validate_dns.py" >dns.ports 2>dns.log &
daemons="$daemons $!"
python3 "$top_srcdir/tests/interop/validate_http.py" web.crt web.key \
    >http.ports 2>http.log &
daemons="$daemons $!"
is_up() {
	grep -q '^end' dns.ports && grep -q '^end' http.ports &&
	    grep -q 'server started' knot.log
}
within 10 is_up || die "$(cat knot.log dns.log http.log)"
port_of() {
	sed -n "s/^$1 //p" http.ports
}
http_port=$(port_of http)
tls_port=$(port_of tls)

nginx_port=$(free_port)
nginx_tls_port=$(free_port)
# Its worker may be another user.
chmod 711 "$work"
mkdir -p nginx/.well-known/acme-challenge
printf 'token\n' >nginx/.well-known/acme-challenge/good
cat >nginx/index.html <<'EOF'
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<script>write('<meta name="ocsign-verification" content="no">')</script>
<META Content='tok&#x65;n' NAME=OCSIGN-Verification>
<title>Hello</title></head><body><p>Hello</body></html>
EOF
cat >nginx.conf <<EOF
daemon off;
pid $work/nginx/pid;
error_log $work/nginx/error.log info;
worker_processes 1;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path $work/nginx/body;
	proxy_temp_path $work/nginx/proxy;
	fastcgi_temp_path $work/nginx/fastcgi;
	uwsgi_temp_path $work/nginx/uwsgi;
	scgi_temp_path $work/nginx/scgi;
	types { text/html html; }
	server {
		listen 127.0.0.1:$nginx_port;
		return 301 https://\$host:$nginx_tls_port\$request_uri;
	}
	server {
		listen 127.0.0.1:$nginx_tls_port ssl;
		ssl_certificate $work/web.crt;
		ssl_certificate_key $work/web.key;
		root $work/nginx;
	}
}
EOF
nginx -e "$work/nginx/error.log" -c "$work/nginx.conf" 2>nginx.err &
daemons="$daemons $!"
within 10 test -s nginx/pid || die "$(cat nginx.err)"

# --- looking -------------------------------------------------------------

zones="-s example=127.0.0.1:$dns_port -a anchor"
for zone in signed bogus expired plain; do
	zones="$zones -s $zone.example=127.0.0.1:$dns_port"
done
while read -r behaviour port; do
	[ "$behaviour" = end ] ||
	    zones="$zones -s $behaviour.mean=127.0.0.1:$port"
done <dns.ports
loopback='-r 127.0.0.0/8 -r ::1/128'
# Nobody asks these.
http_proxy=http://127.0.0.1:1
https_proxy=$http_proxy ALL_PROXY=$http_proxy
export http_proxy https_proxy ALL_PROXY
unset no_proxy

# look_at OPTION... <expectations: lines of FAULT@PATTERN@LINE, all at once.
look_at() {
	cat >wanted
	cut -d@ -f3 wanted >lines
	# shellcheck disable=SC2086
	timeout 100 "$look" $zones -i ca.example.net -i ca2.example.net "$@" \
	    <lines >said 2>cost || die "validate_look: $? $(cat cost)"
	cat cost
	n=0
	while IFS=@ read -r fault pattern line; do
		[ "$fault" ] || continue
		n=$((n + 1))
		grep -Eq "^$n $fault [0-9]+.*($pattern)" said ||
		    die "$line: not $fault ($pattern): $(grep "^$n " said)"
		[ "$quiet" ] || echo "ok: $(grep "^$n " said)"
	done <wanted
}
quiet=

echo '--- DNS'
# shellcheck disable=SC2086
look_at $loopback -t 20 <<'EOF'
ok@www.signed.example, signed: .*"token"@txt www.signed.example acme token
ok@alias.signed.example .*www.signed.example@txt alias.signed.example acme token
ok@www.plain.example@txt away.signed.example acme token
ok@"token"@txt www.plain.example acme token
incorrect@"other"@txt www.signed.example acme toke
incorrect@"to[?]ken[?][?]"@txt split.signed.example acme token
incorrect@no such name, by proof@txt none.signed.example acme token
incorrect@no such name@txt none.plain.example acme token
incorrect@none of that type@txt signed.example - token
dns@DNSSEC: .*signature@txt www.bogus.example acme tuken
dns@DNSSEC: @txt broken.signed.example acme tuken
dns@DNSSEC: .*expired@txt www.expired.example acme token
ok@c13@txt c5.plain.example acme token
dns@too many CNAMEs@txt c4.plain.example acme token
dns@too many|SERVFAIL@txt c1.plain.example acme token
dns@SERVFAIL@txt loop.plain.example acme token
ok@"token"@txt good.mean - token
ok@"token"@txt slow.mean - token
ok@"token"@txt truncated.mean - token
dns@in time|SERVFAIL@txt dead.mean - token
dns@SERVFAIL@txt servfail.mean - token
dns@SERVFAIL@txt refused.mean - token
dns@SERVFAIL@txt lame.mean - token
dns@SERVFAIL@txt loop.mean - token
dns@SERVFAIL@txt garbage.mean - token
dns@SERVFAIL@txt short.mean - token
dns@SERVFAIL|in time@txt untcp.mean - token
dns@SERVFAIL|in time@txt spoof.mean - token
incorrect@none of that type@txt othername.mean - token
dns@SERVFAIL|in time@txt nothing.mean - token
not-begun@malformed@txt a..example - token
not-begun@malformed@txt plain.example - -
EOF

echo '--- CAA'
# shellcheck disable=SC2086
look_at $loopback -t 20 <<'EOF'
ok@ signed.example: .*"ca.example.net" allows@caa www.signed.example http-01 - -
ok@allows it@caa a.b.c.signed.example http-01 - wild
caa@ deep.er.signed.example: .*others@caa x.deep.er.signed.example http-01 - -
caa@aliased.signed.example: .*issue ";"@caa aliased.signed.example http-01 - -
ok@issue "ca.example@caa wild.signed.example http-01 - -
caa@issuewild "other@caa wild.signed.example http-01 - wild
ok@no CAA record@caa www.plain.example http-01 - -
ok@allows@caa account.plain.example http-01 https://a/1 -
caa@another account@caa account.plain.example http-01 https://a/2 -
caa@another account@caa account.plain.example http-01 - -
ok@allows@caa method.plain.example dns-01 - -
caa@the method@caa method.plain.example http-01 - -
caa@critical@caa critical.plain.example http-01 - -
caa@malformed@caa percent.plain.example http-01 - -
caa@cannot be known.*DNSSEC@caa www.bogus.example http-01 - -
caa@cannot be known.*DNSSEC@caa www.expired.example http-01 - -
caa@cannot be known.*SERVFAIL@caa www.servfail.mean http-01 - -
caa@cannot be known@caa www.dead.mean http-01 - -
EOF

echo '--- HTTP'
# shellcheck disable=SC2086
look_at $loopback -t 12 -h "$http_port" -p "$tls_port" \
    -o "$(port_of untls)" <<'EOF'
ok@\[127.0.0.1\]: status 200, "token@file www.plain.example good token
ok@\[127.0.0.1\]@file six.plain.example good token
ok@\[127.0.0.1\]@file mixed.plain.example good token
connection@::1.*(refused|connect)@file onlysix.plain.example good token
connection@10.9.9.9.*private@file private.plain.example good token
connection@169.254.169.254.*link-local@file mapped.plain.example good token
connection@64:ff9b::.*NAT64@file nat.plain.example good token
incorrect@"<html>no ..[[]31m.token.</html>@file www.plain.example wrong token
incorrect@more than 133 octets@file www.plain.example long token
incorrect@status 404@file www.plain.example gone token
incorrect@status 503@file www.plain.example broken token
connection@in time|slow@file www.plain.example drip token
connection@in time|slow@file www.plain.example drip-head token
incorrect@more than 133 octets@file www.plain.example endless token
incorrect@status 404@file www.plain.example endless-gone token
incorrect@more header fields@file www.plain.example endless-head token
incorrect@more header fields@file www.plain.example endless-interim token
connection@in time|slow@file www.plain.example silent token
incorrect@HTTP/0.9@file www.plain.example old token
connection@[Ee]mpty@file www.plain.example nothing token
incorrect@"token[?]"@file www.plain.example nul token
ok@200@file www.plain.example chunked token
ok@200@file www.plain.example zip token
connection@too many@file www.plain.example to-self token
ok@good@file www.plain.example to-good token
ok@www.plain.example@file six.plain.example to-name token
ok@127.0.0.1@file www.plain.example to-address token
connection@an address instead@file www.plain.example to-metadata token
connection@private@file www.plain.example to-private token
connection@a port that@file www.plain.example to-port token
connection@another scheme@file www.plain.example to-file token
connection@another scheme@file www.plain.example to-gopher token
connection@credentials@file www.plain.example to-user token
connection@nowhere@file www.plain.example to-nowhere token
connection@two places@file www.plain.example to-two token
ok@certificate not verified: self@file www.plain.example to-tls token
tls@untls@file www.plain.example to-untls token
ok@-> [.][.][.] -> @file www.plain.example hops-10 token
connection@too many@file www.plain.example hops-11 token
dns@no address .* there is no such@file none.plain.example good token
dns@DNSSEC@file www.bogus.example good token
dns@DNS|address@file www.dead.mean good token
ok@"token"@meta meta.plain.example token
incorrect@in the head@meta body.plain.example token
incorrect@in the head@meta comment.plain.example token
incorrect@no HTML .text/plain@meta plaintext.plain.example token
incorrect@no HTML .application/xhtml@meta xhtml.plain.example token
incorrect@in the head@meta binary.plain.example token
ok@"token"@meta large.plain.example token
incorrect@in the head@meta late.plain.example token
EOF

echo '--- nginx'
# shellcheck disable=SC2086
look_at $loopback -h "$nginx_port" -p "$nginx_tls_port" <<EOF
ok@-> https://nginx@file nginx.plain.example acme-challenge/good token
ok@certificate not verified@meta nginx.plain.example token
incorrect@404@file nginx.plain.example acme-challenge/none token
EOF
# Nobody answers http.
# shellcheck disable=SC2086
look_at $loopback -h "$(free_port)" -p "$nginx_tls_port" <<EOF
ok@https://nginx@meta nginx.plain.example token
EOF

echo '--- nothing is allowed'
look_at -h "$http_port" -t 5 <<'EOF'
connection@127.0.0.1.*loopback@file www.plain.example good token
connection@loopback@file onlysix.plain.example good token
connection@loopback@file www.plain.example to-address token
EOF

# --- a thousand that wait ------------------------------------------------

echo '--- dead servers'
n=0
while [ $n -lt 1000 ]; do
	echo "dns@@txt n$n.dead.mean - token"
	echo "connection@@file www.plain.example silent token"
	n=$((n + 1))
done >waiting
cat >live <<'EOF'
ok@"token"@txt www.plain.example acme token
ok@"token"@txt www.signed.example acme token
ok@200@file www.plain.example good token
ok@allows@caa www.signed.example http-01 - -
EOF
quiet=1
cat waiting live >both
# shellcheck disable=SC2086
look_at $loopback -t 9 -h "$http_port" <both
# The live ones have waited for nobody, and the loop's turns were short.
awk '$1 > 2000 { print; if ($3 > 5000) slow = 1; num++ }
    END { exit num != 4 || slow }' said || die "the live waited"
awk '{ exit $3 > 1500 }' cost || die "$(cat cost)"
# libunbound's thread, and the loop's (a sanitizer may have another).
awk '{ exit $9 + 0 < 2 || $9 + 0 > 3 }' cost || die "threads: $(cat cost)"
# A hundred KiB each, at most.
awk '{ exit $6 > 250000 }' cost || die "$(cat cost)"

# A forwarder that had no answer to many questions is still asked others.
{
	sed -n 's/^dns.*txt \(n[0-9]*\).*/dns@@txt \1.dead.there - token/p' \
	    waiting | head -n 300
	echo '@@wait 4'
	echo 'ok@"token"@txt a.there - token'
	echo '@@wait 2'
	echo 'ok@"token"@txt b.there - token'
} >both
# shellcheck disable=SC2086
look_at $loopback -t 9 -f "127.0.0.1:$(sed -n 's/^forward //p' dns.ports)" \
    <both
awk '$1 > 300 { print; if ($3 > 4000) slow = 1 } END { exit slow }' said ||
    die "the forwarder is forgotten"
cat waiting live >both

# More than are taken at once are told so.
# shellcheck disable=SC2086
head -n 60 waiting | cut -d@ -f3 | timeout 60 "$look" $zones $loopback \
    -h "$http_port" -n 20 -l 10 -t 3 >said 2>cost || die "$(cat cost)"
grep -q 'not-begun' said || die "all were taken: $(cat said)"
# Nor is a site told that it does not answer, when we have no socket for it.
# shellcheck disable=SC2086
(ulimit -n 90 && grep silent waiting | head -n 200 | cut -d@ -f3 |
    timeout 60 "$look" $zones $loopback -h "$http_port" -t 3) >said 2>cost ||
    die "$(cat cost)"
[ "$(grep -c ' ours .*out of sockets' said)" -gt 100 ] ||
    die "out of sockets, and $(cut -d' ' -f2 said | sort | uniq -c)"
! grep -Evq ' (ours .*out of sockets|connection .*in time)' said ||
    die "$(grep -Ev ' (ours|connection) ' said)"
# What is cancelled is not heard of again.
# shellcheck disable=SC2086
cut -d@ -f3 both | timeout 60 "$look" $zones $loopback \
    -i ca.example.net -h "$http_port" -t 5 -c 2000 >said 2>cost ||
    die "$(cat cost)"
[ "$(grep -c ' ok ' said)" -eq 4 ] && [ "$(wc -l <said)" -eq 4 ] ||
    die "cancelled, and $(cat said)"

# A configuration that is wrong is said so at once.
for wrong in "-a none" "-s x=127.0.0.1.1" "-s x=[::1" "-f 127.0.0.1:x"; do
	# shellcheck disable=SC2086
	"$look" $wrong </dev/null >said 2>cost && die "$wrong: taken"
	echo "ok: $(cat cost)"
done
exit 0
