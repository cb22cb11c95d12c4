#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ocsign-issuer behind ocsignd: starts only with an [api] section, answers
# over HTTP and HTTPS, is replaced by a reload without refusing a connection,
# is killed and comes back, ends in order.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep python3

ca_folder
ca_make
cp ocsign.conf plain.conf
service_start
[ -z "$(role issuer)" ] || fail "an issuer without [api]"
[ ! -e run/api.urls ] || fail "api.urls without [api]"

# config LINE...: [api] with these.
config() {
	{
		cat plain.conf
		echo "[api]"
		printf '%s\n' "$@"
	} >ocsign.conf
}
reload() {
	num=$(count ': reloaded' ocsignd.log)
	kill -HUP "$(cat ocsignd.pid)"
	within 10 reloaded || fail "no reload"
}
reloaded() {
	[ "$(count ': reloaded' ocsignd.log)" -gt "$num" ]
}
# ask PATH OPTION...: its body in out, prints the status.
ask() {
	path=$1
	shift
	curl -sS -m 10 -o out -D head -w '%{http_code}\n' "$@" \
	    "$(head -1 run/api.urls)$path"
}
healthy() {
	[ "$(ask api/v1/cfssl/health "$@")" = 200 ] &&
	    grep -q '"healthy":true' out
}

# With the section it starts at a reload.
config 'listen = 127.0.0.1:0' 'issuers = ca'
reload
grep -q '^http://127.0.0.1:[1-9]' run/api.urls || fail "$(cat run/api.urls)"
within 5 healthy || fail "not healthy: $(cat out)"
grep -qi '^Date: .* GMT' head || fail "no Date: $(cat head)"
[ "$(ask api/v1/cfssl/health -d x)" = 405 ] || fail "POST health"
grep -qi '^Allow: GET' head || fail "no Allow: $(cat head)"
grep -q '"message":"Method is not allowed:\\"POST\\""' out ||
    fail "405: $(cat out)"
[ "$(ask nowhere)" = 404 ] || fail "nowhere is somewhere"
[ "$(ask api/v1/cfssl/revoke -d '{}')" = 404 ] || fail "revoke is there"
head -c 10000000 /dev/zero >big
[ "$(ask api/v1/cfssl/health --data-binary @big)" = 413 ] ||
    fail "10 MB are taken"
grep -q '"success":false' out || fail "413 without envelope: $(cat out)"

# Replaced without refusing anybody, while the address stays.
before=$(cat run/api.urls) pid=$(role issuer)
: >asked
(
	while [ ! -e stop ]; do
		ask api/v1/cfssl/health >>asked 2>&1 || echo lost >>asked
	done
) &
loop=$!
pids="$pids $loop"
reload
reload
: >stop
wait $loop || true
[ "$(sort -u asked)" = 200 ] || fail "during a reload: $(sort asked | uniq -c)"
[ "$(cat run/api.urls)" = "$before" ] || fail "the address changed"
[ "$(role issuer)" != "$pid" ] || fail "not replaced"

# Killed, and back.
pid=$(role issuer)
kill -9 "$pid"
is_back() {
	[ -n "$(role issuer)" ] && [ "$(role issuer)" != "$pid" ] && healthy
}
within 5 is_back || fail "does not come back"

# Slow, long and malformed, each in the envelope of the door it is at.
config 'listen = 127.0.0.1:0' 'issuers = ca' 'header-timeout = 1s' \
    'request-timeout = 2s'
reload
within 5 healthy || fail "not healthy: $(cat out)"
python3 - "$(head -1 run/api.urls)" <<'END' >cmd 2>&1 || fail "$(cat cmd)"
import json, socket, sys, time, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])

def dial(text):
    began = time.monotonic()
    s = socket.create_connection((url.hostname, url.port), 10)
    s.sendall(text.encode())
    return s, began

doors = {"/api/v1/cfssl/sign": "text/plain; charset=utf-8",
    "/client/v4/certificates": "application/json"}
host = "Host: a\r\n"
cases = [
    # status, from, until, first line's end, the rest
    (408, 1, 2, " HT", ""),
    (408, 1, 2, " HTTP/1.1\r\n", host + "Content-Le"),
    (408, 2, 4, " HTTP/1.1\r\n",
        host + "Content-Length: 99\r\n\r\n{\"certificate"),
    (408, 2, 4, " HTTP/1.1\r\n",
        host + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"cer"),
    (431, 0, 1, " HTTP/1.1\r\n", host + "X: " + 17000 * "x"),
    (431, 0, 1, " HTTP/1.1\r\n", host + 200 * "X: y\r\n" + "\r\n"),
    (400, 0, 1, "\r\n", host + "\r\n"),
    (400, 0, 1, " SMTP/1.1\r\n", host + "\r\n"),
    (400, 0, 1, " HTTP/1.1\r\n", "\r\n"),
    (505, 0, 1, " HTTP/3.0\r\n", host + "\r\n"),
    (414, 0, 1, "?" + 9000 * "x" + " HTTP/1.1\r\n", host + "\r\n"),
]
asked = [(case, path, dial("POST " + path + case[3] + case[4]))
    for case in cases for path in doors]
for case, path, (s, began) in sorted(asked, key=lambda a: a[0][1]):
    answer = b""
    while b"\r\n\r\n" not in answer or not answer.endswith(b"}\n"):
        part = s.recv(4096)
        assert part, (path, case, answer)
        answer += part
    took = time.monotonic() - began
    head, body = answer.decode().split("\r\n\r\n", 1)
    said = json.loads(body)
    # How late an answer may be is the machine's; none is early.
    ok = head.startswith("HTTP/1.1 %d " % case[0]) and \
        case[1] <= took < case[2] + 2 and \
        "\r\nContent-Type: %s\r\n" % doors[path] in head and \
        "\r\nConnection: close" in head and said["success"] is False and \
        said["result"] is None and said["messages"] == [] and \
        said["errors"][0]["code"] == case[0] and \
        len(said["errors"][0]["message"]) > 0
    assert ok, (path, case, took, answer)
    assert s.recv(1) == b"", "not closed"
    s.close()
END

# No more than that many, of one address and of all.
config 'listen = 127.0.0.1:0' 'issuers = ca' 'connections-max = 4' \
    'connections-per-address = 3' 'header-timeout = 1m'
reload
python3 - "$(head -1 run/api.urls)" <<'END' >cmd 2>&1 || fail "$(cat cmd)"
import socket, sys, time, urllib.parse
url = urllib.parse.urlsplit(sys.argv[1])
ask = b"GET /api/v1/cfssl/health HTTP/1.1\r\nHost: a\r\n\r\n"

def dial(last):
    return socket.create_connection((url.hostname, url.port), 5,
        ("127.0.0.%d" % last, 0))

def answers(s):
    try:
        s.sendall(ask)
        return s.recv(4096).startswith(b"HTTP/1.1 200 ")
    except ConnectionError:
        return False

def is_closed(s):
    try:
        return s.recv(1) == b""
    except ConnectionError:
        return True

mine = [dial(1) for _ in range(3)]
assert all(answers(s) for s in mine)
assert is_closed(dial(1)), "four of one address"
other = dial(2)
assert answers(other), "another address"
# All are taken: the oldest idle one makes room.
third = dial(3)
assert answers(third), "none made room"
assert is_closed(mine[0]), "which one made room?"
assert all(answers(s) for s in mine[1:] + [other, third])
# None is idle: whoever comes is closed, and nobody else.
busy = mine[1:] + [other, third]
for s in busy:
    s.sendall(ask[:20])
time.sleep(0.2)
assert is_closed(dial(4)), "a fifth"
for s in busy:
    s.sendall(ask[20:])
    assert s.recv(4096).startswith(b"HTTP/1.1 200 "), "a busy one"
    s.close()
# Who has gone leaves room.
until = time.monotonic() + 5
while not answers(dial(1)):
    assert time.monotonic() < until, "no room again"
    time.sleep(0.05)
END

# TLS, and nothing else on that address.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout tls.key -out tls.pem -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 2>/dev/null
chmod 600 tls.key
tls_port=$(free_port)
config "listen = 127.0.0.1:$tls_port" 'issuers = ca' \
    'tls-certificate = tls.pem' 'tls-key = tls.key'
reload
grep -q "^https://127.0.0.1:$tls_port/" run/api.urls ||
    fail "$(cat run/api.urls)"
within 5 healthy --cacert tls.pem || fail "not healthy over TLS"
healthy --cacert tls.pem --tls-max 1.2 || fail "no TLS 1.2"
! curl -sS -m 5 "http://127.0.0.1:$tls_port/" >/dev/null 2>&1 ||
    fail "plain HTTP on a TLS port"

# What is refused before anything starts.
refused() {
	pattern=$1
	shift
	config "$@"
	! ocsignd -t 2>bad.err || fail "taken: $*"
	grep -Eq -- "$pattern" bad.err || fail "$*: $(cat bad.err)"
}
refused 'listen: .*loopback' 'listen = 0.0.0.0:8888'
refused 'listen: .*loopback' 'listen = [::]:8888'
refused 'listen: is missing' 'issuers = ca'
refused 'issuers: is missing' 'listen = 127.0.0.1:1'
refused 'tls-key: is missing' 'listen = 127.0.0.1:1' \
    'tls-certificate = tls.pem'
# The files of TLS, as ocsign-issuer would find them.
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
    -out another.key 2>/dev/null
cp tls.key open.key
chmod 600 another.key
chmod 644 open.key
for files in nowhere.pem:tls.key tls.pem:nowhere.key tls.pem:another.key \
    tls.pem:open.key; do
	refused "\[api\] TLS: .*(nowhere|another|open)" 'issuers = ca' \
	    'listen = 127.0.0.1:1' "tls-certificate = ${files%:*}" \
	    "tls-key = ${files#*:}"
done
refused 'no \[issuer nobody\]' 'listen = 127.0.0.1:1' 'issuers = nobody'
refused 'no profile "nothing"' 'listen = 127.0.0.1:1' 'profiles = nothing'
refused 'no endpoint "bundle"' 'listen = 127.0.0.1:1' 'endpoints = bundle'
config 'listen = 0.0.0.0:8888' 'allow-plain = yes' 'issuers = ca'
ocsignd -t >/dev/null || fail "allow-plain does not allow"

# The section goes, and the role with it.
cp plain.conf ocsign.conf
reload
[ -z "$(role issuer)" ] || fail "an issuer without [api]"
[ ! -e run/api.urls ] || fail "api.urls is left"
service_stop

# At a start it keeps the API alone from answering.
config 'issuers = ca' "listen = 127.0.0.1:$tls_port" \
    'tls-certificate = tls.pem' \
    'tls-key = another.key'
: >ocsignd.log
service_run
has_given_up() {
	grep -q 'ocsign-issuer .*status 78' ocsignd.log
}
within 5 has_given_up || fail "ocsign-issuer takes another's key"
grep -q '\[api\] TLS: .*another' ocsignd.log || fail "nobody says why"
[ -n "$(role responder)" ] && [ -n "$(role signer)" ] ||
    fail "without the API there is nothing"
service_stop
