#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# ocsign doctor: from a module's path to a section that ocsignd takes.

. "$top_srcdir/tests/interop/lib.sh"

says() {
	for pattern in "$@"; do
		grep -Eq -- "$pattern" out || die "no \"$pattern\": $(cat out)"
	done
}
# What is printed in lines, as one.
joined() {
	tr -s ' \n' ' ' <out >joined.out
	mv joined.out out
}
says_not() {
	if grep -E -- "$1" out; then
		die "\"$1\": $(cat out)"
	fi
}
# no STATUS COMMAND...: it says on standard output what is wrong.
no() {
	no_want=$1
	shift
	"$@" >out 2>err
	no_status=$?
	[ $no_status -eq "$no_want" ] ||
	    die "$*: exit status $no_status: $(cat out err)"
	[ ! -s err ] || die "$*: $(cat err)"
}

write_config
SOFTHSM2_CONF=$work/softhsm.conf
HOME=$work/home
export SOFTHSM2_CONF HOME
unset XDG_STATE_HOME
mkdir home

# --- without a configuration: from the path on, as it says itself
unset OCSIGN_CONF
no 1 ocsign doctor "$module"
says 'not initialised' 'token init'
OCSIGN_CONF=$work/ocsign.conf good ocsign token init ca --so-pin-source so.pin
good ocsign doctor "$module"
says 'SoftHSM' '^ca  .*ready +pkcs11:token=ca' \
    "\\$ ocsign doctor $module 'pkcs11:token=ca' --pin-source FILE"
next=$(sed -n 's/^  \$ \(ocsign doctor.*\) FILE$/\1/p' out)
# Nothing to sign with, which is no token to be used yet.
no 1 sh -c "$next user.pin"
says 'there is no private key' 'cannot be used so: .*--make-keys'
good sh -c "$next user.pin --make-keys"
says 'The token can be used' '4 temporary keys destroyed' \
    '^\[token ca\]$' "^module = $module" "^pin-source = file:$work/user.pin" \
    '^sessions = [0-9]+$'
joined
says 'the temporary P-256 key signs with CKM_ECDSA sha256/sha384/sha512' \
    'RSA-2048 key signs with CKM_RSA_PKCS sha256/sha384/sha512,' \
    'Ed25519 key signs with CKM_EDDSA' 'best with [0-9]+ sessions' \
    '128 sessions and more' 'logged out, C_SignInit says CKR_OBJECT_HANDLE'
OCSIGN_CONF=$work/ocsign.conf good ocsign key list
[ "$(wc -l <out)" -le 1 ] || die "keys are left: $(cat out)"
# The latch's folder, and no latch in it.
[ -z "$(find home -name 'pin-latch-*' ! -name '*.lock')" ] || die "latched"

# --- the section is one
good sh -c "$next user.pin --make-keys --name pasted \
    --environment SOFTHSM2_CONF=$work/softhsm.conf"
sed '1,/^For ocsign.conf:/d' out >pasted
{ sed '/^\[token/,$d' ocsign.conf; cat pasted; } >pasted.conf
says "^environment = SOFTHSM2_CONF=$work/softhsm.conf" '^network = no$'
# Where the kernel lets it watch, it saw what is open for a moment.
grep -q 'does not let us watch' out ||
    says "^paths = .*$work/softhsm.conf" "^paths = .*$work/tokens"
good ocsignd -t -c pasted.conf
good ocsign -c pasted.conf token list
says 'pasted.*ready.*yes'
good ocsign -c pasted.conf key generate --token pasted --label p
good ocsign -c pasted.conf doctor pasted
says 'The token can be used' '"p": P-256'
OCSIGN_CONF=$work/ocsign.conf
export OCSIGN_CONF

# --- a section's name, or its token, is enough
good ocsign doctor ca
says 'The token can be used' '^\[token ca\]$'
good ocsign doctor
says '^\[token ca\]$'
good ocsign doctor pkcs11:token=ca
says '^\[token ca\]$'
good ocsign doctor "$module" pkcs11:token=ca --name other
says '^\[token other\]$' 'pin-source = file:'
if command -v python3 >/dev/null; then
	good ocsign --json doctor ca
	python3 - out <<-'EOT' || die "$(cat out)"
		import json, sys
		d = json.load(open(sys.argv[1]))
		assert d["usable"] and d["token"] == "ca", d
		assert d["pool_size"] >= 1 and d["speed"], d
		assert d["section"].count("[token ca]") == 1, d
		assert any(t["state"] == "works" for t in d["trials"]), d
		assert all(t["state"] != "wrong" for t in d["trials"]), d
		assert {f["probe"] for f in d["findings"]} >= {"module",
		    "token", "login", "keys", "mechanisms", "logout",
		    "operations", "sessions", "speed", "idle"}, d
	EOT
	good ocsign --json doctor "$module"
	python3 -c 'import json, sys
d = json.load(open("out"))
assert d["tokens"][0]["uri"] == "pkcs11:token=ca", d
assert d["next"].startswith("ocsign doctor "), d' || die "$(cat out)"
fi

# --- what is not asked for rightly
bad 2 'give one module' ocsign doctor /a.so /b.so
bad 2 'give its name alone' ocsign doctor ca pkcs11:token=ca
bad 1 'no \[token' ocsign doctor none
(unset OCSIGN_CONF
bad 2 'which token' ocsign doctor) || exit 1
bad 1 'No such file' ocsign doctor /not-there.so
bad 2 'number of seconds' ocsign doctor ca --timeout 0
bad 2 'number of seconds' ocsign doctor ca --idle 1y
bad 2 'NAME=VALUE' ocsign doctor ca --environment x
bad 2 "section's name" ocsign doctor ca --name 'a b'
bad 2 "give its module's path" ocsign doctor pkcs11:token=elsewhere
bad 2 'same attribute twice' ocsign doctor 'pkcs11:token=ca;token=ca'
bad 2 'use pin-source' ocsign doctor 'pkcs11:token=ca?pin-value=123456'
bad 2 'is no file' ocsign doctor 'pkcs11:token=ca?pin-source=file:user.pin'
bad 2 'names no token' ocsign doctor "$module" pkcs11:
(unset OCSIGN_CONF
bad 2 'which module is it in' ocsign doctor pkcs11:token=ca) || exit 1
no 1 ocsign doctor /etc/passwd
says 'BAD +it cannot be loaded'
no 1 ocsign doctor "$module" pkcs11:token=elsewhere
says 'BAD +there is no initialised token of this name'

# --- without a PIN nothing is tried that needs one
printf '[store]\npath = other/store.db\n' >empty.conf
no 1 ocsign -c empty.conf doctor "$module" pkcs11:token=ca
says 'give --pin-source FILE' 'cannot be used so: nothing was tried without'

# --- a wrong one is tried once, by whatever name
(umask 077; printf 999999 >user.pin)
no 1 ocsign doctor ca
says 'CKR_PIN_INCORRECT'
no 1 ocsign doctor "$module" pkcs11:token=ca
says 'refused this PIN before'
bad 1 'refused this PIN before' ocsign key list
(umask 077; printf 123456 >user.pin)
good ocsign doctor ca

# --- a running service keeps its sessions
make_web() {
	good ocsign key generate --token ca --label root --type p384
	good ocsign key generate --token ca --label web
	good ocsign ca create root --subject 'CN=Example Root,O=Example,C=DE'
	good ocsign ca create web --issuer root \
	    --subject 'CN=Example Web,O=Example,C=DE'
}
port=$(free_port)
sed "s/127.0.0.1:1$/127.0.0.1:$port/" ocsign.conf >new.conf
mv new.conf ocsign.conf
make_web
start_ocsignd
good ocsign doctor ca --key web
says 'ocsignd uses this token' 'The token can be used'
says_not 'signatures a second'
good ocsign status
exit 0
