#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The OCSP signer's certificate is renewed while clients ask: for the same key,
# by a person and by ocsignd itself, and for another.  Not one of them gets an
# answer that OpenSSL does not verify, nor none; what is not due is left alone;
# what cannot be renewed is said, and leaves what there is.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl flock

# One that is only planned is nobody's to renew, nor to wait for.
ca_folder '
[issuer later]
certificate = later.pem
token = demo
key = later
ocsp-certificate = later-ocsp.pem
ocsp-key = later-ocsp'
ca_make
cp ocsp.pem first.pem
for n in 1 2 3 4 5; do
	ca_issue $n.test
done
sed -i 's/^table-directory.*/&\nrenew-every = 0s/' ocsign.conf
service_start
within 10 is_whole || fail "not all is signed: $(cat status.json)"

# Clients: each answer verified, with its certificate.  They pause, since it is
# not about load.
client() {
	while [ ! -e clients.stop ]; do
		for n in 1 2 3 4 5; do
			openssl ocsp -issuer ca.pem -cert $n.test.pem $2 \
			    -url "$url" -CAfile trust.pem >$1.out 2>&1 || true
			if grep -q '^Response verify OK' $1.out &&
			    grep -q "^$n.test.pem: good" $1.out; then
				echo good >>$1.log
			else
				cat $1.out >>$1.bad
			fi
			sleep 0.05
		done
	done
}
client c1 -no_nonce &
clients=$!
client c2 -nonce &
clients="$clients $!"
pids="$pids $clients"
clients_go_on() {
	seen=$(cat c?.log | wc -l)
	within 10 has_more || fail "clients get nothing"
	[ ! -e c1.bad ] && [ ! -e c2.bad ] || fail "$(cat c?.bad | head -20)"
}
has_more() {
	[ "$(cat c?.log | wc -l)" -gt $((seen + 20)) ]
}
within 10 test -s c1.log && within 10 test -s c2.log || fail "no clients"

# By its serial number: the certificate in a file, and, served NAME, the one in
# the answer about NAME.test.pem; when that was produced.
serial() {
	openssl x509 -serial -noout -in "$1" | sed 's/serial=//'
}
served() {
	request $1.test.pem served.request
	post served.request served.der >/dev/null
	openssl ocsp -respin served.der -resp_text -noverify 2>/dev/null |
	    openssl x509 -serial -noout | sed 's/serial=//'
}
produced() {
	openssl ocsp -respin served.der -resp_text -noverify 2>/dev/null |
	    sed -n 's/.*Produced At: //p'
}

issued() {
	ocsign --json cert list --issuer ca | grep -c '"serial"'
}

# Not due.
ocsign ocsp renew --reload >out
grep -q 'ca .*valid' out || fail "$(cat out)"
grep -q 'later .*missing' out || fail "$(cat out)"
cmp -s first.pem ocsp.pem || fail "what was not due was renewed"
! grep -q 'notice: reloaded' ocsignd.log || fail "reloaded for nothing"

# The same key: what was signed goes out with the new certificate.
served 1 >before
before=$(produced)
ocsign --json ocsp renew --force --reload >out.json
grep -q '"state": "renewed"' out.json || fail "$(cat out.json)"
[ "$(serial ocsp.pem)" != "$(serial first.pem)" ] || fail "the same"
[ "$(openssl x509 -pubkey -noout -in ocsp.pem)" = \
    "$(openssl x509 -pubkey -noout -in first.pem)" ] || fail "another key"
[ "$(openssl x509 -subject -noout -in ocsp.pem)" = \
    "$(openssl x509 -subject -noout -in first.pem)" ] || fail "another name"
ocsign cert show ocsp.pem >/dev/null || fail "it is not in the records"
# It waited for who signs; the responders' turn may come after.
within 10 grep -q 'notice: reloaded' ocsignd.log || fail "not reloaded"
within 10 is_whole || fail "not whole: $(cat status.json)"
clients_go_on
served 1 >after
[ "$(cat after)" = "$(serial ocsp.pem)" ] ||
    fail "served with $(cat after), not $(serial ocsp.pem)"
[ "$(produced)" = "$before" ] || fail "it was signed again"
[ ! -e tables/ca.table.old ] || fail "an older table"

# And again: nothing is due, and the service has it.
ocsign ocsp renew --reload >out
grep -q 'ca .*valid' out || fail "$(cat out)"

# Renewed without a reload: the next run tells the service.
cp ocsp.pem second.pem
num=$(count 'notice: reloaded' ocsignd.log)
ocsign ocsp renew --issuer ca --force >out
cmp -s second.pem ocsp.pem && fail "not renewed: $(cat out)"
[ "$(count 'notice: reloaded' ocsignd.log)" -eq "$num" ] || fail "reloaded"
ocsign ocsp renew --reload >out
grep -q 'ca .*valid' out || fail "$(cat out)"
is_reloaded() {
	[ "$(count 'notice: reloaded' ocsignd.log)" -gt "$num" ]
}
within 10 is_reloaded || fail "the service was not told"
served 2 >after
[ "$(cat after)" = "$(serial ocsp.pem)" ] || fail "served with another"
clients_go_on

# Not by a clock that the service does not believe.
cp run/clock clock.kept
echo $(($(cat clock.kept) - 86400000)) >run/clock
cp ocsp.pem second.pem
ocsign ocsp renew --force --reload >out 2>err && fail "by a wrong clock"
grep -q 'the clock was set 86[34][0-9]* s ahead' err || fail "$(cat err)"
cmp -s second.pem ocsp.pem || fail "renewed by a wrong clock"
cp clock.kept run/clock

# By ocsignd: of the seven minutes of this one five are over, and its profile
# is not there any more.  It is said, and tried again, no faster than it may;
# nothing is issued, and nothing else suffers.
cat >>ocsign.conf <<-EOF
[profile brief]
based-on = ocsp-signer
validity = 7m
EOF
ocsign cert issue --issuer ca --profile brief --out ocsp.pem ocsp.csr
cp ocsp.pem brief.pem
sed -i 's/^\[profile brief\]/[profile other]/
    s/^renew-every = 0s/renew-every = 1s/' ocsign.conf
num=$(count 'notice: reloaded' ocsignd.log)
before=$(issued)
began=$(date +%s)
kill -HUP "$(cat ocsignd.pid)"
within 20 is_reloaded || fail "not reloaded"
failures() {
	count 'ocsign ocsp renew .process [0-9]*. failed' ocsignd.log
}
has_failed_thrice() {
	[ "$(failures)" -ge 3 ]
}
within 20 has_failed_thrice || fail "no failure is said"
took=$(($(date +%s) - began))
[ "$(failures)" -le $((2 * took + 1)) ] || fail "a storm: $took s"
grep -q 'ocsign: ocsp renew: the OCSP signer of issuer ca.*brief' \
    ocsignd.log || fail "it does not say why"
is_alarmed() {
	ocsign --json status >status.json &&
	    grep -Eq '"signer_renewal": "(late|urgent)"' status.json
}
within 5 is_alarmed || fail "no alarm: $(cat status.json)"
within 5 grep -q 'and nobody has renewed it' ocsignd.log || fail "no alarm"
cmp -s brief.pem ocsp.pem || fail "half renewed"
[ "$(issued)" -eq "$before" ] || fail "issued for nothing"
clients_go_on
served 3 >after
[ "$(cat after)" = "$(serial brief.pem)" ] || fail "served with another"

# And once it can be, it is, and is used.
num=$(count 'notice: reloaded' ocsignd.log)
sed -i 's/^\[profile other\]/[profile brief]/
    s/^validity = 7m/&\nbackdate = 0s/' ocsign.conf
within 20 is_reloaded || fail "ocsignd has not renewed it"
within 10 grep -q 'ocsign ocsp renew works again' ocsignd.log ||
    fail "it does not say that it does"
[ "$(serial ocsp.pem)" != "$(serial brief.pem)" ] || fail "the same"
within 10 is_whole || fail "not whole: $(cat status.json)"
clients_go_on
served 3 >after
[ "$(cat after)" = "$(serial ocsp.pem)" ] || fail "served with another"
within 5 not is_alarmed || fail "still an alarm"
# Once.
sleep 2
[ "$(issued)" -eq $((before + 1)) ] || fail "renewed again and again"
[ "$(count 'notice: reloaded' ocsignd.log)" -eq $((num + 1)) ] ||
    fail "reloaded again and again"
sed -i 's/^renew-every = 1s/renew-every = 0s/' ocsign.conf

# Another key: what the old one signed goes on with the old certificate.
cp ocsp.pem third.pem
ocsign key generate --token demo --label ocsp2 --type rsa2048 >/dev/null
ocsign csr create --subject 'CN=Test OCSP 2,O=Example,C=DE' \
    --token demo --key ocsp2 --out ocsp2.csr
ocsign cert issue --issuer ca --profile ocsp-signer --out ocsp2.pem ocsp2.csr
sed -i 's/^ocsp-certificate = ocsp.pem/ocsp-certificate = ocsp2.pem/
    s/^ocsp-key = ocsp$/ocsp-key = ocsp2/' ocsign.conf
num=$(count 'notice: reloaded' ocsignd.log)
kill -HUP "$(cat ocsignd.pid)"
within 10 is_reloaded || fail "not reloaded"
clients_go_on
served 3 >after
[ "$(cat after)" = "$(serial third.pem)" ] ||
    fail "an old answer with another certificate"
[ -e tables/ca.table.old ] || fail "the old answers are gone"
ca_issue new.test
expect good new.test.pem
served new >after
[ "$(cat after)" = "$(serial ocsp2.pem)" ] || fail "a new one by the old key"
# Revoked, it is by the new key, at once.
ocsign cert revoke new.test.pem
expect revoked new.test.pem
clients_go_on
touch clients.stop
for pid in $clients; do
	wait $pid
done
[ ! -e c1.bad ] && [ ! -e c2.bad ] || fail "$(cat c?.bad | head -20)"
echo "$(cat c?.log | wc -l) answers verified"
ocsign cert revoke 5.test.pem
expect revoked 5.test.pem
served 5 >after
[ "$(cat after)" = "$(serial ocsp2.pem)" ] || fail "by the old key"
# All of them again, after a restart of everything.  What was signed under a
# certificate of minutes is soon signed anew, and then by the new key.
served 4 >as_before
before=$(produced)
service_stop
service_start
within 10 is_whole || fail "not whole: $(cat status.json)"
expect good 4.test.pem
served 4 >after
[ "$(produced)" = "$before" ] || serial ocsp2.pem >as_before
cmp -s as_before after || fail "not after a restart"
# Its certificate is revoked: nothing goes out with it any more.
ocsign cert revoke --reason superseded third.pem
within 10 not test -e tables/ca.table.old || fail "it stays"
for n in 1 2 3 4; do
	expect good $n.test.pem
	served $n >after
	[ "$(cat after)" = "$(serial ocsp2.pem)" ] || fail "$n by the old key"
done
service_stop

# Five of six minutes are over for one that is dated back as much.
ocsign cert issue --issuer ca --profile ocsp-signer --validity 6m \
    --out ocsp2.pem ocsp2.csr
cp ocsp2.pem kept.pem
ocsign ocsp renew >out
grep -q 'ca .*renewed' out || fail "not renewed when due: $(cat out)"
cmp -s kept.pem ocsp2.pem && fail "not renewed when due"
openssl x509 -checkend 120 -noout -in ocsp2.pem >/dev/null &&
    fail "it lives longer than the one before"

# Without a service.
cp ocsp2.pem kept.pem
ocsign ocsp renew --force --reload >out
cmp -s kept.pem ocsp2.pem && fail "not renewed without a service"

# What cannot be stays as it is, and is said.
# not_renewed TEXT: nor is anything issued for nothing.
not_renewed() {
	before=$(issued)
	ocsign ocsp renew --force >out 2>err && fail "renewed: $1"
	grep -q "$1" err || fail "not '$1' but $(cat err)"
	cmp -s kept.pem ocsp2.pem || fail "half renewed: $1"
	[ "$(issued)" -eq "$before" ] || fail "issued for nothing: $1"
}
cp ocsp2.pem kept.pem
sed -i '/^\[issuer ca\]/,$s/^key = ca$/key = none/' ocsign.conf
not_renewed "OCSP signer of issuer ca, whose certificate ends at 20"
grep -q 'ca .*failed' out || fail "$(cat out)"
sed -i 's/^key = none$/key = ca/; s/^ocsp-key = ocsp2/ocsp-key = none/' \
    ocsign.conf
not_renewed 'no private key of this label'
sed -i 's/^ocsp-key = none/ocsp-key = ocsp2/' ocsign.conf
# Two at once.
(flock 9 && exec sleep 60) 9>renew.lock &
pids="$pids $!"
is_locked() {
	! flock -n renew.lock true
}
within 5 is_locked || fail "no lock"
not_renewed 'renew.lock is locked'
stop $!
within 5 not is_locked || fail "still locked"
# Where it cannot be written: behind a link to what has no name any more.
exec 8<ocsp2.pem
sleep 60 <&8 &
pids="$pids $!"
exec 8<&-
rm ocsp2.pem
ln -s /proc/$!/fd/0 ocsp2.pem
not_renewed 'cannot follow the link'
rm ocsp2.pem
# One that would end before it.
cat >>ocsign.conf <<-EOF
[profile long]
based-on = ocsp-signer
validity = 60d
EOF
ocsign cert issue --issuer ca --profile long --out ocsp2.pem ocsp2.csr
cp ocsp2.pem kept.pem
sed -i 's/^validity = 60d/validity = 50d/' ocsign.conf
not_renewed 'would end before the old one'
