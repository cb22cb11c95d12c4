#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# "ocsign crl publish" killed with SIGKILL at random moments: what is recorded
# is all of a publication or none of it, what is in a file is a whole list, no
# number is used twice, and the next publication's are above all of before.
# OCSIGN_KILLS: how many.

. "$top_srcdir/tests/interop/lib.sh"
need openssl sqlite3

kills=${OCSIGN_KILLS:-12}
write_config "127.0.0.1:$(free_port)"
make_cas
cat >>ocsign.conf <<-EOT
	crl-partitions = 3
	crl-delta-url = $url/web-delta.crl
EOT
csr site -newkey ec -pkeyopt ec_paramgen_curve:P-256
for n in 1 2; do
	good ocsign cert issue --issuer web --profile server --out $n.pem \
	    site.csr
	good ocsign cert revoke $n.pem --reason superseded
done
start_ocsignd

sql() {
	sqlite3 -cmd '.timeout 10000' store/store.db "$1"
}
now_ms() {
	echo $(($(date +%s%N) / 1000000))
}
mkdir lists
began=$(now_ms)
good ocsign crl publish --issuer web --directory lists
took=$(($(now_ms) - began))
[ "$(ls lists | wc -l)" -eq 8 ] || die "not eight: $(ls lists)"

# Each is a whole list, and one number is one list for ever: "number kind sum".
: >known
look() {
	for file in lists/*.crl; do
		openssl crl -inform DER -in "$file" -noout -crlnumber \
		    -CAfile web.pem >out 2>err || die "$file: $(cat err)"
		grep -q 'verify OK' err || die "$file: $(cat err)"
		case $file in
		*delta*) kind=delta ;;
		*) kind=full ;;
		esac
		echo "$(cat out) $kind $(cksum <"$file")"
	done >>known
	sort -u known | cut -d' ' -f1,2 | uniq -d >twice
	[ ! -s twice ] || die "one number of two lists: $(cat twice)"
	# As many of each, whatever was killed.
	[ "$(sql 'SELECT count(DISTINCT n) FROM (SELECT count(*) AS n FROM crl
	    WHERE issued_at <> 0 GROUP BY crl_partition, base_number <> 0)')" \
	    -eq 1 ] || die "a part was recorded: $(sql 'SELECT * FROM crl')"
}
look
killed=0
highest=$(sql 'SELECT max(number) FROM crl')
for n in $(seq "$kills"); do
	ocsign crl publish --issuer web --directory lists >out 2>&1 &
	one=$!
	at=$(($(od -An -N2 -tu2 /dev/urandom) % (took + 1)))
	sleep "$((at / 1000)).$(printf %03d $((at % 1000)))"
	kill -9 $one 2>/dev/null || true
	if wait $one 2>/dev/null; then
		:
	else
		killed=$((killed + 1))
	fi
	look
	last=$(sql 'SELECT max(number) FROM crl')
	[ "$last" -ge "$highest" ] || die "$last after $highest"
	highest=$last
done
echo "$killed of $kills were killed, $(sql 'SELECT count(*) FROM crl
    WHERE issued_at = 0') lists were reserved only"
[ "$killed" -gt 0 ] || die "none was killed"
good ocsign --json crl publish --issuer web --directory lists
look
[ "$(sql "SELECT count(*) FROM (SELECT * FROM crl ORDER BY id DESC LIMIT 8)
    WHERE number <= $highest")" -eq 0 ] || die "numbers are not above"
[ "$(sql 'SELECT count(*) FROM (SELECT 1 FROM crl GROUP BY issuer_id, number,
    base_number <> 0 HAVING count(*) > 1)')" -eq 0 ] || die "a number twice"
# What it leaves nobody takes for a list.
[ "$(ls -A lists | grep -c 'crl$')" -eq 8 ] || die "left: $(ls -A lists)"
good ocsign audit verify
grep -q '^chain: *good$' out || die "audit verify: $(cat out)"
