#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ocsignd with ocsign-validator, whole: names looked at in zones of knot's and
# behind nginx, records put in place, mail handed over; CAA at issue, by the
# command and the API, as it permits, forbids and is bogus; the validator
# killed, stopped, replaced, taken away; and a thousand names on dead servers,
# while certificates and OCSP answers take no longer than before.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl jq knotd kzonesign keymgr nginx python3 pgrep
ask=$top_builddir/tests/interop/validate_ask
[ -x "$top_builddir/ocsign-validator" ] && [ -x "$ask" ] || {
	echo "built without libunbound or libcurl"
	exit 77
}

ca_folder
ca_make

# --- zones ----------------------------------------------------------------

dns_port=$(free_port)
mkdir zones signed kasp knot
soa='@ 60 SOA ns admin 1 3600 600 86400 1
@ 60 NS ns
ns 60 A 127.0.0.1'
for zone in ours bogus; do
	cat >zones/$zone.example.zone <<-EOT
		$soa
		@ CAA 0 issue "ca.example.net"
		www A 127.0.0.1
		_acme-challenge.www TXT "token"
		forbids CAA 0 issue ";"
		others CAA 0 issue "other.example.net"
		wild CAA 0 issue "ca.example.net"
		wild CAA 0 issuewild ";"
		*.dead A 127.0.0.1
	EOT
done
printf '%s\ndyn CAA 0 issue ";"\n' "$soa" >zones/dyn.example.zone
key=$(openssl rand -base64 32)
(umask 077; cat >update.key) <<EOF
key "update" { algorithm hmac-sha256; secret "$key"; };
EOF
(umask 077; cat >knot.conf) <<EOF
server:
    listen: 127.0.0.1@$dns_port
    rundir: $dir/knot
    pidfile: $dir/knot/pid
database:
    storage: $dir/kasp
policy:
  - id: here
    algorithm: ecdsap256sha256
key:
  - id: update
    algorithm: hmac-sha256
    secret: $key
acl:
  - id: update
    key: update
    action: update
template:
  - id: default
    storage: $dir/zones
    file: %s.zone
    dnssec-policy: here
zone:
  - domain: example
  - domain: ours.example
  - domain: bogus.example
  - domain: dyn.example
    acl: update
EOF
# sign ZONE
sign() {
	kzonesign -c knot.conf -o signed "$1" >sign.log 2>&1 ||
	    fail "kzonesign $1: $(cat sign.log)"
	mv "signed/$1.zone" "zones/$1.zone"
}
ds() {
	keymgr -c knot.conf "$1" ds 2>/dev/null | sed 's/ DS / 60 IN DS /'
}
sign ours.example
sign bogus.example
sed 's/ca\.example\.net/cu.example.net/' zones/bogus.example.zone >bogus
mv bogus zones/bogus.example.zone
{
	echo "$soa"
	for zone in ours bogus; do
		echo "$zone NS ns.$zone"
		echo "ns.$zone A 127.0.0.1"
		ds $zone.example
	done
	echo 'dyn NS ns.dyn'
	echo 'ns.dyn A 127.0.0.1'
} >zones/example.zone
sign example
ds example >anchor
[ -s anchor ] || fail "no DS: $(cat sign.log)"
knotd -c knot.conf >knot.log 2>&1 &
pids="$pids $!"

# --- a name server that never answers -------------------------------------

python3 -S -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    s.recv(4096)
' >lame.port &
pids="$pids $!"
within 10 test -s lame.port || fail "no lame server"

# --- mail, WHOIS, a hook --------------------------------------------------

python3 -S "$top_srcdir/tests/interop/validate_mail.py" mails >mail.ports &
pids="$pids $!"
has_ports() {
	[ "$(wc -l <mail.ports)" -eq 2 ]
}
within 10 has_ports || fail "no mail server"
cat >hook <<EOF
#!/bin/sh
echo "\$1 \$2 \$(cat)" >>"$dir/hooked"
EOF
chmod 755 hook

# --- nginx, and behind it one that never answers --------------------------

python3 -S -c '
import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(4096)
print(s.getsockname()[1], flush=True)
held = []
while True:
    held.append(s.accept())
' >dead.port &
pids="$pids $!"
within 10 test -s dead.port || fail "nobody is dead"
http_port=$(free_port)
# Its worker may be another user.
chmod 711 "$dir"
mkdir -p nginx/.well-known/acme-challenge
echo token >nginx/.well-known/acme-challenge/good
echo '<head><meta name="ocsign-verification" content="token"></head>' \
    >nginx/index.html
cat >nginx.conf <<EOF
daemon off;
pid $dir/nginx/pid;
error_log $dir/nginx/error.log error;
worker_processes 1;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path $dir/nginx/body;
	proxy_temp_path $dir/nginx/proxy;
	fastcgi_temp_path $dir/nginx/fastcgi;
	uwsgi_temp_path $dir/nginx/uwsgi;
	scgi_temp_path $dir/nginx/scgi;
	types { text/html html; }
	server {
		listen 127.0.0.1:$http_port;
		server_name www.ours.example;
		root $dir/nginx;
	}
	server {
		listen 127.0.0.1:$http_port default_server;
		location / {
			proxy_pass http://127.0.0.1:$(cat dead.port);
			proxy_read_timeout 120s;
		}
	}
}
EOF
nginx -e "$dir/nginx/error.log" -c "$dir/nginx.conf" 2>nginx.err &
pids="$pids $!"
within 10 test -s nginx/pid || fail "$(cat nginx.err)"
within 10 grep -q 'server started' knot.log || fail "$(cat knot.log)"

# --- the service ----------------------------------------------------------

cp ocsign.conf plain.conf
dns=127.0.0.1:$dns_port
cat >validation.conf <<EOF
[validation]
stub-zones = example=$dns ours.example=$dns bogus.example=$dns \
dyn.example=$dns lame.test=127.0.0.1:$(cat lame.port)
trust-anchor = anchor
http-port = $http_port
allow-addresses = 127.0.0.0/8
caa-identities = ca.example.net
timeout = 3s
mail-server = smtp://127.0.0.1:$(sed q mail.ports)
mail-from = ca@ca.example.net
mail-plain = yes
whois-servers = 127.0.0.1:$(sed 1d mail.ports)
update-server = $dns
update-key = update.key
update-zones = dyn.example
publish-hook = $dir/hook
EOF
cat >>plain.conf <<EOF
[api]
listen = 127.0.0.1:0
issuers = ca
profiles = server
connections-per-address = 512
EOF
cat plain.conf validation.conf >ocsign.conf
ocsignd -t || fail "the configuration"
service_start
api=$(sed 's,/$,,' run/api.urls)
is_healthy() {
	curl -sS -m 5 "$api/api/v1/cfssl/health" 2>/dev/null |
	    jq -e .result.healthy >/dev/null
}
within 20 is_healthy || fail "not healthy"

# sees TASK NAME WANTED
sees() {
	timeout 60 "$ask" run/validator.sock 10000 "$1" "$2" 1 >looked 2>&1 ||
	    fail "$1 $2: $(cat looked)"
	sed 1d looked | grep -q "^$3"
}
look() {
	sees "$@" || fail "$1 $2, not $3: $(cat looked)"
}
look txt www.ours.example ok
look file www.ours.example ok
look meta www.ours.example ok
look txt forbids.ours.example incorrectResponse
look txt www.bogus.example ok
look caa www.ours.example ok
look caa forbids.ours.example caa
look file x.dead.ours.example connection
# From inside of the sandbox.
look publish www.dyn.example ok
look txt www.dyn.example ok
look withdraw www.dyn.example ok
# An answer is kept for a second.
within 5 sees txt www.dyn.example incorrectResponse ||
    fail "not withdrawn: $(cat looked)"
look publish www.hooked.test ok
[ "$(cat hooked)" = "publish _acme-challenge.www.hooked.test token" ] ||
    fail "the hook: $(cat hooked)"
look contacts dyn.example 'ok .*owner@dyn.example.* postmaster@dyn.example'
look mail dyn.example ok
grep -q 'The code is token' mails || fail "no mail: $(cat mails)"
echo "looked at"

openssl ecparam -name prime256v1 -genkey -noout -out a.key
csr() {
	openssl req -new -key a.key -subj /CN="$1" -out "$1.csr" -addext \
	    "subjectAltName=$(echo "$@" | sed 's/[^ ]*/DNS:&/g; s/ /,/g')" \
	    2>/dev/null
}
issue() {
	csr "$@"
	ocsign cert issue --issuer ca --profile server ${option-} \
	    --out issued.pem "$1.csr" >out 2>&1
}
# refuses PATTERN NAME...
refuses() {
	pattern=$1
	shift
	if issue "$@"; then
		fail "$*: issued"
	fi
	grep -q "$pattern" out || fail "$*, not $pattern: $(cat out)"
}
serials() {
	ocsign --json cert list --issuer ca | jq length
}
issue www.ours.example || fail "permitted: $(cat out)"
issue wild.ours.example || fail "permitted: $(cat out)"
before=$(serials)
refuses 'CAA does not let.*forbids.ours.example' forbids.ours.example
refuses 'CAA does not let.*others.ours.example' others.ours.example
refuses 'CAA does not let.*\*\.wild.ours.example' '*.wild.ours.example'
refuses 'CAA does not let.*a.forbids.ours.example' www.ours.example \
    a.forbids.ours.example b.ours.example
refuses 'CAA does not let.*bogus' www.bogus.example
option=--dry-run
refuses 'CAA does not let' forbids.ours.example
option=
csr forbids.ours.example
ocsign sign -ca ca forbids.ours.example.csr >out 2>&1 && fail "ocsign sign"
grep -q 'CAA does not let' out || fail "ocsign sign: $(cat out)"
[ "$(serials)" = "$before" ] || fail "something was reserved"
option=--no-caa
issue forbids.ours.example || fail "--no-caa: $(cat out)"
option=
ocsign --json audit list >audit.json
jq -e '.[] | select(.event == "caa-override") |
    .detail.names == ["forbids.ours.example"]' audit.json >/dev/null ||
    fail "not journalled: $(tail -20 audit.json)"
ocsign audit verify >out 2>&1 || fail "$(cat out)"
echo "CAA at the command"

# asks NAME...: the API is asked; prints the status.
asks() {
	csr "$@"
	jq -Rs '{certificate_request: ., profile: "server"}' "$1.csr" \
	    >"$1.json"
	curl -sS -m 30 -o api.out -w '%{http_code}\n' -d "@$1.json" \
	    "$api/api/v1/cfssl/sign?explain=1"
}
[ "$(asks www.ours.example)" = 200 ] || fail "the API: $(cat api.out)"
for names in forbids.ours.example '*.wild.ours.example' www.bogus.example \
    'www.ours.example b.forbids.ours.example'; do
	# shellcheck disable=SC2086
	status=$(asks $names)
	[ "$status" = 400 ] && jq -e '.explanation.rule == "caa"' api.out \
	    >/dev/null || fail "the API, $names: $status $(cat api.out)"
done
echo "CAA at the API"

# --- how it stands --------------------------------------------------------

ocsign --json status >status.json
jq -e '.status.validation | .running == 1 and .waiting == 0 and
    .caa.asked > 8 and .caa.ok > 2 and .caa.caa > 4 and
    .file.connection == 1' status.json \
    >/dev/null || fail "not told: $(jq .status.validation status.json)"
ocsign status >status.text
grep -q 'validat' status.text || fail "not told: $(cat status.text)"

# --- killed, stopped ------------------------------------------------------

validator=$(role validator)
[ -n "$validator" ] || fail "no ocsign-validator"
timeout 60 "$ask" run/validator.sock 20000 file x.dead.ours.example 1 \
    >under_way 2>&1 &
asker=$!
waiting() {
	ocsign --json status | jq .status.validation
}
has_waiting() {
	[ "$(waiting | jq .waiting)" = "$1" ]
}
within 10 has_waiting 1 || fail "nothing is under way"
kill -9 "$validator"
is_another() {
	[ -n "$(role validator)" ] && [ "$(role validator)" != "$validator" ]
}
# Asked again of the next, without a word from the client.
[ "$(asks www.ours.example)" = 200 ] || fail "after a kill: $(cat api.out)"
within 10 is_another || fail "the validator does not come back"
wait $asker || fail "whoever asked: $(cat under_way)"
grep -q '^connection' under_way || fail "of the next: $(cat under_way)"
within 10 has_waiting 0 || fail "$(waiting)"
validator=$(role validator)
kill -STOP "$validator"
status=$(asks www.ours.example)
kill -CONT "$validator"
[ "$status" = 503 ] && grep -q 'try again' api.out ||
    fail "a validator that is stopped: $status $(cat api.out)"
[ "$(asks www.ours.example)" = 200 ] || fail "it goes on: $(cat api.out)"
echo "killed and stopped"

# --- reloads --------------------------------------------------------------

reload() {
	num=$(count 'notice: reloaded' ocsignd.log)
	kill -HUP "$(cat ocsignd.pid)"
	within 20 is_reloaded || fail "the reload"
}
is_reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -gt "$num" ]
}
ask_on() {
	while [ ! -e asked.stop ]; do
		code=$(curl -sS -m 30 -o on.out -w '%{http_code}' \
		    -d @www.ours.example.json "$api/api/v1/cfssl/sign" 2>&1)
		echo "$code" >>asked
		[ "$code" = 200 ] || cat on.out >>asked.bad
	done
}
ask_on &
loop=$!
pids="$pids $loop"
timeout 60 "$ask" run/validator.sock 20000 file x.dead.ours.example 1 \
    >under_way 2>&1 &
asker=$!
within 10 has_waiting 1 || fail "nothing is under way"
reload
is_another || fail "the validator was not replaced"
reload
goes_on() {
	[ "$(wc -l <asked)" -gt "$1" ]
}
within 20 goes_on $(($(wc -l <asked) + 3)) || fail "the API: $(cat asked)"
: >asked.stop
wait $loop
! grep -v 200 asked || fail "not all are issued: $(sort asked |
    uniq -c; cat asked.bad)"
# What was under way is told by the one that began it.
wait $asker || fail "whoever asked: $(cat under_way)"
grep -q '^connection' under_way || fail "a reload: $(cat under_way)"
# Without the section nobody asks, and nobody is there.
cp plain.conf ocsign.conf
reload
is_gone() {
	[ -z "$(role validator)" ] && [ ! -e run/validator.sock ]
}
within 10 is_gone || fail "the validator stays: $(ls run)"
[ "$(asks forbids.ours.example)" = 200 ] || fail "$(cat api.out)"
cat plain.conf validation.conf >ocsign.conf
reload
[ -n "$(role validator)" ] || fail "the validator does not come"
[ "$(asks forbids.ours.example)" = 400 ] || fail "$(cat api.out)"
echo "reloaded"

# --- a thousand dead servers ----------------------------------------------

expect good issued.pem
request issued.pem a.request
# measure OUT: 25 certificates and 100 OCSP answers, in ms, sorted.
measure() {
	n=0
	while [ $n -lt 25 ]; do
		curl -sS -m 30 -o /dev/null -w '%{http_code} %{time_total}\n' \
		    -d @www.ours.example.json "$api/api/v1/cfssl/sign"
		n=$((n + 1))
	done >"$1.issue"
	n=0
	while [ $n -lt 100 ]; do
		echo "next"
		echo "url = \"$url\""
		echo 'data-binary = "@a.request"'
		echo 'header = "Content-Type: application/ocsp-request"'
		echo 'output = "/dev/null"'
		echo 'write-out = "%{http_code} %{time_total}\n"'
		n=$((n + 1))
	done | sed 1d >many
	curl -sS -m 60 -K many >"$1.ocsp"
	for what in issue ocsp; do
		! grep -v '^200 ' "$1.$what" || fail "$1: $what"
		awk '{ print int($2 * 1000000) }' "$1.$what" | sort -n \
		    >"$1.$what.us"
	done
}
# of FILE PERCENT
of() {
	awk -v p="$2" '{ v[NR] = $1 } END { i = int(NR * p / 100 + 0.5)
	    print v[i < 1 ? 1 : i] }' "$1"
}
# keeps NAME: where time counts, which under a sanitizer it does not.
is_sanitized() {
	ldd "$top_builddir/ocsign-validator" | grep -q asan
}
keeps() {
	! is_sanitized || return 0
	for what in issue ocsp; do
		for p in 50 90; do
			[ "$(of "$1.$what.us" $p)" -lt \
			    $((3 * $(of quiet.$what.us $p) + 100000)) ] ||
			    return 1
		done
	done
}
# lasts NAME WHAT: measured thrice at most, since others want the machine, too;
# who waits for dead servers does so each time.
lasts() {
	tries=1
	measure "$1"
	until keeps "$1" || [ $tries -eq 3 ]; do
		tries=$((tries + 1))
		measure "$1"
	done
	for what in issue ocsp; do
		for p in 50 90; do
			echo "$what, ${p}th percentile:" \
			    "$(of quiet.$what.us $p) us, with 1000" \
			    "validations waiting for $2" \
			    "$(of "$1.$what.us" $p) us"
		done
	done
	keeps "$1" || fail "it waits for dead servers"
}
measure quiet
# As long as that takes.
sed -i 's/^timeout = .*/timeout = 60s/' ocsign.conf validation.conf
reload
timeout 120 "$ask" run/validator.sock 60000 file %.dead.ours.example 1000 \
    >dead.out 2>&1 &
asker=$!
pids="$pids $asker"
within 30 has_waiting 1000 || fail "$(waiting)"
are_connected() {
	[ "$(grep -ci " 0100007F:$(printf %04X "$http_port") 01" \
	    /proc/net/tcp)" -ge 1000 ]
}
within 30 are_connected || fail "they do not wait for servers"
lasts busy pages
has_waiting 1000 || fail "they did not wait meanwhile: $(tail -3 dead.out)"
kill $asker
within 10 has_waiting 0 || fail "$(waiting)"
# The same of name servers.  Those of before are still asked behind our back:
# more than one resolver bears.
for round in a b c d e f; do
	timeout 120 "$ask" run/validator.sock 60000 file %.$round.lame.test \
	    1000 >dead.out 2>&1 &
	asker=$!
	pids="$pids $asker"
	within 30 grep -q asked dead.out || fail "$(cat dead.out)"
	[ $round != a ] || within 30 has_waiting 1000 || fail "$(waiting)"
	[ $round != f ] || lasts lame 'name servers'
	kill $asker 2>/dev/null || true
	within 10 has_waiting 0 || fail "$(waiting)"
done
grep -q 'too much to look at' dead.out || fail "not enough: $(tail -3 dead.out)"
# Whoever asked is gone, and so is what was under way for it.
within 10 has_waiting 0 || fail "$(waiting)"
service_stop
echo "passed"
