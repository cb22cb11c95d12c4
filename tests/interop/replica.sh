#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Two issuers and three responder hosts on one database, whose server is
# killed under load; its synchronous replica takes over.  What was handed out
# is in the records, no serial number comes twice, and what was revoked is
# not called good.  Without the replica's name a start says what may be lost.

. "$top_srcdir/tests/interop/failure.sh"
. "$top_srcdir/tests/postgres.sh"
need openssl curl psql python3
grep -q 'define HAVE_LIBPQ 1' "$top_builddir/config.h" && pg_find || {
	echo "skipped: no PostgreSQL"
	exit 77
}
chmod 711 "$dir"
hosts='1 2 3'
finish_all() {
	status=$?
	trap - EXIT
	set +e
	for host in $hosts; do
		[ ! -s "$dir/$host.pid" ] || stop "$(cat "$dir/$host.pid")"
	done
	[ $status -eq 0 ] || tail -n 20 "$dir"/[123].log
	for n in one two; do
		[ $status -eq 0 ] || tail -n 5 "$dir/$n/log"
		pg_stop "$dir/$n"
	done
	(exit $status)
	finish
}
trap finish_all EXIT

# --- a server and its replica ---------------------------------------------

pg_create "$dir/one"
pg_start "$dir/one"
pg_sql "$dir/one" 'CREATE DATABASE ocsign' postgres
pg_make "$dir/two"
(cd "$dir/two" && pg_as "$pg_bin/pg_basebackup" -D "$dir/two/data" -R \
    -X stream -c fast -d "host=$dir/one user=ocsign application_name=two")
pg_configure "$dir/two"
pg_start "$dir/two"
pg_sql "$dir/one" "ALTER SYSTEM SET synchronous_standby_names = 'two'" \
    postgres
pg_sql "$dir/one" 'SELECT pg_reload_conf()' postgres >/dev/null
is_synchronous() {
	[ "$(pg_sql "$dir/one" 'SELECT sync_state FROM pg_stat_replication' \
	    postgres)" = sync ]
}
within 20 is_synchronous || fail "the replica is not waited for"

# --- three hosts ------------------------------------------------------------

ca_folder
cat >config.json <<'EOF'
{"signing": {"default": {"usages": ["signing", "server auth"],
    "expiry": "720h"}}}
EOF
sed -i "s|^path = .*|path = h/store.db\\
database = host=$dir/one,$dir/two user=ocsign dbname=ocsign|" ocsign.conf
rm -rf store.db*
ca_make
ca_issue template.test
cp template.test.pem template.pem
cp template.test.csr site.csr
openssl ocsp -issuer ca.pem -cert template.pem -no_nonce \
    -reqout request.der 2>/dev/null
openssl x509 -in ca.pem -noout -ext subjectKeyIdentifier |
    sed -n 's/[ :]//g; 2p' >aki
urls= apis=
for n in $hosts; do
	at=$(free_port)
	mkdir "run$n" "tables$n"
	sed "s|= h/|= h$n/|; s|= run|= run$n|; s|= tables|= tables$n|
	    s|^listen = .*|listen = 127.0.0.1:$at|" ocsign.conf >"$n.conf"
	[ "$n" -eq 3 ] || cat >>"$n.conf" <<-EOF
	[cfssl]
	config = config.json
	[api]
	listen = 127.0.0.1:0
	issuers = ca
	endpoints = health sign revoke
	EOF
	ocsignd -c "$n.conf" -d -p "$dir/$n.pid" 2>>"$n.log" ||
	    fail "host $n does not start"
	grep -q synchronous_standby_names "$n.log" &&
	    fail "a replica that is waited for is not seen"
	urls=$urls${urls:+,}http://127.0.0.1:$at/
	[ "$n" -eq 3 ] || apis=$apis${apis:+,}$(sed 's,/$,,' "run$n/api.urls")
done

# --- the server is killed ----------------------------------------------------

cat >take_over <<EOF
#!/bin/sh
. "$top_srcdir/tests/postgres.sh"
pg_find
kill -9 \$(head -n 1 "$dir/one/data/postmaster.pid")
# Until then there is nobody to write to; what was revoked last is to be heard
# of from the replica.
sleep 5
cd "$dir/two" &&
    pg_as "\$pg_bin/pg_ctl" -D "$dir/two/data" -w promote >/dev/null
EOF
chmod +x take_over
python3 "$top_srcdir/tests/interop/replica.py" "${OCSIGN_REPLICA_S:-9}" "$dir" \
    "$apis" "$urls" ./take_over || fail "under load"

# --- what is recorded ---------------------------------------------------------

pg_sql "$dir/two" "SELECT encode(serial, 'hex') || ' ' || encode(der, 'hex')
    || ' ' || CAST(revoked_at IS NOT NULL AS int) FROM certificate c
    JOIN certificate_der d ON d.id = c.id" >recorded
[ -s issued ] || fail "nothing was issued"
sort recorded >recorded.sorted
# Revoked may be more than was confirmed; the rest is to be the same.
sed 's/ 1$//; t; s/ 0$//' recorded.sorted | sort >recorded.plain
sed 's/ [01]$//' issued | sort >issued.plain
lost=$(comm -23 issued.plain recorded.plain | wc -l)
[ "$lost" -eq 0 ] || fail "$lost certificates are not in the records"
grep ' 1$' issued | sort >issued.revoked || true
lost=$(comm -23 issued.revoked recorded.sorted | wc -l)
[ "$lost" -eq 0 ] || fail "$lost revocations are not in the records"
[ "$(cut -d ' ' -f 1 recorded | sort | uniq -d | wc -l)" -eq 0 ] ||
    fail "a serial number came twice"
# Each host has signed for itself; nothing is known of the others alone.
journals=$dir/h2/signing-journal:$dir/h3/signing-journal
journals=$journals:$dir/h/signing-journal
OCSIGN_CONF=$dir/1.conf ocsign audit verify >out 2>&1 &&
    fail "whole without the others"
OCSIGN_CONF=$dir/1.conf ocsign audit verify --also "$journals" >out 2>&1 ||
    fail "$(cat out)"
grep -q '^chain: *good$' out || fail "$(cat out)"
echo "$(wc -l <issued) handed out, $(wc -l <issued.revoked) revoked, all there"

# Nobody waits for a replica any more: that is said.
stop "$(cat 3.pid)"
ocsignd -c 3.conf -d -p "$dir/3.pid" 2>>3.log || fail "host 3, again"
grep -q 'synchronous_standby_names is empty' 3.log || fail "it is not said"
