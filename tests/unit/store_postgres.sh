#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The store's tests once more, on PostgreSQL: the same programs, against a
# real server that is started here and stopped at the end.  What is about
# SQLite's file skips itself.

. "$top_srcdir/tests/postgres.sh"

grep -q 'define HAVE_LIBPQ 1' "$top_builddir/config.h" || {
	echo "skipped: built without PostgreSQL"
	exit 77
}
pg_find && command -v psql >/dev/null || {
	echo "skipped: postgresql is not installed"
	exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/ocsign.XXXXXX") || exit 1
chmod 711 "$work"
finish() {
	status=$?
	pg_stop "$work/pg"
	rm -rf "$work"
	exit $status
}
trap finish EXIT
trap 'exit 129' HUP INT TERM

pg_create "$work/pg" || exit 1
# Clients are killed here, not the server.
echo 'fsync = off' >>"$work/pg/data/postgresql.conf"
pg_start "$work/pg" || exit 1
pg_sql "$work/pg" "CREATE DATABASE ocsign" postgres || exit 1
OCSIGN_TEST_DATABASE="host=$work/pg user=ocsign dbname=ocsign"
export OCSIGN_TEST_DATABASE
status=0
for name in ${OCSIGN_STORE_TESTS:-record revoke request race account journal \
    walk thread partition crl crash import challenge acme order \
    postgres}; do
	"$top_builddir/tests/unit/test_store_$name" || {
		echo "FAILED: test_store_$name on PostgreSQL"
		status=1
	}
done
"$top_builddir/tests/unit/test_status_share" || {
	echo "FAILED: test_status_share"
	status=1
}
exit $status
