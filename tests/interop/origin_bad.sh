#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# "origin check" and "origin bundle" with wrong command lines and files; with
# CAs of both kinds; and what is said on a terminal meanwhile.

. "$top_srcdir/tests/interop/lib.sh"
need script

write_config
bad 2 'HOST' ocsign origin check
for host in :443 '' 'a b' 'http://a/' '*.example.com' a_b 1.2.3.4.5 '[a]:1'
do
	bad 2 'neither a host name|IPv6' ocsign origin check "$host"
done
for port in 0 70000 65536 -1 https '' 443x; do
	bad 2 'no port' ocsign origin check "localhost:$port"
	bad 2 'no port' ocsign origin check localhost --http-port "$port"
	bad 2 '--connect' ocsign origin check localhost \
	    --connect "127.0.0.1:$port"
done
bad 2 'IDNA|☺' ocsign origin check ☺.example
bad 2 '--servername' ocsign origin check localhost --servername '*.a.example'
for seconds in 0 -1 301 x 1s ''; do
	bad 2 '--timeout' ocsign origin check localhost --timeout "$seconds"
done

# Files.
bad 1 'no CA certificate' ocsign origin check localhost
bad 1 'no CA certificate' ocsign origin bundle
bad 1 'nowhere.pem' ocsign origin check localhost --ca nowhere.pem
mkdir folder
bad 1 'folder' ocsign origin check localhost --ca folder
: >empty.pem
bad 1 'holds no certificate' ocsign origin check localhost --ca empty.pem
head -c 4096 /dev/urandom >garbage.pem
bad 1 'holds no certificate' ocsign origin check localhost --ca garbage.pem
head -c 1100000 /dev/zero >large.pem
bad 1 'large.pem' ocsign origin check localhost --ca large.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout some.key -out some.pem -subj /CN=Some -days 30 2>/dev/null
cat some.key some.pem >both.pem
bad 1 'private key' ocsign origin check localhost --ca both.pem
head -5 some.pem >cut.pem
bad 1 'cut.pem' ocsign origin check localhost --ca cut.pem
openssl req -new -key some.key -subj /CN=Some -out some.csr
bad 1 'block 1 is no certificate' ocsign origin check localhost \
    --ca some.csr
bad 2 'either --ca or --issuer' ocsign origin check localhost \
    --ca some.pem --issuer web
bad 1 'no \[issuer nowhere\]' ocsign origin check localhost --issuer nowhere
bad 1 'no \[issuer nowhere\]' ocsign origin bundle --issuer nowhere
bad 1 'has no certificate yet' ocsign origin bundle --issuer web
bad 1 'nowhere/x.pem|nowhere' ocsign origin bundle --out nowhere/x.pem

# Nobody is there, nor a configuration needed with --ca.
port=$(free_port)
OCSIGN_CONF=$work/none.conf
if ocsign origin check "localhost:$port" --ca some.pem >out 2>err; then
	die "strict without a server"
fi
[ ! -s err ] || die "$(cat err)"
[ "$(grep -c 'failed .*Connection refused' out)" -eq 2 ] || die "$(cat out)"
grep -q '^mode  *none  *not flexible: http$' out || die "$(cat out)"
if ocsign --json origin check "[::1]:$port" --ca some.pem >out 2>err; then
	die "strict without a server"
fi
grep -q '"mode": "none"' out || die "$(cat out)"
if ocsign origin check no-such-host.invalid --ca some.pem >out 2>err; then
	die "strict without a name"
fi
[ ! -s err ] || die "$(cat err)"
OCSIGN_CONF=$work/ocsign.conf

# --- the bundle: RSA and ECC, roots first, each once, what has expired not

make_cas
good ocsign key generate --token ca --label rsa --type rsa2048
good ocsign key generate --token ca --label old
cat >>ocsign.conf <<-EOT
	[issuer rsa]
	certificate = rsa.pem
	token = ca
	key = rsa
	[issuer old]
	certificate = old.pem
	token = ca
	key = old
	[issuer later]
	certificate = later.pem
	token = ca
	key = later
EOT
good ocsign ca create rsa --subject 'CN=RSA Root,O=Example,C=DE'
good ocsign ca create old --subject 'CN=Old Root,O=Example,C=DE' \
    --validity 60s
good ocsign origin bundle --out cas.pem
[ ! -s out ] || die "with --out: $(cat out)"
grep '^# ' cas.pem >lines
[ "$(wc -l <lines)" -eq 3 ] || die "$(cat lines)"
sed -n 1p lines | grep -q '^# CN=Example Root,.*; root; EC P-384; until 2' ||
    die "$(cat lines)"
sed -n 2p lines | grep -q '^# CN=RSA Root,.*; root; RSA 2048 bits; until' ||
    die "$(cat lines)"
sed -n 3p lines |
    grep -q '^# CN=Example Web,.*; below CN=Example Root,.*; EC P-256;' ||
    die "$(cat lines)"
good openssl verify -CAfile cas.pem web.pem rsa.pem
[ "$(openssl crl2pkcs7 -nocrl -certfile cas.pem | openssl pkcs7 -noout \
    -print_certs | grep -c ^subject)" -eq 3 ] || die "openssl reads another"
good ocsign origin bundle --issuer rsa
[ "$(grep -c '^# ' out)" -eq 1 ] || die "$(cat out)"
good ocsign origin bundle --issuer rsa --issuer web --issuer root
[ "$(grep -c '^# ' out)" -eq 3 ] || die "$(cat out)"
good ocsign --json origin bundle
[ "$(grep -c '"pem"' out)" -eq 3 ] || die "$(cat out)"
bad 1 'no CA certificate in force' ocsign origin bundle --issuer old

# --- on a terminal, after two seconds: a server that accepts and is silent

# It talks to one client at a time, and the first one stays; the kernel takes
# the others in.
mkfifo hold
port=$(free_port)
openssl s_server -accept "127.0.0.1:$port" -cert some.pem -key some.key \
    <>hold >server.out 2>&1 &
daemons="$daemons $!"
n=0
until grep -q ACCEPT server.out; do
	n=$((n + 1))
	[ $n -lt 100 ] || die "openssl s_server: $(cat server.out)"
	sleep 0.1
done
openssl s_client -connect "127.0.0.1:$port" <>hold >client.out 2>&1 &
daemons="$daemons $!"
n=0
until grep -q 'Cipher' client.out; do
	n=$((n + 1))
	[ $n -lt 100 ] || die "openssl s_client: $(cat client.out)"
	sleep 0.1
done
from=$(date +%s)
script -qec "ocsign origin check localhost:$port --connect 127.0.0.1:$port \
    --ca some.pem --timeout 3" /dev/null >out 2>&1
took=$(($(date +%s) - from))
grep -q 'ocsign: waiting for the origin' out || die "no progress: $(cat out)"
grep -q 'tls  *failed  *hangs' out || die "$(cat out)"
grep -q 'http  *failed  *says nothing' out || die "$(cat out)"
[ $took -le 12 ] || die "took $took s"
exit 0
