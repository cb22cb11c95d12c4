#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Line "acme-order": orders a second from newOrder to certificate, of names
# that were proven before, with everything on (policy, lint, durable order,
# reserve and record, signature in SoftHSM, verified), beside pebble (keys and
# records in memory, no lint, validation always valid and without sleep).  The
# same client for both: acme_load, eight accounts at once.
# Servers have one CPU, the client has another.

. "$top_srcdir/tests/bench/measure.sh"
need taskset pgrep pebble
. "$top_srcdir/tests/interop/acme.sh"

acme_cpu="taskset -c $server_cpus"
issuer_lines='presign = asked'
acme_begin 'external-account = optional
	account = site
	orders-max = 10000000
	zone-orders-max = 0
	orders-period = 1s' >/dev/null 2>&1
ours=$directory
PEBBLE_VA_ALWAYS_VALID=1
PEBBLE_VA_NOSLEEP=1
PEBBLE_WFE_NONCEREJECT=0
PEBBLE_AUTHZREUSE=100
export PEBBLE_VA_ALWAYS_VALID PEBBLE_VA_NOSLEEP PEBBLE_WFE_NONCEREJECT \
    PEBBLE_AUTHZREUSE
pebble_eab=false
pebble_start
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

# accounts DIRECTORY CA-FILE FOLDER HTTP-PORT
accounts() {
	python3 "$top_srcdir/tests/bench/acme_accounts.py" "$1" "$2" "$3" 8 \
	    "$4" || fail "accounts at $1"
}
accounts "$ours" - ours "$http_port"
accounts "$directory" "$acme_ca" peer 0
run() {
	taskset -c "$client_cpus" "$tools/acme_load" "$1" 8 "$seconds" ${2-} ||
	    fail "$1"
}
n=0
while [ $n -lt "$rounds" ]; do
	echo "$(run ours) $(run peer "$acme_ca")"
	n=$((n + 1))
done >rates
report acme-order orders/s
service_stop
