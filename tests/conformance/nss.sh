#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Does NSS believe the responder that the certificate names?  Both of its
# validators, the old one and PKIX, with OCSP demanded.

. "$top_srcdir/tests/conformance/conformance.sh"
need certutil ocspclnt vfychain

ca_folder
ca_make
ca_issue a.test
service_start

mkdir db
certutil -N -d sql:db --empty-password
certutil -A -d sql:db -n root -t CT,C,C -a -i root.pem
certutil -A -d sql:db -n ca -t ,, -a -i ca.pem
certutil -A -d sql:db -n leaf -t ,, -a -i a.test.pem

# nss PATTERN COMMAND...
nss() {
	nss_pattern=$1
	shift
	timeout 30 "$@" >nss.out 2>&1 || true
	grep -q "$nss_pattern" nss.out || fail "$*: $(cat nss.out)"
}
pkix() {
	nss "$1" vfychain -d sql:db -pp -u 1 -g leaf -m ocsp \
	    -s requireInfo -s failIfNoInfo leaf
}
nss 'Check of certificate "leaf" succeeded' ocspclnt -S leaf -d sql:db
nss 'Verification of certificate "leaf" succeeded' \
    ocspclnt -V leaf -u s -d sql:db
pkix 'Chain is good'
ocsign cert revoke --reason keyCompromise a.test.pem
nss 'has been revoked' ocspclnt -S leaf -d sql:db
nss 'has been revoked' ocspclnt -V leaf -u s -d sql:db
pkix 'has been revoked'
service_stop
# Nobody to ask is not good: it was asked.
pkix 'Chain is bad'
