#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Accounts, their zones, tokens and quotas through the command: what an
# account may have, everything that it may not, and what the journal says of
# it; several at once; a key on the block list; backup and restore.

. "$top_srcdir/tests/interop/lib.sh"
need openssl sqlite3 jq

write_config
make_cas

# ask NAME SAN...: NAME.csr for these names.
ask() {
	ask_name=$1
	shift
	sans=
	for san in "$@"; do
		sans=${sans:+$sans,}$san
	done
	[ -f site.key ] || openssl ecparam -name prime256v1 -genkey -noout \
	    -out site.key
	openssl req -new -key site.key -subj "/O=Site" \
	    -addext "subjectAltName=$sans" -out "$ask_name.csr" 2>err ||
	    die "openssl req: $(cat err)"
}
issue() {
	ocsign cert issue --issuer web --profile server "$@"
}
count() {
	sqlite3 store/store.db "SELECT count(*) FROM $1"
}

# --- registers ---------------------------------------------------------------
good ocsign account add acme
good ocsign account add other --email 'Ops@Other.test' --live-max 2
grep -q '^email: *ops@other.test$' out || die "e-mail: $(cat out)"
good ocsign zone add Example.COM --account acme
good ocsign zone add 'bücher.example' --account acme
grep -q '^name: *xn--bcher-kva.example$' out || die "IDN: $(cat out)"
grep -q '^unicode: *bücher.example$' out || die "U-label: $(cat out)"
grep -Eq '^id: *[0-9a-f]{32}$' out || die "no id: $(cat out)"
good ocsign zone show xn--bcher-kva.example
# A sharp s stays one.
good ocsign zone add 'straße.test' --account acme
grep -q '^name: *xn--strae-oqa.test$' out || die "sharp s: $(cat out)"
good ocsign zone remove 'straße.test'
good ocsign zone add 'straße.test' --account other

bad 1 'account acme already' ocsign account add acme
bad 1 'other has the e-mail' ocsign account add third --email OPS@other.test
bad 1 'no e-mail address' ocsign account add third --email nonsense
bad 1 'no name for an account' ocsign account add Acme
bad 1 'no name for an account' ocsign account add ''
bad 1 'no name for an account' ocsign account add 'a b'
bad 1 'at most 64' ocsign account add "$(printf '%065d' 0)"
bad 2 'wants a --period' ocsign account add third --period-max 5
bad 2 'wants a --period-max' ocsign account add third --period 5d
bad 2 'live-max' ocsign account add third --live-max -1
bad 2 'live-max' ocsign account add third --live-max many
bad 2 'period' ocsign account add third --period-max 1 --period 5
bad 2 'ACCOUNT is missing' ocsign account add
bad 1 'no account "nobody"' ocsign account show nobody
bad 1 'no account "nobody"' ocsign account disable nobody
bad 1 'active already' ocsign account enable acme
bad 2 'nothing to change' ocsign account change acme
bad 1 'zone of account acme already' \
    ocsign zone add example.com --account other
bad 1 'zone of account acme already' \
    ocsign zone add EXAMPLE.com --account acme
bad 1 'inside example.com' ocsign zone add www.example.com --account other
bad 1 'no account "nobody"' ocsign zone add a.test --account nobody
bad 2 'account is missing' ocsign zone add a.test
bad 1 'top-level domain' ocsign zone add com --account acme
bad 1 'no wildcard' ocsign zone add '*.a.test' --account acme
bad 1 'ends with a dot' ocsign zone add a.test. --account acme
bad 1 'empty label' ocsign zone add a..test --account acme
bad 1 'is a number' ocsign zone add 192.0.2.1 --account acme
bad 1 'other than letters' ocsign zone add 'a_b.test' --account acme
bad 1 'is empty' ocsign zone add '' --account acme
bad 1 'UTF-8' ocsign zone add "$(printf 'b\374cher.test')" --account acme
bad 1 'internationalized' ocsign zone add 'xn--a.test' --account acme
bad 1 'other than letters' ocsign zone add 'а_б.test' --account acme
bad 1 'other than letters' ocsign zone add 'a⁇b.test' --account acme
bad 1 '63 octets' ocsign zone add "$(printf '%064d' 0).test" --account acme
bad 1 'no zone nothing.test' ocsign zone show nothing.test
bad 1 'no zone nothing.test' ocsign zone remove nothing.test
bad 1 'active already' ocsign zone resume example.com

# --- issuing -----------------------------------------------------------------
ask one DNS:www.example.com 'DNS:*.example.com' DNS:WWW.example.com
good issue --account acme --out one.pem one.csr
good openssl verify -CAfile root.pem -untrusted web.pem one.pem
openssl x509 -in one.pem -noout -ext subjectAltName >names
[ "$(grep -o 'DNS:[^,]*' names | tr -d ' ' | tr '\n' ,)" = \
    'DNS:www.example.com,DNS:*.example.com,' ] || die "$(cat names)"
[ "$(sqlite3 store/store.db 'SELECT hostnames FROM certificate_request')" = \
    '["www.example.com","*.example.com"]' ] || die "host names kept"
[ "$(sqlite3 store/store.db 'SELECT validity FROM certificate_request')" = \
    90 ] || die "the validity is not kept"
good issue --account acme --san xn--bcher-kva.example --out idn.pem one.csr
# The operator is bound by nobody.
ask free DNS:www.nowhere.test
good issue --out free.pem free.csr

# refused PATTERN SAN...
refused() {
	refused_pattern=$1
	shift
	ask refused "$@"
	bad 1 "$refused_pattern" ocsign cert issue --issuer web \
	    --profile server --account acme refused.csr
}
refused 'www.nowhere.test: it is in none of its zones' DNS:www.nowhere.test
refused 'in none of its zones' DNS:www.example.com DNS:notexample.com
refused 'in none of its zones' DNS:example.com.evil.test
refused 'in none of its zones' DNS:com
refused 'top-level domain' 'DNS:*.com'
refused 'one whole label' 'DNS:*.*.example.com'
refused 'one whole label' 'DNS:a.*.example.com'
refused 'one whole label' 'DNS:a*.example.com'
refused 'no such names' IP:192.0.2.1
refused 'no such names' DNS:www.example.com IP:2001:db8::1
refused 'no such names' email:a@example.com
refused 'no such names' URI:https://example.com/
refused 'in a zone of another account' 'DNS:www.xn--strae-oqa.test'
bad 1 'no account "nobody"' ocsign cert issue --issuer web --profile server \
    --account nobody one.csr
openssl req -new -key site.key -subj '/CN=www.example.com' -out cn.csr
bad 1 'asks for no name' ocsign cert issue --issuer web --profile server \
    --account acme cn.csr
n=0
many=
while [ $n -lt 200 ]; do
	many="$many DNS:n$n.example.com"
	n=$((n + 1))
done
# shellcheck disable=SC2086
ask many $many
good issue --account acme --out many.pem many.csr

# A profile may give accounts other names.
cat >>ocsign.conf <<-'EOT'

	[profile wide]
	based-on = server
	account-names = dns ip
EOT
ask wide DNS:www.example.com IP:192.0.2.1
good ocsign cert issue --issuer web --profile wide --account acme \
    --out wide.pem wide.csr
ask mail DNS:www.example.com email:a@example.com
bad 1 'no such names' ocsign cert issue --issuer web --profile wide \
    --account acme mail.csr

good ocsign zone pause example.com
refused 'its zone is paused' DNS:www.example.com
bad 1 'paused already' ocsign zone pause example.com
good ocsign zone resume example.com

# The most specific zone wins; the outer one's wildcard still covers it.
good ocsign zone add sub.example.com --account other --delegated
refused 'zone of another account' DNS:www.sub.example.com
refused 'zone of another account' DNS:sub.example.com
refused 'zone of another account' 'DNS:*.sub.example.com'
ask star 'DNS:*.example.com'
good issue --account acme --out star.pem star.csr
ask sub DNS:www.sub.example.com
good issue --account other --out sub.pem sub.csr

good ocsign account disable acme
refused 'is disabled' DNS:www.example.com
bad 1 'disabled already' ocsign account disable acme
good ocsign account enable acme

# --- quotas ------------------------------------------------------------------
# sub.pem is the first of two.
good issue --account other --out sub2.pem sub.csr
bad 1 'has 2 live certificates and may have 2' ocsign cert issue \
    --issuer web --profile server --account other sub.csr
good ocsign account show other
grep -q '^live: *2$' out || die "live: $(cat out)"
good ocsign cert revoke sub2.pem
good issue --account other --out sub3.pem sub.csr
good ocsign account change other --live-max 0 --period-max 4 --period 1d
good issue --account other --out sub4.pem sub.csr
bad 1 'was given 4 certificates of late and may be given 4' ocsign cert \
    issue --issuer web --profile server --account other sub.csr
good ocsign account change other --period-max 0

# Twelve at once for six: six, whoever they are.
good ocsign account change other --live-max $(($(ocsign --json account show \
    other | sed -n 's/.*"live": \([0-9]*\).*/\1/p') + 6))
n=0
jobs=
while [ $n -lt 12 ]; do
	issue --account other --out "race$n.pem" sub.csr >/dev/null \
	    2>"race$n.err" &
	jobs="$jobs $!"
	n=$((n + 1))
done
# shellcheck disable=SC2086
wait $jobs
made=$(find . -name 'race*.pem' | wc -l)
[ "$made" -eq 6 ] || die "$made of 6: $(cat race*.err)"
[ "$(cat race*.err | grep -c 'live certificates and may have')" -eq 6 ] ||
    die "refused otherwise: $(cat race*.err)"

# --- tokens ------------------------------------------------------------------
good ocsign account token acme --label 'web shop'
bearer=$(cat out)
echo "$bearer" | grep -Eq '^ocs_[0-9a-f]{16}_[0-9a-f]{64}$' ||
    die "bearer: $bearer"
good ocsign account token acme --kind service-key --out key.token
[ ! -s out ] || die "a secret on standard output too"
grep -Eq '^v1\.0-[0-9a-f]{24}-[0-9a-f]{146}$' key.token ||
    die "service key: $(cat key.token)"
[ "$(stat -c %a key.token)" = 600 ] || die "mode $(stat -c %a key.token)"
good ocsign --json account token other --kind global-key --expires-in 1d
global=$(sed -n 's/.*"secret": "\([0-9a-f]*\)".*/\1/p' out)
[ ${#global} -eq 37 ] || die "global key: $(cat out)"
bad 1 'e-mail address' ocsign account token acme --kind global-key
bad 2 'there is no "password"' ocsign account token acme --kind password
bad 2 'expires' ocsign account token acme --expires-in 0d
bad 2 'label' ocsign account token acme --label "$(printf '%065d' 0)"
bad 1 'control' ocsign account token acme --label "$(printf 'a\tb')"
bad 1 'no account' ocsign account token nobody
bad 1 'no/such' ocsign account token acme --out no/such/file
# Nowhere but in what was printed.
ocsign audit list >journal
for secret in "${bearer##*_}" "$(sed 's/.*-//' key.token)" "$global"; do
	sqlite3 store/store.db .dump | grep -q "$secret" &&
	    die "a secret is in the store"
	grep -q "$secret" journal && die "a secret is in the journal"
done
hash=$(printf %s "$bearer" | openssl dgst -sha256 | sed 's/.* //')
[ "$(sqlite3 store/store.db "SELECT label FROM account_token
    WHERE lower(hex(hash)) = '$hash'")" = 'web shop' ] || die "its hash"
good ocsign account tokens acme
prefix=$(echo "$bearer" | cut -d_ -f2)
grep -q "^$prefix *bearer *good *web shop" out || die "tokens: $(cat out)"
bad 2 'public' ocsign account revoke acme "$bearer"
bad 1 'has no token' ocsign account revoke other "$prefix"
bad 1 'has no token' ocsign account revoke acme ffff
good ocsign account revoke acme "$prefix"
bad 1 'revoked already' ocsign account revoke acme "$prefix"
good ocsign account tokens acme
grep -q "^$prefix *bearer *revoked" out || die "tokens: $(cat out)"

# --- ACME keys ---------------------------------------------------------------
good ocsign account acme-key acme --label lego --expires-in 1d
kid=$(sed -n 's/^kid: //p' out)
secret=$(sed -n 's/^key: //p' out)
echo "$kid" | grep -Eq '^[0-9a-f]{32}$' || die "kid: $(cat out)"
echo "$secret" | grep -Eq '^[A-Za-z0-9_-]{43}$' || die "key: $(cat out)"
good ocsign account acme-key acme --out acme.key
[ ! -s out ] || die "a secret on standard output too"
[ "$(stat -c %a acme.key)" = 600 ] || die "mode $(stat -c %a acme.key)"
grep -q '^kid: [0-9a-f]\{32\}$' acme.key || die "acme.key: $(cat acme.key)"
good ocsign --json account acme-key other
grep -q '"key": "[A-Za-z0-9_-]\{43\}"' out || die "JSON: $(cat out)"
ocsign audit list | grep -q "$secret" && die "a secret is in the journal"
bad 2 'expires' ocsign account acme-key acme --expires-in 0d
bad 2 'label' ocsign account acme-key acme --label "$(printf '%065d' 0)"
bad 1 'no account' ocsign account acme-key nobody
bad 1 'no/such' ocsign account acme-key acme --out no/such/file
good ocsign account acme-keys acme
grep -q "^$kid *good *lego" out || die "acme-keys: $(cat out)"
grep -q "$secret" out && die "a secret in a list"
bad 2 'no kid' ocsign account acme-revoke acme "$secret"
bad 1 . ocsign account acme-revoke other "$kid"
good ocsign account acme-revoke acme "$kid"
bad 1 . ocsign account acme-revoke acme "$kid"
good ocsign account acme-keys acme
grep -q "^$kid *revoked" out || die "acme-keys: $(cat out)"

# --- the block list ----------------------------------------------------------
pin=$(openssl pkey -in site.key -pubout -outform DER 2>/dev/null |
    openssl dgst -sha256 | sed 's/.* //')
sed -i "1i [policy]\nblocklist = blocked\n" ocsign.conf
echo '# none' >blocked
good issue --account acme --out notyet.pem one.csr
printf '# first\n\n%s  # ours\n' "$(echo "$pin" | tr a-f A-F)" >blocked
bad 1 'block list' ocsign cert issue --issuer web --profile server one.csr
bad 1 'block list' ocsign cert issue --issuer web --profile server \
    --account acme one.csr
ocsign csr show one.csr >out
[ $? -eq 1 ] || die "csr show of a blocked key"
grep -q '^blocked: .*block list' out || die "csr show: $(cat out)"
openssl req -new -newkey rsa:2048 -nodes -keyout rsa.key -subj /O=Site \
    -addext subjectAltName=DNS:www.example.com -out rsa.csr 2>/dev/null
openssl rsa -in rsa.key -noout -modulus 2>/dev/null | openssl dgst -sha1 |
    sed 's/.* //' | cut -c21- >blocked
bad 1 'block list' ocsign cert issue --issuer web --profile server rsa.csr
good ocsign csr show one.csr
printf '# fine\nnonsense\n' >blocked
bad 1 'blocked:2: ' ocsign cert issue --issuer web --profile server one.csr
ocsignd -t >out 2>&1 && die "ocsignd -t takes a bad block list"
grep -q 'blocked:2: ' out || die "ocsignd -t: $(cat out)"
printf '%s\n%s0\n' "$pin" "$pin" >blocked
bad 1 'blocked:2: ' ocsign cert issue --issuer web --profile server one.csr
rm blocked
bad 1 'blocklist' ocsign cert issue --issuer web --profile server one.csr
sed -i 1,3d ocsign.conf

# --- lists -------------------------------------------------------------------
good ocsign account add late --email L@Late.test --period-max 5 --period 30d
good ocsign account change late --live-max 7
good ocsign account disable late
good ocsign zone add 'größe.test' --account late
good ocsign zone add late.test --account late
good ocsign zone pause late.test
good ocsign zone add gone.test --account late
good ocsign zone remove gone.test
# squeezed: the table of the last command, one blank between columns.
squeezed() {
	sed 's/  */ /g' out
}
good ocsign account list
[ "$(squeezed)" = 'name state email live max period max period seconds
acme active - 0 0 0
late disabled l@late.test 7 5 2592000
other active ops@other.test 9 0 0' ] || die "$(cat out)"
good ocsign --json account list
jq -e 'map([.name, .state, .email, .live_max, .period_max, .period_seconds])
    == [["acme", "active", "", 0, 0, 0],
    ["late", "disabled", "l@late.test", 7, 5, 2592000],
    ["other", "active", "ops@other.test", 9, 0, 0]] and
    all(.[]; (.id | test("^[0-9a-f]{32}$")) and
    (.created_at | test("^20.*Z$")))' out >jq.out || die "$(cat out)"
# ids ZONE...: as "zone show" has them.
ids() {
	for zone in "$@"; do
		ocsign zone show "$zone" | sed -n 's/^id: *//p'
	done
}
good ocsign zone list
sed 's/.* //; 1d' out >listed
ids example.com late.test sub.example.com bücher.example größe.test \
    straße.test | cmp -s - listed || die "ids: $(cat out)"
[ "$(squeezed | sed 's/ [^ ]*$//')" = 'name account state
example.com acme active
late.test late paused
sub.example.com other active
xn--bcher-kva.example acme active
xn--gre-6ka8i.test late active
xn--strae-oqa.test other active' ] || die "$(cat out)"
good ocsign --json zone list
jq -e --rawfile ids listed 'map(.id) == ($ids | split("\n") | .[:-1]) and
    map([.account, .state, .unicode // .name]) == [
    ["acme", "active", "example.com"], ["late", "paused", "late.test"],
    ["other", "active", "sub.example.com"],
    ["acme", "active", "bücher.example"], ["late", "active", "größe.test"],
    ["other", "active", "straße.test"]]' out >jq.out || die "$(cat out)"
good ocsign zone list --account late
[ "$(squeezed | sed 's/ .*//')" = 'name
late.test
xn--gre-6ka8i.test' ] || die "$(cat out)"
good ocsign --json zone list --account late
jq -e 'map(.name) == ["late.test", "xn--gre-6ka8i.test"]' out >jq.out ||
    die "$(cat out)"
bad 1 'no account "nobody"' ocsign zone list --account nobody

# --- records -----------------------------------------------------------------
good ocsign audit verify
zones=$(ocsign --json zone list)
good ocsign store backup backup.db
good ocsign zone remove example.com
refused 'in none of its zones' DNS:www.example.com
good ocsign store restore backup.db
[ "$(ocsign --json zone list)" = "$zones" ] || die "zones after a restore"
good issue --account acme --out again.pem one.csr
good ocsign audit verify
# Behind its back.
for change in \
    "UPDATE zone SET account_id = 2 WHERE name = 'example.com'" \
    "UPDATE account SET state = 2 WHERE name = 'acme'" \
    "UPDATE account SET live_max = 1000000 WHERE name = 'other'" \
    "UPDATE account_token SET hash = randomblob(32) WHERE id = 1" \
    "UPDATE account_token SET revoked_at = 0" \
    "UPDATE certificate_request SET hostnames = '[]' WHERE id = (SELECT
	max(id) FROM certificate_request)" \
    "UPDATE certificate_request SET is_current = 0" \
    "UPDATE certificate_request SET account_id = 2" \
    "DELETE FROM certificate_zone" \
    "DELETE FROM account_token WHERE id = 2" \
    "INSERT INTO zone SELECT 99, 'f' || substr(tag, 2), 'a.test', 1, 1, 1
	FROM zone LIMIT 1" \
    "DELETE FROM certificate_request WHERE id = (SELECT max(id)
	FROM certificate_request)"
do
	cp store/store.db changed.bak
	sqlite3 store/store.db "$change"
	ocsign audit verify >out 2>err && die "audit verify: $change"
	grep -q '^ocsign: audit verify: journal entry' err ||
	    die "$change: $(cat err)"
	cp changed.bak store/store.db
done
good ocsign audit verify
[ "$(count certificate_request)" -gt 10 ] || die "$(count certificate_request)"
echo "accounts: $(count account), zones: $(count zone), requests:" \
    "$(count certificate_request)"
