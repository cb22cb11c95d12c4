#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# CAs whose key is on the block list: not made, not taken in, not trusted, and
# they issue nothing, by whatever door; what they issued can be revoked.

. "$top_srcdir/tests/interop/lib.sh"
need openssl sqlite3

write_config
sed -i '1i [policy]\nblocklist = blocked\n' ocsign.conf
: >blocked
make_cas
csr leaf -newkey ec -pkeyopt ec_paramgen_curve:P-256
issue() {
	ocsign cert issue --issuer web --profile server "$@"
}
good issue --out leaf.pem leaf.csr
# block CERTIFICATE...: their keys are on the list, and no others.
block() {
	for pem in "$@"; do
		openssl x509 -in "$pem" -noout -pubkey |
		    openssl pkey -pubin -outform DER | openssl dgst -sha256 |
		    sed 's/.* //'
	done >blocked
}
state() {
	ocsign ca list | sed -n "s/^$1  *\([a-z]*\).*/\1/p"
}
# What an operator would take in: a root of an own key, and one below it.
good ocsign key generate --token ca --label old
ocsign ca create old --subject 'CN=Old Root,O=Example,C=DE' --token ca \
    --key old >out 2>err || die "ca create: $(cat err)"
section=ocsign.conf.d/issuer-old.conf
[ -f "$section" ] || die "no $section"
cp old.pem given.pem
rm "$section"

# --- an issuer ---------------------------------------------------------------
block web.pem
bad 1 'issuer web: the key of "CN=Example Web.* block list' \
    ocsign cert issue --issuer web --profile server leaf.csr
bad 1 'issuer web: the key of "CN=Example Web.* block list' \
    ocsign cert issue --issuer web --profile server --dry-run leaf.csr
bad 1 'issuer web: the key of .* block list' ocsign sign -ca web leaf.csr
bad 1 'issuer web: the key of .* block list' \
    ocsign ca cross-sign web --issuer root
bad 1 'issuer web: the key of .* block list' ocsign origin bundle
bad 1 'issuer web: the key of .* block list' \
    ocsign origin bundle --issuer web
good ocsign origin bundle --issuer root
[ "$(state web) $(state root)" = 'blocked ready' ] || die "$(ocsign ca list)"
# It revokes what it issued.
good ocsign cert revoke leaf.pem --reason keyCompromise
good ocsign crl create --issuer web --out web.crl
openssl crl -in web.crl -noout -text | grep -qi "$(openssl x509 -in leaf.pem \
    -noout -serial | sed 's/.*=//')" || die "not in the list"
ocsign cert show leaf.pem >out || die "cert show: $(cat out)"

# --- the API -----------------------------------------------------------------
ocsignd -t >out 2>&1 || die "ocsignd -t: $(cat out)"
grep -q '\[issuer web\] certificate: warning: .*block list' out ||
    die "ocsignd -t: $(cat out)"
cp ocsign.conf api.conf
cat >>api.conf <<-'EOT'

	[api]
	listen = 127.0.0.1:0
	issuers = web
	endpoints = sign
	profiles = server
EOT
ocsignd -t -c api.conf >out 2>&1 && die "ocsignd -t takes it"
grep -q '\[issuer web\] certificate: the key of .*block list' out ||
    die "ocsignd -t: $(cat out)"
mkdir -p run
timeout 10 "$top_builddir/ocsign-issuer" -c api.conf >out 2>&1
[ $? -eq 78 ] || die "ocsign-issuer: $(cat out)"
grep -q 'issuer web: the key of "CN=Example Web.*block list' out ||
    die "ocsign-issuer: $(cat out)"

# --- what stands above it ----------------------------------------------------
block root.pem
bad 1 'issuer web: the key of "CN=Example Root.* block list' \
    ocsign cert issue --issuer web --profile server leaf.csr
[ "$(state web) $(state root)" = 'blocked blocked' ] ||
    die "$(ocsign ca list)"
ocsignd -t -c api.conf >out 2>&1 && die "ocsignd -t takes it"
grep -q '\[issuer web\] chain: the key of "CN=Example Root' out ||
    die "ocsignd -t: $(cat out)"
timeout 10 "$top_builddir/ocsign-issuer" -c api.conf >out 2>&1
[ $? -eq 78 ] || die "ocsign-issuer: $(cat out)"

# --- making and taking in ----------------------------------------------------
block given.pem
bad 1 'given.pem: the key of "CN=Old Root.* block list' ocsign ca add old \
    --cert given.pem --token ca --key old
bad 1 'block list' ocsign ca create again --subject 'CN=Again' --token ca \
    --key old
bad 1 'block list' ocsign ca create again --subject 'CN=Again' --token ca \
    --key old --csr again.csr
bad 1 'block list' ocsign ca create again --subject 'CN=Again' --token ca \
    --key old --issuer root
: >blocked
ocsign ca add old --cert given.pem --token ca --key old >out 2>err ||
    die "ca add: $(cat err)"
block given.pem
bad 1 'given.pem: the key of .* block list' ocsign ca import old \
    --cert given.pem --force
# The list is wrong: nobody issues, and whoever revokes still may.
good issue --out second.pem leaf.csr
echo nonsense >blocked
bad 1 'blocked:1: ' ocsign cert issue --issuer web --profile server leaf.csr
good ocsign cert revoke second.pem
good ocsign audit verify
