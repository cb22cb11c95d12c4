#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The internet in a network namespace: a root that is signed, two top-level
# domains, zones below them, each on a server of its own at a public address;
# nginx at ports 80 and 443 of IPv4 and IPv6.  Nothing is configured but the
# trust anchor, and nothing is allowed that is not by itself.

if [ "${in_namespace:-no}" = no ]; then
	unshare -rn true 2>/dev/null || {
		echo "skipped: no network namespace of one's own"
		exit 77
	}
	in_namespace=yes exec unshare -rn sh "$0"
fi
. "$top_srcdir/tests/interop/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need knotd kzonesign keymgr nginx ip
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

# The root's are in libunbound's hints.
root="198.41.0.4 170.247.170.2 199.9.14.201 192.33.4.12 199.7.91.13
    192.203.230.10 192.5.5.241 192.112.36.4 198.97.190.53 192.36.148.17
    192.58.128.30 193.0.14.129 199.7.83.42 202.12.27.33"
root6="2001:503:ba3e::2:30 2001:500:200::b 2001:500:2::c 2001:500:2d::d
    2001:500:a8::e 2001:500:2f::f 2001:500:12::d0d 2001:500:1::53
    2001:7fe::53 2001:503:c27::2:30 2001:7fd::1 2001:500:9f::42 2001:dc3::35"
tld=192.5.6.30
host=185.1.1.1
web=185.1.1.80
web6=2a00:1::80
inner=10.1.2.3
ip link set lo up || skip "no loopback"
for address in $root "$tld" "$host" "$web" "$inner"; do
	ip address add "$address/32" dev lo || die "$address"
done
for address in $root6 "$web6"; do
	ip address add "$address/128" dev lo nodad || die "$address"
done

# --- zones ---------------------------------------------------------------

mkdir zones kasp
soa='@ 3600 SOA ns admin 1 3600 600 86400 3600'
# Of a zone whose server is in another.
cat >zones/good.example.zone <<EOF
$soa
@ 3600 NS ns.host.net.
www 3600 A $web
www 3600 AAAA $web6
_acme-challenge.www 3600 TXT "token"
@ 3600 CAA 0 issue "ca.example.net"
EOF
# One of its servers is not there.
cat >zones/half.example.zone <<EOF
$soa
@ 3600 NS ns
@ 3600 NS away
ns 3600 A $host
away 3600 A 185.1.1.99
www 3600 TXT "token"
EOF
# In a network of ours.
cat >zones/evil.example.zone <<EOF
$soa
@ 3600 NS ns
ns 3600 A $inner
www 3600 TXT "token"
EOF
cat >zones/host.net.zone <<EOF
$soa
@ 3600 NS ns
ns 3600 A $host
EOF

# config NAME ADDRESS... <zones: a knot of these addresses.
config() {
	name=$1
	shift
	mkdir "$name" "kasp/$name"
	cat >"$name.conf" <<-EOT
		server:
		    listen: [ $(echo "$*" | sed 's/ /@53, /g')@53 ]
		    rundir: $work/$name
		    pidfile: $work/$name/pid
		database:
		    storage: $work/kasp/$name
		policy:
		  - id: here
		    algorithm: ecdsap256sha256
		template:
		  - id: default
		    storage: $work/zones
		    dnssec-policy: here
		zone:
	EOT
	while read -r zone; do
		printf '  - domain: %s\n    file: %s.zone\n' \
		    "$zone" "$zone" >>"$name.conf"
	done
	sed -i 's/file: \.\.zone/file: root.zone/' "$name.conf"
}
# sign SERVER ZONE; sign.ds is for the zone above.
sign() {
	kzonesign -c "$1.conf" -o signed "$2" >sign.log 2>&1 ||
	    die "kzonesign $2: $(cat sign.log)"
	file=${2%.}
	mv "signed/${file:-root}.zone" "zones/${file:-root}.zone" 2>/dev/null ||
	    mv signed/*.zone "zones/${file:-root}.zone" || die "$(ls signed)"
	keymgr -c "$1.conf" "$2" ds 2>/dev/null |
	    sed 's/ DS / 3600 IN DS /' >sign.ds
}
mkdir signed
printf '%s\n' good.example half.example evil.example host.net |
    config host $host $inner
printf '%s\n' example net | config tld $tld
# shellcheck disable=SC2086
echo . | config root $root $root6

sign host good.example
{
	echo "$soa"
	echo '@ 3600 NS ns'
	echo "ns 3600 A $tld"
	echo 'good 3600 NS ns.host.net.'
	cat sign.ds
	echo 'half 3600 NS ns.half'
	echo 'half 3600 NS away.half'
	echo "ns.half 3600 A $host"
	echo 'away.half 3600 A 185.1.1.99'
	echo 'evil 3600 NS ns.evil'
	echo "ns.evil 3600 A $inner"
} >zones/example.zone
sign tld example
cp sign.ds example.ds
{
	echo "$soa"
	echo '@ 3600 NS ns.example.'
	echo 'host 3600 NS ns.host'
	echo "ns.host 3600 A $host"
} >zones/net.zone
sign tld net
{
	echo ". 3600 SOA a.root-servers.net. admin.example. 1 1 1 1 3600"
	echo ". 3600 NS a.root-servers.net."
	echo "a.root-servers.net. 3600 A 198.41.0.4"
	echo "a.root-servers.net. 3600 AAAA ${root6%% *}"
	echo "example. 3600 NS ns.example."
	echo "ns.example. 3600 A $tld"
	echo "net. 3600 NS ns.example."
	cat example.ds sign.ds
} >zones/root.zone
sign root .
cp sign.ds anchor
[ -s anchor ] || die "no DS: $(cat sign.log)"

for name in root tld host; do
	knotd -c $name.conf >$name.log 2>&1 &
	daemons="$daemons $!"
done
is_up() {
	grep -q 'server started' root.log &&
	    grep -q 'server started' tld.log &&
	    grep -q 'server started' host.log
}
within 10 is_up || die "$(cat root.log tld.log host.log)"

# --- a site --------------------------------------------------------------

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout web.key -out web.crt -subj /CN=nobody.example -days 1 \
    2>/dev/null || die "openssl req"
mkdir nginx
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
	server {
		listen $web:80;
		listen [$web6]:80;
		location /.well-known/four { return 200 "token"; }
		location / { return 302 https://\$host\$request_uri; }
	}
	server {
		listen $web:443 ssl;
		ssl_certificate $work/web.crt;
		ssl_certificate_key $work/web.key;
		return 200 "token";
	}
}
EOF
# Its worker cannot be another user in here.
sed -i '1i user root;' nginx.conf
nginx -e "$work/nginx/error.log" -c "$work/nginx.conf" 2>nginx.err &
daemons="$daemons $!"
within 10 test -s nginx/pid || die "$(cat nginx.err)"

# --- looking -------------------------------------------------------------

cat >wanted <<'EOF'
ok@www.good.example, signed: "token"@txt www.good.example acme token
ok@allows it@caa www.good.example http-01 - -
ok@no CAA record@caa www.host.net http-01 - -
incorrect@no such name, by proof@txt none.example - token
incorrect@no such name, by proof@txt www.nowhere - token
ok@www.half.example: "token"@txt www.half.example - token
dns@SERVFAIL@txt www.evil.example - token
ok@2a00:1::80.: status 200@file www.good.example four token
ok@https:.*185.1.1.80.: status 200@file www.good.example tls token
dns@no address@file localhost.example x token
EOF
cut -d@ -f3 wanted | timeout 60 "$look" -a anchor -i ca.example.net -t 15 \
    >said 2>cost || die "validate_look: $(cat cost)"
n=0
while IFS=@ read -r fault pattern line; do
	n=$((n + 1))
	grep -Eq "^$n $fault [0-9]+.*($pattern)" said ||
	    die "$line: not $fault ($pattern): $(grep "^$n " said)"
	echo "ok: $(grep "^$n " said)"
done <wanted
