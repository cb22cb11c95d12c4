#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What Prometheus gets: counts that clients can check, over a reload and a
# killed responder, from a listener that is there only when it is asked for,
# knows one path, and that slow clients and dead roles hold up nowhere.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep

ca_folder
ca_make
cp ocsign.conf plain.conf
service_start
[ ! -e run/metrics.urls ] || fail "metrics.urls without [metrics]"
ca_issue a.example
request a.example.pem a.req

# config LINE...: [metrics] with these.
config() {
	{
		cat plain.conf
		echo "[metrics]"
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
refused() {
	pattern=$1
	shift
	config "$@"
	! ocsignd -t 2>bad.err || fail "taken: $*"
	grep -Eq -- "$pattern" bad.err || fail "$*: $(cat bad.err)"
}
# ask PATH OPTION...: its body in out, prints the status.
ask() {
	path=$1
	shift
	curl -sS -m 10 -o out -D head -w '%{http_code}\n' "$@" \
	    "$(sed 's,/metrics$,,;q' run/metrics.urls)$path"
}
# metric NAME[LABELS]: its value now.
metric() {
	[ "$(ask /metrics)" = 200 ] || fail "no metrics: $(cat out)"
	awk -v name="$1" '$1 == name { print $2 }' out
}
is() {
	[ "$(metric "$1")" = "$2" ]
}
at_least() {
	value=$(metric "$1")
	[ -n "$value" ] && [ "$value" -ge "$2" ]
}

refused 'listen: .*loopback' 'listen = 0.0.0.0:9464'
refused 'listen: .*loopback' 'listen = 127.0.0.1:0 [::]:9464'
refused 'listen: is missing' 'allow-remote = yes'
refused 'no address and port' 'listen = localhost:9464'
config 'listen = 0.0.0.0:9464' 'allow-remote = yes'
ocsignd -t >/dev/null || fail "allow-remote does not allow"

# With the section it starts at a reload.
config 'listen = 127.0.0.1:0'
reload
grep -q '^http://127.0.0.1:[1-9][0-9]*/metrics$' run/metrics.urls ||
    fail "$(cat run/metrics.urls)"
within 5 is ocsign_ready 1 || fail "not ready: $(cat out)"
grep -qi '^Content-Type: text/plain; version=0.0.4' head || fail "$(cat head)"
[ "$(ask /metrics -I)" = 200 ] || fail "no HEAD"
[ "$(ask /)" = 404 ] || fail "/ is there"
[ "$(ask /metrics/)" = 404 ] || fail "/metrics/ is there"
[ "$(ask /metrics -X DELETE)" = 405 ] || fail "DELETE"
grep -qi '^Allow: GET, HEAD' head || fail "no Allow: $(cat head)"
[ "$(ask /metrics -d x=y)" = 413 ] || fail "a body is taken"

# What clients do is what is counted.
within 5 at_least 'ocsign_issuer_responses{issuer="ca"}' 1 ||
    fail "no responses: $(cat out)"
posts=$(metric 'ocsign_responder_requests_total{method="post"}')
good=$(metric 'ocsign_responder_responses_total{outcome="successful"}')
for n in 1 2 3 4 5; do
	[ "$(post a.req answer.der)" = 200 ] || fail "no answer"
done
is 'ocsign_responder_requests_total{method="post"}' $((posts + 5)) ||
    fail "$posts and 5 are not: $(cat out)"
is 'ocsign_responder_responses_total{outcome="successful"}' $((good + 5)) ||
    fail "$good and 5 are not: $(cat out)"
printf garbage >bad.req
[ "$(post bad.req answer.der)" = 200 ] || fail "no answer to garbage"
is 'ocsign_responder_responses_total{outcome="malformed_request"}' 1 ||
    fail "no malformedRequest: $(cat out)"
is ocsign_signer_up 1 || fail "no signer: $(cat out)"
is 'ocsign_token_up{token="demo"}' 1 || fail "no token: $(cat out)"
at_least 'ocsign_token_queue_taken_total{token="demo",lane="refresh"}' 1 ||
    at_least 'ocsign_token_queue_taken_total{token="demo",lane="live"}' 1 ||
    fail "nothing was taken up: $(cat out)"
is 'ocsign_token_queue_waiting{token="demo",lane="live"}' 0 ||
    fail "somebody waits: $(cat out)"
# By issuer it is the same: there is one.
is 'ocsign_issuer_responses_total{issuer="ca",outcome="successful"}' \
    $((good + 5)) || fail "not the issuer's: $(cat out)"
# What its makers' own program says of the format.
if command -v promtool >/dev/null; then
	promtool check metrics <out >said 2>&1 || fail "promtool: $(cat said)"
else
	echo "no promtool: prometheus is not installed"
fi
ocsign status >said || fail "$(cat said)"
grep -q '^signer queues:' said || fail "no queues: $(cat said)"
grep -q '^status issuers answered:' said || fail "no answers: $(cat said)"
# The newest CRL, also of an issuer that answers no OCSP.
ocsign crl create --issuer ca --out ca.crl >said 2>&1 || fail "$(cat said)"
next=$(date +%s -d "$(openssl crl -in ca.crl -noout -nextupdate |
    sed 's/.*=//')")
within 5 is 'ocsign_crl_next_update_timestamp_seconds{issuer="ca"}' "$next" ||
    fail "not the CRL's nextUpdate $next: $(cat out)"
number=$(openssl crl -in ca.crl -noout -crlnumber | sed 's/.*=\(0x\)*//')
is 'ocsign_crl_number{issuer="ca"}' "$(printf %d "0x$number")" ||
    fail "not the CRL's number $number: $(cat out)"
! grep -q '^ocsign_crl_number{issuer="root"}' out || fail "one of the root"
ocsign crl create --issuer root --out root.crl >said 2>&1 ||
    fail "$(cat said)"
within 5 at_least 'ocsign_crl_number{issuer="root"}' 1 ||
    fail "none of the root: $(cat out)"
# The certificate is valid for longer than the response.
first='ocsign_issuer_first_stale_timestamp_seconds{issuer="ca"}'
within 15 at_least "$first" "$(date +%s)" || fail "no horizon: $(cat out)"

# A responder that is killed, and a reload, take nothing along.
before=$(metric 'ocsign_responder_requests_total{method="post"}')
pid=$(role responder | sed q)
kill -9 "$pid"
is_back() {
	[ "$(role responder | grep -cv "^$pid\$")" -ge 1 ] &&
	    [ "$(post a.req answer.der 2>/dev/null)" = 200 ]
}
within 5 is_back || fail "no responder"
at_least 'ocsign_responder_requests_total{method="post"}' $((before + 1)) ||
    fail "$before before: $(cat out)"
is ocsign_responders "$(role responder | wc -l)" ||
    fail "responders: $(cat out)"
before=$(metric 'ocsign_responder_requests_total{method="post"}')
where=$(cat run/metrics.urls)
reload
[ "$(cat run/metrics.urls)" = "$where" ] || fail "the address changed"
is 'ocsign_responder_requests_total{method="post"}' "$before" ||
    fail "$before before the reload: $(cat out)"

# Those that say nothing, or half of it, or do not read, all at once: who
# asks is still answered, and so are the responders' clients.
port=${where#http://127.0.0.1:}
port=${port%/metrics}
for n in 1 2 3 4 5 6 7 8 9 10; do
	{ printf 'GET /metrics HT'; sleep 4; } |
	    curl -sS -m 4 "telnet://127.0.0.1:$port" >/dev/null 2>&1 &
	pids="$pids $!"
done
sleep 0.5
begun=$(date +%s)
at_least ocsign_responders 1 || fail "held up: $(cat out)"
[ "$(post a.req answer.der)" = 200 ] || fail "no answer beside slow clients"
[ $(($(date +%s) - begun)) -le 2 ] || fail "held up"

# A signer that hangs costs a second, not the figures.
signer=$(role signer | sed q)
kill -STOP "$signer"
begun=$(date +%s)
is ocsign_signer_up 0 || fail "a stopped signer is up: $(cat out)"
took=$(($(date +%s) - begun))
kill -CONT "$signer"
[ $took -le 3 ] || fail "a stopped signer took $took s"
grep -q '^ocsign_issuer_responses{issuer="ca"} ' out || fail "$(cat out)"
within 5 is ocsign_signer_up 1 || fail "the signer stays down: $(cat out)"

# The section goes, and the listener with it.
cp plain.conf ocsign.conf
reload
[ ! -e run/metrics.urls ] || fail "metrics.urls is left"
! curl -sS -m 2 "$where" >out 2>&1 || fail "it still listens"
service_stop
