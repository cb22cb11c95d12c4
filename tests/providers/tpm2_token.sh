# SPDX-License-Identifier: Apache-2.0
#
# Sourced after lib.sh: tpm2-pkcs11 on a TPM in software.  It talks TCP, on
# loopback and a port that the kernel picks, and to one at a time.

need swtpm python3 tpm2_dictionarylockout
tpm=$(find /usr/lib /usr/lib64 -name 'libtpm2_pkcs11.so*' 2>/dev/null | sed q)
[ -n "$tpm" ] || skip "libtpm2_pkcs11.so is not installed"

# Two ports that follow each other: the second is where its control channel is
# looked for.  Nobody can be handed a listening socket, so somebody else may be
# faster: then two others.
two_ports() {
	python3 -c '
import socket
while True:
    a, b = socket.socket(), socket.socket()
    a.bind(("127.0.0.1", 0))
    try:
        b.bind(("127.0.0.1", a.getsockname()[1] + 1))
        break
    except (OSError, OverflowError):
        a.close()
print(a.getsockname()[1])'
}

is_listening() {
	grep -q "$(printf '0100007F:%04X 00000000:0000 0A' $((tpm_port + 1)))" \
	    /proc/net/tcp && kill -0 "$tpm_pid"
}

tpm_start() {
	swtpm socket --tpm2 --tpmstate dir=state \
	    --server "type=tcp,port=$tpm_port" \
	    --ctrl "type=tcp,port=$((tpm_port + 1))" \
	    --flags not-need-init,startup-clear \
	    >swtpm.log 2>&1 7>&- 8>&- &
	tpm_pid=$!
	within 5 is_listening 2>/dev/null && daemons="$daemons $tpm_pid"
}
daemon_kill() {
	kill -9 "$tpm_pid"
	wait "$tpm_pid" 2>/dev/null
}
daemon_revive() {
	tpm_start || die "swtpm: $(cat swtpm.log)"
}

# The library says on standard error what it returns as an error.
ocsign() {
	command ocsign "$@" 2>ocsign.err
	ocsign_status=$?
	grep -Ev '^(ERROR|WARNING):' ocsign.err >&2
	return $ocsign_status
}

mkdir state tpmstore
(umask 077; echo 12345678 >user.pin; echo 87654321 >so.pin)
for try in 1 2 3 4 5; do
	tpm_port=$(two_ports)
	tpm_start && break
	kill -9 "$tpm_pid" 2>/dev/null
	[ $try -lt 5 ] || die "swtpm: $(cat swtpm.log)"
done
tcti=swtpm:host=127.0.0.1,port=$tpm_port
# A TPM that is switched off while it is used counts that as a wrong PIN, and
# after three of them asks for nobody's any more.
TPM2TOOLS_TCTI=$tcti tpm2_dictionarylockout -s -n 1000 -t 1 -l 0 >out 2>&1 ||
    die "tpm2_dictionarylockout: $(cat out)"

label=tpm
# Without a resource manager it holds three objects: a key, and those above it.
sessions=1
quiet='TPM2_PKCS11_LOG_LEVEL=0 TSS2_LOG=all+NONE'
section="module = $tpm
network = 127.0.0.1
environment = TPM2_PKCS11_TCTI=$tcti TPM2_PKCS11_STORE=./tpmstore $quiet"
has_daemon=yes

# advice_is_taken: the doctor, who is in "out", says which command clears what
# processes that died left in the TPM, and that does.
advice_is_taken() {
	tr -s ' \n' ' ' <out >joined
	grep -q '"tpm2_flushcontext -t; tpm2_flushcontext -l; ' joined ||
	    die "no advice: $(cat out)"
	grep -o '"tpm2_flushcontext[^"]*"' joined |
	    sed -n '1s/"//gp' >advice.sh
	TPM2TOOLS_TCTI=$tcti sh -ex advice.sh 2>advice.log ||
	    die "$(cat advice.log)"
}
