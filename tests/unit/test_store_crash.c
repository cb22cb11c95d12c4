/* SPDX-License-Identifier: Apache-2.0 */
/* Is nothing lost, doubled or half done when several processes write, and
 * when they are killed? */
#include "store_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"

/* --- two writers, a reader ---------------------------------------------- */

#define NUM_WRITERS 2
#define NUM_EACH 200

/* Every tenth is revoked at once. */
static void
write_many(const struct fixture *f, int writer)
{
	struct fixture mine = { .issuer_id = f->issuer_id };

	if (store_open(f->path, STORE_WRITE, &mine.store, NULL) != OC_OK)
		_exit(1);
	for (int i = 0; i < NUM_EACH; i++) {
		uint64_t n = (uint64_t)(writer * NUM_EACH + i);
		struct store_reservation r =
		    reservation_of(f->issuer_id, n);
		int64_t id;

		if (store_reserve(mine.store, &r, &id) != OC_OK)
			_exit(2);
		if (i % 10 == 0 && revoke_one(&mine, n,
		    CRL_REASON_SUPERSEDED) != OC_OK)
			_exit(3);
	}
	store_close(mine.store);
	_exit(0);
}

struct view {
	bool is_there[NUM_WRITERS * NUM_EACH];
	bool is_revoked[NUM_WRITERS * NUM_EACH];
	int64_t seq;
};

static uint64_t
number_of(const struct oc_serial *serial)
{
	return (uint64_t)serial->bytes[18] << 8 | serial->bytes[19];
}

/* Small pages, so that many polls fall between the writes. */
static uint32_t
poll_changes(struct store *store, struct view *view)
{
	struct store_change changes[7];
	uint32_t num = 0;

	assert_ok(store_read_changes(store, view->seq, changes, 7, &num));
	for (uint32_t i = 0; i < num; i++) {
		uint64_t n = number_of(&changes[i].serial);

		assert_true(changes[i].seq > view->seq);
		view->seq = changes[i].seq;
		assert_true(n < NUM_WRITERS * NUM_EACH);
		/* Nothing goes back. */
		assert_true(changes[i].is_revoked || !view->is_revoked[n]);
		view->is_there[n] = true;
		view->is_revoked[n] = changes[i].is_revoked;
	}
	return num;
}

static void
test_two_writers(void **state)
{
	struct fixture *f = *state;
	struct store *reader;
	static struct view view;
	pid_t children[NUM_WRITERS];
	int num_running = NUM_WRITERS;
	int64_t version, last_version = -1;

	store_close(f->store);
	f->store = NULL;
	for (int i = 0; i < NUM_WRITERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			write_many(f, i);
	}
	reader = open_store(f->path, STORE_READ);
	while (num_running > 0) {
		/* As ocsign-status polls: only if something was committed. */
		assert_ok(store_data_version(reader, &version));
		if (version != last_version)
			while (poll_changes(reader, &view) > 0)
				continue;
		else
			usleep(200);
		last_version = version;
		for (int i = 0; i < NUM_WRITERS; i++) {
			int status;

			if (children[i] == 0 ||
			    waitpid(children[i], &status, WNOHANG) == 0)
				continue;
			assert_int_equal(status, 0);
			children[i] = 0;
			num_running--;
		}
	}
	/* A server's notice may be under way. */
	if (on_database())
		usleep(1100 * 1000);
	assert_ok(store_data_version(reader, &version));
	if (version != last_version)
		while (poll_changes(reader, &view) > 0)
			continue;
	for (int n = 0; n < NUM_WRITERS * NUM_EACH; n++) {
		assert_true(view.is_there[n]);
		assert_int_equal(view.is_revoked[n], n % 10 == 0);
	}
	assert_int_equal(view.seq, NUM_WRITERS * (NUM_EACH + NUM_EACH / 10));
	assert_verifies(reader);
	store_close(reader);
}

/* --- killed ------------------------------------------------------------- */

/* Says on the pipe what store.h has promised, after it did. */
struct report {
	uint64_t n;
	int64_t is_issued;
};

static void
write_until_killed(const struct fixture *f, uint64_t first, int to)
{
	struct store *store;

	if (store_open(f->path, STORE_WRITE, &store, NULL) != OC_OK)
		_exit(1);
	for (uint64_t n = first;; n++) {
		struct store_reservation r =
		    reservation_of(f->issuer_id, n);
		struct report report = { n, 0 };
		int64_t id;

		if (store_reserve(store, &r, &id) != OC_OK ||
		    write(to, &report, sizeof(report)) != sizeof(report))
			_exit(2);
		report.is_issued = 1;
		if (store_issue(store, id, BLOB("certificate")) != OC_OK ||
		    write(to, &report, sizeof(report)) != sizeof(report))
			_exit(3);
	}
}

/* One more round of: start, wait so long for a report, kill after a while, read
 * what it reported. */
static uint64_t
kill_one(const struct fixture *f, uint64_t first, int patience_ms,
    bool *is_issued, uint64_t num_max)
{
	struct pollfd p = { .events = POLLIN };
	struct report report;
	uint64_t end = first;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		write_until_killed(f, first, ends[1]);
	close(ends[1]);
	p.fd = ends[0];
	(void)poll(&p, 1, patience_ms);
	usleep((useconds_t)(500 + rand() % 20000));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	while (read(ends[0], &report, sizeof(report)) ==
	    (ssize_t)sizeof(report)) {
		assert_true(report.n < num_max);
		is_issued[report.n] = report.is_issued != 0;
		end = report.n + 1;
	}
	close(ends[0]);
	return end;
}

static void
assert_reported(struct fixture *f, uint64_t first, uint64_t end,
    const bool *is_issued)
{
	for (uint64_t n = first; n < end; n++) {
		struct oc_serial serial = serial_of(n);
		struct store_certificate c;

		assert_ok(store_find_certificate(f->store, f->issuer_id,
		    &serial, &c));
		if (is_issued[n])
			assert_int_equal(c.state, STORE_ISSUED);
		store_certificate_fini(&c);
	}
}

static void
test_killed(void **state)
{
	enum { NUM_MAX = 200000 };
	static bool is_issued[NUM_MAX];
	struct fixture *f = *state;
	uint64_t first = 0, num_reported = 0, end;

	srand((unsigned int)oc_clock_mono_ns());
	/* On a busy machine most are killed before they have done a thing:
	 * then there are more of them, which are let do one. */
	for (int i = 0; i < 100 || (num_reported < 100 && i < 300); i++) {
		store_close(f->store);
		f->store = NULL;
		end = kill_one(f, first, i < 100 ? 0 : 20000, is_issued,
		    NUM_MAX);
		f->store = open_store(f->path, STORE_WRITE);
		if (!on_database())
			assert_int_equal(read_sql(f->path, "SELECT count(*)"
			    " FROM pragma_integrity_check WHERE"
			    " integrity_check = 'ok'"), 1);
		assert_verifies(f->store);
		assert_reported(f, first, end, is_issued);
		num_reported += end - first;
		/* The one that was not reported may be there all the same. */
		first = end + 1;
	}
	assert_true(num_reported >= 100);
}

/* While it is made: there is no store, or a whole one. */
static void
test_killed_creating(void **state)
{
	struct fixture *f = *state;

	srand((unsigned int)oc_clock_mono_ns());
	for (int i = 0; i < 60; i++) {
		char path[320];
		struct store *store;
		pid_t child;

		other_place(f, i, path, sizeof(path));
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			_exit(store_open(path, STORE_CREATE, &store, NULL) ==
			    OC_OK ? 0 : 1);
		usleep((useconds_t)(rand() % 8000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		store = open_store(path, STORE_CREATE);
		assert_verifies(store);
		store_close(store);
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_store, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_two_writers),
		TEST(test_killed),
		cmocka_unit_test_setup_teardown(test_killed_creating,
		    setup_directory, teardown)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
