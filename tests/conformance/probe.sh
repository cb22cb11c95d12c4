#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Our responder, with its defaults: each case of "ocsign ocsp probe" has the
# verdict that the list says, and none is left out.

. "$top_srcdir/tests/conformance/conformance.sh"

ca_folder
# The same name with another key, whose CA signs its answers itself.
cat >>ocsign.conf <<EOT
[issuer again]
certificate = again.pem
chain = root.pem
token = demo
key = again
ocsp-url = $url
EOT
ca_make
ocsign key generate --token demo --label again >/dev/null
ocsign ca create again --issuer root --subject 'CN=Test CA,O=Example,C=DE'
for name in a b c revoked; do
	ca_issue $name.test
done
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout key -out csr -subj /CN=again.test \
    -addext subjectAltName=DNS:again.test 2>/dev/null
ocsign cert issue --issuer again --profile server --out again.test.pem csr
ocsign cert revoke revoked.test.pem
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"
# There is no response for it, and there never is.
ocsign cert issue --issuer ca --profile server --validity 1m \
    --out expired.test.pem csr
! openssl x509 -checkend 0 -noout -in expired.test.pem >/dev/null ||
    fail "expired.test.pem has not expired"

probe --thorough --revoked revoked.test.pem --expired expired.test.pem \
    --other-issuer again.pem --other-cert again.test.pem
no_failure

awk '$1 ~ /^[0-9]+$/ { for (i = 4; i <= NF; i++)
    if (sub(/^probe=/, "", $i)) print $i, $2 }' \
    "$top_srcdir/tests/conformance/cases" | sort >wanted
awk '$2 ~ /^[a-z0-9=+-]+$/ && $1 ~ /^(pass|policy|skipped|fail)$/ {
    print $1, $2 }' probe.txt | sort >found
diff wanted found || fail "other verdicts: $(cat probe.txt)"
[ "$(wc -l <found)" -ge 110 ] || fail "$(wc -l <found) cases"
# At our deadline, and not just before the probe's.
says pass slowloris 'given up after [5-8] s'
# Whoever sends nonsense writes no log.
[ "$(wc -l <ocsignd.log)" -le 40 ] || fail "a flood: $(cat ocsignd.log)"

# The same as JSON; one case; a list.
ocsign --json ocsp probe --issuer ca.pem --cert a.test.pem \
    --case etag-304 --case post=get >probe.json
grep -q '"pass": 2' probe.json || fail "$(cat probe.json)"
[ "$(count '"clause": "RFC9' probe.json)" -eq 2 ] ||
    fail "$(cat probe.json)"
ocsign ocsp probe --list >list
awk '/probe=/ && $1 ~ /^[0-9]+$/ { print $2, $3 }' \
    "$top_srcdir/tests/conformance/cases" | sort >wanted
awk 'NR > 1 { print $1, $2 }' list | sort >found
diff wanted found || fail "other cases or clauses: $(cat list)"
service_stop

# What cannot be probed is said in a line, and is no verdict.
refused() {
	refused_pattern=$1
	refused_status=$2
	shift 2
	got=0
	ocsign ocsp probe "$@" >out 2>err || got=$?
	[ $got -eq "$refused_status" ] || fail "$*: status $got: $(cat err)"
	[ "$(wc -l <err)" -eq 1 ] || fail "$*: $(cat err)"
	grep -q -- "$refused_pattern" err || fail "$*: $(cat err)"
	[ ! -s out ] || fail "$*: $(cat out)"
}
set -- --issuer ca.pem --cert a.test.pem
refused 'refused' 1 "$url" "$@"
refused 'https' 2 https://127.0.0.1/ "$@"
refused 'no case "get-nothing"' 2 "$url" "$@" --case get-nothing
refused '--timeout' 2 "$url" "$@" --timeout 0
refused 'did not issue' 1 "$url" --issuer root.pem --cert a.test.pem
refused '--other-issuer' 2 "$url" "$@" --other-cert again.test.pem
refused '--cert' 2 "$url" --issuer ca.pem
