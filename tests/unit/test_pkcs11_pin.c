/* SPDX-License-Identifier: Apache-2.0 */
/* PIN sources and the latch, in a directory of their own. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "pkcs11/pin.h"

static char dir[256], file[300], source[320];

static int
set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%.200s/ocsign-pin-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/pin", dir);
	(void)snprintf(source, sizeof(source), "file:%s", file);
	return 0;
}

static int
tear_down(void **state)
{
	char path[300];

	(void)state;
	(void)unlink(file);
	(void)snprintf(path, sizeof(path), "%s/pin-latch-hsm", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/pin-accepted-hsm", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/pin-accepted-other", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/pin-latch-hsm.lock", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/pin-latch-other.lock", dir);
	(void)unlink(path);
	return rmdir(dir);
}

static void
write_pin(const void *bytes, size_t len)
{
	struct oc_error error = { 0 };

	assert_int_equal(oc_file_write(file, 0600, bytes, len, &error),
	    OC_OK);
}

static enum oc_err
read_pin(const char *from, struct oc_secret *pin, struct oc_error *error)
{
	return p11_pin_read(from, pin, error);
}

static void
reads_as(const char *from, const char *expected)
{
	struct oc_secret pin = { .len = 0 };
	struct oc_error error = { 0 };

	assert_int_equal(read_pin(from, &pin, &error), OC_OK);
	assert_int_equal(pin.len, strlen(expected));
	assert_memory_equal(pin.bytes, expected, pin.len);
	oc_secret_fini(&pin);
}

static void
fails(const char *from, const char *says)
{
	struct oc_secret pin = { .len = 0 };
	struct oc_error error = { 0 };

	assert_int_equal(read_pin(from, &pin, &error), OC_ERR_PIN);
	assert_int_equal(error.code, OC_ERR_PIN);
	assert_int_equal(pin.len, 0);
	if (strstr(error.text, says) == NULL)
		print_error("%s\n", error.text);
	assert_non_null(strstr(error.text, says));
	/* What was in the file is never in the text. */
	assert_null(strstr(error.text, "31337"));
}

static void
files_lose_one_newline(void **state)
{
	(void)state;
	write_pin("31337\n", 6);
	reads_as(source, "31337");
	reads_as(file, "31337");
	write_pin("31337", 5);
	reads_as(source, "31337");
	write_pin(" 1 \n", 4);
	reads_as(source, " 1 ");
}

static void
bad_files_are_pin_errors(void **state)
{
	static char lots[OC_PIN_MAX + 1];

	(void)state;
	fails(source, "cannot open");
	write_pin("", 0);
	fails(source, "empty");
	write_pin("\n", 1);
	fails(source, "empty");
	write_pin("31\0" "337", 6);
	fails(source, "one line");
	write_pin("31337\n\n", 7);
	fails(source, "one line");
	memset(lots, '3', sizeof(lots));
	write_pin(lots, sizeof(lots));
	fails(source, "longer");
	write_pin("31337\n", 6);
	assert_int_equal(chmod(file, 0640), 0);
	fails(source, "chmod 0600");
	assert_int_equal(chmod(file, 0604), 0);
	fails(source, "chmod 0600");
	fails(dir, "regular file");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	fails(source, "regular file");
	assert_int_equal(unlink(file), 0);
	fails("pin.txt", "pin-source");
	fails("file:pin.txt", "absolute");
	fails("|cat", "pin-source");
	fails("", "pin-source");
}

static void
descriptors_are_rewound(void **state)
{
	char name[32];
	int fd, ends[2];

	(void)state;
	write_pin("31337\n", 6);
	fd = open(file, O_RDONLY);
	assert_true(fd >= 0);
	(void)snprintf(name, sizeof(name), "fd:%d", fd);
	reads_as(name, "31337");
	reads_as(name, "31337");
	/* One that we have opened ourselves is no PIN. */
	assert_int_equal(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	fails(name, "not handed");
	assert_int_equal(close(fd), 0);
	fails(name, "not handed");
	assert_int_equal(pipe(ends), 0);
	(void)snprintf(name, sizeof(name), "fd:%d", ends[0]);
	fails(name, "seekable");
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
	fails("fd:", "number");
	fails("fd:-1", "number");
	fails("fd:3x", "number");
	fails("fd:99999999999999999999", "number");
}

static void
credentials_come_from_their_directory(void **state)
{
	(void)state;
	write_pin("31337\n", 6);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	fails("credential:pin", "LoadCredential");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	reads_as("credential:pin", "31337");
	fails("credential:other", "cannot open");
	fails("credential:../pin", "plain name");
	fails("credential:", "plain name");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}

static enum oc_err
try_pin(const char *token, const char *text, enum p11_pin_outcome outcome,
    struct oc_error *error)
{
	struct oc_secret pin = { .len = 0 };
	struct p11_pin_try attempt;
	enum oc_err err;

	assert_int_equal(oc_secret_set(&pin, text, strlen(text)), OC_OK);
	err = p11_pin_begin(dir, token, &pin, NULL, &attempt, error);
	oc_secret_fini(&pin);

	if (err == OC_OK)
		p11_pin_end(&attempt, outcome);
	return err;
}

static void
latch_holds_until_it_is_another_pin(void **state)
{
	struct oc_error error = { 0 };
	uint8_t *bytes;
	char path[300];
	struct stat st;
	size_t len;

	(void)state;
	assert_int_equal(try_pin("hsm", "31337", P11_PIN_ACCEPTED, &error),
	    OC_OK);
	assert_int_equal(try_pin("hsm", "31337", P11_PIN_NOT_LOOKED_AT,
	    &error), OC_OK);
	assert_int_equal(p11_pin_unlatch(dir, "hsm", &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(try_pin("hsm", "31337", P11_PIN_REFUSED, &error),
	    OC_OK);
	assert_int_equal(try_pin("hsm", "31337", P11_PIN_ACCEPTED, &error),
	    OC_ERR_PIN);
	assert_non_null(strstr(error.text, "refused this PIN before"));
	assert_non_null(strstr(error.text, "ocsign token unlatch hsm"));
	assert_int_equal(try_pin("other", "31337", P11_PIN_ACCEPTED, &error),
	    OC_OK);
	(void)snprintf(path, sizeof(path), "%s/pin-latch-hsm", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(oc_file_read(path, 4096, &bytes, &len, &error),
	    OC_OK);
	assert_null(strstr((const char *)bytes, "31337"));
	free(bytes);
	/* As long, and longer. */
	assert_int_equal(try_pin("hsm", "31338", P11_PIN_REFUSED, &error),
	    OC_OK);
	assert_int_equal(try_pin("hsm", "31338", P11_PIN_ACCEPTED, &error),
	    OC_ERR_PIN);
	assert_int_equal(try_pin("hsm", "313388", P11_PIN_ACCEPTED, &error),
	    OC_OK);
	/* And that removed it. */
	assert_int_equal(p11_pin_unlatch(dir, "hsm", &error),
	    OC_ERR_NOT_FOUND);
}

/* As a process does that is killed in C_Login. */
static void
try_without_an_end_latches(void **state)
{
	struct oc_secret pin = { .len = 0 };
	struct p11_pin_try attempt;
	struct oc_error error = { 0 };

	(void)state;
	assert_int_equal(oc_secret_set(&pin, "31337", 5), OC_OK);
	assert_int_equal(p11_pin_begin(dir, "hsm", &pin, NULL, &attempt,
	    &error),
	    OC_OK);
	oc_secret_fini(&pin);
	assert_int_equal(close(attempt.lock), 0);
	assert_int_equal(try_pin("hsm", "31337", P11_PIN_ACCEPTED, &error),
	    OC_ERR_PIN);
	assert_non_null(strstr(error.text, "which may be wrong"));
	assert_int_equal(try_pin("hsm", "1", P11_PIN_ACCEPTED, &error),
	    OC_OK);
}

/* One that hangs does not hang the others. */
static void
two_do_not_try_at_once(void **state)
{
	struct oc_secret pin = { .len = 0 };
	struct p11_pin_try attempt;
	struct oc_error error = { 0 };

	(void)state;
	assert_int_equal(oc_secret_set(&pin, "31337", 5), OC_OK);
	assert_int_equal(p11_pin_begin(dir, "hsm", &pin, NULL, &attempt,
	    &error),
	    OC_OK);
	oc_secret_fini(&pin);
	assert_int_equal(try_pin("hsm", "31337", P11_PIN_ACCEPTED, &error),
	    OC_ERR_BUSY);
	assert_non_null(strstr(error.text, "logging in"));
	p11_pin_end(&attempt, P11_PIN_ACCEPTED);
	assert_int_equal(try_pin("hsm", "31337", P11_PIN_ACCEPTED, &error),
	    OC_OK);
}

static void
latch_is_cleared_by_hand(void **state)
{
	struct oc_error error = { 0 };

	(void)state;
	assert_int_equal(try_pin("hsm", "31337", P11_PIN_REFUSED, &error),
	    OC_OK);
	assert_int_equal(p11_pin_unlatch(dir, "hsm", &error), OC_OK);
	assert_int_equal(try_pin("hsm", "31337", P11_PIN_ACCEPTED, &error),
	    OC_OK);
	assert_int_equal(p11_pin_unlatch(dir, "hsm", &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(try_pin("../x", "31337", P11_PIN_REFUSED, &error),
	    OC_ERR_CONFIG);
	assert_int_equal(try_pin("", "31337", P11_PIN_REFUSED, &error),
	    OC_ERR_CONFIG);
}

static void
latch_that_cannot_be_read_or_written_holds(void **state)
{
	static const char *const damaged[] = { "", "\n", "dev=1 ino=2\n",
	    "pbkdf2-sha256 00 00\n", "pbkdf2-sha256 "
	    "zz000000000000000000000000000000 00000000000000000000000000000000"
	    "00000000000000000000000000000000\n" };
	struct oc_secret pin = { .len = 0 };
	struct oc_error error = { 0 };
	struct p11_pin_try attempt;
	char path[300];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/pin-latch-hsm", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(try_pin("hsm", "31337", P11_PIN_ACCEPTED, &error),
	    OC_ERR_PIN);
	assert_int_equal(rmdir(path), 0);
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		assert_int_equal(oc_file_write(path, 0600, damaged[i],
		    strlen(damaged[i]), &error), OC_OK);
		assert_int_equal(try_pin("hsm", "31337", P11_PIN_ACCEPTED,
		    &error), OC_ERR_PIN);
	}
	/* What cannot be noted is not tried. */
	assert_int_equal(oc_secret_set(&pin, "31337", 5), OC_OK);
	assert_int_not_equal(p11_pin_begin("/proc/ocsign", "hsm", &pin, NULL,
	    &attempt, &error), OC_OK);
	oc_secret_fini(&pin);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_lose_one_newline,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_files_are_pin_errors,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(descriptors_are_rewound,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    credentials_come_from_their_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    latch_holds_until_it_is_another_pin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(latch_is_cleared_by_hand,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    latch_that_cannot_be_read_or_written_holds, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(try_without_an_end_latches,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_do_not_try_at_once,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
