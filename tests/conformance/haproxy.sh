#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# HAProxy takes what "ocsp sign" writes, which it checks strictly, and staples
# it; curl and openssl believe that.

. "$top_srcdir/tests/conformance/conformance.sh"
need haproxy
. "$top_srcdir/tests/conformance/staple.sh"

ca_folder
ca_make
ca_issue a.test
service_start

# site: the certificate, its chain and key, its issuer, and the response.
site() {
	(umask 077; cat a.test.pem ca.pem a.test.key >site.pem)
	cp ca.pem site.pem.issuer
	ocsign ocsp sign --issuer ca --cert a.test.pem --out site.pem.ocsp
}
cat >haproxy.cfg <<EOT
global
	log stderr local0
defaults
	mode http
	timeout connect 5s
	timeout client 5s
	timeout server 5s
frontend tls
	bind 127.0.0.1:$tls_port ssl crt $dir/site.pem
	http-request return status 200 content-type text/plain string hello
EOT
serve() {
	haproxy -db -f haproxy.cfg >haproxy.log 2>&1 &
	pids="$pids $!"
	within 10 server_starts || fail "haproxy: $(cat haproxy.log)"
}

site
haproxy -c -f haproxy.cfg >check.log 2>&1 || fail "$(cat check.log)"
! grep -qi ocsp check.log || fail "$(cat check.log)"
serve
stapled 'Cert Status: good' || fail "$(cat shake haproxy.log)"
stapled 'Verify return code: 0 (ok)' || fail "$(cat shake)"
curl_takes || fail "$(cat curl.err)"
[ "$(cat curl.out)" = hello ] || fail "$(cat curl.out)"
stop "${pids##* }"
pids=

ocsign cert revoke --reason superseded a.test.pem
site
serve
stapled 'Cert Status: revoked' || fail "$(cat shake haproxy.log)"
! curl_takes || fail "curl takes what is revoked"
grep -q 'reason: superseded' curl.err || fail "$(cat curl.err)"

# It does look: of another certificate it takes none.
ca_issue b.test
ocsign ocsp sign --issuer ca --cert b.test.pem --out site.pem.ocsp
! haproxy -c -f haproxy.cfg >check.log 2>&1 ||
    grep -qi ocsp check.log || fail "haproxy takes another's: $(cat check.log)"
service_stop
