/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill_issue SEED NUMBER [COMMAND]: runs "ocsign cert issue" in the folder of
 * kill.sh, kills it with SIGKILL at a random moment, and looks whether what it
 * put out is in the store and what is in the store is whole.  The moments are
 * those of SEED; what they hit is up to the machine.  COMMAND is for the shell
 * and runs between the rounds.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/pem.h"
#include "store/store.h"
#include "x509/cert.h"

#define STORE "store/store.db"
#define OUTPUT_MAX (64 * 1024)
#define VERIFY_EVERY 50
#define ROWS_MAX 8192

extern char **environ;

struct tally {
	int num_processes;
	int num_ended;			/* faster than we were */
	int num_reserved;		/* and never issued */
	int num_issued;			/* and nothing put out */
	int num_put_out;
	int num_partly;			/* a part of it, on a pipe's file */
};

static uint64_t random_state;
static struct tally tally;
static bool is_put_out[ROWS_MAX];	/* by id of the record */

static void OC_NORETURN OC_PRINTF(1, 2)
fail(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("FAILED: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

/* xorshift64*: the same everywhere. */
static uint64_t
random_below(uint64_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * UINT64_C(2685821657736338717) >> 11) % limit;
}

/* --- the process -------------------------------------------------------- */

enum way { TO_FILE = 1, FOR_ACCOUNT = 2 };	/* bits */

/* "cert.N" is where its certificate goes, either way. */
static pid_t
start(int n, unsigned int way)
{
	const char *argv[16] = { "ocsign", "cert", "issue", "--issuer",
	    "web", "--profile", "server" };
	char path[32];
	posix_spawn_file_actions_t actions;
	int argc = 7;
	pid_t pid;

	(void)snprintf(path, sizeof(path), "cert.%d", n);
	(void)unlink(path);
	if (way & FOR_ACCOUNT) {
		argv[argc++] = "--account";
		argv[argc++] = "acme";
	}
	if (way & TO_FILE) {
		argv[argc++] = "--out";
		argv[argc++] = path;
	}
	argv[argc] = "site.csr";
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, way & TO_FILE ?
	    "/dev/null" : path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&actions, 2, "err",
	    O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (posix_spawnp(&pid, "ocsign", &actions, NULL,
	    (char *const *)(uintptr_t)argv, environ) != 0)
		fail("ocsign does not start");
	posix_spawn_file_actions_destroy(&actions);
	tally.num_processes++;
	return pid;
}

static int
finish(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid");
	return status;
}

/* How long one takes that is let alone, on a machine that does nothing else
 * just then. */
static int64_t
measure(void)
{
	int64_t shortest = INT64_MAX;

	for (int n = 0; n < 5; n++) {
		int64_t from = oc_clock_mono_ns(), took;

		if (finish(start(0, n == 0 ? TO_FILE : FOR_ACCOUNT)) != 0)
			fail("ocsign cert issue fails when let alone");
		took = oc_clock_mono_ns() - from;
		shortest = took < shortest ? took : shortest;
	}
	return shortest;
}

static void
sleep_ns(int64_t ns)
{
	struct timespec pause = { ns / OC_NS_PER_S, ns % OC_NS_PER_S };

	(void)nanosleep(&pause, NULL);
}

/* --- what it left behind ------------------------------------------------ */

static struct store *
open_store(void)
{
	struct oc_error error = { 0 };
	struct store *store;

	if (store_open(STORE, STORE_READ, &store, &error) != OC_OK)
		fail("%s", error.text);
	return store;
}

struct search {
	const char *text;
	size_t len;
	bool is_found;
};

static enum oc_err
compare_start(void *arg, const struct store_certificate *c)
{
	struct search *s = arg;
	struct oc_buffer b;

	oc_buffer_init(&b, OUTPUT_MAX);
	oc_pem_write(&b, "CERTIFICATE", c->certificate, c->certificate_len);
	if (b.len >= s->len && memcmp(b.bytes, s->text, s->len) == 0)
		s->is_found = true;
	oc_buffer_fini(&b);
	return OC_OK;
}

/* A part of a certificate must be a part of one that is recorded. */
static void
check_part(struct store *store, const char *text, size_t len)
{
	const struct store_filter issued = { .state = STORE_ISSUED };
	struct search search = { .text = text, .len = len };

	tally.num_partly++;
	if (store_list_certificates(store, &issued, compare_start,
	    &search) != OC_OK)
		fail("%s", store_error(store));
	if (!search.is_found)
		fail("a part of a certificate that the store does not have: "
		    "%.*s", (int)len, text);
}

static void
check_whole(struct store *store, int64_t issuer_id, struct der_bytes der)
{
	struct store_certificate record = { 0 };
	struct oc_error error = { 0 };
	struct x509_cert cert;

	if (x509_cert_read(der, &cert, &error) != OC_OK)
		fail("what was put out is no certificate: %s", error.text);
	if (store_find_certificate(store, issuer_id, &cert.serial, &record) !=
	    OC_OK)
		fail("was put out, but: %s", store_error(store));
	if (record.state != STORE_ISSUED ||
	    record.certificate_len != der.len ||
	    memcmp(record.certificate, der.p, der.len) != 0)
		fail("certificate %lld was put out, and the store has another",
		    (long long)record.id);
	if (record.id >= ROWS_MAX || is_put_out[record.id])
		fail("certificate %lld was put out twice",
		    (long long)record.id);
	is_put_out[record.id] = true;
	tally.num_put_out++;
	store_certificate_fini(&record);
}

static void
check_output(struct store *store, int64_t issuer_id, int n)
{
	uint8_t *bytes = NULL, *der = NULL;
	struct oc_pem_cursor cursor = { .at = 0 };
	char path[32], label[OC_PEM_LABEL_MAX + 1];
	size_t len = 0, der_len = 0;

	(void)snprintf(path, sizeof(path), "cert.%d", n);
	if (access(path, F_OK) != 0)
		return;
	if (oc_file_read(path, OUTPUT_MAX, &bytes, &len, NULL) != OC_OK)
		fail("%s cannot be read", path);
	if (len > 0 && memmem(bytes, len, "-----END CERTIFICATE-----\n",
	    26) == NULL)
		check_part(store, (const char *)bytes, len);
	else if (len > 0) {
		cursor.text = (const char *)bytes;
		cursor.len = len;
		if (oc_pem_next(&cursor, label, &der, &der_len, NULL) !=
		    OC_OK)
			fail("%s is no PEM", path);
		check_whole(store, issuer_id, (struct der_bytes){ der,
		    der_len });
		free(der);
	}
	free(bytes);
}

struct counts {
	int num_rows, num_issued;
};

static enum oc_err
count_row(void *arg, const struct store_certificate *c)
{
	struct counts *counts = arg;

	counts->num_rows++;
	if (c->state == STORE_ISSUED)
		counts->num_issued++;
	return OC_OK;
}

static struct counts
count_rows(struct store *store)
{
	static const struct store_filter everything;
	struct counts counts = { 0, 0 };

	if (store_list_certificates(store, &everything, count_row,
	    &counts) != OC_OK)
		fail("%s", store_error(store));
	return counts;
}

static void
verify(struct store *store)
{
	int64_t num, bad;

	if (store_verify_journal(store, &num, &bad) != OC_OK)
		fail("the journal: %s", store_error(store));
}

/* --- rounds ------------------------------------------------------------- */

/* From the commit that reserves to the one that issues is a small part of a
 * process's time: this waits for the first of them, and a moment more. */
static void
play_aimed(int64_t duration_ns)
{
	int64_t until = oc_clock_mono_ns() + 2 * duration_ns;
	struct store *store = open_store();
	int64_t version, now_version;
	pid_t pid;

	if (store_data_version(store, &version) != OC_OK)
		fail("%s", store_error(store));
	now_version = version;
	pid = start(0, (unsigned int)random_below(4));
	while (now_version == version && oc_clock_mono_ns() < until) {
		sleep_ns(OC_NS_PER_MS / 20);
		if (store_data_version(store, &now_version) != OC_OK)
			fail("%s", store_error(store));
	}
	/* Short ones most: the first of them all is the signature. */
	sleep_ns((int64_t)random_below(random_below((uint64_t)duration_ns /
	    4) + 1));
	(void)kill(pid, SIGKILL);
	if (WIFEXITED(finish(pid)))
		tally.num_ended++;
	store_close(store);
}

/* One process, or two at once, each killed at a moment of its own. */
static int
play_at_random(int64_t duration_ns)
{
	int num = random_below(3) == 0 ? 2 : 1;
	int64_t at_ns[2], from = oc_clock_mono_ns();
	pid_t pids[2];

	for (int i = 0; i < num; i++) {
		at_ns[i] = (int64_t)random_below((uint64_t)(num *
		    duration_ns + duration_ns / 8));
		pids[i] = start(i, (unsigned int)random_below(4));
	}
	if (num == 2 && at_ns[1] < at_ns[0]) {
		int64_t later_ns = at_ns[0];
		pid_t later = pids[0];

		at_ns[0] = at_ns[1];
		pids[0] = pids[1];
		at_ns[1] = later_ns;
		pids[1] = later;
	}
	for (int i = 0; i < num; i++) {
		int64_t left = from + at_ns[i] - oc_clock_mono_ns();

		if (left > 0)
			sleep_ns(left);
		(void)kill(pids[i], SIGKILL);
	}
	for (int i = 0; i < num; i++)
		if (WIFEXITED(finish(pids[i])))
			tally.num_ended++;
	return num;
}

/* How many it ran. */
static int
play(int64_t duration_ns)
{
	if (random_below(3) != 0)
		return play_at_random(duration_ns);
	play_aimed(duration_ns);
	return 1;
}

int
main(int argc, char **argv)
{
	struct store_issuer issuer = { 0 };
	struct counts first, last;
	int num_kills = argc == 3 || argc == 4 ? atoi(argv[2]) : 0;
	struct store *store;
	int64_t duration_ns;

	if (num_kills <= 0)
		fail("usage: kill_issue SEED NUMBER [COMMAND]");
	random_state = strtoull(argv[1], NULL, 10) * 2 + 1;
	duration_ns = measure();
	store = open_store();
	if (store_find_issuer(store, "web", &issuer) != OC_OK)
		fail("%s", store_error(store));
	first = count_rows(store);
	store_close(store);
	tally = (struct tally){ 0 };
	while (tally.num_processes < num_kills) {
		int num = play(duration_ns);

		store = open_store();
		for (int i = 0; i < num; i++)
			check_output(store, issuer.id, i);
		if (tally.num_processes % VERIFY_EVERY < num)
			verify(store);
		store_close(store);
		if (argc == 4 && system(argv[3]) != 0)
			fail("%s", argv[3]);
	}
	store = open_store();
	verify(store);
	last = count_rows(store);
	store_close(store);
	store_issuer_fini(&issuer);
	tally.num_issued = last.num_issued - first.num_issued -
	    tally.num_put_out;
	tally.num_reserved = last.num_rows - first.num_rows -
	    (last.num_issued - first.num_issued);
	printf("seed %s: %d processes of %lld ms: %d ended before their "
	    "kill; %d had not reserved, %d reserved and did not issue, %d "
	    "issued and put out nothing or a part (%d), %d put out\n",
	    argv[1], tally.num_processes,
	    (long long)(duration_ns / OC_NS_PER_MS), tally.num_ended,
	    tally.num_processes - (last.num_rows - first.num_rows),
	    tally.num_reserved, tally.num_issued, tally.num_partly,
	    tally.num_put_out);
	return 0;
}
