#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A connection that is lost between COMMIT and its answer, at each commit of
# issuing, revoking, making a CRL and importing: what is said of it is so, and
# nothing is lost or there twice.

. "$top_srcdir/tests/interop/failure.sh"
. "$top_srcdir/tests/postgres.sh"
need openssl psql python3
grep -q 'define HAVE_LIBPQ 1' "$top_builddir/config.h" && pg_find || {
	echo "skipped: no PostgreSQL"
	exit 77
}
chmod 711 "$dir"
cd "$dir"
finish_all() {
	status=$?
	trap - EXIT
	set +e
	pg_stop "$dir/pg"
	(exit $status)
	finish
}
trap finish_all EXIT
pg_create "$dir/pg"
pg_start "$dir/pg"
pg_sql "$dir/pg" 'CREATE DATABASE ocsign' postgres
mkdir door
python3 "$top_srcdir/tests/interop/lose_commit.py" \
    "$dir/door/.s.PGSQL.5432" "$dir/pg/.s.PGSQL.5432" "$dir/plan" \
    2>door.log &
pids="$pids $!"
within 10 test -S door/.s.PGSQL.5432 || fail "$(cat door.log)"
sql() {
	pg_sql "$dir/pg" "$1"
}

ca_folder
sed -i "s|^path = .*|path = first/store.db\\
database = host=$dir/door user=ocsign dbname=ocsign|" ocsign.conf
rm -rf store.db*
ca_make
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout site.key -out site.csr -subj /CN=site.test \
    -addext subjectAltName=DNS:site.test 2>/dev/null

# A server that does not come back in the half of a minute that it is asked:
# nobody knows, and that is said.  Beside all else.
mkdir gone
python3 "$top_srcdir/tests/interop/lose_commit.py" \
    "$dir/gone/.s.PGSQL.5432" "$dir/pg/.s.PGSQL.5432" "$dir/plan.gone" \
    2>gone.log &
pids="$pids $!"
within 10 test -S gone/.s.PGSQL.5432 || fail "$(cat gone.log)"
sed "s|host=$dir/door|host=$dir/gone|" ocsign.conf >gone.conf
echo '1 gone' >plan.gone
OCSIGN_CONF=$dir/gone.conf ocsign account add lost >gone.out 2>gone.err &
unknown=$!
pids="$pids $unknown"
within 20 test -e plan.gone.done || fail "no commit: $(cat gone.err gone.log)"
[ "$(sql "SELECT count(*) FROM account WHERE name = 'lost'")" -eq 1 ] ||
    fail "the commit that was to be lost was another"

# lost N HOW COMMAND...: its exit status; false is what happens if there was
# no such commit.
round=0
lost() {
	round=$((round + 1))
	rm -f plan.done
	echo "$1 $2 $round" >plan
	lost_how=$2
	shift 2
	if "$@" >out 2>err; then lost_status=0; else lost_status=$?; fi
	rm -f plan
	[ -e plan.done ] || return 1
	echo "$lost_how, $round: $1 $2 $3: $lost_status: $(head -n 1 err)"
	# There are commits of what has changed nothing.
	if [ $lost_how = after ]; then
		[ $lost_status -eq 0 ] || grep -q ': try again$' err ||
		    fail "what was written is an error: $(cat err)"
	elif [ $lost_status -ne 0 ]; then
		grep -Eq 'nothing was written|: try again$' err ||
		    fail "$(cat err)"
	fi
}
issued() {
	sql 'SELECT count(*) FROM certificate WHERE state = 2'
}
verify() {
	ocsign audit verify >out 2>&1 || fail "$(cat out)"
}

for how in before after; do
	n=1 num_well=0
	while before=$(issued) && rm -f site.pem && lost $n $how ocsign cert \
	    issue --issuer ca --profile server --out site.pem site.csr; do
		[ $(($(issued) - before)) -eq $((lost_status == 0)) ] ||
		    fail "$how $n: $before, then $(issued)"
		[ ! -s site.pem ] || serial=$(openssl x509 -in site.pem \
		    -noout -serial | cut -d= -f2)
		[ $lost_status -ne 0 ] || [ "$(sql "SELECT count(*) FROM
		    certificate WHERE state = 2 AND
		    serial = decode('$serial', 'hex')")" -eq 1 ] ||
		    fail "$how $n: $serial is not recorded"
		n=$((n + 1)) num_well=$((num_well + (lost_status == 0)))
	done
	[ $how = before ] || [ $num_well -ge 2 ] ||
	    fail "what was written is an error"
	[ $n -ge 3 ] || fail "a certificate has but $((n - 1)) commits"
done
verify

# changes SQL COMMAND...: at each commit of it; once more, and it is there once.
changes() {
	num_sql=$1
	shift
	for how in before after; do
		n=1 num_well=0
		while new && before=$(sql "$num_sql") &&
		    lost $n $how "$@"; do
			[ $(($(sql "$num_sql") - before)) -eq \
			    $((lost_status == 0)) ] ||
			    fail "$how $n: $(cat err)"
			"$@" >out 2>&1 || [ $lost_status -eq 0 ] ||
			    fail "$how $n, again: $(cat out)"
			[ $(($(sql "$num_sql") - before)) -eq 1 ] ||
			    fail "$how $n: it is not there, or twice"
			n=$((n + 1)) num_well=$((num_well + (lost_status == 0)))
		done
		[ $n -ge 2 ] || fail "$1 $2 has no commit"
		[ $how = before ] || [ $num_well -ge 1 ] ||
		    fail "what was written is an error"
	done
}
new() {
	rm -f site.pem
	ocsign cert issue --issuer ca --profile server --out site.pem site.csr
}
changes "SELECT count(*) FROM journal WHERE event = 'revoke'" \
    ocsign cert revoke --reason superseded site.pem
new() {
	printf 'R\t%s\t%s,superseded\t%06d\tunknown\t/CN=x\n' \
	    301231235959Z 240102030405Z $((4711 + round)) >one.txt
}
changes 'SELECT count(*) FROM certificate_import' \
    ocsign import --issuer ca --format index one.txt

numbers() {
	sql 'SELECT count(*) - count(DISTINCT number) FROM crl'
}
for how in before after; do
	n=1
	while lost $n $how ocsign crl create --issuer ca --out x.crl; do
		n=$((n + 1))
	done
	[ $n -ge 2 ] || fail "a CRL has no commit"
done
[ "$(numbers)" -eq 0 ] || fail "a CRL number came twice"
verify

status=0
wait $unknown || status=$?
[ $status -eq 1 ] && [ ! -s gone.out ] && [ "$(wc -l <gone.err)" -eq 1 ] &&
    grep -q 'not say whether it was written: look before' gone.err ||
    fail "$status: $(cat gone.out gone.err)"
