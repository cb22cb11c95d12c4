#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# "ocsign table verify": says "good" of what the service made, also while it
# runs, and of each kind of damage what it is; and the service mends what it
# says that it mends.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl pgrep od
table=tables/ca.table

ca_folder 'presign = all'
ca_make
for n in 1 2 3 4 5 6 7 8; do
	ca_issue site$n.test
done
service_start
within 5 is_whole || fail "not all is signed: $(cat status.json)"

# verify STATUS [OPTION...]: what it printed is in the file out.
verify() {
	want=$1
	shift
	status=0
	ocsign "$@" table verify --issuer ca >out 2>err || status=$?
	[ $status -eq "$want" ] ||
	    fail "table verify: $status, not $want: $(cat out err)"
	[ "$want" -eq 1 ] || [ ! -s err ] || fail "$(cat err)"
}
says() {
	grep -Eq -- "$1" out || fail "no \"$1\" in: $(cat out)"
}
is_good() {
	ocsign table verify --issuer ca >out 2>&1
}
# What was dropped is signed again.
is_mended() {
	is_good && grep -Eq '^responses: *9$' out
}
good_and_nothing_else() {
	verify 0
	says '^verdict: *good$'
	! grep -q ';' out || fail "$(cat out)"
}

good_and_nothing_else
says '^responses: *9$'
says '^signatures verified: *9$'
verify 0 --json
says '"verdict": "good"'
says '"defects": \[\]'
ocsign table verify --issuer ca --sample 3 >out || fail "$(cat out)"
says '^signatures verified: *3$'
ocsign table verify --issuer ca --sample 100 >out || fail "$(cat out)"
says '^signatures verified: *9$'
status=0
ocsign table verify --issuer ca --sample 0 2>err || status=$?
[ $status -eq 2 ] || fail "--sample 0: $status"
for name in root nobody; do
	status=0
	ocsign table verify --issuer $name >out 2>err || status=$?
	[ $status -eq 1 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] ||
	    fail "--issuer $name: $status: $(cat out err)"
done

# number OFFSET: 32 bits of the table.
number() {
	od -An -tu4 -j "$1" -N 4 $table | tr -d ' '
}
# put OFFSET OCTAL...: octets into it.
put() {
	at=$1
	shift
	for octal; do
		# shellcheck disable=SC2059
		printf "\\$octal" | dd of=$table bs=1 seek="$at" conv=notrunc \
		    2>/dev/null
		at=$((at + 1))
	done
}
flip() {
	octet=$(od -An -tu1 -j "$1" -N 1 $table | tr -d ' ')
	put "$1" "$(printf '%03o' $((octet ^ 16)))"
}
slots=$((8192 + ($(number 28) * 4 + 63) / 64 * 64))
bucket=8192
while [ "$(number $bucket)" -eq 0 ]; do
	bucket=$((bucket + 4))
done

# A slot, while the service runs: it is found, and mended, and it was no
# answer in between.
request site3.test.pem request
# Looked at before it is mended, which may be at once.
status_pid=$(role status)
kill -STOP "$status_pid"
flip $((slots + 112 * 3 + 70))
verify 1
says '^verdict: *bad$'
says '^damaged slots \(1\): .*ocsign-status drops'
verify 1 --json
says '"kind": "damaged slots"'
kill -CONT "$status_pid"
within 30 is_mended || fail "not mended: $(cat out)"
[ "$(count 'the response table was damaged' ocsignd.log)" -eq 1 ] ||
    fail "$(cat ocsignd.log)"

# The index, while it does not run.
service_stop
good_and_nothing_else
cp $table whole.table
put $bucket 000 000 000 000
verify 1
says '^lost slots \([1-9][0-9]*\): '
cp whole.table $table
put $bucket 377 377 377 077
verify 1
says '^lost slots \([1-9][0-9]*\): '
says '^stray entries \(1\): .*start ocsignd again'
service_start
within 30 is_mended || fail "not mended: $(cat out)"
service_stop

# The header; the end.
for how in header end; do
	cp whole.table $table
	case $how in
	header) flip 40 ;;
	end) truncate -s $((slots + 200)) $table ;;
	esac
	verify 1
	[ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] || fail "$how: $(cat out err)"
	grep -Eq 'damaged header|cut short' err || fail "$how: $(cat err)"
	grep -q 'makes it anew' err || fail "$how: $(cat err)"
done

# Signatures that nobody made; and times that cannot be.
rm $table
"$top_builddir/tests/bench/big_table" ocsign.conf ca 100 >/dev/null
verify 1
says '^bad signatures \(9\): .*remove the table'
! grep -q 'impossible times' out || fail "$(cat out)"
rm $table
"$top_builddir/tests/bench/big_table" ocsign.conf ca 100 3600 >/dev/null
verify 1
says '^impossible times \(9\): '

# Another signer since.
cp whole.table $table
ocsign csr create --subject 'CN=Test OCSP 2,O=Example,C=DE' --token demo \
    --key ocsp --out ocsp2.csr
ocsign cert issue --issuer ca --profile ocsp-signer --out ocsp.pem ocsp2.csr
verify 1
says '^another identity \(1\): '
