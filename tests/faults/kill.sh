#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# "ocsign cert issue" killed with SIGKILL at random moments, against a real
# token and a real store: nothing was put out that is not recorded, no serial
# number comes twice, the journal verifies, and what was reserved and never
# issued is listed.  OCSIGN_KILLS: how many; OCSIGN_KILL_SEED: those of a run
# before.

. "$top_srcdir/tests/interop/lib.sh"
need openssl sqlite3

kills=${OCSIGN_KILLS:-60}
seed=${OCSIGN_KILL_SEED:-$(date +%s)}
echo "OCSIGN_KILLS=$kills OCSIGN_KILL_SEED=$seed"
write_config "127.0.0.1:$(free_port)"
make_cas
good ocsign account add acme --live-max 100000 --period-max 100000 \
    --period 30d
good ocsign zone add example.com --account acme
csr site -newkey ec -pkeyopt ec_paramgen_curve:P-256

# The module in the process that is killed.  SoftHSM writes token.object in
# place at each login, and one that is killed meanwhile leaves half of it; two
# logins in a row that were cut short want "token unlatch".
cp -a tokens tokens.whole
"$top_builddir/tests/faults/kill_issue" "$seed" $((kills / 2)) \
    'rm -rf tokens store/pin-*-ca && cp -a tokens.whole tokens' ||
    die "seed $seed"
# The module in ocsign-signer, which lives on.
start_ocsignd
"$top_builddir/tests/faults/kill_issue" "$seed" $((kills - kills / 2)) ||
    die "seed $seed, with the service"

good ocsign audit verify
grep -q '^chain: *good$' out || die "audit verify: $(cat out)"
listed=$(sed -n 's/^never issued: *//p' out)
count() {
	sqlite3 store/store.db "SELECT count(*) FROM $1"
}
[ "$listed" -eq "$(count 'certificate WHERE state = 1')" ] ||
    die "$listed listed of $(count 'certificate WHERE state = 1')"
good ocsign --json audit verify
sqlite3 store/store.db 'SELECT hex(serial) FROM certificate WHERE state = 1' |
    while read -r serial; do
	grep -qi "\"serial\": \"0*$serial\"" out ||
	    die "serial $serial is not listed: $(cat out)"
    done || exit 1
[ "$(grep -c '"DNS:www.example.com"' out)" -eq "$listed" ] ||
    die "names: $(cat out)"
[ "$(grep -c '"profile": "server"' out)" -eq "$listed" ] || die "profiles"
[ "$(grep -c '"reserved_at": "20' out)" -eq "$listed" ] || die "times"
[ "$(sqlite3 store/store.db 'SELECT count(*) - count(DISTINCT serial)
    FROM certificate')" -eq 0 ] || die "a serial number came twice"
# And it goes on.
good ocsign cert issue --issuer web --profile server --account acme \
    --out after.pem site.csr
good openssl verify -CAfile root.pem -untrusted web.pem after.pem
good ocsign crl create --issuer web --out web.crl
good ocsign audit verify
