#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What reaches people and zones, against those who have to understand it: a
# message to exim by STARTTLS and TLS with a password, an update of knot's
# zones with keys of each algorithm, contacts by WHOIS and RDAP; and servers
# that refuse, lie and hang.

set -u
LC_ALL=C
export LC_ALL
: "${top_srcdir:?}" "${top_builddir:?}"
client=$top_builddir/tests/interop/reach_client
[ -x "$client" ] || {
	echo "skipped: built without libunbound or libcurl"
	exit 77
}
for tool in openssl python3 knotd kdig nsupdate exim4; do
	PATH=$PATH:/usr/sbin command -v $tool >/dev/null || {
		echo "skipped: $tool is not installed"
		exit 77
	}
done
PATH=$PATH:/usr/sbin

work=$(mktemp -d "${TMPDIR:-/tmp}/ocsign.XXXXXX") || exit 1
pids=
cleanup() {
	status=$?
	for pid in $pids; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$work"
	exit $status
}
trap cleanup EXIT
trap 'exit 129' HUP INT TERM
cd "$work" || exit 1
fail() {
	echo "FAILED: $*" >&2
	exit 1
}
# within SECONDS COMMAND...
within() {
	within_end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt $within_end ] || return 1
		sleep 0.1
	done
}

# --- the servers -----------------------------------------------------------

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout ca.key -out ca.pem -subj /CN=CA -days 2 2>/dev/null &&
    openssl req -x509 -CA ca.pem -CAkey ca.key -newkey ec \
    -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout mail.key -out mail.pem \
    -subj /CN=mail.reach.test -days 2 \
    -addext subjectAltName=DNS:mail.reach.test 2>/dev/null ||
    fail "certificates"
chmod 0711 .
chmod 0644 mail.key
cat >exim.conf <<EOT
primary_hostname = mail.reach.test
spool_directory = $work/spool
log_file_path = $work/spool/%slog
pid_file_path =
tls_advertise_hosts = *
tls_certificate = $work/mail.pem
tls_privatekey = $work/mail.key
auth_advertise_hosts = \${if def:tls_in_cipher{*}}
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt
queue_only
begin acl
acl_mail:
  deny !encrypted = *
       message = TLS is wanted
  accept
acl_rcpt:
  deny local_parts = nobody
       message = no such user
  defer local_parts = grey
       message = greylisted, try again
  deny local_parts = members
       !authenticated = *
       message = for members alone
  accept
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{ca}}{eq{\$auth3}{s3cret}}}}
  server_set_id = \$auth2
EOT
mkdir spool && chmod 0777 spool || fail spool
(umask 077; echo s3cret >password; echo wrong >badpassword)
mkfifo hold
python3 "$top_srcdir/tests/interop/reach_servers.py" <hold 2>servers.log &
pids=$!
exec 9>hold
within 20 test -s ports || fail "servers: $(cat servers.log)"
port() {
	sed -n "s/^$1 //p" ports
}

# A port that nobody has: knot takes no 0.
free_port() {
	python3 -c 'import socket
with socket.create_server(("127.0.0.1", 0)) as s:
    print(s.getsockname()[1])'
}
# key NAME ALGORITHM: NAME.key, as BIND has it, and its lines for knot.
key() {
	key_secret=$(openssl rand -base64 32)
	(umask 077; printf 'key "%s" {\n\talgorithm %s;\n\tsecret "%s";\n};\n' \
	    "$1" "$2" "$key_secret" >"$1.key"
	printf '%s:%s:%s\n' "$2" "$1" "$key_secret" >"$1.knotkey")
	printf '  - id: %s\n    algorithm: %s\n    secret: %s\n' "$1" "$2" \
	    "$key_secret" >>keys
}
for n in 256 384 512; do
	key k$n hmac-sha$n
done
cp keys keys.good
key unknown hmac-sha256
(umask 077; sed "s/unknown/k256/" unknown.key >wrong.key)
start_knot() {
	dns=$(free_port)
	cat >knot.conf <<-EOT
		server:
		    listen: 127.0.0.1@$dns
		    rundir: $work
		database:
		    storage: $work/knotdb
		key:
		$(cat keys.good)
		acl:
		  - id: update
		    key: [k256, k384, k512]
		    action: update
		  - id: narrow
		    key: k256
		    action: update
		    update-type: A
		template:
		  - id: default
		    storage: $work
		    file: "%s.zone"
		    zonefile-sync: -1
		    journal-content: all
		zone:
		  - domain: reach.test
		    acl: update
		  - domain: closed.test
		    acl: narrow
	EOT
	knotd -c knot.conf >knot.log 2>&1 &
	knot=$!
	within 10 is_served && return
	kill $knot 2>/dev/null
	return 1
}
ask() {
	kdig +short +timeout=2 +retry=0 @127.0.0.1 -p "$dns" "$@" 2>/dev/null
}
is_served() {
	[ -n "$(ask reach.test SOA)" ] && [ -n "$(ask closed.test SOA)" ]
}
mkdir -p knotdb
for zone in reach closed; do
	cat >$zone.test.zone <<-EOT
		\$ORIGIN $zone.test.
		\$TTL 60
		@ SOA ns hostmaster 1 3600 600 86400 60
		@ NS ns
		ns A 127.0.0.1
		mail A 127.0.0.1
		other A 127.0.0.1
		_acme-challenge TXT "another's"
	EOT
done
# Somebody may have been faster to the port.
start_knot || start_knot || start_knot || fail "knot: $(cat knot.log)"
pids="$pids $knot"
REACH_DNS=127.0.0.1:$dns
export REACH_DNS

# wants PATTERN ARGUMENT...
wants() {
	wants_pattern=$1
	shift
	"$client" "$@" >out 2>&1 || fail "$*: $(cat out)"
	grep -Eq -- "$wants_pattern" out || fail "$*: $(cat out)"
}

# --- mail ------------------------------------------------------------------

smtp=smtp://mail.reach.test:$(port smtp)
smtps=smtps://mail.reach.test:$(port smtps)
good="trust=$work/ca.pem"
login="user=ca password=$work/password"
wants '^no-fault .*admin@reach.test: 250 OK' mail $smtp admin@reach.test $good
wants '^no-fault .*250 OK' mail $smtps members@reach.test $good $login
wants '^no-fault .*250 OK' mail $smtp members@reach.test $good $login
wants '^refused for good .*members alone' mail $smtp members@reach.test $good
wants '^refused for good .*550 no such user' mail $smtp nobody@reach.test $good
wants '^refused for now .*451 greylisted' mail $smtp grey@reach.test $good
wants '^ours .*does not let us in: 535' mail $smtp admin@reach.test $good \
    user=ca "password=$work/badpassword"
# Whoever it is, it is not who was meant.
wants '^tls .*certificate' mail $smtp admin@reach.test
wants '^tls .*other.reach.test' mail smtp://other.reach.test:$(port smtp) \
    admin@reach.test $good
wants '^tls ' mail smtps://mail.reach.test:$(port smtp) admin@reach.test $good
wants '^connection .*nowhere.reach.test' mail smtp://nowhere.reach.test \
    admin@reach.test $good
# Of all those exim has three messages, and the first is as it was meant.
exim4 -C "$work/exim.conf" -bp >queue || fail "exim -bp"
[ "$(grep -c '<ca@reach.test>' queue)" -eq 3 ] || fail "$(cat queue)"
for id in $(awk '/<ca@reach.test>/ { print $3 }' queue); do
	exim4 -C "$work/exim.conf" -Mvc "$id"
done >messages || fail "exim -Mvc"
python3 - <<'EOT' || fail "the message: $(cat messages)"
import email, email.policy, email.utils, re, time
text = open("messages", "rb").read()
first = b"Received:" + text.split(b"Received:")[1]
m = email.message_from_bytes(first, policy=email.policy.default)
assert not m.defects, m.defects
assert m["From"] == "ca@reach.test", m["From"]
assert m["To"] in ("admin@reach.test", "members@reach.test"), m["To"]
assert m["Subject"] == "Gehört das dir?", m["Subject"]
assert m["Auto-Submitted"] == "auto-generated"
assert m.get_content_type() == "text/plain"
assert re.fullmatch(r"<[0-9a-f]{32}@reach\.test>", m["Message-ID"])
sent = email.utils.parsedate_to_datetime(m["Date"]).timestamp()
assert abs(sent - time.time()) < 300
assert m.get_content() == ".Der Code ist 123456\n.\nGrüße\n", m.get_content()
EOT
[ "$(grep -c 's3cret' messages queue servers.log | grep -vc ':0$')" -eq 0 ] ||
    fail "the password is told"
echo "ok: exim"

wants '^tls for good .*no STARTTLS' mail smtp://127.0.0.1:$(port notls) \
    admin@reach.test
wants '^no-fault ' mail smtp://127.0.0.1:$(port notls) admin@reach.test plain=
# Who hangs when all is said holds nothing for long.
REACH_MS=20000 wants '^no-fault .* [0-9]{1,4} ms' mail \
    smtp://127.0.0.1:$(port quit) admin@reach.test plain=
REACH_MS=1000 wants '^ours for now 1[0-9]{3} ms: .*no answer in time' mail \
    smtp://127.0.0.1:$(port tlshang) admin@reach.test $good
REACH_MS=1000 wants '^ours for now 1[0-9]{3} ms: .*no answer in time' mail \
    smtp://127.0.0.1:$(port slow) admin@reach.test plain=
wants '^(tls|connection) ' mail smtp://127.0.0.1:$(port tlslie) \
    admin@reach.test $good
wants '^tls for now .*454 not now' mail smtp://127.0.0.1:$(port tlsno) \
    admin@reach.test $good
echo "ok: bad mail servers"

# --- zones -----------------------------------------------------------------

txt() {
	ask "_acme-challenge.$1" TXT | sort | tr '\n' ' '
}
for n in 256 384 512; do
	wants '^no-fault .*ns.reach.test, 127.0.0.1 port .*: done' \
	    publish reach.test ns.reach.test $dns k$n.key www.reach.test \
	    token-$n
done
[ "$(txt www.reach.test)" = '"token-256" "token-384" "token-512" ' ] ||
    fail "$(txt www.reach.test)"
wants '^no-fault ' withdraw reach.test 127.0.0.1 $dns k384.knotkey \
    www.reach.test token-384
# What is there already, and what is not.
wants '^no-fault ' publish reach.test 127.0.0.1 $dns k256.key \
    www.reach.test token-256
wants '^no-fault ' withdraw reach.test 127.0.0.1 $dns k256.key \
    www.reach.test token-999
[ "$(txt www.reach.test)" = '"token-256" "token-512" ' ] ||
    fail "$(txt www.reach.test)"
# Nobody else's goes away; a long one comes in two parts.
long=$(head -c 400 /dev/zero | tr '\0' x)
wants '^no-fault ' publish reach.test 127.0.0.1 $dns k512.knotkey \
    reach.test "$long"
ask _acme-challenge.reach.test TXT >txt
grep -q "another's" txt || fail "$(cat txt)"
[ "$(tr -d '" \n' <txt | tr -cd x | wc -c)" -eq 400 ] || fail "$(cat txt)"
wants '^no-fault ' withdraw reach.test 127.0.0.1 $dns k256.key reach.test \
    "$long"
[ "$(txt reach.test)" = "\"another's\" " ] || fail "$(txt reach.test)"
# nsupdate reads the same key.
printf 'server 127.0.0.1 %s\nzone reach.test\nupdate add %s\nsend\n' $dns \
    '_acme-challenge.ns.reach.test 60 TXT theirs' | nsupdate -k k384.key ||
    fail nsupdate
wants '^no-fault ' withdraw reach.test 127.0.0.1 $dns k384.key \
    ns.reach.test theirs
[ -z "$(txt ns.reach.test)" ] || fail "$(txt ns.reach.test)"

wants '^refused .*BADSIG' publish reach.test 127.0.0.1 $dns wrong.key \
    www.reach.test token-1
wants '^refused .*BADKEY' publish reach.test 127.0.0.1 $dns unknown.key \
    www.reach.test token-2
# A key that may not is, to knot, one that it does not know.
wants '^refused for good .*(REFUSED|BADKEY)' publish closed.test 127.0.0.1 \
    $dns k256.key www.closed.test token-3
wants '^refused for good .*(REFUSED|BADKEY)' publish closed.test 127.0.0.1 \
    $dns k384.key www.closed.test token-3
wants '^refused .*(REFUSED|NOTAUTH|BADKEY)' publish none.test 127.0.0.1 $dns \
    k256.key www.none.test token-4
echo 3600 >offset
clock=$top_builddir/tests/faults/ocsign-clock.so
if [ -f "$clock" ] && LD_PRELOAD=$clock "$client" x x x 2>/dev/null; then
	LD_PRELOAD=$clock CLOCK_OFFSET=$work/offset "$client" publish \
	    reach.test 127.0.0.1 $dns k256.key www.reach.test token-5 >out \
	    2>&1
	grep -Eq '^refused for now .*BADTIME' out || fail "$(cat out)"
fi
chmod 0644 wrong.key
"$client" publish reach.test 127.0.0.1 $dns wrong.key www.reach.test x \
    >out 2>&1 && fail "a key that all can read"
grep -q 'can be read by others' out || fail "$(cat out)"
[ "$(txt www.reach.test)" = '"token-256" "token-512" ' ] ||
    fail "$(txt www.reach.test)"
[ -z "$(txt www.closed.test)" ] || fail "$(txt www.closed.test)"
echo "ok: knot"

# --- contacts --------------------------------------------------------------

wants '^no-fault for good .*RDAP.*WHOIS, ns.reach.test' contacts reach.test \
    whois=$(port whois) "rdap=https://mail.reach.test:$(port rdap)/v1" $good
cat >wanted <<'EOT'
holder@reach.test (found)
owner@reach.test (found)
tech@reach.test (found)
admin@reach.test
administrator@reach.test
webmaster@reach.test
hostmaster@reach.test
postmaster@reach.test
EOT
sed 1d out | cmp -s - wanted || fail "$(cat out)"
# A registry that is not who it says has nothing to say.
wants '^no-fault for now .*certificate' contacts reach.test \
    "rdap=https://mail.reach.test:$(port rdap)/v1"
[ "$(grep -c found out)" -eq 0 ] || fail "$(cat out)"
wants '^no-fault for now .*(name|certificate)' contacts reach.test \
    "rdap=https://ns.reach.test:$(port rdap)/v1" $good
[ "$(sed 1d out | wc -l)" -eq 5 ] || fail "$(cat out)"
echo "ok: contacts"
