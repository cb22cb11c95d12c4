#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# SIGHUP under load loses no request, whatever changed; a bad configuration
# changes nothing; SIGTERM finishes what was begun and leaves nothing.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep python3

ca_folder
cp ocsign.conf one.conf
cat >>ocsign.conf <<EOF2
[issuer two]
certificate = two.pem
token = demo
key = two
EOF2
cp ocsign.conf two.conf
ca_make
ocsign key generate --token demo --label two >/dev/null
ocsign ca create two --issuer root --subject 'CN=Second CA,O=Example,C=DE'
cat two.pem >>trust.pem
ca_issue a.test
ocsign cert issue --issuer two --profile server --out second.pem a.test.csr
issuer=two.pem request second.pem second.request
request a.test.pem a.request

cp one.conf ocsign.conf
service_start
within 5 is_whole || fail "not all is signed: $(cat status.json)"
post second.request answer.der >/dev/null
[ "$(wc -c <answer.der)" -eq 5 ] || fail "who is two?"

reload() {
	num=$(count 'ocsignd: notice: (reloaded|not reloaded|reload failed)' \
	    ocsignd.log)
	kill -HUP "$(cat ocsignd.pid)"
	within 10 is_reloaded || fail "the reload does not end"
	tail -n 20 ocsignd.log | grep 'reload' | tail -n 1 >last
}
is_reloaded() {
	[ "$(count 'ocsignd: notice: (reloaded|not reloaded|reload failed)' \
	    ocsignd.log)" -gt "$num" ]
}
good_reload() {
	reload
	grep -q ': reloaded$' last || fail "$1: $(cat last)"
	[ "$(role responder | wc -w)" -eq "$2" ] ||
	    fail "$1: responders: $(role responder)"
	load_goes_on || fail "$1: nothing is answered"
	[ -z "$(load_failures)" ] || fail "$1: $(load_failures | head -5)"
}

load_start a.request
good_reload "nothing changed" 1
before="$(role signer)"

sed 's/^listen = .*/&\nworkers = 2/' two.conf >ocsign.conf
good_reload "another issuer and worker" 2
[ "$(role signer)" != "$before" ] || fail "the signer has no key of two"
within 3 is_whole || fail "not all is signed: $(cat status.json)"
[ "$(post second.request answer.der)" = 200 ] || fail "two is not served"
openssl ocsp -issuer two.pem -cert second.pem -respin answer.der \
    -CAfile trust.pem >answer 2>&1 || true
grep -q '^second.pem: good' answer || fail "$(cat answer)"

# Responses live shorter; the signer is not disturbed.
before="$(role signer)"
sed 's/^ocsp-key = ocsp/&\nocsp-lifetime = 2h/;
    s/^listen = .*/&\nworkers = 2/' \
    two.conf >ocsign.conf
good_reload "lifetime" 2
[ "$(role signer)" = "$before" ] || fail "the signer was restarted"
openssl ocsp -issuer ca.pem -cert a.test.pem -url "$url" -CAfile trust.pem \
    >answer 2>&1 || true
this=$(date -d "$(sed -n 's/.*This Update: //p' answer)" +%s)
next=$(date -d "$(sed -n 's/.*Next Update: //p' answer)" +%s)
[ $((next - this)) -le 7200 ] || fail "ocsp-lifetime: $(cat answer)"

cp two.conf ocsign.conf
good_reload "one worker less" 1
for n in 1 2 3; do
	good_reload "again" 1
done

# A wrong one: who runs goes on, and it is said where and why.
same="$(role signer) $(role status) $(role responder)"
sed 's/^\[daemon\]/&\nworkres = 3/' two.conf >ocsign.conf
line=$(sed -n '/^workres/=' ocsign.conf)
ocsignd -t >out 2>err && fail "ocsignd -t likes it"
[ $? -eq 0 ] || true
grep -q "ocsign.conf:$line: .*workres" err || fail "ocsignd -t: $(cat err)"
reload
grep -q 'not reloaded' last || fail "$(cat last)"
grep -Fq "$(head -n 1 err)" ocsignd.log || fail "log and -t differ"
[ "$(role signer) $(role status) $(role responder)" = "$same" ] ||
    fail "a bad configuration replaced somebody"
sed 's/^run-directory = .*/run-directory = elsewhere/' two.conf >ocsign.conf
reload
grep -q 'not reloaded' last || fail "$(cat last)"
[ ! -e elsewhere ] || fail "the other run directory was made"
# A certificate that may not answer for the CA.
sed 's/^ocsp-certificate = .*/ocsp-certificate = a.test.pem/' two.conf \
    >ocsign.conf
ocsignd -t >out 2>err && fail "ocsignd -t likes it"
grep -q 'ocsign.conf:.*ocsp-certificate: .*OCSPSigning' err ||
    fail "ocsignd -t: $(cat err)"
reload
grep -q 'not reloaded' last || fail "$(cat last)"
[ "$(role signer) $(role status) $(role responder)" = "$same" ] ||
    fail "a wrong OCSP signer replaced somebody"
# An address that is taken, for instance by ourselves under another name.
sed "s/^listen = .*/listen = 192.0.2.1:80/" two.conf >ocsign.conf
reload
grep -q 'not reloaded' last || fail "$(cat last)"
[ "$(role signer) $(role status) $(role responder)" = "$same" ] ||
    fail "a bad configuration replaced somebody"
# Another service's, of the same user, who could share it.
python3 - "$dir/other.port" <<-'EOF' &
	import socket, sys, time
	s = socket.socket()
	s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
	s.bind(("127.0.0.1", 0))
	s.listen()
	open(sys.argv[1], "w").write(str(s.getsockname()[1]))
	time.sleep(60)
	EOF
other=$!
pids="$pids $other"
within 5 test -s other.port || fail "no other service"
sed "s/^listen = .*/listen = 127.0.0.1:$(cat other.port)/" two.conf \
    >ocsign.conf
reload
grep -q 'not reloaded' last || fail "the port of another: $(cat last)"
stop $other
# A new address, and a reload that fails before anybody answers there.
cp run/http.urls before.urls
sed "s/^listen = .*/& 127.0.0.1:$(cat other.port)/
    s|^path = store.db|path = none/store.db|" two.conf >ocsign.conf
reload
grep -q 'reload failed at' last || fail "$(cat last)"
cmp -s before.urls run/http.urls || fail "$(cat run/http.urls)"
curl -sS -m 5 "http://127.0.0.1:$(cat other.port)/" >answer 2>&1 &&
    fail "somebody answers at the new address"
grep -qi 'refused\|connect' answer || fail "it is left open: $(cat answer)"
expect good a.test.pem
cp two.conf ocsign.conf
good_reload "mended" 1
load_stop
[ -z "$(load_failures)" ] || fail "$(load_failures)"
echo "$load_total answers"

# A request that has begun is answered after SIGTERM.
{ head -c 20 a.request; sleep 1; tail -c +21 a.request; } |
    curl -sS -m 10 -o slow.der -w '%{http_code}\n' -T - -X POST \
    -H 'Content-Type: application/ocsp-request' -H 'Expect:' "$url" >slow &
slow=$!
sleep 0.3
service_stop
wait $slow || fail "the request under way was lost: $(cat slow)"
[ "$(cat slow)" = 200 ] && [ "$(wc -c <slow.der)" -gt 100 ] ||
    fail "the request under way: $(cat slow)"
[ "$(count 'notice: all roles have ended' ocsignd.log)" -eq 1 ] ||
    fail "the end"

# And its exit status.
service_run
within 5 is_whole || fail "not again: $(cat status.json)"
service_stop
wait $service || fail "ocsignd ends with $?"
[ ! -e run/http.urls ] || fail "http.urls stays"
