#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Zones proven by whoever has them: a TXT record in a zone of knot's, also put
# there on the site's behalf, a page's head and a file behind nginx, a code in
# a message; by the command and by the service alone; what is not there, what
# is another's, what is claimed twice; and without ocsign-validator.

. "$top_srcdir/tests/interop/failure.sh"
PATH=$PATH:/usr/sbin
need openssl curl jq knotd knsupdate nginx python3 sqlite3
[ -x "$top_builddir/ocsign-validator" ] || {
	echo "skipped: built without libunbound or libcurl"
	exit 77
}

ca_folder
ca_make

# --- DNS, pages, mail -------------------------------------------------------

dns_port=$(free_port)
http_port=$(free_port)
mkdir zones knot site site/.well-known
zones='dns page file mail auto late twice api apimail link hooked grey'
for zone in $zones; do
	cat >zones/$zone.test.zone <<-EOT
		@ 1 SOA ns admin 1 3600 600 86400 1
		@ 1 NS ns
		ns 1 A 127.0.0.1
		@ 1 A 127.0.0.1
		sub 1 A 127.0.0.1
	EOT
done
secret=$(openssl rand -base64 32)
(umask 077; echo "hmac-sha256:update:$secret" >update.key)
{
	cat <<-EOF
	key:
	  - id: update
	    algorithm: hmac-sha256
	    secret: $secret
	server:
	    listen: 127.0.0.1@$dns_port
	    rundir: $dir/knot
	    pidfile: $dir/knot/pid
	database:
	    storage: $dir/knot
	acl:
	  - id: update
	    key: update
	    action: update
	template:
	  - id: default
	    storage: $dir/zones
	    file: %s.zone
	    acl: update
	    zonefile-sync: -1
	    journal-content: all
	zone:
	EOF
	for zone in $zones; do
		echo "  - domain: $zone.test"
	done
} >knot.conf
knotd -c knot.conf >knot.log 2>&1 &
pids="$pids $!"
# put ZONE TOKEN
put() {
	printf 'server 127.0.0.1 %s\nzone %s.\nadd %s 1 TXT "%s"\nsend\n' \
	    "$dns_port" "$1" "_ocsign-challenge.$1." "$2" |
	    knsupdate -y "hmac-sha256:update:$secret" >update.log 2>&1 ||
	    fail "knsupdate: $(cat update.log)"
}

chmod 711 "$dir"
mkdir nginx
cat >nginx.conf <<EOF
daemon off;
pid $dir/nginx/pid;
error_log $dir/nginx/error.log error;
events { }
http {
	access_log off;
	client_body_temp_path $dir/nginx/body;
	proxy_temp_path $dir/nginx/proxy;
	fastcgi_temp_path $dir/nginx/fastcgi;
	uwsgi_temp_path $dir/nginx/uwsgi;
	scgi_temp_path $dir/nginx/scgi;
	types { text/html html; }
	server {
		listen 127.0.0.1:$http_port;
		root $dir/site;
	}
}
EOF
nginx -e "$dir/nginx/error.log" -c "$dir/nginx.conf" 2>nginx.err &
pids="$pids $!"
python3 -S "$top_srcdir/tests/interop/smtp_sink.py" "$dir/mail" >smtp.port &
pids="$pids $!"
# It greets, and never closes: WHOIS that is slow.
python3 -S "$top_srcdir/tests/interop/smtp_sink.py" "$dir/none" >whois.port &
pids="$pids $!"
within 10 test -s smtp.port || fail "no mail server"
within 10 test -s whois.port || fail "no slow server"
within 10 test -s nginx/pid || fail "$(cat nginx.err)"
within 10 grep -q 'server started' knot.log || fail "$(cat knot.log)"

# On a site's behalf, by a program of the operator's.
cat >hook <<EOF
#!/bin/sh
verb=del
[ "\$1" != publish ] || verb=add
echo "\$1 \$2" >>"$dir/hook.log"
{
	echo "server 127.0.0.1 $dns_port"
	echo "zone hooked.test."
	echo "\$verb \$2. 1 TXT \"\$(cat)\""
	echo send
} |
    knsupdate -y "hmac-sha256:update:$secret" >>"$dir/hook.log" 2>&1
EOF
chmod 700 hook

# --- the service ------------------------------------------------------------

api=127.0.0.1:$(free_port)
cp ocsign.conf plain.conf
cat >>ocsign.conf <<EOF
[api]
listen = $api
issuers = ca
[validation]
resolvers = 127.0.0.1:$dns_port
trust-anchor = none
allow-addresses = 127.0.0.0/8
http-port = $http_port
timeout = 5s
mail-server = smtp://127.0.0.1:$(cat smtp.port)
mail-from = ca@ca.test
mail-plain = yes
mail-link = http://$api/
whois-servers = 127.0.0.1:1 many.test=127.0.0.1:$(cat whois.port)
update-server = 127.0.0.1:$dns_port
update-key = update.key
update-zones = auto.test
publish-hook = $dir/hook
EOF

# said WORDS: in what the last command printed.
said() {
	grep -Eq -- "$1" out || fail "not \"$1\": $(cat out err)"
}
good() {
	"$@" >out 2>err || fail "$*: $(cat out err)"
}
# no STATUS COMMAND...
no() {
	no_status=$1
	shift
	status=0
	"$@" >out 2>err || status=$?
	[ $status -eq "$no_status" ] || fail "$* ($status): $(cat out err)"
}
token_of() {
	good ocsign --json zone claim "$1" --account "$2"
	jq -r --arg m "$3" '.methods[] | select(.method == $m).what' out |
	    sed 's/.*content="//; s/">$//'
}
state_of() {
	ocsign --json zone status "$1" | jq -r .state
}
is_active() {
	[ "$(state_of "$1")" = active ]
}

good ocsign account add acme
good ocsign account add other
good ocsign zone methods
said '^dns +yes' && said '^email +yes.*public trust'
# Nobody looks.
no 1 ocsign zone verify dns.test --account acme --method dns
grep -q 'ocsign-validator does not run' err || fail "$(cat err)"
good ocsign zone status dns.test
said "state: *nobody's" && said 'acme.*pending'
service_start
within 20 test -S run/validator.sock || fail "no validator: $(cat ocsignd.log)"

# --- by a record ------------------------------------------------------------

no 1 ocsign zone verify dns.test --account acme --method dns
said 'state: *pending' && said 'seen: *.'
[ "$(state_of dns.test)" = "nobody's" ] || fail "a claim is no zone"
token=$(token_of dns.test acme dns)
[ ${#token} -eq 43 ] || fail "token: $token"
other_token=$(token_of dns.test other dns)
[ "$token" != "$other_token" ] || fail "two accounts have one token"
put dns.test "$token"
good ocsign zone verify dns.test --account acme --method dns --wait=60s
said 'state: *active'
# The token of one account is not another's, and the zone is gone.
no 1 ocsign zone verify dns.test --account other --method dns
grep -q "another account's zone" err || fail "$(cat err)"
no 1 ocsign zone claim sub.example --account nobody
no 1 ocsign zone verify sub.dns.test --account other --method dns
good ocsign zone status dns.test
said '^account: *acme' && said 'acme +proven'

# --- by a page and a file ---------------------------------------------------

token=$(token_of page.test acme meta)
echo "<html><head><meta name='ocsign-verification' content='$token'></head>" \
    >site/index.html
good ocsign zone verify page.test --account acme --method meta --wait=60s
said 'state: *active'
no 1 ocsign zone verify file.test --account acme --method file
said 'seen: *.*404|seen: *.'
token_of file.test acme file >site/.well-known/ocsign-challenge
good ocsign zone verify file.test --account acme --method file --wait=60s
said 'state: *active'

# --- on the site's behalf ---------------------------------------------------

good ocsign zone verify auto.test --account acme --method dns --publish \
    --wait=60s
said 'state: *active'
no 2 ocsign zone verify auto.test --account acme --method meta --publish
good ocsign zone verify hooked.test --account acme --method dns --publish \
    --wait=60s
said 'state: *active'
[ "$(cat hook.log)" = "publish _ocsign-challenge.hooked.test
withdraw _ocsign-challenge.hooked.test" ] || fail "the hook: $(cat hook.log)"
for zone in auto hooked; do
	kdig @127.0.0.1 -p "$dns_port" _ocsign-challenge.$zone.test TXT \
	    >out 2>&1 || true
	! grep -q 'ANSWER SECTION' out || fail "it stays there: $(cat out)"
done

# --- by mail ----------------------------------------------------------------

no 1 ocsign zone verify mail.test --account acme --method email
said 'hostmaster@mail.test +constructed'
no 1 ocsign zone verify mail.test --account acme --method email \
    --to somebody@else.test
grep -q 'none of those' err || fail "$(cat err)"
good ocsign zone verify mail.test --account acme --method email \
    --to hostmaster@mail.test
said 'sent to: *hostmaster@mail.test'
within 10 grep -q 'give them this code' mail || fail "no mail: $(cat mail)"
code=$(tr -d '\r' <mail | grep -Eo '([a-z2-7]{4}-){7}[a-z2-7]{4}')
no 1 ocsign zone verify mail.test --account acme --method email --code wrong
said 'another code'
no 2 ocsign zone verify mail.test --account acme --method dns --code "$code"
printf '%s\n' "$code" | tr a-z A-Z |
    ocsign zone verify mail.test --account acme --method email --code - \
    >out 2>err || fail "$(cat out err)"
said 'state: *active'
no 1 ocsign zone claim mail.test --account other
# Who puts us off has nothing yet, and is to be asked again.
no 1 ocsign zone verify grey.test --account acme --method email \
    --to webmaster@grey.test
grep -q 'webmaster@grey.test.*451.*later' err || fail "$(cat err)"
good ocsign zone status grey.test
said 'acme.*pending'
! sqlite3 store.db 'SELECT detail FROM journal' | grep -q "$code" ||
    fail "the code is in the journal"
! grep -rq "$code" ocsignd.log || fail "the code is in the log"

# --- by the service alone ---------------------------------------------------

no 1 ocsign zone verify late.test --account acme --method dns
token=$(token_of late.test acme dns)
put late.test "$token"
within 60 is_active late.test || fail "nobody looked: $(ocsign zone status \
    late.test; tail -n 5 ocsignd.log)"

# --- over the API -----------------------------------------------------------

acme_token=$(ocsign account token acme)
other_token=$(ocsign account token other)
# call TOKEN METHOD PATH [BODY]: the answer in out, its status in $code.
call() {
	code=$(curl -s -o out -w '%{http_code}' -X "$2" \
	    -H "Authorization: Bearer $1" ${4+-d "$4"} \
	    "http://$api/client/v4/zones$3")
}
# is STATUS FILTER: the last answer.
is() {
	[ "$code" -eq "$1" ] && jq -e "$2" out >/dev/null ||
	    fail "not $1, $2: $code $(cat out)"
}
call x GET ''
is 401 '.success == false'
call "$acme_token" POST '' '{"name":"api.test"}'
is 200 '.result.status == "pending" and .result.name_servers == []'
id=$(jq -r .result.id out)
token=$(jq -r '.result.verification[] | select(.method == "dns").value' out)
call "$acme_token" POST '' '{"name":"API.test","type":"full"}'
is 200 ".result.id == \"$id\""
call "$other_token" GET "/$id"
is 404 '.errors[0].code == 10002'
call "$other_token" PUT "/$id/activation_check"
is 404 '.errors[0].code == 10002'
call "$other_token" POST '' '{"name":"api.test"}'
is 200 '.result.status == "pending"'
[ "$(jq -r .result.id out)" != "$id" ] || fail "one claim for two"
call "$acme_token" POST '' '{"name":"com"}'
is 400 '.errors[0].code == 10001'
call "$acme_token" POST '' '{"name":1}'
is 400 '.errors[0].code == 10001'
call "$acme_token" POST '' '{"name":"b.test","account":{"id":"x"}}'
is 400 '.errors[0].code == 10001'
call "$acme_token" DELETE "/$id"
is 405 '.errors[0].code == 10003'
call "$acme_token" PUT "/$id/activation_check" '{"method":"tarot"}'
is 400 '.errors[0].code == 10001'
call "$acme_token" GET '?status=pending&name=api.test'
is 200 '.result_info.total_count == 1 and .result[0].status == "pending"'
put api.test "$token"
call "$acme_token" PUT "/$id/activation_check"
is 200 '.success'
api_is_active() {
	call "$acme_token" GET "/$id"
	jq -e '.result.status == "active" and .result.activated_on' out \
	    >/dev/null
}
within 60 api_is_active || fail "$(cat out; tail -n 5 ocsignd.log)"
is 200 ".result.id == \"$id\""
call "$acme_token" PUT "/$id/activation_check"
is 200 '.result.status == "active"'
call "$acme_token" POST '' '{"name":"api.test"}'
is 400 '.errors[0].message | contains("already")'
call "$acme_token" GET '?status=active&per_page=1'
is 200 '(.result | length) == 1 and .result_info.total_count > 3'
call "$other_token" GET '?status=active'
is 200 '.result == []'
# By mail.
call "$acme_token" POST '' '{"name":"apimail.test"}'
id=$(jq -r .result.id out)
call "$acme_token" PUT "/$id/activation_check" '{"method":"email"}'
is 200 '.result.contacts | index("postmaster@apimail.test")'
call "$acme_token" PUT "/$id/activation_check" \
    '{"method":"email","to":"a@else.test"}'
is 400 '.errors[0].code == 10001'
rm -f mail
call "$acme_token" PUT "/$id/activation_check" \
    '{"method":"email","to":"Postmaster@apimail.test"}'
is 200 '.result.status == "pending"'
mailed=$(tr -d '\r' <mail | grep -Eo '([a-z2-7]{4}-){7}[a-z2-7]{4}')
call "$acme_token" PUT "/$id/activation_check" \
    '{"method":"email","to":"postmaster@apimail.test"}'
is 429 '.errors[0].message | contains("wait for it")'
call "$acme_token" PUT "/$id/activation_check" \
    '{"method":"email","code":"aaaa"}'
is 400 '.errors[0].message | contains("another was sent")'
call "$acme_token" GET "/$id"
is 200 '.result.verification[] | select(.method == "email").tries == 2'
call "$other_token" PUT "/$id/activation_check" \
    "{\"method\":\"email\",\"code\":\"$mailed\"}"
is 404 '.errors[0].code == 10002'
call "$acme_token" PUT "/$id/activation_check" \
    "{\"method\":\"email\",\"code\":\"$mailed\"}"
is 200 '.result.status == "active"'

# Several wait to hear whom they may write to: one message goes.
call "$acme_token" POST '' '{"name":"many.test"}'
id=$(jq -r .result.id out)
rm -f mail
for n in 1 2 3 4 5 6; do
	curl -s -o "many.$n" -X PUT -H "Authorization: Bearer $acme_token" \
	    -d '{"method":"email","to":"admin@many.test"}' \
	    "http://$api/client/v4/zones/$id/activation_check" &
	curls="${curls-} $!"
done
wait $curls
[ "$(grep -c 'give them this code' mail)" -eq 1 ] ||
    fail "$(grep -c 'give them this code' mail) messages: $(cat many.*)"
[ "$(cat many.* | grep -c 'wait for it')" -eq 5 ] || fail "$(cat many.*)"

good ocsign zone claim cli.many.test --account acme
rm -f mail many.*
curls=
for n in 1 2 3; do
	ocsign zone verify cli.many.test --account acme --method email \
	    --to admin@cli.many.test >"many.$n" 2>&1 &
	curls="$curls $!"
done
for pid in $curls; do
	wait $pid || true
done
[ "$(grep -c 'give them this code' mail)" -eq 1 ] ||
    fail "$(grep -c 'give them this code' mail) messages: $(cat many.*)"
[ "$(cat many.* | grep -c 'wait for it')" -eq 2 ] || fail "$(cat many.*)"

# By the link, which a filter follows first.
good ocsign zone claim link.test --account acme
rm -f mail
good ocsign zone verify link.test --account acme --method email \
    --to admin@link.test
# A line as long as that is folded on its way.
link=$(tr -d '\r' <mail | python3 -m quopri -d |
    sed -n 's|^ *\(http://[^ ]*/zone-proof/.*\)|\1|p')
# page STATUS WORDS CURL-ARGUMENTS...
page() {
	page_status=$1
	page_words=$2
	shift 2
	code=$(curl -s -o out -w '%{http_code}' "$@")
	[ "$code" -eq "$page_status" ] && grep -q "$page_words" out ||
	    fail "$*: $code $(cat out)"
}
page 200 'account <b>acme</b>.*link.test' "$link"
page 200 '<form method="post">' "$link"
[ "$(state_of link.test)" = "nobody's" ] || fail "looking is enough"
wrong=${link%/*}/aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaa
page 404 'not good' "$wrong"
page 404 'not good' -X POST "$wrong"
page 404 'not good' "http://$api/zone-proof/x"
page 404 'not good' "http://$api/zone-proof/$id/$mailed"
! grep -q 'acme\|link.test' out || fail "says too much: $(cat out)"
page 200 'It may' -X POST "$link"
is_active link.test || fail "the link: $(ocsign zone status link.test)"
page 404 'not good' "$link"

# Who waits to hear whom to write to may go; the validator may, and all of it.
call "$acme_token" POST '' '{"name":"slow.many.test"}'
id=$(jq -r .result.id out)
# ask_contacts FILE SECONDS
ask_contacts() {
	curl -s -m "$2" -o "$1" -X PUT -H "Authorization: Bearer $acme_token" \
	    -d '{"method":"email"}' \
	    "http://$api/client/v4/zones/$id/activation_check"
}
waits() {
	ocsign --json status | jq -e '.status.validation.waiting > 0' >/dev/null
}
for n in 1 2 3; do
	! ask_contacts "gone.$n" 0.3 || fail "a fast answer: $(cat gone.*)"
done
ask_contacts killed 60 &
curls=$!

# The validator is killed meanwhile: its successor looks.
no 1 ocsign zone verify twice.test --account acme --method dns
put twice.test "$(token_of twice.test acme dns)"
kill -9 $(role validator)
within 90 is_active twice.test || fail "after the end of one: $(ocsign zone \
    status twice.test; tail -n 5 ocsignd.log)"
wait $curls || fail "no answer"
jq -e '.result.contacts | index("admin@slow.many.test")' killed >/dev/null ||
    fail "the question of before: $(cat killed)"
good ocsign audit verify
ask_contacts ended 60 &
curls=$!
within 5 waits || fail "nobody waits: $(ocsign status)"
service_stop
wait $curls || true

# --- without ----------------------------------------------------------------

cp plain.conf ocsign.conf
no 1 ocsign zone claim x.test --account acme
grep -q 'without a \[validation\] section' err || fail "$(cat err)"
good ocsign zone methods
said '^dns +no' && said '^operator +yes'
