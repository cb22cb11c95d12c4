#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Our responder beside openssl's and CFSSL's, with the same records and then
# with one difference each, which "ocsign ocsp compare" must name: what one
# runs before switching over.  And beside ones that are away, that die on the
# way, that are not to be believed, and that drip.

. "$top_srcdir/tests/interop/failure.sh"
need openssl python3 cfssl

ca_folder
ca_make
for name in good held gone; do
	ca_issue $name
done
serial() {
	openssl x509 -in "$1.pem" -noout -serial | sed 's/serial=//'
}
good=$(serial good) held=$(serial held) gone=$(serial gone)
ocsign cert revoke --reason keyCompromise "$gone" >/dev/null
ocsign cert revoke --reason certificateHold "$held" >/dev/null
printf '%s\n' "$good" "$held" "$gone" >serials
service_start
within 30 is_whole || fail "not all is signed: $(cat status.json)"

# Others' signer, a delegate of the CA; and one of nobody's.
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout other.key -out other.csr -subj '/CN=Other OCSP' 2>/dev/null
ocsign cert issue --issuer ca --profile ocsp-signer --out other.pem other.csr
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout rogue.key -out rogue.pem -subj '/CN=Rogue OCSP' 2>/dev/null
ocsign export --issuer ca --format index --out index.txt >/dev/null

# theirs NAME INDEX [OPTION...]: openssl's responder; $theirs is its URL.
theirs() {
	theirs_port=$(free_port)
	theirs_name=$1 theirs_index=$2
	shift 2
	[ -e "$theirs_index.attr" ] ||
	    echo unique_subject = no >"$theirs_index.attr"
	: >"$theirs_name.log"
	openssl ocsp -index "$theirs_index" -CA ca.pem -rsigner other.pem \
	    -rkey other.key -port "$theirs_port" -ndays 4 "$@" \
	    >"$theirs_name.log" 2>&1 &
	pids="$pids $!"
	theirs=http://127.0.0.1:$theirs_port/
	within 10 grep -qi 'waiting for' "$theirs_name.log" ||
	    fail "openssl: $(cat "$theirs_name.log")"
}
# compare STATUS ARGUMENT...: with its exit status.
compare() {
	compare_status=$1
	shift
	status=0
	ocsign ocsp compare "$@" --issuer ca.pem --rate 100000 \
	    >out 2>err || status=$?
	[ $status -eq "$compare_status" ] ||
	    fail "$*: $status: $(cat out err)"
	[ $status -eq 2 ] || [ ! -s err ] || fail "$(cat err)"
}
# says LINE...: these are printed, in some order, and nothing more.
says() {
	printf '%s\n' "$@" | sort >wanted
	sort out >got
	diff wanted got || fail "that is not what was to be said"
}

# Itself, and openssl's with the same records.
compare 0 "$url" "$url" --serials serials
says "3 asked about, 3 the same"
theirs same index.txt
same=$theirs
compare 0 "$url" "$same" --serials serials
says "3 asked about, 3 the same"
compare 0 "$url" "$same" --serials serials --hash sha256
# openssl's sends nonces back; ours, too, if asked to sign for it.
compare 0 "$url" "$same" --serials serials --nonce
# It says nothing to caches, and ours does.
compare 1 "$url" "$same" --serials serials --get
grep -Eq "^$good caching: to be cached \([0-9]+ s\) / nothing said" out ||
    fail "$(cat out)"
grep -q '^3 asked about, 0 the same, 3 with another caching$' out ||
    fail "$(cat out)"
compare 0 "$url" "$same" --serials serials --get --ignore caching
echo "ok: the same"

# Revoked there; another reason; another time.
awk -F '\t' -v OFS='\t' -v good="$good" -v held="$held" -v gone="$gone" '
    $4 == good { $1 = "R"; $3 = "251101000000Z,superseded" }
    $4 == held { $3 = "251101000000Z,certificateHold" }
    $4 == gone { sub(/keyCompromise/, "CACompromise", $3) }
    { print }' index.txt >others.txt
theirs others others.txt
compare 1 "$url" "$theirs" --serials serials
since=$(ocsign --json cert show --issuer ca "$held" |
    sed -n 's/.*"revoked_at": "\(.*\)".*/\1/p')
says "$good status: good / revoked" \
    "$held time: $since / 2025-11-01T00:00:00Z" \
    "$gone reason: keyCompromise / cACompromise" \
    "3 asked about, 0 the same, 1 with another status, 1 with another time,\
 1 with another reason"
compare 0 "$url" "$theirs" --serials serials --ignore status --ignore time \
    --ignore reason
ocsign --json ocsp compare "$url" "$theirs" --issuer ca.pem \
    --serials serials >json && fail "no difference"
python3 - "$good" <<-'EOT' || fail "$(cat json)"
	import json, sys
	whole = json.load(open("json"))
	assert whole["sum"]["same"] == 0 and whole["sum"]["asked"] == 3
	assert whole["sum"]["different"]["reason"] == 1
	assert len(whole["differences"]) == 3
	assert {"serial": sys.argv[1], "difference": "status", "a": "good",
	        "b": "revoked"} in whole["differences"]
EOT

# Never issued: it is ours who says nothing; for twice as long and more.
printf 'AB\n' >never
compare 1 "$url" "$same" --serials never
says "AB status: unauthorized / unknown" \
    "1 asked about, 0 the same, 1 with another status"
theirs long index.txt -ndays 30
long=$theirs
printf '%s\n' "$good" >one
compare 1 "$url" "$theirs" --serials one
grep -Eq "^$good life: 3[0-9]{5} s / 2592000 s$" out || fail "$(cat out)"
# Another issuer's certificate, and a full disk, prove nothing.
compare 2 "$url" "$url" --serials never
grep -q 'nothing of any certificate: is ca.pem its issuer' err ||
    fail "$(cat err)"
status=0
ocsign ocsp compare "$url" "$same" --issuer ca.pem --serials serials \
    >/dev/full 2>err || status=$?
[ $status -eq 2 ] || fail "$status: $(cat err)"
echo "ok: what is different"

# CFSSL's serves what others made: by us, an old one, a rogue's.
made() {
	openssl ocsp -index index.txt -CA ca.pem -rsigner "$1.pem" \
	    -rkey "$1.key" -issuer ca.pem -serial "0x$good" -ndays 4 \
	    -no_nonce -respout made.ocsp >/dev/null 2>&1
	[ -s made.ocsp ] || fail "openssl makes nothing"
}
cfssl_serves() {
	openssl base64 -A -in "$1" >responses
	echo >>responses
	cfssl_port=$(free_port)
	cfssl ocspserve -address 127.0.0.1 -port "$cfssl_port" \
	    -responses responses -loglevel 5 >cfssl.log 2>&1 &
	pids="$pids $!"
	cfssl=http://127.0.0.1:$cfssl_port/
	cfssl_up() {
		ocsign ocsp query "$cfssl" --issuer ca.pem --serial "0x$good" \
		    --out seen.ocsp >/dev/null 2>&1
		[ -s seen.ocsp ]
	}
	rm -f seen.ocsp
	within 10 cfssl_up || fail "cfssl: $(cat cfssl.log)"
}
ocsign ocsp query "$url" --issuer ca.pem --serial "0x$good" --out ours.ocsp \
    >/dev/null
# Debian's CFSSL takes a "+" in a path for a blank: by POST.
cfssl_serves ours.ocsp
compare 0 "$url" "$cfssl" --serials one
compare 1 "$url" "$cfssl" --serials serials
grep -q "^$held status: revoked / unauthorized$" out || fail "$(cat out)"
made rogue
cfssl_serves made.ocsp
compare 1 "$url" "$cfssl" --serials one
grep -q "^$good status: good / not to be believed: the responder.s cert" out ||
    fail "$(cat out)"
# In ten days, by the clock of who compares.
echo 864000 >offset
later() {
	# A sanitizer wants to be the first library.
	ldd "$top_builddir/ocsign" | grep -q asan && return 1
	LD_PRELOAD=$top_builddir/tests/faults/ocsign-clock.so \
	    CLOCK_OFFSET=offset compare "$@"
}
made other
cfssl_serves made.ocsp
compare 0 "$url" "$cfssl" --serials one
if later 1 "$long" "$cfssl" --serials one; then
	grep -q "^$good status: good / not to be believed: .*too old" \
	    out || fail "$(cat out)"
	# What is so of both is none the better for that.
	later 1 "$cfssl" "$cfssl" --serials one
fi
echo "ok: what cannot be believed"

# Away; dying on the way; dripping.
compare 2 "$url" "http://127.0.0.1:$(free_port)/" --serials one
grep -q '^ocsign: ocsp compare: http://127' err && [ ! -s out ] ||
    fail "$(cat err)"
i=0
while [ $i -lt 60 ]; do
	printf 'AB%02X\n' $i
	i=$((i + 1))
done >many
theirs dying index.txt -nrequest 8
compare 2 "$same" "$theirs" --serials many --connections 2
grep -q "$theirs has not answered 20 times in a row" err || fail "$(cat err)"
drip_port=$(free_port)
: >drip.log
python3 - "$drip_port" >drip.log 2>&1 <<-'EOT' &
	import socket, sys, time
	s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
	print("ready", flush=True)
	ends = time.time() + 120
	held = []
	s.settimeout(0.1)
	while time.time() < ends:
	    try:
	        held.append(s.accept()[0])
	        held[-1].sendall(b"HTTP/1.1 200 OK\r\nX: ")
	    except OSError:
	        pass
	    for c in held:
	        try:
	            c.sendall(b"a")
	        except OSError:
	            pass
EOT
pids="$pids $!"
within 10 grep -q ready drip.log || fail "$(cat drip.log)"
compare 2 "$url" "http://127.0.0.1:$drip_port/" --serials serials --timeout 1
grep -q "^$good status: good / no answer: no reply in time" out ||
    fail "$(cat out)"
grep -q 'has not answered at all (no reply in time)' err || fail "$(cat err)"
echo "ok: who does not answer"

# What is wrong with the command line.
compare 2 "$url" --serials one
compare 2 "$url" https://127.0.0.1/ --serials one
grep -q 'https is not spoken here' err || fail "$(cat err)"
compare 2 "$url" "$same" --serials one --ignore colour
compare 2 "$url" "$same" --serials one --timeout 0
echo XY >torn
compare 2 "$url" "$same" --serials torn
grep -q 'torn: line 1: ' err || fail "$(cat err)"

# Not faster than one is told.
head -n 12 many >some
begun=$(date +%s%N)
ocsign ocsp compare "$same" "$same" --issuer ca.pem --serials some --rate 20 \
    >/dev/null
[ $(($(date +%s%N) - begun)) -ge 500000000 ] || fail "that was too fast"
service_stop
