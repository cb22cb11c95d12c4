#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Apache httpd asks the responder that the certificate names, and staples; with
# a client's certificate it asks about that, and wants its nonce back.  curl
# and openssl believe what is stapled.

. "$top_srcdir/tests/conformance/conformance.sh"
need apache2
. "$top_srcdir/tests/conformance/staple.sh"
modules=/usr/lib/apache2/modules
[ -f $modules/mod_ssl.so ] || {
	echo "apache2 has no mod_ssl"
	exit 77
}

ca_folder
ca_make
ca_issue a.test
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout client.key -out client.csr -subj /CN=client 2>/dev/null
ocsign cert issue --issuer ca --profile client --out client.pem client.csr
service_start

mkdir -p www/client
echo hello >www/index.html
echo client >www/client/index.html
chmod 755 . www www/client
cat >apache.conf <<EOT
ServerRoot $dir
ServerName a.test
PidFile $dir/apache.pid
ErrorLog $dir/apache.log
LogLevel warn ssl:info
Listen 127.0.0.1:$tls_port
Mutex file:$dir
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule dir_module $modules/mod_dir.so
LoadModule socache_shmcb_module $modules/mod_socache_shmcb.so
LoadModule ssl_module $modules/mod_ssl.so
StartServers 1
<IfModule unixd_module>
User nobody
Group nogroup
</IfModule>
SSLStaplingCache shmcb:$dir/staple(65536)
<VirtualHost 127.0.0.1:$tls_port>
	DocumentRoot $dir/www
	DirectoryIndex index.html
	SSLEngine on
	SSLProtocol TLSv1.2
	SSLCertificateFile $dir/a.test-chain.pem
	SSLCertificateKeyFile $dir/a.test.key
	SSLUseStapling on
	SSLStaplingResponderTimeout 5
	SSLStaplingStandardCacheTimeout 1
	SSLCACertificateFile $dir/trust.pem
	SSLOCSPEnable leaf
	<Location /client/>
		SSLVerifyClient require
		SSLVerifyDepth 3
	</Location>
</VirtualHost>
EOT
# Debian builds it in; others may not.
apache2 -l | grep -q unixd || sed -i \
    "/^StartServers/i LoadModule unixd_module $modules/mod_unixd.so" \
    apache.conf
apache2 -f "$dir/apache.conf" -DFOREGROUND >apache.out 2>&1 &
pids="$pids $!"
within 10 server_starts || fail "apache2: $(cat apache.out apache.log)"

within 10 stapled 'Cert Status: good' || fail "$(cat shake apache.log)"
stapled 'Verify return code: 0 (ok)' || fail "$(cat shake)"
curl_takes || fail "$(cat curl.err)"
[ "$(cat curl.out)" = hello ] || fail "$(cat curl.out)"

# as_client STATUS
as_client() {
	code=$(curl -sS -m 10 --cacert root.pem --cert client.pem \
	    --key client.key --resolve "a.test:$tls_port:127.0.0.1" \
	    -o curl.out -w '%{http_code}' \
	    "https://a.test:$tls_port/client/" 2>curl.err) || true
	[ "$code" = "$1" ]
}
as_client 200 || fail "$code: $(cat curl.err apache.log)"
[ "$(cat curl.out)" = client ] || fail "$(cat curl.out)"
! grep -i 'nonce\|AH019[0-9][0-9].*ocsp' apache.log || fail "it complains"
ocsign cert revoke --reason superseded client.pem
! as_client 200 || fail "a revoked client is let in: $(cat apache.log)"

ocsign cert revoke --reason superseded a.test.pem
within 10 stapled 'Cert Status: revoked' || fail "$(cat shake apache.log)"
! curl_takes || fail "curl takes what is revoked"
service_stop
