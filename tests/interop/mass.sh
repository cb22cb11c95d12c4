#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Thousands of certificates revoked at once, by a command that is killed on its
# way and run again, while clients ask: once one is revoked nobody is told
# "good", what others ask about is answered as ever, and nothing is lost or
# recorded twice.  MASS_SIZE, MASS_OTHERS: how many (tests/soak/mass.sh);
# MASS_STORE: "sqlite" or "postgres".

. "$top_srcdir/tests/interop/failure.sh"
need openssl python3
store=${MASS_STORE:-sqlite}
if [ "$store" = postgres ]; then
	. "$top_srcdir/tests/postgres.sh"
	need psql
	grep -q 'define HAVE_LIBPQ 1' "$top_builddir/config.h" && pg_find || {
		echo "skipped: no PostgreSQL"
		exit 77
	}
	chmod 711 "$dir"
	finish_all() {
		status=$?
		trap - EXIT
		set +e
		[ ! -s "$dir/ocsignd.pid" ] || stop "$(cat "$dir/ocsignd.pid")"
		pg_stop "$dir/pg" || true
		(exit $status)
		finish
	}
	trap finish_all EXIT
	pg_create "$dir/pg"
	pg_start "$dir/pg"
	pg_sql "$dir/pg" 'CREATE DATABASE ocsign' postgres
	database="database = host=$dir/pg user=ocsign dbname=ocsign"
	# sql SQL: rows with a blank between the columns.
	sql() {
		pg_sql "$dir/pg" "$1" | tr '|' ' '
	}
	hex_of_serial="upper(encode(serial, 'hex'))"
else
	need sqlite3
	database=
	sql() {
		sqlite3 -separator ' ' -cmd '.timeout 5000' store.db "$1"
	}
	hex_of_serial="hex(serial)"
fi
shim_rule=$top_builddir/tests/bench/shim_rule
size=${MASS_SIZE:-1800}
others=${MASS_OTHERS:-400}
# Of one signature, in each of two sessions.
patience=${MASS_PATIENCE:-60}
lasts=${MASS_LASTS:-2} slow=${MASS_LASTS:-6}
# There recording is slower than that.
[ "$store" != postgres ] || slow=${MASS_LASTS:-16}

ca_folder
"$shim_rule" shim clear
# Responses that are signed again after seven seconds and end after thirty.
sed "s|^path = .*|&\\
$database|
s|^module = .*|module = $top_builddir/tests/faults/ocsign-shim.so|
s|^environment = .*|& OCSIGN_SHIM_MODULE=$SOFTHSM_MODULE \
OCSIGN_SHIM_CONTROL=./shim\\
sessions = 2|
s|^ocsp-certificate = .*|&\\
ocsp-lifetime = ${MASS_LIFETIME:-1m}\\
ocsp-backdate = ${MASS_BACKDATE:-30s}|" ocsign.conf >new.conf
mv new.conf ocsign.conf
ca_make

# Records of another CA program's: serial numbers of ten octets.
awk -v n="$size" -v o="$others" 'BEGIN {
	for (i = 1; i <= n + o; i++) {
		serial = sprintf("%04X%08XAB%06X", 16384 + i * 7919 % 8192, i,
		    i * 31 % 16777216)
		print "V\t400101000000Z\t\t" serial "\tunknown\t/CN=" i
		print serial >(i <= n ? "targets" : "others")
	}
}' >index.txt
ocsign import --issuer ca --format index index.txt >/dev/null
openssl x509 -in ca.pem -noout -ocspid |
    sed -n 's/.*OCSP hash: //p' >hashes
"$shim_rule" shim lasts "$lasts"
service_start
within "${MASS_START:-60}" is_whole ||
    fail "not all is signed: $(cat status.json)"

revoke="cert revoke --issuer ca --file serials --reason keyCompromise --yes"
# What is wrong with the command line or the file, before anything is done.
bad() {
	bad_status=$1 bad_text=$2
	shift 2
	status=0
	ocsign cert revoke "$@" >out 2>err </dev/null || status=$?
	[ $status -eq "$bad_status" ] || fail "$*: $status: $(cat err)"
	[ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] || fail "$*: $(cat err out)"
	grep -q "$bad_text" err || fail "$*: $(cat err)"
}
num_revoked() {
	sql "SELECT count(*) FROM certificate WHERE revoked_at IS NOT NULL"
}

# Colons, 0x, small letters, blank lines and comments; one twice.
{
	echo '# what somebody sends'
	sed -n '1s/../&:/g;1s/:$//p' targets
	sed -n '2s/^/0x/p' targets
	sed -n '3p' targets | tr A-F a-f
	echo
	sed '1,2d;s/$/	# of theirs/' targets
} >serials
{ cat serials; echo 12G4; echo AB; echo 0; } >torn
ca="--issuer ca --reason superseded"
bad 1 "torn: line $(($(wc -l <serials) + 1)): .*no serial.* 1 lines" \
    $ca --file torn --yes
bad 1 'no serial number in it' $ca --file /dev/null --yes
bad 1 'cannot open nowhere' $ca --file nowhere --yes
bad 2 'add --yes' $ca --file serials
bad 2 'wants --issuer and --reason' --file serials --yes
bad 2 'either one certificate or --file' $ca --file serials AB
bad 2 'goes with --file' --dry-run AB
bad 2 'which certificate' $ca
bad 2 'pace "0"' $ca --file serials --yes --pace 0
[ "$(num_revoked)" -eq 0 ] || fail "something is revoked"

# The plan alone.
ocsign cert revoke $ca --file serials --dry-run >out
grep -q "^$size serial numbers of ca, $size of them to be revoked" out ||
    fail "$(cat out)"
grep -q '^1 stand there more than once' out || fail "$(cat out)"
grep -q "responses: $size to be signed, at .* a second (measured)" out ||
    fail "$(cat out)"
sed 's/^/  plan: /' out
{ cat targets; echo AB; echo CD; } |
    ocsign --json cert revoke $ca --file - --dry-run >out && fail "$(cat out)"
grep -q '"never_issued": 2' out && grep -q "\"to_revoke\": $size" out ||
    fail "$(cat out)"
[ "$(num_revoked)" -eq 0 ] || fail "something is revoked"

# A load that has asked about some of them a while before.
python3 "$top_srcdir/tests/interop/mass_asker.py" "$url" hashes targets \
    others over >asked 2>&1 &
asker=$!
pids="$pids $asker"
are_counted() {
	ocsign --json cert revoke $ca --file serials --dry-run >plan
	[ "$(awk '/"asked_about":/ { print $2 + 0 }' plan)" -ge 250 ]
}
within "$patience" are_counted || fail "nobody counts: $(cat plan asked)"

# Killed, soon after it has recorded something, and once more.
num=0
for part in 16 4; do
	ocsign $revoke --pace $((size / 3)) >/dev/null 2>&1 &
	killed=$!
	within "$patience" eval \
	    '[ $(num_revoked) -gt $((num + size / part)) ]' ||
	    fail "nothing is recorded"
	kill -9 $killed
	wait $killed 2>/dev/null || :
	num=$(num_revoked)
	echo "  killed when $num of $size were recorded"
	[ "$num" -lt "$size" ] || fail "it was too late to kill it"
done
# What is asked about comes first.
hot=$(tail -n 50 targets | sed "s/.*/'&'/" | paste -sd,)
hot=$(sql "SELECT count(*) FROM certificate
    WHERE revoked_at IS NOT NULL AND $hex_of_serial IN ($hot)")
[ "$hot" -eq 50 ] || fail "only $hot of the 50 that are asked about"

# Others who write meanwhile have their turn.  The token is so slow that it
# would be seen if what is not signed yet were still called good.
"$shim_rule" shim lasts "$slow"
ca_issue a.test &
issuing=$!
begun=$(date +%s)
ocsign --json $revoke >out 2>err || fail "$(cat out err)"
ended=$(date +%s)
wait $issuing && [ -s a.test.pem ] || fail "nothing could be issued"
[ ! -s err ] || fail "$(cat err)"
grep -q '"to_revoke": [1-9]' out || fail "nothing was left: $(cat out)"
grep -q '"signed": true' out || fail "$(cat out)"
grep -E '"(to_revoke|revoked_already|rate|signing_(max_)?s|recording_ms)"' out
echo "  all, recorded and signed: $((ended - begun)) s"
for role in status signer; do
	grep -E '^(Name|VmHWM|RssAnon)' "/proc/$(role $role)/status" |
	    paste -sd' '
done
[ "$(num_revoked)" -eq "$size" ] || fail "not all are revoked"
sleep 1
touch over
within 30 not kill -0 $asker 2>/dev/null || fail "the clients do not end"

tail -n 1 asked | sed 's/^/  clients: /'
! grep '^failed' asked >failures || fail "$(head -n 5 failures)"
grep -Eq '^[1-9][0-9]* good [1-9][0-9]* revoked .* [1-9][0-9]* others$' asked ||
    fail "that was no load: $(tail -n 3 asked)"
# Nobody was told "good" who asked when it was revoked; a time has no parts of
# a second, and a batch takes a tenth.
sql "SELECT $hex_of_serial, revoked_at FROM certificate
    WHERE revoked_at IS NOT NULL" >revoked
awk 'NR == FNR { at[$1] = $2; next } $1 == "last" { n++;
    if ($3 > at[$2] + 2) { print $2, "asked", $3, "revoked", at[$2]; bad = 1 }
    } END { exit bad || n == 0 }' revoked asked >late ||
    fail "good after it was revoked: $(head -n 3 late)"

# Once each.
twice=$(sql "SELECT count(*) - count(DISTINCT detail) FROM journal
    WHERE event = 'revoke'")
number=$(sql "SELECT count(*) FROM journal WHERE event = 'revoke'")
[ "$number" -eq "$size" ] && [ "$twice" -eq 0 ] ||
    fail "$number entries for $size, $twice of them twice"
ocsign audit verify >/dev/null || fail "the journal is broken"

# Again there is nothing to do; whoever asks what was never issued hears it.
ocsign $revoke >out
grep -q ', 0 of them to be revoked' out || fail "$(cat out)"
{ cat serials; echo ABCD; } >more
! ocsign cert revoke $ca --file more --yes >out || fail "$(cat out)"
grep -q '^1 were never issued' out && grep -q 'not revoked: ABCD' out ||
    fail "$(cat out)"
[ "$(num_revoked)" -eq "$size" ] || fail "somebody else is revoked"

ocsign crl create --issuer ca --out ca.crl
[ "$(openssl crl -in ca.crl -noout -text | grep -c 'Serial Number')" -eq \
    "$size" ] || fail "the CRL is another"

# On a terminal it asks, and shows how far it is.
"$shim_rule" shim clear
head -n 40 others >serials
terminal() {
	python3 "$top_srcdir/tests/interop/terminal.py" 60 "$@" ocsign cert \
	    revoke $ca --file serials --pace 12 >out
}
! terminal n || fail "nobody said yes: $(cat out)"
grep -q 'nothing is revoked' out || fail "$(cat out)"
[ "$(num_revoked)" -eq "$size" ] || fail "nobody said yes"
terminal y || fail "$(cat out)"
grep -Eq '^ocsign: recorded: [0-9]+ of 40, [0-9]+ a second, [0-9]+ s left' \
    out || fail "no progress: $(cat out)"
grep -q '^40 of ca are revoked (superseded)' out || fail "$(cat out)"

# What a run only recorded, the next one waits for, with nothing to do itself.
sed -n 41,120p others >serials
"$shim_rule" shim lasts 10
ocsign $revoke --no-wait >out
grep -q '^OCSP: not waited for' out || fail "$(cat out)"
ocsign $revoke >out
ocsign --json status >status.json
grep -q '^OCSP: all responses say so' out || fail "$(cat out)"
known=$(sed -n 's/^ *"change_seq": \([0-9]*\),*$/\1/p' status.json | sort -n |
    tail -n 1)
[ "$known" -ge "$(sql "SELECT max(change_seq) FROM certificate
    WHERE revoked_at IS NOT NULL")" ] && ! grep -q '"urgent": [1-9]' \
    status.json || fail "it has not been waited for: $(cat status.json)"

# Nobody is kept waiting by what others revoke later.
many="cert revoke --issuer ca --reason superseded --yes --file"
# wanted FROM TO: these are revoked in the background, recorded, and waited for.
wanted() {
	sed -n "$1,$2p" others >wanted
	wanted=$(($(num_revoked) + $2 - $1 + 1))
	ocsign $many wanted >out 2>err &
	waiting=$!
	pids="$pids $waiting"
	within 30 eval '[ "$(num_revoked)" -eq $wanted ]' ||
	    fail "not recorded: $(cat out err)"
	recorded_at=$(date +%s)
}
"$shim_rule" shim lasts 100
wanted 121 160
within 5 eval '[ "$(date +%s)" -gt $recorded_at ]'
sed -n '161,300p' others >later
ocsign $many later --no-wait >later.out
wait $waiting || fail "$(cat out err)"
ocsign --json status >status.json
grep -q '^OCSP: all responses say so' out || fail "$(cat out)"
grep -q '"urgent": [1-9]' status.json ||
    fail "others' were waited for: $(cat status.json)"
"$shim_rule" shim clear
has_all() {
	ocsign --json status >status.json && awk '/"certificates":/ { c += $2 }
	    /"responses":/ { r += $2 }
	    END { exit !(c > 0 && r >= c) }' status.json
}
within "${MASS_START:-60}" has_all || fail "not all: $(cat status.json)"

# Nor does it take for signed what ocsign-status has to find again, which is
# away for longer each time.
"$shim_rule" shim lasts 200
wanted 301 350
for n in 1 2 3 4; do
	kill -9 $(role status)
	within 10 eval '[ "$(count "another starts" ocsignd.log)" -eq $n ]' ||
	    fail "nobody sees that it is gone"
	within 20 eval 'test -n "$(role status)"' || fail "no ocsign-status"
done
wait $waiting || fail "$(cat out err)"
"$shim_rule" shim clear
grep -q '^OCSP: all responses say so' out || fail "$(cat out)"
has_all || fail "not all is signed: $(cat status.json)"

# Without a service it ends, and says what is left.
"$shim_rule" shim lasts 400
wanted 351 400
service_stop
status=0
wait $waiting || status=$?
[ $status -eq 1 ] || fail "$status: $(cat out err)"
grep -Eq '^OCSP: [1-9][0-9]? responses are not signed yet: ocsignd does not' \
    out || fail "$(cat out)"
