/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signing journal's files: what is written reads back, whatever is changed
 * or taken out is found, and what a crash leaves is told from that.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "pkcs11/journal_file.h"
#include "pkcs11/journal_read.h"
#include "tests/unit/ipc_thread.h"

#define SIZE_MAX_LONG (1 << 30)

static char dir[IPC_DIR_MAX];

static const char *
in_dir(const char *name)
{
	static char paths[4][256];
	static unsigned int turn;
	char *path = paths[turn++ % 4];

	(void)snprintf(path, 256, "%s/%s", dir, name);
	return path;
}

static struct p11_record
sign_record(unsigned int n)
{
	struct p11_record r = {
		.at_us = INT64_C(1790000000123456) + n,
		.type = P11_RECORD_SIGN,
		.key = "issuer/ca",
		.kind = SIGN_KIND_CERTIFICATE,
		.lane = SIGN_LANE_CERTIFICATE,
		.alg = SIGN_ECDSA_SHA256,
		.outcome = P11_OUTCOME_SIGNED,
		.has_digest = true,
	};

	memset(r.digest, (int)n, sizeof(r.digest));
	return r;
}

static void
open_chain(struct p11_journal_file *f, uint64_t size_max)
{
	struct oc_error error = { 0 };

	assert_int_equal(p11_journal_file_init(f, dir, "signer", size_max),
	    OC_OK);
	if (p11_journal_file_open(f, &error) != OC_OK)
		fail_msg("%s", error.text);
}

static void
write_records(struct p11_journal_file *f, unsigned int num)
{
	struct oc_error error = { 0 };

	for (unsigned int i = 0; i < num; i++) {
		struct p11_record r = sign_record(i);

		p11_journal_file_put(f, &r);
		assert_int_equal(p11_journal_file_flush(f, &error), OC_OK);
		assert_int_equal(p11_journal_file_rotate(f, &error), OC_OK);
	}
	assert_int_equal(p11_journal_file_sync(f, &error), OC_OK);
}

static void
write_chain(uint64_t size_max, unsigned int num)
{
	struct p11_journal_file f;

	open_chain(&f, size_max);
	write_records(&f, num);
	p11_journal_file_fini(&f);
}

struct seen {
	unsigned int num_signed, num_open, num_key;
	struct p11_chain chain;
	struct oc_error error;
};

static enum oc_err
see(void *arg, const struct p11_chain *chain, const struct p11_record *r)
{
	struct seen *seen = arg;

	(void)chain;
	seen->num_signed += r->type == P11_RECORD_SIGN;
	seen->num_open += r->type == P11_RECORD_OPEN;
	seen->num_key += r->type == P11_RECORD_KEY;
	return OC_OK;
}

static enum oc_err
verify(struct seen *seen, enum p11_journal_from from)
{
	struct p11_chain *chains;
	size_t num;
	enum oc_err err;

	memset(seen, 0, sizeof(*seen));
	err = p11_journal_read(dir, from, see, seen, &chains, &num,
	    &seen->error);
	if (num > 0)
		seen->chain = chains[num - 1];
	free(chains);
	return err;
}

#define GOOD(seen) do { \
	if (verify(seen, P11_JOURNAL_WHOLE) != OC_OK) \
		fail_msg("%s", (seen)->error.text); \
} while (0)
#define BAD(seen, says) do { \
	assert_int_equal(verify(seen, P11_JOURNAL_WHOLE), OC_ERR_MISMATCH); \
	if (strstr((seen)->error.text, says) == NULL) \
		fail_msg("%s", (seen)->error.text); \
} while (0)

static char *
read_file(const char *name, size_t *len)
{
	struct oc_error error = { 0 };
	uint8_t *bytes;

	if (oc_file_read(in_dir(name), 1 << 24, &bytes, len, &error) != OC_OK)
		fail_msg("%s", error.text);
	return (char *)bytes;
}

static void
write_file(const char *name, const void *bytes, size_t len)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	/* Nothing of it has to last: no sync. */
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

/* --- records -------------------------------------------------------------- */

static void
record_is_this_line(void **state)
{
	static const uint8_t nothing[P11_HASH_LEN];
	static const char expected[] = "17 2026-09-21T14:13:20.123627Z sign "
	    "certificate certificate issuer/ca ecdsa-sha256 signed "
	    "abababababababababababababababababababababababababababababababab"
	    " CKR?a b ";
	struct p11_record r = sign_record(0xab), again;
	char line[P11_RECORD_MAX], hash[OC_HEX_LEN(P11_HASH_LEN) + 1];
	size_t len;

	(void)state;
	r.number = 17;
	(void)snprintf(r.detail, sizeof(r.detail), "CKR\n%s", "a b");
	p11_record_write(&r, nothing, line, &len);
	oc_hex_encode(r.hash, P11_HASH_LEN, hash);
	line[len] = '\0';
	assert_memory_equal(line, expected, sizeof(expected) - 1);
	assert_int_equal(len, sizeof(expected) - 1 + 65);
	assert_memory_equal(line + len - 65, hash, 64);
	assert_int_equal(line[len - 1], '\n');
	assert_int_equal(p11_record_read(line, len - 1, &again), OC_OK);
	assert_true(p11_record_is_chained(line, len - 1, nothing, &again));
	assert_int_equal(again.at_us, r.at_us);
	assert_string_equal(again.detail, "CKR?a b");
	assert_memory_equal(again.hash, r.hash, P11_HASH_LEN);
}

/* The longest of everything fits, and what is wrong is no record. */
static void
limits_hold(void **state)
{
	static const uint8_t nothing[P11_HASH_LEN];
	struct p11_record r = sign_record(1), again;
	char line[P11_RECORD_MAX];
	size_t len;

	(void)state;
	r.number = INT64_MAX;
	memset(r.key, 'k', sizeof(r.key) - 1);
	memset(r.detail, 'd', sizeof(r.detail) - 1);
	r.alg = SIGN_RSA_PSS_SHA512;
	r.outcome = P11_OUTCOME_CANCELLED;
	p11_record_write(&r, nothing, line, &len);
	assert_int_equal(p11_record_read(line, len - 1, &again), OC_OK);
	assert_string_equal(again.key, r.key);
	assert_string_equal(again.detail, r.detail);
	for (size_t cut = 0; cut < len - 1; cut++)
		if (p11_record_read(line, cut, &again) == OC_OK)
			assert_false(p11_record_is_chained(line, cut,
			    nothing, &again));
}

/* --- chains --------------------------------------------------------------- */

static void
chain_goes_on(void **state)
{
	struct seen seen;
	struct stat st;

	(void)state;
	write_chain(SIZE_MAX_LONG, 5);
	GOOD(&seen);
	assert_int_equal(seen.num_signed, 5);
	write_chain(SIZE_MAX_LONG, 3);	/* another process: the same file */
	GOOD(&seen);
	assert_int_equal(seen.num_signed, 8);
	assert_int_equal(seen.num_open, 2);
	assert_int_equal(seen.chain.num_files, 1);
	assert_int_equal(stat(in_dir("signer.000001"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	write_chain(1000, 40);		/* and many small ones */
	GOOD(&seen);
	assert_int_equal(seen.num_signed, 48);
	assert_true(seen.chain.num_files > 5);
	assert_int_equal(seen.chain.num_torn, 0);
}

static void
one_writer_a_chain(void **state)
{
	struct p11_journal_file a, b;
	struct oc_error error = { 0 };

	(void)state;
	open_chain(&a, SIZE_MAX_LONG);
	assert_int_equal(p11_journal_file_init(&b, dir, "signer", 1), OC_OK);
	assert_int_equal(p11_journal_file_open(&b, &error), OC_ERR_BUSY);
	p11_journal_file_fini(&b);
	assert_int_equal(p11_journal_file_init(&b, dir, "ocsign", 1), OC_OK);
	assert_int_equal(p11_journal_file_open(&b, &error), OC_OK);
	p11_journal_file_fini(&b);
	p11_journal_file_fini(&a);
}

/* Each octet of each file, by each of some changes. */
static void
changed_octet_is_found(void **state)
{
	static const char *const names[] = { "signer.000001",
	    "signer.000002" };
	static const char changes[] = { 1, 0x20, 0x0a };
	struct seen seen;

	(void)state;
	write_chain(600, 4);
	GOOD(&seen);
	for (size_t n = 0; n < 2; n++) {
		int fd = open(in_dir(names[n]), O_RDWR);
		char octet, changed;

		for (off_t i = 0; pread(fd, &octet, 1, i) == 1; i++)
			for (size_t c = 0; c < sizeof(changes); c++) {
				changed = octet ^ changes[c];
				assert_int_equal(pwrite(fd, &changed, 1, i),
				    1);
				if (verify(&seen, P11_JOURNAL_WHOLE) ==
				    OC_OK)
					fail_msg("%s octet %ld: not found",
					    names[n], (long)i);
				assert_int_equal(pwrite(fd, &octet, 1, i),
				    1);
			}
		(void)close(fd);
	}
	GOOD(&seen);
}

static void
dropped_record_is_found(void **state)
{
	size_t len, cut;
	char *bytes, *line, *end;
	struct seen seen;

	(void)state;
	write_chain(SIZE_MAX_LONG, 6);
	bytes = read_file("signer.000001", &len);
	line = (char *)memchr(bytes, '\n', len) + 1;
	end = (char *)memchr(line, '\n', (size_t)(bytes + len - line)) + 1;
	cut = (size_t)(end - line);
	memmove(line, end, (size_t)(bytes + len - end));
	write_file("signer.000001", bytes, len - cut);
	free(bytes);
	BAD(&seen, "record 2");
}

static void
dropped_file_is_found(void **state)
{
	struct seen seen;

	(void)state;
	write_chain(1000, 30);
	GOOD(&seen);
	assert_int_equal(rename(in_dir("signer.000003"), in_dir("kept")), 0);
	BAD(&seen, "missing");
	assert_int_equal(rename(in_dir("kept"), in_dir("signer.000003")), 0);
	GOOD(&seen);
	assert_int_equal(unlink(in_dir("signer.000001")), 0);
	BAD(&seen, "--archived");
	if (verify(&seen, P11_JOURNAL_ARCHIVED) != OC_OK)
		fail_msg("%s", seen.error.text);
	assert_int_equal(unlink(in_dir("signer.000003")), 0);
	assert_int_equal(verify(&seen, P11_JOURNAL_ARCHIVED),
	    OC_ERR_MISMATCH);
}

/* A file shortened after the next had begun. */
static void
shortened_file_is_found(void **state)
{
	struct seen seen;
	size_t len;
	char *bytes;

	(void)state;
	write_chain(1000, 30);
	bytes = read_file("signer.000002", &len);
	for (size_t cut = 1; cut < len; cut += 97) {
		write_file("signer.000002", bytes, len - cut);
		if (verify(&seen, P11_JOURNAL_WHOLE) == OC_OK)
			fail_msg("shortened by %zu: not found", cut);
	}
	free(bytes);
}

/* --- crashes -------------------------------------------------------------- */

/* Cut anywhere in its last record, as by kill -9: it goes on, and says so. */
static void
torn_record_is_told(void **state)
{
	struct seen seen;
	size_t len, whole;
	char *bytes;

	(void)state;
	write_chain(SIZE_MAX_LONG, 3);
	bytes = read_file("signer.000001", &len);
	whole = len - 1;
	while (bytes[whole - 1] != '\n')
		whole--;
	for (size_t cut = whole; cut < len; cut += 13) {
		unsigned int num_torn = cut > whole;

		write_file("signer.000001", bytes, cut);
		GOOD(&seen);
		assert_int_equal(seen.num_signed, 2);
		assert_int_equal(seen.chain.torn, cut - whole);
		write_chain(SIZE_MAX_LONG, 1);
		GOOD(&seen);
		assert_int_equal(seen.num_signed, 3);
		assert_int_equal(seen.chain.num_torn, num_torn);
		assert_int_equal(seen.chain.num_files, 1 + num_torn);
		(void)unlink(in_dir("signer.000002"));
	}
	free(bytes);
}

/* Killed while it begins a file: nothing was ever in it. */
static void
file_without_a_record_is_no_file(void **state)
{
	static const char *const starts[] = { "", "5 2026-11-27T11:0", "" };
	struct seen seen;

	(void)state;
	write_file("signer.000001", "", 0);
	GOOD(&seen);
	write_chain(SIZE_MAX_LONG, 2);
	for (size_t i = 0; i < 3; i++) {
		write_file("signer.000002", starts[i], strlen(starts[i]));
		GOOD(&seen);
		assert_int_equal(seen.num_signed, 2 + i);
		write_chain(SIZE_MAX_LONG, 1);
		GOOD(&seen);
		assert_int_equal(seen.num_signed, 3 + i);
		assert_int_equal(seen.chain.num_files, 1);
	}
	/* One that had some is. */
	write_chain(600, 4);
	write_file("signer.000002", "", 0);
	BAD(&seen, "signer.000002");
}

/* As some file systems leave it after a power cut. */
static void
zeros_are_torn(void **state)
{
	static const char zeros[5000];
	struct seen seen;
	int fd;

	(void)state;
	write_chain(SIZE_MAX_LONG, 3);
	fd = open(in_dir("signer.000001"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
	assert_int_equal(close(fd), 0);
	GOOD(&seen);
	assert_int_equal(seen.chain.torn, 5000);
	write_chain(SIZE_MAX_LONG, 3);
	GOOD(&seen);
	assert_int_equal(seen.num_signed, 6);
	assert_int_equal(seen.chain.num_files, 2);
	/* What is torn is not to become whole later on. */
	fd = open(in_dir("signer.000001"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, zeros, 1), 1);
	assert_int_equal(close(fd), 0);
	BAD(&seen, "another length");
}

/* A record changed in the last file is no crash, also before the next start,
 * and the next start does not make it one. */
static void
change_is_no_crash(void **state)
{
	struct seen seen;
	size_t len;
	char *bytes;

	(void)state;
	write_chain(SIZE_MAX_LONG, 6);
	bytes = read_file("signer.000001", &len);
	bytes[len / 2] ^= 1;
	write_file("signer.000001", bytes, len);
	free(bytes);
	BAD(&seen, "record");
	write_chain(SIZE_MAX_LONG, 2);
	BAD(&seen, "record");
}

static void
full_disk_leaves_it_whole(void **state)
{
	struct p11_record r = sign_record(1);
	struct p11_journal_file f;
	struct oc_error error = { 0 };
	struct seen seen;
	uint64_t before;
	int full, kept;

	(void)state;
	full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (full < 0)
		skip();
	open_chain(&f, SIZE_MAX_LONG);
	write_records(&f, 2);
	before = f.number;
	kept = f.fd;
	f.fd = full;
	p11_journal_file_put(&f, &r);
	/* /dev/full cannot be cut, so it is given up. */
	assert_int_equal(p11_journal_file_flush(&f, &error),
	    OC_ERR_NO_SPACE);
	assert_false(p11_journal_file_is_open(&f));
	assert_int_equal(f.number, before);
	(void)close(kept);
	assert_int_equal(p11_journal_file_open(&f, &error), OC_OK);
	write_records(&f, 1);
	p11_journal_file_fini(&f);
	GOOD(&seen);
	assert_int_equal(seen.num_signed, 3);
}

/* --- setup ---------------------------------------------------------------- */

static int
setup(void **state)
{
	(void)state;
	ipc_dir_new(dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ipc_dir_remove(dir);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_is_this_line),
		cmocka_unit_test(limits_hold),
		TEST(chain_goes_on),
		TEST(one_writer_a_chain),
		TEST(changed_octet_is_found),
		TEST(dropped_record_is_found),
		TEST(dropped_file_is_found),
		TEST(shortened_file_is_found),
		TEST(torn_record_is_told),
		TEST(file_without_a_record_is_no_file),
		TEST(zeros_are_torn),
		TEST(change_is_no_crash),
		TEST(full_disk_leaves_it_whole),
	};

	oc_log_init("test", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
