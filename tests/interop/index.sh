#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A responder in front of a CA that "openssl ca" runs, by its index.txt: it
# says what OpenSSL's own responder says by the same file; whatever happens to
# the file, what was known stays, until it may no longer be trusted; and
# changes under load tear no answer.

. "$top_srcdir/tests/interop/failure.sh"
need openssl curl

ca_folder
sed -i '/^\[issuer root\]/,$d' ocsign.conf
ocsign key generate --token demo --label ocsp >/dev/null
ocsign csr create --subject 'CN=OCSP signer' --token demo --key ocsp \
    --out ocsp.csr
cat >ca.cnf <<'EOT'
[ca]
default_ca = one
[one]
database = corp/index.txt
new_certs_dir = corp
certificate = corp.pem
private_key = corp.key
serial = corp/serial
default_md = sha256
default_days = 20
policy = any
unique_subject = no
[any]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
[signer]
keyUsage = critical, digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
EOT
mkdir corp
: >corp/index.txt
echo 1000 >corp/serial
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout corp.key -out corp.pem -subj '/CN=Corporate CA' -days 30 \
    -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout leaf.key -out leaf.csr -subj '/CN=leaf' 2>/dev/null
# ca OPTION...
ca() {
	openssl ca -config ca.cnf -batch "$@" >ca.out 2>&1 ||
	    fail "openssl ca $*: $(cat ca.out)"
}
issue() {
	ca -in leaf.csr -subj "/CN=$1" -extensions leaf -notext -out "$1.pem"
}
serial_of() {
	openssl x509 -in "$1.pem" -noout -serial | cut -d= -f2
}
ca -in ocsp.csr -extensions signer -notext -out signer.pem
for name in one two three four; do
	issue $name
done
one=$(serial_of one)
two=$(serial_of two)
ca -revoke two.pem -crl_reason superseded
ca -revoke three.pem -crl_compromise 20240102030405Z
ca -revoke four.pem -crl_hold holdInstructionReject
cat >>ocsign.conf <<EOT
[issuer corp]
certificate = corp.pem
source = index
index-file = corp/index.txt
ocsp-certificate = signer.pem
ocsp-token = demo
ocsp-key = ocsp
unknown = unknown
EOT
metrics=$(free_port)
cat >>ocsign.conf <<EOT
[metrics]
listen = 127.0.0.1:$metrics
EOT
# measures NAME VALUE
measures() {
	curl -sS -m 10 "http://127.0.0.1:$metrics/metrics" |
	    grep -q "^ocsign_source_$1{issuer=\"corp\"} $2\$"
}

# "ocsignd -t" reads it, and says where it is wrong.
ocsignd -t >out 2>&1 || fail "ocsignd -t: $(cat out)"
cp corp/index.txt good
printf 'V\t3611\n' >>corp/index.txt
! ocsignd -t >out 2>&1 || fail "ocsignd -t: $(cat out)"
grep -q '\[issuer corp\] index-file: .*index.txt: line 6: it has not six' \
    out || fail "$(cat out)"
cp good corp/index.txt
service_start

# The words of an answer, but for its own dates.
words() {
	sed -n '/^0x/p; s/^[[:space:]]*\(Reason\|Revocation\)/\1/p' "$1"
}
ask() {
	openssl ocsp -issuer corp.pem -serial "0x$1" -url "$url" -no_nonce \
	    -CAfile corp.pem >answer 2>&1 || true
}
is_word() {
	ask "$1"
	grep -q 'Response verify OK' answer && words answer | grep -q "$2"
}
is_later() {
	ask "$1"
	grep -q 'Responder Error: trylater' answer
}
# agrees SERIAL WORD: OpenSSL's responder says the same by the same file.
agrees() {
	is_word "$1" "$2" || fail "$1 is not $2: $(cat answer)"
	openssl ocsp -index corp/index.txt -CA corp.pem -rsigner corp.pem \
	    -rkey corp.key -issuer corp.pem -serial "0x$1" -no_nonce \
	    -ndays 1 -respout their.der >their 2>&1 || fail "$(cat their)"
	openssl ocsp -respin their.der -issuer corp.pem -serial "0x$1" \
	    -no_nonce -CAfile corp.pem >their 2>&1 || true
	words answer >ours.words
	words their >their.words
	cmp -s ours.words their.words ||
	    fail "$1: $(cat ours.words), and OpenSSL: $(cat their)"
}
within 10 is_word "$one" good || fail "$(cat answer)"
agrees "$one" good
agrees "$two" superseded
agrees "$(serial_of three)" keyCompromise
agrees "$(serial_of four)" certificateHold
agrees 4711 unknown

# What is issued, and what is revoked, is seen.
issue five
within 10 is_word "$(serial_of five)" good || fail "$(cat answer)"
ca -revoke five.pem -crl_reason cessationOfOperation
within 10 is_word "$(serial_of five)" cessationOfOperation ||
    fail "$(cat answer)"
agrees "$(serial_of five)" cessationOfOperation

# is_state STATE [WHY]: of the one source.
is_state() {
	ocsign --json status >status.json 2>/dev/null || return 1
	sed -n '/"sources":/,/]/p' status.json >source.json
	grep -q "\"state\": \"$1\"" source.json &&
	    grep -Eq "${2-.}" source.json
}
put() {
	mv new corp/index.txt
}
# Whatever happens to the file, what was known stays, and of what is not in it
# nobody says that it was never issued.
stays() {
	within 15 is_state refused "$1" || fail "$1: $(cat status.json)"
	grep -Eq "issuer corp: index-file .* is refused: .*$1" ocsignd.log ||
	    fail "$1: not in the log"
	measures refused 1 || fail "$1: not in the metrics"
	is_word "$one" good || fail "$1: $(cat answer)"
	is_word "$two" superseded || fail "$1: $(cat answer)"
	is_later 4711 || fail "$1: $(cat answer)"
	cp good new
	put
	within 15 is_state current || fail "$1: $(cat status.json)"
}
cp corp/index.txt good
within 10 is_state current '"certificates": 6' || fail "$(cat status.json)"
measures certificates 6 && measures revoked 4 && measures refused 0 &&
    measures ended 0 || fail "the metrics of what is well"
: >corp/index.txt
stays 'no certificate is in it'
head -c -20 good >corp/index.txt
stays 'it has no end'
grep -v "	$one	" good >new
put
stays 'are missing'
sed "/	$two	/s/^R\(	[^	]*	\)[^	]*/V\1/" good >new
put
stays 'no longer are'
sed 's/	10\(..\)	/	20\1	/' good >new
put
stays 'no longer are'
cp good new
printf 'V\t361124145936Z\t\t3000\tunknown\t/CN=x\n' >>new
touch -d '2 days ago' new
put
stays 'is older than the last good one'
rm corp/index.txt
stays 'No such file'

# Nor over a restart.
service_stop
: >corp/index.txt
service_start
within 10 is_word "$one" good || fail "$(cat answer)"
within 10 is_state refused 'no certificate is in it' ||
    fail "$(cat status.json)"
cp good corp/index.txt
within 15 is_state current || fail "$(cat status.json)"

# Changes under load, by renaming, as openssl makes them: two certificates are
# put on hold and released together.  Each answer is whole, and each state is
# told of both.
issue six
issue seven
sixth=$(serial_of six)
seventh=$(serial_of seven)
cp corp/index.txt good
held=R\\1260101000000Z,certificateHold
sed "/	\($sixth\|$seventh\)	/s/^V\(	[^	]*	\)/$held/" good >held
within 10 is_word "$sixth" good || fail "$(cat answer)"
openssl ocsp -issuer corp.pem -serial "0x$sixth" -no_nonce -reqout six.req \
    2>/dev/null
load_start six.req
n=0
while [ $n -lt 4 ]; do
	for state in held good; do
		cp $state new
		put
		word=good
		[ $state = good ] || word=certificateHold
		within 10 is_word "$sixth" $word || fail "$(cat answer)"
		within 2 is_word "$seventh" $word || fail "$(cat answer)"
	done
	n=$((n + 1))
done
load_goes_on || fail "no more answers: $(cat load.log.* | tail)"
: >load.stop
for pid in $load_pids; do
	wait "$pid" || true
done
[ "$(cat load.log.* | grep -vc '^200 ')" -eq 0 ] ||
    fail "under load: $(cat load.log.* | grep -v '^200 ' | sort | uniq -c)"
service_stop

# Beyond source-max-age it is tryLater, and well again with the file.
sed -i 's/^unknown = unknown/&\nsource-max-age = 1m/' ocsign.conf
service_start
within 15 is_state current || fail "$(cat status.json)"
rm corp/index.txt
within 90 is_later "$one" || fail "trusted for ever: $(cat answer)"
within 10 is_state ended || fail "$(cat status.json)"
within 5 grep -q 'the index has ended at' ocsignd.log || fail 'not said'
cp good corp/index.txt
within 15 is_word "$one" good || fail "$(cat answer)"
service_stop
