#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ocsign-signer killed with SIGKILL at random moments, also in its login, of
# which one key wants one for each signature, while certificates, CRLs and OCSP
# responses are signed: the next one starts, whatever was handed out is in the
# signing journal, its chain is whole, and it and the store know the same.  Then
# what is done to it is found.  OCSIGN_KILLS: how many.

. "$top_srcdir/tests/interop/lib.sh"
need openssl sqlite3

kills=${OCSIGN_KILLS:-8}
write_config "127.0.0.1:$(free_port)"
make_cas
issuers="web web"
if command -v pkcs11-tool >/dev/null; then
	SOFTHSM2_CONF=$work/softhsm.conf pkcs11-tool --module "$module" \
	    --token-label ca --login --pin 123456 --keypairgen \
	    --key-type EC:prime256v1 --id 73 --label always --always-auth \
	    >out 2>&1 || die "pkcs11-tool: $(cat out)"
	cat >>ocsign.conf <<-EOT

		[issuer always]
		certificate = always.pem
		token = ca
		key = always
		ocsp-url = http://127.0.0.1:1/
	EOT
	good ocsign ca create always --issuer root --subject CN=always
	issuers="web always"
fi
# Whoever is killed in the first login with a PIN leaves its latch.
good ocsign key list --token ca
csr site -newkey ec -pkeyopt ec_paramgen_curve:P-256
[ -f store/signing-journal/ocsign.000001 ] || die "no journal of ocsign's"
good ocsign audit verify
grep -q '^signing journal: *good$' out || die "$(cat out)"

start_ocsignd
main=$(cat ocsignd.pid)
signer() {
	ps -o pid= -o comm= --ppid "$main" |
	    sed -n 's/^ *\([0-9]*\) ocsign-signer$/\1/p'
}

# Until it is told to stop; what fails while the signer is away may fail.
# $1: the issuer
load() {
	n=0
	while [ ! -f stop ]; do
		n=$((n + 1))
		ocsign cert issue --issuer "$1" --profile server \
		    --out "cert.$2.$n.pem" site.csr >/dev/null 2>&1
		[ $((n % 3)) -ne 0 ] || ocsign crl create --issuer "$1" \
		    --out "crl.$2.$n" >/dev/null 2>&1
	done
}
loads=
for issuer in $issuers; do
	load "$issuer" "$issuer$loads" &
	loads="$loads $!"
done

# SoftHSM writes this in place at each login: it is stopped, and killed unless
# it has half of it.
object=$(echo tokens/*/token.object)
whole=$(wc -c <"$object")
kill_signer() {
	pid=$(signer)
	[ -n "$pid" ] && kill -STOP "$pid" 2>/dev/null || return 1
	until ps -o stat= -p "$pid" | grep -q '^[TZ]'; do
		kill -0 "$pid" 2>/dev/null || return 1
	done
	if [ "$(wc -c <"$object")" -eq "$whole" ]; then
		kill -9 "$pid" 2>/dev/null
		return
	fi
	kill -CONT "$pid"
	return 1
}
# Logins without an answer, in a row.  The first may be tried again.
lost() {
	sed -n 's/^lost //p' store/pin-accepted-ca
}
i=0 in_login=0
until_s=$(($(date +%s) + 60 + 5 * kills))
while [ $i -lt "$kills" ]; do
	[ "$(date +%s)" -lt $until_s ] || die "$i kills: $(cat ocsignd.log)"
	if kill_signer; then
		i=$((i + 1))
		[ "$(lost)" = 0 ] || in_login=$((in_login + 1))
	fi
	# Longer and longer into what the next one does.
	sleep "0.$((i * 7 % 9 + 1))"
	while [ "$(lost)" != 0 ] && [ "$(date +%s)" -lt $until_s ]; do
		:
	done
done
if grep 'ended with status 78' ocsignd.log; then
	die "a PIN that is right is not tried: $(cat ocsignd.log)"
fi
touch stop
for pid in $loads; do
	wait "$pid"
done
good ocsign --json audit verify
grep -q '"signing_journal": "good"' out || die "$(cat out)"
grep -q '"alarms_found": 0' out || die "$(cat out)"
num=$(ls cert.*.pem 2>/dev/null | wc -l)
[ "$num" -gt 0 ] || die "nothing was issued"
# A pipe's worth of octets is missing at most where it was killed.
echo "$num certificates over $i kills, $in_login in a login: $(sed -n \
    '/torn_octets/p; /not_recorded/p' out | tr -d '\n')"
for pem in cert.*.pem; do
	openssl x509 -in "$pem" -noout || die "$pem"
done
good ocsign --json audit signatures --kind certificate --last 0
[ "$(grep -c '"outcome": "signed"' out)" -ge "$num" ] || die "$(cat out)"
good ocsign --json audit signatures --kind crl --last 1
[ "$(grep -c '"number"' out)" -eq 1 ] || die "$(cat out)"

# What is done to it.
kill "$main"
wait_gone "$main"
journal=store/signing-journal
cp -a $journal kept
found() {
	ocsign audit verify >out 2>err && die "$1 is not found: $(cat out)"
	grep -q "$2" err || die "$1: $(cat err)"
	rm -rf $journal
	cp -a kept $journal
}
last=$(ls $journal/signer.0* | tail -n 1)
sed -i '3s/signed/failed/' $journal/signer.000001
found "a changed record" "signer.000001: record 3 "
sed -i 4d $journal/signer.000001
found "a dropped record" "signer.000001: record 4 "
if [ "$last" != $journal/signer.000001 ]; then
	rm $journal/signer.000001
	found "a dropped file" "signer.00000"
fi
# After half a record another file begins; the first may be in an archive.
printf '99 2026-' >>$journal/ocsign.000001
good ocsign crl create --issuer web --out next.crl
rm -rf kept
cp -a $journal kept
rm $journal/ocsign.000001
good ocsign audit verify --archived
found "a file that is gone" "say --archived"
rm -rf $journal
good ocsign audit verify --archived
found "a journal that is gone" "in only one of the store and the signing"
# Signed, and nobody knows it: a certificate's row and journal entry cannot be
# taken out of the store without that being found, but it can be put back.
rm $journal/signer.*
found "a dropped chain" "in only one of the store and the signing journal"
ocsign audit verify >out 2>err || die "as it was: $(cat err)"
good ocsign store backup before.db
start_ocsignd
good ocsign cert issue --issuer web --profile server --out late.pem site.csr
main=$(cat ocsignd.pid)
kill "$main"
wait_gone "$main"
rm -f store/store.db store/store.db-*
cp before.db store/store.db
ocsign audit verify >out 2>err && die "an unknown signature is not found"
grep -q 'alarm' out || die "$(cat out)"
grep -q 'a certificate was signed with issuer/web that the store does not' \
    out || die "$(cat out)"
# Put back as it is to be, it is said and no alarm.
cp before.db again.db
rm -f store/store.db store/store.db-*
good ocsign store restore again.db
good ocsign audit verify
grep -q '^not in the restored store: *1$' out || die "$(cat out)"
