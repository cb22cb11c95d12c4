# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the tests of what comes from files of somebody else: three CAs of
# OpenSSL's with an OCSP signer of ours each, "index" by its index.txt,
# "certdb" by CFSSL's database, "list" by its CRL, and versions of what these
# say.  Version v has 1000 and 4000 revoked at $base + v, for a reason that goes
# with v, and 3000 on hold since then where v is odd, good where it is even; the
# CRL's thisUpdate is $this + v, its nextUpdate $ends.

. "$top_srcdir/tests/interop/failure.sh"
need openssl sqlite3 curl pgrep

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
database = list.index
crlnumber = list.number
default_md = sha256
crl_extensions = extensions
[extensions]
authorityKeyIdentifier = keyid
EOT
# ca NAME LINE...: and an OCSP signer of it.
ca() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
	    -nodes -keyout $1.key -out $1.pem -subj "/CN=CA $1" -days 30 \
	    -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
	openssl x509 -req -in ocsp.csr -CA $1.pem -CAkey $1.key \
	    -set_serial 3161 -days 20 -extfile ocsp.ext \
	    -out $1-ocsp.pem 2>/dev/null
	{
		echo "[issuer $1]"
		echo "certificate = $1.pem"
		echo "ocsp-certificate = $1-ocsp.pem"
		echo 'ocsp-token = demo'
		echo 'ocsp-key = ocsp'
		shift
		for line; do
			echo "$line"
		done
	} >>ocsign.conf
}
ca index 'source = index' 'index-file = index.txt'
ca certdb 'source = certdb' 'certdb-file = cert.db'
ca list 'source = crl' 'crl-file = list.crl' 'unlisted = good' \
    'issued = issued'
printf '1000\n3000\n4000\n' >issued

# --- the versions ----------------------------------------------------------

# Between 1000 and 3000 there are 600 more, which have expired, and change with
# each.
base=$(($(date +%s) - 864000))
this=$(($(date +%s) - 3600))
ends=$(($(date +%s) + 3 * 86400))
others='BEGIN { for (i = 0; i < 600; i++) printf("%s\t%s\t%s\t%04X'
others="$others"'\tunknown\t/CN=x\n", s, e, r, 8192 + i) }'
at() {
	date -u -d "@$1" "+${2:-%y%m%d%H%M%SZ}"
}
# three VERSION
three() {
	end=491231235959Z
	case $(($1 % 3)) in
	0) reason=superseded ;;
	1) reason=keyCompromise ;;
	2) reason=affiliationChanged ;;
	esac
	for serial in 1000 4000; do
		printf "R\t$end\t$(at $((base + $1))),$reason\t$serial"
		printf '\tunknown\t/CN=x\n'
	done
	held=$(($1 % 2))
	if [ $held -eq 1 ]; then
		printf "R\t$end\t$(at $((base + $1))),certificateHold"
	else
		printf "V\t$end\t"
	fi
	printf '\t3000\tunknown\t/CN=x\n'
}
# In one step, as openssl does; now and then in place, with a pause in the
# middle.
put() {
	if [ $(($3 % 5)) -eq 0 ]; then
		head -c $(($(wc -c <$1) / 2)) $1 >$2
		sleep 0.2
		tail -c +$(($(wc -c <$1) / 2 + 1)) $1 >>$2
	else
		mv $1 $2
	fi
}
put_index() {
	three $1 >new.index
	awk -v s=V -v e="$(at $((978307200 + $1)))" -v r= "$others" >>new.index
	put new.index index.txt $1
}
# Those in between once in five times: each of them is signed.
put_list() {
	three $1 >list.index
	awk -v s=R -v e=491231235959Z -v r="$(at $((base + $1 / 5 * 5)))" \
	    "$others" >>list.index
	printf '%04X\n' $((4096 + $1)) >list.number
	openssl ca -config ca.cnf -gencrl -keyfile list.key -cert list.pem \
	    -crl_lastupdate "$(at $((this + $1)))" \
	    -crl_nextupdate "$(at $ends)" -out new.crl \
	    2>crl.err || fail "$(cat crl.err)"
	put new.crl list.crl $1
}
put_certdb() {
	three $1 >/dev/null
	case $reason in
	superseded) number=4 ;;
	keyCompromise) number=1 ;;
	affiliationChanged) number=3 ;;
	esac
	when=$(at $((base + $1)) '%Y-%m-%d %H:%M:%S')
	sqlite3 cert.db "PRAGMA busy_timeout = 5000; BEGIN;
	    UPDATE certificates SET revoked_at = '$when', reason = $number
		WHERE serial_number IN ('4096', '16384');
	    UPDATE certificates SET revoked_at = '$when', reason = 6,
		status = iif($held, 'revoked', 'good')
		WHERE serial_number = '12288';
	    UPDATE certificates SET expiry =
		'$(at $((978307200 + $1)) '%Y-%m-%d %H:%M:%S')'
		WHERE serial_number BETWEEN 8192 AND 8791;
	    COMMIT" >out 2>&1 || fail "$(cat out)"
}
key_id=$(openssl x509 -in certdb.pem -noout -ext subjectKeyIdentifier |
    sed -n 's/^ *\([0-9A-F:]*\)$/\1/p' | tr -d : | tr A-F a-f)
sqlite3 cert.db "CREATE TABLE certificates (
    serial_number blob NOT NULL, authority_key_identifier blob NOT NULL,
    ca_label blob, status blob NOT NULL, reason int, expiry timestamp,
    revoked_at timestamp, pem blob NOT NULL,
    PRIMARY KEY(serial_number, authority_key_identifier));
    WITH RECURSIVE n (i) AS (SELECT 8192 UNION ALL SELECT i + 1 FROM n
	WHERE i < 8791)
    INSERT INTO certificates SELECT i, '$key_id', '', 'good', 0, '', '', ''
	FROM n;
    INSERT INTO certificates VALUES
	('4096', '$key_id', '', 'revoked', 0, '2049-12-31 23:59:59', '', ''),
	('12288', '$key_id', '', 'good', 0, '2049-12-31 23:59:59', '', ''),
	('16384', '$key_id', '', 'revoked', 0, '2049-12-31 23:59:59', '', '')"
# put_all VERSION
put_all() {
	for name in index list certdb; do
		put_$name $1
	done
}
put_all 0

# is_in_force NOUN NUMBER-OF-TIMES
is_in_force() {
	[ "$(count "the $1( number [0-9]*)? is in force" \
	    ocsignd.log)" -ge "$2" ]
}
all_in_force() {
	is_in_force index "$1" && is_in_force certdb "$1" &&
	    is_in_force CRL "$1"
}
