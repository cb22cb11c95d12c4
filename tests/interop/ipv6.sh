#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Both families beside each other, by GET and by POST; and what one address
# may have of a responder: connections, and signatures that are made for it
# alone.  Others, and those that are exempt, do not notice.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl python3
python3 -c '
import socket
socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null || {
	echo "this machine has no IPv6"
	exit 77
}

ca_folder
sed "s/^listen = .*/listen = 127.0.0.1:0 [::1]:0\\
connections-per-address = 4\\
misses-per-address = 5\\
exempt-addresses = 127.0.0.9/" ocsign.conf >new.conf
mv new.conf ocsign.conf
ca_make
ca_issue a.test
request a.test.pem a.request
openssl ocsp -issuer ca.pem -cert a.test.pem -nonce -reqout nonce.request
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"
sed -n 1p run/http.urls >url4
sed -n 2p run/http.urls >url6
grep -q '^http://\[::1\]:[0-9]*/$' url6 || fail "$(cat run/http.urls)"

path=$(openssl base64 -A -in a.request | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')
for url in $(cat url4 url6); do
	expect good a.test.pem
	[ "$(post a.request "post.der")" = 200 ] || fail "POST to $url"
	[ "$(curl -sS -g -m 10 -o get.der -w '%{http_code}' "$url$path")" = \
	    200 ] || fail "GET to $url"
	cmp get.der post.der || fail "GET and POST differ at $url"
	mv get.der "get.$(echo "$url" | tr -dc 0-9).der"
done
cmp get.*.der || fail "IPv4 and IPv6 differ"

# nonce SOURCE NUMBER URL: how many of so many at once have a nonce; all must
# be signed.
cat >ask.py <<'EOF2'
import socket
import sys
import time
from urllib.parse import urlsplit

what, source, number, url = sys.argv[1:5]
target = urlsplit(url)
with open("nonce.request" if what == "nonces" else "a.request", "rb") as f:
    der = f.read()
request = (f"POST / HTTP/1.1\r\nHost: {target.netloc}\r\n"
           "Content-Type: application/ocsp-request\r\n"
           f"Content-Length: {len(der)}\r\n\r\n").encode() + der


def connect():
    return socket.create_connection((target.hostname, target.port), 10,
                                    (source, 0))


def answer(s):
    """The body; None if the connection was closed instead."""
    data = b""
    try:
        s.sendall(request)
        while b"\r\n\r\n" not in data or len(data) < length(data):
            more = s.recv(65536)
            if not more:
                return None
            data += more
    except (ConnectionResetError, BrokenPipeError):
        return None
    return data.split(b"\r\n\r\n", 1)[1]


def length(data):
    head = data.split(b"\r\n\r\n", 1)[0]
    return len(head) + 4 + int(
        head.lower().split(b"content-length:")[1].split(b"\r\n")[0])


if what == "nonces":
    nonce_oid = bytes.fromhex("2b0601050507300102")
    s = connect()
    begin = time.monotonic()
    bodies = [answer(s) for _ in range(int(number))]
    assert all(b is not None and len(b) > 100 for b in bodies)
    print(sum(nonce_oid in b for b in bodies),
          int(time.monotonic() - begin) + 1)
else:
    open_ones = [connect() for _ in range(int(number))]
    print(sum(answer(s) is not None for s in open_ones))
    # One that leaves makes room.
    open_ones[0].close()
    time.sleep(0.5)
    s = connect()
    print(answer(s) is not None)
EOF2
ask() {
	python3 ask.py "$@" >asked 2>&1 || fail "$*: $(cat asked)"
}

# has_nonces SOURCE NUMBER URL LEAST: so many of NUMBER get one, and what passes
# meanwhile.  A signature that a busy machine makes too late is none: thrice at
# most, each time with all that an address may have.
has_nonces() {
	for try in 1 2 3; do
		ask nonces "$1" "$2" "$3"
		read -r num seconds <asked
		[ "$num" -lt "$4" ] || break
		sleep 1.2
	done
	[ "$num" -ge "$4" ] && [ "$num" -le $(($4 + 5 * seconds)) ] ||
	    fail "$1 $3: $num nonces in $seconds s"
}
# Of forty at once no more than a second's worth.
has_nonces 127.0.0.2 40 "$(cat url4)" 5
has_nonces ::1 40 "$(cat url6)" 5
[ "$(counter address_limited)" -ge 40 ] || fail "$(counter address_limited)"
# Another's limit is another's; and one is exempt.
has_nonces 127.0.0.3 5 "$(cat url4)" 5
has_nonces 127.0.0.9 40 "$(cat url4)" 40

for case in "127.0.0.2 $(cat url4)" "::1 $(cat url6)"; do
	refused=$(counter address_refused)
	ask connections "${case%% *}" 7 "${case#* }"
	[ "$(tr '\n' ' ' <asked)" = "4 True " ] || fail "$case: $(cat asked)"
	[ $(($(counter address_refused) - refused)) -eq 3 ] ||
	    fail "$case: $(counter address_refused) refused"
done
ask connections 127.0.0.9 30 "$(cat url4)"
[ "$(tr '\n' ' ' <asked)" = "30 True " ] || fail "exempt: $(cat asked)"
service_stop
