#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A responder in front of CAs that OpenSSL runs, by their CRLs: whatever
# happens to the file, what was known stays until it ends, and is then
# tryLater; nothing goes back, and nothing is good by default.  Each case has
# a CA of its own, so that all of them wait at once.

. "$top_srcdir/tests/conformance/conformance.sh"
need curl

ca_folder
sed -i '/^\[issuer root\]/,$d' ocsign.conf
ocsign key generate --token demo --label ocsp >/dev/null
ocsign csr create --subject 'CN=OCSP signer' --token demo --key ocsp \
    --out ocsp.csr
cat >ocsp.ext <<'EOT'
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
EOT
cat >ca.cnf <<'EOT'
[ca]
default_ca = one
[one]
database = $ENV::CA.db
crlnumber = $ENV::CA.number
default_md = sha256
crl_extensions = extensions
[delta]
database = $ENV::CA.db
crlnumber = $ENV::CA.number
default_md = sha256
crl_extensions = delta_extensions
[extensions]
authorityKeyIdentifier = keyid
[delta_extensions]
deltaCRL = critical, DER:020101
EOT

# ca NAME [LINE...]: with LINEs in its section.
ca() {
	ca_name=$1
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
	    -nodes -keyout $1.key -out $1.pem -subj "/CN=CA $1" -days 30 \
	    -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
	openssl x509 -req -in ocsp.csr -CA $1.pem -CAkey $1.key \
	    -set_serial 3161 -days 20 -extfile ocsp.ext \
	    -out $1-ocsp.pem 2>/dev/null
	: >$1.db
	shift
	{
		echo "[issuer $ca_name]"
		echo "certificate = $ca_name.pem"
		echo 'source = crl'
		echo "crl-file = $ca_name.crl"
		echo "ocsp-certificate = $ca_name-ocsp.pem"
		echo 'ocsp-token = demo'
		echo 'ocsp-key = ocsp'
		for line; do
			echo "$line"
		done
	} >>ocsign.conf
}
# revoked NAME SERIAL[,REASON]...: these and no others.
revoked() {
	revoked_name=$1
	shift
	for one; do
		printf 'R\t491231235959Z\t260101000000Z%s' \
		    "$(echo "$one" | sed -n 's/^[^,]*//p')"
		printf '\t%s\tunknown\t/CN=x\n' "${one%%,*}"
	done >$revoked_name.db
}
# crl NAME NUMBER FILE [OPTION...]: in one step.
crl() {
	CA=$1
	export CA
	printf '%02X\n' "$2" >$1.number
	crl_out=$3
	shift 3
	openssl ca -config ca.cnf -gencrl -keyfile $CA.key -cert $CA.pem \
	    -crldays 7 "$@" -out new.crl 2>crl.err || fail "$(cat crl.err)"
	mv new.crl $crl_out
}
# says NAME SERIAL PATTERN: OpenSSL, of the answer.
says() {
	openssl ocsp -issuer $1.pem -serial "0x$2" -url "$url" -no_nonce \
	    -CAfile $1.pem >answer 2>&1 || true
	grep -Eq -- "$3" answer || fail "$1: $2 is not $3: $(cat answer)"
	case $3 in
	*later* | *unauthorized*) ;;
	*)
		grep -q 'Response verify OK' answer || fail "$(cat answer)"
		;;
	esac
}
# said NAME PATTERN: in the log, of that issuer.
said() {
	grep -Eq "issuer $1: .*$2" ocsignd.log
}
is_state() {
	ocsign --json status >status.json 2>/dev/null || return 1
	awk -v name="\"$1\"," -v state="\"$2\"," '
	    $1 == "\"issuer\":" { is = $2 == name }
	    $1 == "\"state\":" && is { found = $2 == state }
	    END { exit !found }' status.json
}

broken='missing expired badsig empty wrong-issuer delta partial rollback
    shrink'
for name in $broken hold first end parts; do
	ca $name
	revoked $name 1001,keyCompromise 1002,certificateHold 1003
	[ $name = first ] || crl $name 5 $name.crl
	cp $name.crl $name.good 2>/dev/null || [ $name = first ]
done
ca issued 'unlisted = good' 'issued = issued.txt' 'unknown = unknown'
revoked issued 1001,superseded
crl issued 5 issued.crl
printf '1001\n2001 # one\n3000-3FFF\n' >issued.txt
crl end 5 end.crl -crl_nextupdate "$(date -ud '+20 seconds' +%Y%m%d%H%M%SZ)"
not ocsignd -t 2>err || fail "ocsignd -t"
grep -q '\[issuer first\] crl-file: .*first.crl: No such file' err ||
    fail "$(cat err)"
[ "$(grep -cv "warning: " err)" -eq 1 ] || fail "$(cat err)"
service_start

for name in $broken hold end; do
	says $name 1001 '^0x1001: revoked'
	grep -q 'Reason: keyCompromise' answer || fail "$(cat answer)"
	says $name 1002 '^0x1002: revoked'
	says $name 9999 'unauthorized'
done
# No more than the list says, nor for longer.
openssl crl -in hold.crl -noout -lastupdate -nextupdate |
    sed 's/^.*Update=//' >dates
says hold 1001 revoked
sed -n 's/^.*This Update: //p; s/^.*Next Update: //p' answer >answered
for line in 1 2; do
	[ "$(date -ud "$(sed -n ${line}p answered)" +%s)" -le \
	    "$(date -ud "$(sed -n ${line}p dates)" +%s)" ] ||
	    fail "later than the CRL: $(cat answered dates)"
done

# first: there was no list yet, and nothing is good by default.
says first 1001 'trylater'
says first 9999 'trylater'
is_state first none || fail "first: $(cat status.json)"
ocsign status >status.txt
grep -q '^first  *none ' status.txt || fail "$(cat status.txt)"

# What was issued is good, ahead and when asked for; the rest is not.
says issued 1001 '^0x1001: revoked'
says issued 2001 '^0x2001: good'
says issued 3ABC '^0x3ABC: good'
says issued 2002 '^0x2002: unknown'

# What these CAs issue, others record.
not ocsign ocsp sign --issuer hold --serial 0x1001 --out x 2>err ||
    fail "ocsp sign"
grep -q 'says by a CRL what is so' err || fail "$(cat err)"
not ocsign crl create --issuer hold --out x 2>err || fail "crl create"
grep -q 'the key of \[issuer hold\] is not here' err || fail "$(cat err)"
ocsign ocsp renew >out 2>&1 || fail "ocsp renew: $(cat out)"

# Each in its own way, and all at once.
rm missing.crl
crl expired 6 expired.crl -crl_lastupdate 20260101000000Z \
    -crl_nextupdate 20260102000000Z
openssl ecparam -name prime256v1 -genkey -noout -out other.key
openssl req -x509 -new -key other.key -out other.pem -subj '/CN=CA badsig'
cp badsig.key badsig.own
cp other.key badsig.key
cp badsig.pem badsig.cert
cp other.pem badsig.pem
sed -i s/^authority.*/subject=x/ ca.cnf && sed -i '/^subject=x/d' ca.cnf
crl badsig 6 badsig.crl
cp badsig.cert badsig.pem
: >empty.crl
cp missing.good wrong-issuer.crl
crl delta 6 delta.crl -name delta
crl partial 6 partial.next
head -c 300 partial.next >partial.crl
crl rollback 4 rollback.crl
revoked shrink 1002,certificateHold 1003
crl shrink 6 shrink.crl
crl first 5 first.crl
# A hold that ends, and one more that is revoked.
revoked hold 1001,keyCompromise 1003 1004
crl hold 6 hold.crl

are_refused() {
	for name in $broken; do
		said $name 'is refused: ' || return 1
	done
}
within 20 are_refused || fail "not all are refused"
for case in 'missing:No such file' 'expired:it has expired' \
    'badsig:the signature does not verify' 'empty:is empty' \
    'wrong-issuer:it is issued by "CN=CA missing"' \
    'delta:it is a delta CRL' 'partial:PEM line' \
    'rollback:its number is 4, that one.s 5' \
    'shrink:1 are no longer on it, 1001 for one'; do
	name=${case%%:*}
	said $name "is refused: .*${case#*:}" ||
	    fail "$name: $(grep "issuer $name:" ocsignd.log)"
	[ "$(count "issuer $name: .*is refused" ocsignd.log)" -eq 1 ] ||
	    fail "$name: said more than once"
	is_state $name refused || fail "$name: $(cat status.json)"
	# The last good one stays.
	says $name 1001 '^0x1001: revoked'
	says $name 1002 '^0x1002: revoked'
	says $name 9999 'unauthorized'
done
says first 1001 '^0x1001: revoked'
is_state first current || fail "first: $(cat status.json)"
says hold 1002 'unauthorized'
says hold 1004 '^0x1004: revoked'
is_state hold current || fail "hold: $(cat status.json)"

# parts: half of it first, then all, in place: no alarm.
crl parts 6 parts.next
head -c 300 parts.next >parts.crl
sleep 1.2
cat parts.next >parts.crl
is_taken() {
	said $1 "the CRL number $2 is in force"
}
within 10 is_taken parts 6 || fail "parts is not taken"
! said parts 'is refused' || fail "parts was an alarm"

# A good one ends it.
cp shrink.crl shrink.bad
revoked shrink 1001,keyCompromise 1002,certificateHold 1003
crl shrink 7 shrink.crl
cat partial.next >partial.crl

# Replaced under requests: all are answered, one way or the other.
request_hold() {
	openssl ocsp -issuer hold.pem -serial 0x1001 -no_nonce \
	    -reqout hold.request 2>/dev/null
}
request_hold
load_start hold.request
for number in 7 8 9 10; do
	crl hold $number hold.crl
	within 10 is_taken hold $number || fail "$number is not taken"
done
touch load.stop
for pid in $load_pids; do
	wait "$pid" || true
done
cat load.log.* >load.log
[ "$(wc -l <load.log)" -gt 50 ] || fail "no load"
! grep -v '^200 ' load.log || fail "not answered"
[ "$(sort -u load.log | wc -l)" -le 4 ] || fail "torn: $(sort -u load.log)"

within 10 is_state shrink current || fail "shrink: $(cat status.json)"
within 10 is_state partial current || fail "partial: $(cat status.json)"

# An older file at a restart is refused as well, and nothing is signed again.
signed() {
	ocsign --json status | sed -n 's/^ *"signed": \([0-9]*\),*$/\1/p' |
	    awk '{ n += $1 } END { print n }'
}
service_stop
cp hold.good hold.crl
cp rollback.good rollback.crl
service_start
within 10 said hold 'its number is 5, that one.s 10' || fail "no alarm"
says hold 1002 'unauthorized'
says hold 1004 '^0x1004: revoked'
says rollback 1001 '^0x1001: revoked'
[ "$(signed)" -eq 0 ] || fail "$(signed) signed by a restart"

# Its end: neither what is on it nor what is not is told, until there is
# another.
within 30 is_state end ended || fail "end: $(cat status.json)"
within 5 said end 'the CRL has ended' || fail "the end is not said"
says end 1001 'trylater'
says end 9999 'trylater'
crl end 6 end.crl
is_told() {
	openssl ocsp -issuer end.pem -serial 0x1001 -url "$url" \
	    -CAfile end.pem >answer 2>&1 && grep -q '^0x1001: revoked' answer
}
within 10 is_told || fail "end: $(cat answer)"

# Whoever knows better removes the copy and reloads.
cp shrink.bad shrink.crl
rm tables/shrink.crl
kill -HUP "$(cat ocsignd.pid)"
within 10 is_taken shrink 6 || fail "shrink is not taken"
is_lost() {
	openssl ocsp -issuer shrink.pem -serial 0x1001 -url "$url" \
	    -CAfile shrink.pem >answer 2>&1
	grep -q unauthorized answer
}
within 10 is_lost || fail "shrink: $(cat answer)"
says shrink 1003 '^0x1003: revoked'
service_stop
