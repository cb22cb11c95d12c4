#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The records: a backup while others write, refused and then real restoring,
# two writers at once, and ocsign killed while it issues; a store of an older
# version.  No serial and no CRL number comes twice, and no certificate exists
# that is not recorded.

. "$top_srcdir/tests/interop/failure.sh"
need openssl sqlite3 curl pgrep

ca_folder
sed -i 's/^ocsp-key = ocsp/&\npresign = asked/' ocsign.conf
ca_make
ca_issue first.test
service_start

issue() {
	ocsign cert issue --issuer ca --profile server --out "$1" \
	    first.test.csr
}
serial_of() {
	openssl x509 -in "$1" -noout -serial | sed 's/.*=//'
}
crl_number() {
	ocsign crl create --issuer ca --out "$1" >/dev/null
	openssl crl -in "$1" -noout -crlnumber | sed 's/.*=//; s/^0x//'
}
# larger A B: of two hex numbers without leading zeros.
larger() {
	[ "$1" != "$2" ] && [ "$(printf '%040s\n%040s\n' "$1" "$2" |
	    tr ' ' 0 | sort | tail -n 1)" = "$(printf '%040s' "$1" |
	    tr ' ' 0)" ]
}
epoch() {
	sqlite3 store.db 'SELECT epoch FROM store'
}

# Two issue, one revokes what they issued, and a backup is made meanwhile.
issuing() {
	n=0
	while [ $n -lt 20 ]; do
		issue "$1.$n.pem" || echo "$1.$n" >>failed
		n=$((n + 1))
	done
}
issuing x &
one=$!
issuing y &
two=$!
n=0
while [ $n -lt 20 ]; do
	within 20 test -s x.$n.pem || fail "x.$n does not come"
	ocsign cert revoke x.$n.pem >/dev/null || echo "revoke $n" >>failed
	[ $n -ne 5 ] || ocsign store backup backup.db >/dev/null
	n=$((n + 1))
done
wait $one $two
[ ! -e failed ] || fail "beside each other: $(cat failed)"
ocsign audit verify >out 2>&1 || fail "$(cat out)"
[ "$(ocsign --json cert list --issuer ca | grep -c '"serial"')" -ge 42 ] ||
    fail "not all are in the list"
[ "$(ocsign --json cert list --issuer ca --revoked |
    grep -c '"serial"')" -eq 20 ] || fail "not 20 are revoked"
[ "$(sqlite3 backup.db 'PRAGMA integrity_check')" = ok ] ||
    fail "the backup is damaged"

# Killed while it issues, at any moment of it; the certificates that are
# there are known, and the next one is issued as if nothing had been.
n=0
while [ $n -lt 50 ]; do
	ocsign cert issue --issuer ca --profile server --out k.$n.pem \
	    first.test.csr 2>/dev/null &
	victim=$!
	sleep "0.0$(printf '%02d' $((n * 37 % 30)))"
	kill -9 $victim 2>/dev/null || true
	wait $victim 2>/dev/null || true
	n=$((n + 1))
done
ocsign audit verify >out 2>&1 || fail "$(cat out)"
num_there=0
ocsign --json cert list --issuer ca >list
for f in k.*.pem; do
	[ -e "$f" ] || continue
	num_there=$((num_there + 1))
	openssl verify -CAfile trust.pem "$f" >out 2>&1 || fail "$(cat out)"
	grep -qi "$(serial_of "$f")" list || fail "$f is not recorded"
done
echo "$num_there of 50 were issued before they were killed"
issue after.pem
[ -z "$(find . -maxdepth 1 -name '*.pem.*')" ] || rm -f ./*.pem.*

# Restoring: not while it is used, and in one line.
number=$(crl_number before.crl)
before=$(epoch)
ocsign store restore backup.db >out 2>err && fail "restored while in use"
[ "$(wc -l <err)" -eq 1 ] && grep -Eq 'in use|ocsignd|open' err ||
    fail "$(cat err)"
[ "$(epoch)" = "$before" ] || fail "the refused restore changed something"
expect good after.pem
service_stop
ocsign store restore backup.db >out || fail "$(cat out)"
larger "$(printf '%x' "$(epoch)")" "$(printf '%x' "$before")" ||
    fail "epoch $(epoch) after $before"
service_start
larger "$(crl_number after.crl)" "$number" ||
    fail "CRL number: $(openssl crl -in after.crl -noout -crlnumber)"
# Issued after the backup, so lost: never good.
openssl ocsp -issuer ca.pem -cert after.pem -no_nonce -url "$url" \
    -CAfile trust.pem >answer 2>&1 || true
grep -qi 'unauthorized' answer || fail "a lost one: $(cat answer)"
expect good first.test.pem
expect revoked x.0.pem

# No serial comes again: 200 more against all there ever were.
n=0
for csr in 1 2 3 4; do
	(n=0
	while [ $n -lt 50 ]; do
		issue "s$csr.$n.pem" || exit 1
		n=$((n + 1))
	done) &
	eval "issuer$csr=\$!"
done
wait "$issuer1" && wait "$issuer2" && wait "$issuer3" && wait "$issuer4" ||
    fail "issuing after the restore"
for f in first.test.pem after.pem [xyk].*.pem s[1-4].*.pem; do
	serial_of "$f"
done | sort >serials
[ "$(wc -l <serials)" -ge 240 ] || fail "only $(wc -l <serials)"
[ -z "$(uniq -d serials)" ] || fail "twice: $(uniq -d serials)"
ocsign audit verify >out 2>&1 || fail "$(cat out)"
service_stop

# As an older version left it: the service starts on it all the same, though
# its first role to open the store only reads.
schema=$(sqlite3 store.db 'PRAGMA user_version')
back_to_2() {
	sqlite3 store.db '.timeout 5000' 'BEGIN IMMEDIATE;
	    DROP TABLE acme_order_proof; DROP TABLE acme_order;
	    DROP TABLE proof_challenge; DROP TABLE proof;
	    DROP TABLE acme_external_key; DROP TABLE acme_account;
	    ALTER TABLE certificate_request DROP COLUMN run;
	    DROP INDEX certificate_revoked; DROP INDEX certificate_changed;
	    DROP INDEX certificate_released;
	    DROP INDEX certificate_partition;
	    ALTER TABLE certificate DROP COLUMN crl_partition;
	    ALTER TABLE certificate DROP COLUMN released_seq;
	    CREATE INDEX certificate_revoked
		ON certificate (issuer_id, length(serial), serial)
		WHERE revoked_at IS NOT NULL;
	    ALTER TABLE crl RENAME TO crl_4;
	    CREATE TABLE crl (id INTEGER PRIMARY KEY,
		issuer_id INTEGER NOT NULL REFERENCES issuer (id),
		number INTEGER NOT NULL, this_update INTEGER NOT NULL,
		next_update INTEGER NOT NULL, reserved_at INTEGER NOT NULL,
		issued_at INTEGER NOT NULL DEFAULT 0, der BLOB,
		CHECK ((der IS NULL) = (issued_at = 0)),
		UNIQUE (issuer_id, number));
	    INSERT INTO crl SELECT id, issuer_id, number, this_update,
		next_update, reserved_at, issued_at, (SELECT der FROM
		crl_part WHERE crl_id = crl_4.id) FROM crl_4;
	    DROP TABLE crl_part; DROP TABLE crl_4;
	    DROP TABLE certificate_import;
	    DROP TABLE response; DROP TABLE response_context;
	    PRAGMA user_version = 2; COMMIT'
}
back_to_2
service_start
[ "$(sqlite3 store.db 'PRAGMA user_version')" -eq "$schema" ] ||
    fail "schema $(sqlite3 store.db 'PRAGMA user_version')"
expect good first.test.pem
expect revoked x.0.pem
# So does a reload, by which the programs of an upgrade come into use.
back_to_2
kill -HUP "$(cat ocsignd.pid)"
within 10 grep -Eq '(: reloaded|not reloaded|reload failed)' ocsignd.log ||
    fail "the reload does not end"
! grep -E 'not reloaded|reload failed' ocsignd.log || fail "not reloaded"
[ "$(sqlite3 store.db 'PRAGMA user_version')" -eq "$schema" ] ||
    fail "after a reload: schema $(sqlite3 store.db 'PRAGMA user_version')"
expect good first.test.pem
ocsign audit verify >out 2>&1 || fail "$(cat out)"
service_stop
