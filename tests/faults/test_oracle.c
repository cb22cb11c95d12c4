/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever reaches the signer's sockets: the real ocsign-signer, asked for what
 * it must not sign, by frames good and bad.  After each of these the token has
 * signed nothing (the shim counts), the signer lives, and an honest client is
 * served; at the end the signing journal knows of no signature but those.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/memfd.h"
#include "ipc/message.h"
#include "pkcs11/journal_read.h"
#include "tests/faults/oracle_fixture.h"

#define P256_POINT_LEN 65		/* the last octets of an SPKI */
#define BYTES(...) ((struct der_bytes){ (const uint8_t[]){ __VA_ARGS__ }, \
	sizeof((const uint8_t[]){ __VA_ARGS__ }) })

/* --- values that are not signed ------------------------------------------- */

/* What makes a certificate a bad one. */
static void
bad_certificate(int n, struct tbs_sample *s)
{
	static uint8_t out[512];
	static const uint8_t negative[] = { 0x80 };
	static const uint8_t stranger[] = { 0x30, 6, 0x80, 4, 1, 1, 1, 1 };
	struct der_bytes aki = BYTES(0x30, 6, 0x80, 4, 9, 8, 7, 6);
	struct der_bytes e = { NULL, 0 };

	oracle_good_sample(s, false);
	e = tbs_add_extension(e, out, sizeof(out),
	    DER_OID_AUTHORITY_KEY_IDENTIFIER, false, n == 0 ?
	    DER_ARRAY(stranger) : aki);
	switch (n) {
	case 1:			/* a CA below one of path length 0 */
		e = tbs_add_extension(e, out, sizeof(out),
		    DER_OID_SUBJECT_KEY_IDENTIFIER, false, BYTES(4, 1, 1));
		e = tbs_add_extension(e, out, sizeof(out),
		    DER_OID_BASIC_CONSTRAINTS, true,
		    BYTES(0x30, 6, 1, 1, 0xff, 2, 1, 0));
		break;
	case 2:			/* the CA's own name */
		s->subject = tbs_name;
		break;
	case 3:			/* the CA's own key */
		s->spki = oracle_spki(&oracle_ca_key);
		break;
	case 4:			/* outlives the CA */
		s->not_after += 101 * 86400;
		break;
	case 5:			/* older than the CA */
		s->not_before -= 2000;
		break;
	case 6:			/* a name that is excluded */
		e = tbs_add_extension(e, out, sizeof(out),
		    DER_OID_SUBJECT_ALT_NAME, false, BYTES(0x30, 19, 0x82,
		    17, 'f', 'o', 'r', 'b', 'i', 'd', 'd', 'e', 'n', '.',
		    'e', 'x', 'a', 'm', 'p', 'l', 'e'));
		break;
	case 7:			/* an extension twice */
		e = tbs_add_extension(e, out, sizeof(out),
		    DER_OID_AUTHORITY_KEY_IDENTIFIER, false, aki);
		break;
	case 8:			/* one that nobody knows, critical */
		e = tbs_add_extension(e, out, sizeof(out), DER_OID_CT_POISON,
		    true, BYTES(5, 0));
		break;
	case 9:
		s->issuer = tbs_other_name;
		break;
	case 10:
		s->alg = SIGN_ECDSA_SHA384;
		break;
	case 11:		/* keyCertSign, and no CA */
		e = tbs_add_extension(e, out, sizeof(out), DER_OID_KEY_USAGE,
		    true, BYTES(3, 2, 2, 4));
		break;
	case 12:
		s->serial = DER_ARRAY(negative);
		break;
	case 13:
		s->has_trailing_null = true;
		break;
	}
	s->extensions = e;
}
#define BAD_CERTIFICATES 14

static void
bad_certificates_are_refused(void **state)
{
	struct signer *issuer = oracle_dial("signer-issuer.sock");
	struct tbs_sample s;
	uint8_t tbs[1024];

	(void)state;
	for (int n = 0; n < BAD_CERTIFICATES; n++) {
		char what[32];
		enum oc_err err;

		bad_certificate(n, &s);
		err = oracle_sign(issuer, "issuer/test", SIGN_KIND_CERTIFICATE,
		    (struct der_bytes){ tbs, tbs_certificate(&s, tbs,
		    sizeof(tbs)) });
		(void)snprintf(what, sizeof(what), "certificate %d", n);
		if (err != OC_ERR_REFUSED && err != OC_ERR_MALFORMED)
			fail_msg("%s: %s", what, oc_strerror(err));
		oracle_assert_only_honest(what);
	}
	/* And without what is bad it would have been. */
	oracle_good_sample(&s, false);
	assert_int_equal(oracle_sign(issuer, "issuer/test",
	    SIGN_KIND_CERTIFICATE, (struct der_bytes){ tbs,
	    tbs_certificate(&s, tbs, sizeof(tbs)) }), OC_OK);
	oracle_num_honest++;
	oracle_assert_only_honest("a good certificate");
	sign_free(issuer);
}

static size_t
ocsp_tbs(struct tbs_sample *s, struct der_bytes issuer,
    const struct sign_key_info *issuer_key, uint8_t *tbs, size_t max)
{
	static uint8_t name_hash[20], key_hash[20], own_hash[20];

	tbs_sample_init(s, oc_clock_now_s());
	(void)SHA1(issuer.p, issuer.len, name_hash);
	(void)SHA1(issuer_key->spki + issuer_key->spki_len - P256_POINT_LEN,
	    P256_POINT_LEN, key_hash);
	(void)SHA1(oracle_ocsp_key.spki + oracle_ocsp_key.spki_len -
	    P256_POINT_LEN, P256_POINT_LEN, own_hash);
	s->responder_key_hash = DER_ARRAY(own_hash);
	s->name_hash = DER_ARRAY(name_hash);
	s->key_hash = DER_ARRAY(key_hash);
	return tbs_ocsp(s, tbs, max);
}

/* Kind and value count from 0: certificate, CRL, response, CSR. */
static void
ask_for_another(struct signer *asker, size_t socket, const char *key,
    int kind, const uint8_t *value, size_t len, int v)
{
	bool is_its = v == kind && ((socket == 0 && v < 2 &&
	    strcmp(key, "issuer/test") == 0) || (socket == 1 && v == 2 &&
	    strcmp(key, "ocsp/test") == 0));
	enum oc_err err = oracle_sign(asker, key, (enum sign_kind)(kind + 1),
	    (struct der_bytes){ value, len });

	if (is_its != (err == OC_OK))
		fail_msg("%zu %s %d %d: %s", socket, key, kind, v,
		    oc_strerror(err));
	oracle_num_honest += is_its;
}

/* Every key by every kind on both sockets: what each is for is signed, and
 * nothing else. */
static void
nobody_gets_anothers(void **state)
{
	static const char *const sockets[] = { "signer-issuer.sock",
	    "signer-status.sock" };
	static const char *const keys[] = { "issuer/test", "ocsp/test",
	    "ocsp/other", "issuer/../test", "test" };
	uint8_t values[4][1024];
	struct tbs_sample s;
	size_t lens[4];

	(void)state;
	oracle_good_sample(&s, false);
	lens[0] = tbs_certificate(&s, values[0], sizeof(values[0]));
	oracle_good_sample(&s, true);
	lens[1] = tbs_crl(&s, values[1], sizeof(values[1]));
	lens[2] = ocsp_tbs(&s, tbs_name, &oracle_ca_key, values[2],
	    sizeof(values[2]));
	tbs_sample_init(&s, oc_clock_now_s());
	s.version = 0;
	lens[3] = tbs_csr(&s, values[3], sizeof(values[3]));
	for (size_t i = 0; i < 2; i++) {
		struct signer *asker = oracle_dial(sockets[i]);

		for (size_t k = 0; k < 5; k++)
			for (int n = 0; n < 16; n++)
				ask_for_another(asker, i, keys[k], n / 4,
				    values[n % 4], lens[n % 4], n % 4);
		oracle_assert_only_honest(sockets[i]);
		sign_free(asker);
	}
}

static void
responses_for_others_are_refused(void **state)
{
	struct signer *status = oracle_dial("signer-status.sock");
	struct tbs_sample s;
	uint8_t tbs[1024];
	size_t len;

	(void)state;
	len = ocsp_tbs(&s, tbs_other_name, &oracle_ca_key, tbs, sizeof(tbs));
	assert_int_equal(oracle_sign(status, "ocsp/test", SIGN_KIND_OCSP,
	    (struct der_bytes){ tbs, len }), OC_ERR_REFUSED);
	len = ocsp_tbs(&s, tbs_name, &oracle_ocsp_key, tbs, sizeof(tbs));
	assert_int_equal(oracle_sign(status, "ocsp/test", SIGN_KIND_OCSP,
	    (struct der_bytes){ tbs, len }), OC_ERR_REFUSED);
	(void)ocsp_tbs(&s, tbs_name, &oracle_ca_key, tbs, sizeof(tbs));
	s.produced_at += 4000;
	len = tbs_ocsp(&s, tbs, sizeof(tbs));
	assert_int_equal(oracle_sign(status, "ocsp/test", SIGN_KIND_OCSP,
	    (struct der_bytes){ tbs, len }), OC_ERR_REFUSED);
	oracle_assert_only_honest("responses for others");
	sign_free(status);
}

/* --- frames that are none ------------------------------------------------- */

static int
connect_raw(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { 5, 0 };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
	    oracle_in_dir(name));
	assert_int_equal(connect(sock, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	(void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	return sock;
}

/* It may be closed on us meanwhile. */
static void
send_raw(int sock, const void *bytes, size_t len, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = "" };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	(void)!sendmsg(sock, &msg, MSG_NOSIGNAL);
}

static size_t
hello_frame(uint8_t *out, size_t max, uint16_t version)
{
	const struct ipc_hello hello = { version, "ocsign" };
	size_t len;

	assert_int_equal(ipc_put_hello(out, max, 1, &hello, &len), OC_OK);
	return len;
}

static void
say_hello(int sock)
{
	uint8_t frame[128];

	send_raw(sock, frame, hello_frame(frame, sizeof(frame), IPC_VERSION),
	    -1);
}

/* A SIGN frame of what would be signed. */
static size_t
sign_frame(uint8_t *out, size_t max, uint64_t id)
{
	struct ipc_sign m = { .kind = SIGN_KIND_CRL,
	    .lane = SIGN_LANE_CRL, .timeout_ms = 20000,
	    .key = "issuer/test" };
	struct tbs_sample s;
	uint8_t tbs[1024];
	size_t len;

	oracle_good_sample(&s, true);
	m.tbs = (struct der_bytes){ tbs, tbs_crl(&s, tbs, sizeof(tbs)) };
	m.tbs_len = m.tbs.len;
	assert_int_equal(ipc_put_sign(out, max, id, &m, &len), OC_OK);
	return len;
}

/* Reads until the other side has closed it; true: it has. */
static bool
is_closed(int sock)
{
	char bytes[4096];
	ssize_t n;

	do
		n = recv(sock, bytes, sizeof(bytes), 0);
	while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

/* Then a good one follows, which must not be signed either. */
static void
expect_closed(int sock, const char *what)
{
	uint8_t frame[2048];

	send_raw(sock, frame, sign_frame(frame, sizeof(frame), 99), -1);
	if (!is_closed(sock))
		fail_msg("%s: still connected", what);
	(void)close(sock);
	oracle_assert_only_honest(what);
}

static void
greetings_are_once_and_first(void **state)
{
	uint8_t frame[2048];
	size_t len;
	int sock;

	(void)state;
	sock = connect_raw("signer-issuer.sock");
	send_raw(sock, frame, sign_frame(frame, sizeof(frame), 1), -1);
	expect_closed(sock, "no HELLO");
	sock = connect_raw("signer-issuer.sock");
	say_hello(sock);
	say_hello(sock);
	expect_closed(sock, "HELLO twice");
	sock = connect_raw("signer-issuer.sock");
	len = hello_frame(frame, sizeof(frame), IPC_VERSION + 1);
	send_raw(sock, frame, len, -1);
	expect_closed(sock, "another version");
}

static void
types_that_are_not_asked_close(void **state)
{
	static const uint16_t types[] = { 0, IPC_SIGNED, IPC_KEY, IPC_ASK,
	    IPC_ANSWER, IPC_NUDGE, IPC_NUDGED, IPC_STATUS_IS, 13, 0xffff };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct ipc_writer w;
		uint8_t frame[64];
		char what[32];
		size_t len;
		int sock = connect_raw("signer-issuer.sock");

		say_hello(sock);
		ipc_begin(&w, frame, sizeof(frame), types[i], 0, 5);
		assert_int_equal(ipc_end(&w, &len), OC_OK);
		send_raw(sock, frame, len, -1);
		(void)snprintf(what, sizeof(what), "type %u", types[i]);
		expect_closed(sock, what);
	}
}

/* A SIGN cut at each octet, and with each octet of its head changed. */
static void
cut_and_lying_frames_sign_nothing(void **state)
{
	uint8_t good[2048], frame[2048];
	size_t len;
	int sock;

	(void)state;
	len = sign_frame(good, sizeof(good), 1);
	for (size_t cut = 1; cut < len; cut += 7) {
		sock = connect_raw("signer-issuer.sock");
		say_hello(sock);
		send_raw(sock, good, cut, -1);
		(void)shutdown(sock, SHUT_WR);
		assert_true(is_closed(sock));
		(void)close(sock);
	}
	oracle_assert_only_honest("cut frames");
	/* Its length, type and flags, and the length of its TBS. */
	for (size_t i = 0; i < 8; i++) {
		sock = connect_raw("signer-issuer.sock");
		say_hello(sock);
		memcpy(frame, good, len);
		frame[i] ^= 0xa5;
		send_raw(sock, frame, len, -1);
		(void)shutdown(sock, SHUT_WR);
		if (!is_closed(sock))
			fail_msg("octet %zu: still connected", i);
		(void)close(sock);
	}
	oracle_assert_only_honest("heads that lie");
	for (size_t i = IPC_HEADER_LEN; i < IPC_HEADER_LEN + 40; i++) {
		sock = connect_raw("signer-status.sock");
		say_hello(sock);
		memcpy(frame, good, len);
		frame[i] ^= 0x5a;
		send_raw(sock, frame, len, -1);
		(void)shutdown(sock, SHUT_WR);
		assert_true(is_closed(sock));
		(void)close(sock);
	}
	oracle_assert_only_honest("fields that lie");
}

static void
wait_for_calls(enum shim_function function, unsigned long num)
{
	int64_t end = oc_clock_mono_ns() + LONG_NS;

	while (shim_calls(oracle_shim, function) < num) {
		assert_true(oc_clock_mono_ns() < end);
		(void)usleep(1000);
	}
}

/* The id of what was answered, and of what was cancelled. */
static void
replays_close(void **state)
{
	uint8_t frame[2048], cancel[64], answer[2048];
	unsigned long num_begun;
	size_t len, cancel_len;
	int sock;

	(void)state;
	sock = connect_raw("signer-issuer.sock");
	say_hello(sock);
	len = sign_frame(frame, sizeof(frame), 7);
	send_raw(sock, frame, len, -1);
	oracle_num_honest++;
	/* HELLO's answer, and SIGNED. */
	for (size_t got = 0; got < 100; ) {
		ssize_t n = recv(sock, answer, sizeof(answer), 0);

		assert_true(n > 0);
		got += (size_t)n;
	}
	send_raw(sock, frame, len, -1);
	expect_closed(sock, "a SIGN once more");

	/* One that hangs in the token's queue would be signed: it is stopped
	 * before it gets there. */
	sock = connect_raw("signer-issuer.sock");
	say_hello(sock);
	num_begun = shim_calls(oracle_shim, SHIM_SIGN_INIT);
	(void)shim_add(oracle_shim, SHIM_SIGN_INIT, SHIM_HANG, 0, 0, 0);
	for (uint64_t id = 1; id <= 4; id++) {
		len = sign_frame(frame, sizeof(frame), id);
		send_raw(sock, frame, len, -1);
	}
	wait_for_calls(SHIM_SIGN_INIT, num_begun + 4);
	send_raw(sock, frame, sign_frame(frame, sizeof(frame), 10), -1);
	assert_int_equal(ipc_put_bare(cancel, sizeof(cancel), 10, IPC_CANCEL,
	    &cancel_len), OC_OK);
	send_raw(sock, cancel, cancel_len, -1);
	send_raw(sock, frame, sign_frame(frame, sizeof(frame), 10), -1);
	assert_true(is_closed(sock));
	(void)close(sock);
	/* What the four sessions had begun they end, and nobody gets it. */
	oracle_num_honest += 4;
	shim_clear(oracle_shim);
	wait_for_calls(SHIM_SIGN, oracle_num_canaries + oracle_num_honest);
	oracle_assert_only_honest("the id of a cancelled job");
}

/* --- descriptors ---------------------------------------------------------- */

static size_t
memfd_frame(uint8_t *out, size_t max, uint64_t tbs_len)
{
	struct ipc_sign m = { .kind = SIGN_KIND_CRL,
	    .lane = SIGN_LANE_CRL, .timeout_ms = 20000,
	    .key = "issuer/test", .tbs_len = tbs_len };
	size_t len;

	assert_int_equal(ipc_put_sign(out, max, 1, &m, &len), OC_OK);
	return len;
}

static int
sealed_memfd(size_t len)
{
	uint8_t *bytes = calloc(1, len);
	int fd;

	assert_int_equal(ipc_memfd_new((struct der_bytes){ bytes, len }, &fd),
	    OC_OK);
	free(bytes);
	return fd;
}

static void
memory_that_is_not_what_it_says(void **state)
{
	const size_t said = OC_TBS_INLINE_MAX + 100;
	uint8_t frame[2048];
	size_t len;
	int sock, fds[5];

	(void)state;
	fds[0] = sealed_memfd(said - 1);
	fds[1] = sealed_memfd(said + OC_TBS_BEFORE_MAX + 1);
	fds[2] = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fds[2], (off_t)said), 0);
	fds[3] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	fds[4] = sealed_memfd(said);	/* as it says, but no CRL */
	for (size_t i = 0; i < 5; i++) {
		char answer[512];

		sock = connect_raw("signer-issuer.sock");
		say_hello(sock);
		len = memfd_frame(frame, sizeof(frame), said);
		send_raw(sock, frame, len, fds[i]);
		/* Refused by an answer, or the connection is closed. */
		(void)!recv(sock, answer, sizeof(answer), 0);
		(void)close(sock);
		(void)close(fds[i]);
		oracle_assert_only_honest("a memfd");
	}
	/* None where there has to be one, and one where there must not. */
	sock = connect_raw("signer-issuer.sock");
	say_hello(sock);
	len = memfd_frame(frame, sizeof(frame), said);
	send_raw(sock, frame, len, -1);
	(void)shutdown(sock, SHUT_WR);
	assert_true(is_closed(sock));
	(void)close(sock);
	sock = connect_raw("signer-issuer.sock");
	say_hello(sock);
	for (int i = 0; i < 50; i++)
		send_raw(sock, "", 1, STDERR_FILENO);
	(void)shutdown(sock, SHUT_WR);
	assert_true(is_closed(sock));
	(void)close(sock);
	oracle_assert_only_honest("descriptors nobody asked for");
}

/* --- floods --------------------------------------------------------------- */

/* More than is read; who answers for others is served meanwhile. */
static void
floods_keep_nobody_waiting(void **state)
{
	uint8_t frames[64 * 1024];
	struct tbs_sample s;
	uint8_t tbs[1024];
	struct ipc_sign m = { .kind = SIGN_KIND_CERTIFICATE,
	    .lane = SIGN_LANE_REVOCATION, .timeout_ms = 1000,
	    .key = "issuer/test" };
	int socks[8];
	uint64_t id = 0;
	int64_t began_ns;

	(void)state;
	bad_certificate(1, &s);
	m.tbs = (struct der_bytes){ tbs, tbs_certificate(&s, tbs,
	    sizeof(tbs)) };
	m.tbs_len = m.tbs.len;
	for (size_t i = 0; i < 8; i++) {
		socks[i] = connect_raw("signer-issuer.sock");
		say_hello(socks[i]);
		assert_int_equal(fcntl(socks[i], F_SETFL, O_NONBLOCK), 0);
	}
	for (int round = 0; round < 20; round++) {
		size_t at = 0, len;

		while (ipc_put_sign(frames + at, sizeof(frames) - at, ++id,
		    &m, &len) == OC_OK)
			at += len;
		for (size_t i = 0; i < 8; i++)
			send_raw(socks[i], frames, at, -1);
		began_ns = oc_clock_mono_ns();
		oracle_assert_only_honest("a flood");
		assert_true(oc_clock_mono_ns() - began_ns < LONG_NS / 2);
	}
	for (size_t i = 0; i < 8; i++)
		(void)close(socks[i]);
	oracle_assert_only_honest("floods");
}

/* --- what the journal says ------------------------------------------------ */

struct tally {
	unsigned long num_signed, num_late, num_refused;
};

static enum oc_err
count(void *arg, const struct p11_chain *chain, const struct p11_record *r)
{
	struct tally *t = arg;

	(void)chain;
	if (r->type != P11_RECORD_SIGN)
		return OC_OK;
	t->num_signed += r->outcome == P11_OUTCOME_SIGNED;
	t->num_late += r->outcome == P11_OUTCOME_LATE;
	t->num_refused += r->outcome == P11_OUTCOME_REFUSED;
	return OC_OK;
}

static void
journal_knows_the_honest_ones(void **state)
{
	struct tally t = { 0, 0, 0 };
	struct oc_error error = { 0 };
	struct p11_chain *chains;
	size_t num;

	(void)state;
	oracle_stop();
	if (p11_journal_read(oracle_in_dir("signing-journal"),
	    P11_JOURNAL_WHOLE, count, &t, &chains, &num, &error) != OC_OK)
		fail_msg("%s", error.text);
	free(chains);
	assert_int_equal(num, 1);
	assert_int_equal(t.num_signed + t.num_late, oracle_num_honest);
	assert_true(t.num_refused >= BAD_CERTIFICATES);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_certificates_are_refused),
		cmocka_unit_test(nobody_gets_anothers),
		cmocka_unit_test(responses_for_others_are_refused),
		cmocka_unit_test(greetings_are_once_and_first),
		cmocka_unit_test(types_that_are_not_asked_close),
		cmocka_unit_test(cut_and_lying_frames_sign_nothing),
		cmocka_unit_test(replays_close),
		cmocka_unit_test(memory_that_is_not_what_it_says),
		cmocka_unit_test(floods_keep_nobody_waiting),
		cmocka_unit_test(journal_knows_the_honest_ones),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, oracle_setup, oracle_teardown);
}
