/* SPDX-License-Identifier: Apache-2.0 */
#include "base_test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"

/* What is in the directory, ourselves aside. */
static size_t
count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static void
assert_content(const char *path, const char *text)
{
	struct oc_error error;
	uint8_t *bytes;
	size_t len;

	if (oc_file_read(path, 1 << 20, &bytes, &len, &error) != OC_OK)
		fail_msg("%s", error.text);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(bytes, text, len + 1);
	free(bytes);
}

static void
test_read(void **state)
{
	struct oc_error error;
	uint8_t *bytes = NULL;
	size_t len = 77;
	char big[40000];

	(void)state;
	base_test_put_text("empty", "");
	assert_content("empty", "");
	memset(big, 'x', sizeof(big));
	base_test_put("big", big, sizeof(big));
	assert_int_equal(oc_file_read("big", sizeof(big), &bytes, &len,
	    &error), OC_OK);
	assert_int_equal(len, sizeof(big));
	assert_memory_equal(bytes, big, sizeof(big));
	free(bytes);

	bytes = NULL;
	len = 77;
	assert_int_equal(oc_file_read("big", sizeof(big) - 1, &bytes, &len,
	    &error), OC_ERR_LIMIT);
	assert_string_equal(error.text, "big is larger than 39999 bytes");
	assert_int_equal(oc_file_read("none", 10, &bytes, &len, &error),
	    OC_ERR_NOT_FOUND);
	assert_string_equal(error.text,
	    "cannot open none: No such file or directory");
	assert_int_equal(oc_file_read(".", 10, &bytes, &len, &error),
	    OC_ERR_REFUSED);
	assert_string_equal(error.text, ". is a directory, not a file");
	assert_int_equal(oc_file_read("/dev/zero", 10, &bytes, &len, &error),
	    OC_ERR_REFUSED);
	assert_int_equal(oc_file_read("empty/x", 10, &bytes, &len, &error),
	    OC_ERR_SYSTEM);
	assert_int_equal(oc_file_read("", 10, &bytes, &len, NULL),
	    OC_ERR_NOT_FOUND);
	assert_null(bytes);
	assert_int_equal(len, 77);
}

/* A pipe by its name, in pieces; standard input. */
static void
test_read_pipe(void **state)
{
	struct oc_error error;
	uint8_t *bytes;
	size_t len;
	int saved, fds[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open("fifo", O_WRONLY);

		for (int i = 0; i < 3; i++) {
			if (write(fd, "abc", 3) != 3)
				_exit(1);
			usleep(2000);
		}
		_exit(0);
	}
	assert_content("fifo", "abcabcabc");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	saved = dup(STDIN_FILENO);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "from stdin", 10), 10);
	close(fds[1]);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	close(fds[0]);
	assert_content("-", "from stdin");
	fds[0] = open(".", O_RDONLY);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	close(fds[0]);
	assert_int_equal(oc_file_read("-", 10, &bytes, &len, &error),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(error.text, "standard input"));
	if (saved >= 0) {
		dup2(saved, STDIN_FILENO);
		close(saved);
	}
}

static void
test_write(void **state)
{
	struct oc_error error;
	struct stat st;
	mode_t umask_before = umask(077);

	(void)state;
	assert_int_equal(oc_file_write("new", 0644, "one", 3, &error), OC_OK);
	assert_content("new", "one");
	assert_int_equal(stat("new", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(oc_file_write("new", 0600, "", 0, &error), OC_OK);
	assert_content("new", "");
	assert_int_equal(stat("new", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(count_entries("."), 1);
	umask(umask_before);

	/* A link stays one, and so does its target's place. */
	assert_int_equal(mkdir("d", 0700), 0);
	base_test_put_text("d/target", "old");
	assert_int_equal(symlink("d/target", "link"), 0);
	assert_int_equal(oc_file_write("link", 0600, "new", 3, &error), OC_OK);
	assert_content("d/target", "new");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(count_entries("d"), 1);
}

static void
test_write_own(void **state)
{
	struct oc_error error;
	struct stat st;

	(void)state;
	base_test_put_text("theirs", "old");
	assert_int_equal(symlink("theirs", "ours"), 0);
	assert_int_equal(oc_file_write_own("ours", 0600, "new", 3, &error),
	    OC_OK);
	assert_content("theirs", "old");
	assert_content("ours", "new");
	assert_int_equal(lstat("ours", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(oc_file_write_own("ours", 0600, "", 0, &error),
	    OC_OK);
	assert_content("ours", "");
	assert_int_equal(count_entries("."), 2);
}

static void
test_write_refused(void **state)
{
	struct oc_error error;
	struct stat st;

	(void)state;
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(oc_file_write("d", 0600, "x", 1, &error),
	    OC_ERR_REFUSED);
	assert_string_equal(error.text,
	    "d exists and is not a regular file");
	assert_int_equal(symlink("/dev/null", "null"), 0);
	assert_int_equal(oc_file_write("null", 0600, "x", 1, &error),
	    OC_ERR_REFUSED);
	assert_int_equal(oc_file_write("/dev/full", 0600, "x", 1, &error),
	    OC_ERR_REFUSED);
	assert_int_equal(stat("/dev/full", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(oc_file_write("fifo", 0600, "x", 1, &error),
	    OC_ERR_REFUSED);
	assert_int_equal(symlink("nowhere", "dangling"), 0);
	assert_int_equal(oc_file_write("dangling", 0600, "x", 1, &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(oc_file_write("none/x", 0600, "x", 1, &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(count_entries("d"), 0);
	assert_int_equal(count_entries("."), 4);
}

/* Nobody writes to the pipe, and nobody waits for it; and what shows that a
 * file has changed. */
static void
test_read_regular(void **state)
{
	struct oc_file_stamp stamp, again;
	struct oc_error error = { OC_OK, "" };
	uint8_t *bytes = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(oc_file_read_regular("fifo", 10, &bytes, &len, NULL,
	    &error), OC_ERR_REFUSED);
	assert_int_equal(oc_file_read_regular("d", 10, &bytes, &len, NULL,
	    &error), OC_ERR_REFUSED);
	assert_int_equal(oc_file_read_regular("none", 10, &bytes, &len, NULL,
	    &error), OC_ERR_NOT_FOUND);
	assert_int_equal(oc_file_stamp("none", &stamp, &error),
	    OC_ERR_NOT_FOUND);
	base_test_put_text("f", "0123456789");
	assert_int_equal(oc_file_read_regular("f", 9, &bytes, &len, NULL,
	    &error), OC_ERR_LIMIT);
	assert_int_equal(oc_file_read_regular("f", 10, &bytes, &len, &stamp,
	    &error), OC_OK);
	assert_int_equal(len, 10);
	assert_memory_equal(bytes, "0123456789", 11);
	free(bytes);
	assert_int_equal(oc_file_stamp("f", &again, &error), OC_OK);
	assert_true(oc_file_stamp_equal(&stamp, &again));
	base_test_put_text("f", "012345678");
	assert_int_equal(oc_file_stamp("f", &again, &error), OC_OK);
	assert_false(oc_file_stamp_equal(&stamp, &again));
	base_test_put_text("g", "0123456789");
	assert_int_equal(oc_file_stamp("g", &again, &error), OC_OK);
	assert_false(oc_file_stamp_equal(&stamp, &again));
}

/*
 * A file that may not grow fails in write(2) as a full disk does, in the
 * middle.  In a child: the limit is for ever.
 */
static void
full_disk_child(void)
{
	struct rlimit limit = { 65536, 65536 };
	struct oc_error error = { OC_OK, "" };
	static char big[200000];

	memset(big, 'x', sizeof(big));
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		_exit(2);
	if (oc_file_write("old", 0600, big, sizeof(big), &error) !=
	    OC_ERR_NO_SPACE)
		_exit(3);
	if (strncmp(error.text, "cannot write old: ", 18) != 0)
		_exit(4);
	if (oc_file_write("fresh", 0600, big, sizeof(big), &error) !=
	    OC_ERR_NO_SPACE)
		_exit(5);
	if (oc_file_try_write("old", &error) != OC_OK)
		_exit(6);
	limit.rlim_cur = 100;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		_exit(7);
	if (oc_file_try_write("old", &error) != OC_ERR_NO_SPACE)
		_exit(8);
	_exit(0);
}

static void
test_write_full(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	base_test_put_text("old", "still here");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		full_disk_child();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_content("old", "still here");
	assert_int_equal(count_entries("."), 1);
	assert_int_equal(oc_file_try_write("no/such", NULL),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(mkdir("directory", 0700), 0);
	assert_int_equal(oc_file_try_write("directory", NULL),
	    OC_ERR_REFUSED);
	assert_int_equal(rmdir("directory"), 0);
}

/* All of them or none. */
static void
test_write_all(void **state)
{
	struct oc_file_part parts[] = {
		{ "a", 0644, "new", 3 }, { "b", 0600, "bb", 2 },
		{ "c", 0640, "", 0 },
	};
	struct oc_error error = { 0 };
	struct stat st;

	(void)state;
	base_test_put_text("a", "old");
	assert_int_equal(mkdir("c", 0700), 0);
	assert_int_equal(oc_file_write_all(parts, 3, &error),
	    OC_ERR_REFUSED);
	assert_content("a", "old");
	assert_int_equal(count_entries("."), 2);
	assert_int_equal(rmdir("c"), 0);
	assert_int_equal(oc_file_write_all(parts, 3, &error), OC_OK);
	assert_content("a", "new");
	assert_content("b", "bb");
	assert_content("c", "");
	assert_int_equal(stat("b", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat("c", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(count_entries("."), 3);
}

/* A full disk's like, where a directory may not be written to. */
static void
test_write_read_only(void **state)
{
	struct oc_error error;

	(void)state;
	if (geteuid() == 0)
		skip();
	assert_int_equal(mkdir("d", 0700), 0);
	base_test_put_text("d/old", "still here");
	assert_int_equal(chmod("d", 0500), 0);
	assert_int_equal(oc_file_write("d/old", 0600, "new", 3, &error),
	    OC_ERR_SYSTEM);
	assert_non_null(strstr(error.text, strerror(EACCES)));
	assert_content("d/old", "still here");
	assert_int_equal(chmod("d", 0700), 0);
	assert_int_equal(count_entries("d"), 1);
}

/* A command that root runs once leaves nothing that the service's user cannot
 * lock; and nothing that was there changes hands. */
static void
test_lock_of_root(void **state)
{
	struct oc_error error = { OC_OK, "" };
	struct stat st;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir("theirs", 0700), 0);
	base_test_put_text("theirs/there", "");
	assert_int_equal(chown("theirs", 4321, 4322), 0);
	assert_int_equal(oc_file_lock("theirs/lock", &fd, &error), OC_OK);
	close(fd);
	assert_int_equal(stat("theirs/lock", &st), 0);
	assert_int_equal(st.st_uid, 4321);
	assert_int_equal(st.st_gid, 4322);
	assert_int_equal(oc_file_lock("theirs/there", &fd, &error), OC_OK);
	close(fd);
	assert_int_equal(stat("theirs/there", &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static void
test_lock(void **state)
{
	struct oc_error error = { OC_OK, "" };
	char expected[80];
	int fd, second = -5, status;
	pid_t pid;

	(void)state;
	assert_int_equal(oc_file_lock("lock", &fd, &error), OC_OK);
	snprintf(expected, sizeof(expected), "%ld\n", (long)getpid());
	assert_content("lock", expected);
	/* By ourselves, by another process; by name, not by luck. */
	assert_int_equal(oc_file_lock("lock", &second, &error), OC_ERR_BUSY);
	snprintf(expected, sizeof(expected), "lock is locked by process %ld",
	    (long)getpid());
	assert_string_equal(error.text, expected);
	assert_int_equal(second, -5);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fd);
		_exit(oc_file_lock("lock", &second, NULL) == OC_ERR_BUSY ?
		    0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* A holder that wrote nothing, or nonsense. */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(oc_file_lock("lock", &second, &error), OC_ERR_BUSY);
	assert_string_equal(error.text, "lock is locked by another process");
	assert_int_equal(pwrite(fd, "12x\n", 4, 0), 4);
	assert_int_equal(oc_file_lock("lock", &second, &error), OC_ERR_BUSY);
	assert_string_equal(error.text, "lock is locked by another process");
	/* Closing unlocks; a longer PID of before is gone. */
	assert_int_equal(pwrite(fd, "123456789012\n", 13, 0), 13);
	close(fd);
	assert_int_equal(oc_file_lock("lock", &fd, &error), OC_OK);
	snprintf(expected, sizeof(expected), "%ld\n", (long)getpid());
	assert_content("lock", expected);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);

	assert_int_equal(symlink("lock", "link"), 0);
	assert_int_equal(oc_file_lock("link", &fd, &error), OC_ERR_SYSTEM);
	assert_int_equal(oc_file_lock("none/lock", &fd, &error),
	    OC_ERR_NOT_FOUND);
}

static void
test_mkdir_p(void **state)
{
	struct oc_error error;
	struct stat st;
	char path[4200];

	(void)state;
	assert_int_equal(oc_file_mkdir_p("a/b/c", 0750, &error), OC_OK);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_int_equal(st.st_mode & 0700, 0700);
	assert_int_equal(oc_file_mkdir_p("a/b/c", 0750, &error), OC_OK);
	assert_int_equal(oc_file_mkdir_p("a//d/", 0750, &error), OC_OK);
	assert_int_equal(stat("a/d", &st), 0);
	assert_non_null(getcwd(path, sizeof(path) - 8));
	strcat(path, "/e/f");
	assert_int_equal(oc_file_mkdir_p(path, 0700, &error), OC_OK);
	assert_int_equal(stat("e/f", &st), 0);
	base_test_put_text("file", "");
	assert_int_equal(oc_file_mkdir_p("file", 0700, &error),
	    OC_ERR_SYSTEM);
	assert_string_equal(error.text,
	    "cannot make the directory file: Not a directory");
	assert_int_equal(oc_file_mkdir_p("file/x", 0700, &error),
	    OC_ERR_SYSTEM);
	assert_int_equal(oc_file_mkdir_p("", 0700, &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(oc_file_mkdir_p("/", 0700, &error), OC_OK);
}

static void
test_paths(void **state)
{
	static const char *const joins[][3] = {
		{ "/etc/ocsign", "ca.pem", "/etc/ocsign/ca.pem" },
		{ "/etc/ocsign/", "ca.pem", "/etc/ocsign/ca.pem" },
		{ "/etc/ocsign", "/ca.pem", "/ca.pem" },
		{ "", "ca.pem", "ca.pem" },
		{ "/", "ca.pem", "/ca.pem" },
		{ ".", "a/b", "./a/b" },
	};
	static const char *const directories[][2] = {
		{ "/a/b", "/a" }, { "b", "." }, { "/b", "/" },
		{ "a/b/c", "a/b" }, { "./b", "." },
	};
	char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
		assert_int_equal(oc_path_join(joins[i][0], joins[i][1], &out),
		    OC_OK);
		assert_string_equal(out, joins[i][2]);
		free(out);
	}
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]);
	    i++) {
		assert_int_equal(oc_path_directory(directories[i][0], &out),
		    OC_OK);
		assert_string_equal(out, directories[i][1]);
		free(out);
	}
}

#define FILE_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, base_test_enter, base_test_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(test_read),
		FILE_TEST(test_read_pipe),
		FILE_TEST(test_read_regular),
		FILE_TEST(test_write),
		FILE_TEST(test_write_own),
		FILE_TEST(test_write_refused),
		FILE_TEST(test_write_full),
		FILE_TEST(test_write_all),
		FILE_TEST(test_write_read_only),
		FILE_TEST(test_lock), FILE_TEST(test_lock_of_root),
		FILE_TEST(test_mkdir_p),
		FILE_TEST(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
