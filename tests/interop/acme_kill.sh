#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ocsign-issuer killed with SIGKILL between any two steps of an order, and at
# random moments within them: the order is where it was, the client's next try
# succeeds, and each order has one certificate, the one that its client was
# given.  OCSIGN_KILLS: how many at random; OCSIGN_KILL_SEED: those of a run
# before.

. "$top_srcdir/tests/interop/acme.sh"
need sqlite3 pgrep
kills=${OCSIGN_KILLS:-8}
seed=${OCSIGN_KILL_SEED:-$(date +%s)}
echo "OCSIGN_KILLS=$kills OCSIGN_KILL_SEED=$seed"
# Whoever was killed while he looked at a proof is waited for.
validation='timeout = 2s'
acme_begin
ACME_DIRECTORY=$directory
ACME_HTTP_PORT=$http_port
ACME_DNS_PORT=$dns_port
PYTHONDONTWRITEBYTECODE=1
PYTHONWARNINGS=ignore
export ACME_DIRECTORY ACME_HTTP_PORT ACME_DNS_PORT PYTHONDONTWRITEBYTECODE \
    PYTHONWARNINGS

# The one that is there; a new one may be on its way.  ocsignd waits longer
# each time, so that it begins anew itself now and then.
cat >issuer.sh <<-'END'
	if [ $# -eq 0 ]; then
		for n in $(seq 400); do
			pgrep -P "$(cat ocsignd.pid)" \
			    -f '/ocsign-issuer ' && exit
			sleep 0.05
		done
		exit 1
	fi
	echo >>killed
	[ $(($(wc -l <killed) % 4)) -eq 0 ] || exit 0
	pid=$(cat ocsignd.pid)
	kill "$pid"
	for n in $(seq 400); do
		kill -0 "$pid" 2>/dev/null || exec \
		    ocsignd -d -p ocsignd.pid 2>>ocsignd.log
		sleep 0.05
	done
	exit 1
END
python3 "$top_srcdir/tests/interop/acme_kill.py" "$kills" "$seed" \
    sh issuer.sh >given || fail "seed $seed"
[ "$(wc -l <given)" -eq $((kills + 1)) ] || fail "$(cat given)"

# What is recorded as issued is what clients have, no more and no less.
hex='hex(serial)'
[ "${ACME_STORE-}" != postgres ] || hex="encode(serial, 'hex')"
sql "SELECT substr(names, 5) || ' ' || ltrim(lower($hex), '0')
    FROM certificate WHERE state = 2 AND names LIKE 'DNS:%.example.test'" |
    sort >recorded
sort given >wanted
cmp -s wanted recorded || fail "$(diff wanted recorded)"
left=$(sql 'SELECT count(*) FROM certificate WHERE state = 1')
echo "$kills kills, $(wc -l <given) certificates, $left reserved and left"
ocsign audit verify >audit || fail "$(cat audit)"
grep -q '^chain: *good' audit || fail "$(cat audit)"
