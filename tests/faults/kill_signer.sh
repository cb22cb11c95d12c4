#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ocsign-signer killed with SIGKILL at random moments, while certificates,
# CRLs and OCSP responses are signed: whatever was handed out is in the signing
# journal, its chain is whole, and it and the store know the same.  Then what
# is done to it is found.  OCSIGN_KILLS: how many.

. "$top_srcdir/tests/interop/lib.sh"
need openssl sqlite3

kills=${OCSIGN_KILLS:-8}
write_config "127.0.0.1:$(free_port)"
make_cas
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
load() {
	n=0
	while [ ! -f stop ]; do
		n=$((n + 1))
		ocsign cert issue --issuer web --profile server \
		    --out "cert.$1.$n.pem" site.csr >/dev/null 2>&1
		[ $((n % 3)) -ne 0 ] || ocsign crl create --issuer web \
		    --out "crl.$1.$n" >/dev/null 2>&1
	done
}
load a &
loads=$!
load b &
loads="$loads $!"

# One that is killed in its login leaves the latch, which is another test.
is_logged_in() {
	[ "$(grep -c 'ocsign-signer (process [0-9]*) is ready' \
	    ocsignd.log)" -gt "$i" ]
}
i=0
while [ $i -lt "$kills" ]; do
	pid=$(signer)
	[ -n "$pid" ] && is_logged_in && kill -9 "$pid" 2>/dev/null &&
	    i=$((i + 1))
	# Longer and longer into what the next one does.
	sleep "0.$((i * 7 % 9 + 1))"
done
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
echo "$num certificates over $i kills: $(sed -n \
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
