#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# nginx staples what it fetched by the certificate's own AIA URL; after the
# revocation a fresh query says revoked.

. "$top_srcdir/tests/interop/service.sh"
need openssl nginx

ca_folder
ca_make rsa2048
ca_issue www.example.test
service_start

tls_port=$(free_port)
mkdir nginx
cat >nginx.conf <<EOF
daemon off;
pid $dir/nginx/pid;
error_log $dir/nginx/error.log info;
worker_processes 1;
events { worker_connections 64; }
http {
	access_log off;
	client_body_temp_path $dir/nginx/body;
	proxy_temp_path $dir/nginx/proxy;
	fastcgi_temp_path $dir/nginx/fastcgi;
	uwsgi_temp_path $dir/nginx/uwsgi;
	scgi_temp_path $dir/nginx/scgi;
	server {
		listen 127.0.0.1:$tls_port ssl;
		ssl_certificate $dir/www.example.test-chain.pem;
		ssl_certificate_key $dir/www.example.test.key;
		ssl_trusted_certificate $dir/trust.pem;
		ssl_stapling on;
		ssl_stapling_verify on;
		return 200 "hello";
	}
}
EOF
# Its compiled-in error log is opened before the configuration is read.
nginx -e "$dir/nginx/error.log" -c "$dir/nginx.conf" 2>nginx.err &
pids=$!

shake() {
	openssl s_client -connect "127.0.0.1:$tls_port" -status \
	    -servername www.example.test -CAfile trust.pem </dev/null \
	    >shake 2>&1 || true
}

# nginx fetches at the first handshake, which goes without.
n=0
while shake; ! grep -q 'OCSP Response Status: successful' shake; do
	n=$((n + 1))
	[ $n -lt 50 ] || fail "nothing is stapled: $(cat shake nginx/error.log)"
	sleep 0.2
done
grep -q 'Cert Status: good' shake || fail "$(cat shake)"
grep -q 'Verify return code: 0 (ok)' shake || fail "$(cat shake)"
if grep -E '\[(warn|error|crit|alert|emerg)\]' nginx/error.log; then
	fail "nginx complains"
fi

ocsign cert revoke --reason superseded www.example.test.pem
expect revoked www.example.test.pem

# The same by file: ssl_stapling_file takes what "ocsp sign" writes.
ocsign ocsp sign --issuer ca --cert www.example.test.pem --out staple.der
stop "$pids"
pids=
sed "s,ssl_stapling_verify on;,ssl_stapling_file $dir/staple.der;," \
    nginx.conf >nginx-file.conf
nginx -e "$dir/nginx/error.log" -c "$dir/nginx-file.conf" 2>nginx.err &
pids=$!
n=0
while shake; ! grep -q 'Cert Status: revoked' shake; do
	n=$((n + 1))
	[ $n -lt 50 ] || fail "not stapled from the file: $(cat shake)"
	sleep 0.2
done
