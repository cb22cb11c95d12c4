/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main() for fuzz targets built without libFuzzer: runs the target over
 * every file named, and every file in every folder named; with none, as
 * fuzz_NAME, over $top_srcdir/tests/fuzz/corpus/NAME.  No file at all is a
 * failure, so that a corpus that is not found does not pass.
 *
 * With one of these, by the names that libFuzzer has for them, the same files
 * are changed at random, again and again (mutate.c):
 *
 *	-runs=N  -max_total_time=SECONDS  -seed=N
 *
 * The same seed and files make the same inputs.  An input that ends the
 * program, or keeps it for 20 s, is left in crash-NAME.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

static struct fuzz_files files;

static int
run_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size > 0 ? size : 1);
	FILE *in = fopen(path, "rb");
	size_t len;

	if (data == NULL || in == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		free(data);
		if (in != NULL)
			(void)fclose(in);
		return -1;
	}
	len = fread(data, 1, size, in);
	(void)fclose(in);
	if (len != size) {
		fprintf(stderr, "%s: read %zu of %zu octets\n", path, len,
		    size);
		free(data);
		return -1;
	}
	(void)LLVMFuzzerTestOneInput(data, len);
	fuzz_files_take(&files, data, len);
	return 0;
}

static int run_path(const char *path);

/* In the order of their names: a seed means the same everywhere. */
static int
run_folder(const char *folder)
{
	struct dirent **entries;
	char path[4096];
	int num = scandir(folder, &entries, NULL, alphasort), result = 0;

	if (num < 0) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		return -1;
	}
	for (int i = 0; i < num; i++) {
		const char *name = entries[i]->d_name;

		if (result != 0 || name[0] == '.') {
			;
		} else if ((size_t)snprintf(path, sizeof(path), "%s/%s",
		    folder, name) >= sizeof(path)) {
			fprintf(stderr, "%s: path too long\n", folder);
			result = -1;
		} else {
			result = run_path(path);
		}
		free(entries[i]);
	}
	free(entries);
	return result;
}

static int
run_path(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return run_folder(path);
	return run_file(path, (size_t)st.st_size);
}

/* NAME of fuzz_NAME; the last of them: a folder may be called so, too. */
static const char *
name_of(const char *program)
{
	const char *name = NULL, *next = program;

	while ((next = strstr(next, "fuzz_")) != NULL)
		name = next += strlen("fuzz_");
	return name;
}

/* The target's own corpus. */
static int
run_corpus(const char *program)
{
	const char *top = getenv("top_srcdir");
	const char *name = name_of(program);
	char path[4096];

	if (top == NULL || name == NULL) {
		fprintf(stderr, "usage: [top_srcdir=DIR] %s [-runs=N] "
		    "[-max_total_time=S] [-seed=N] [file|folder]...\n",
		    program);
		return -1;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
	    top, name) >= sizeof(path))
		return -1;
	return run_path(path);
}

static bool
take_option(const char *arg, const char *name, uint64_t *value)
{
	size_t len = strlen(name);

	if (strncmp(arg, name, len) != 0)
		return false;
	*value = strtoull(arg + len, NULL, 10);
	return true;
}

int
main(int argc, char **argv)
{
	struct fuzz_plan plan = { .seed = 1, .name = name_of(argv[0]) };
	bool is_named = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (take_option(argv[i], "-runs=", &plan.num_runs) ||
		    take_option(argv[i], "-max_total_time=", &plan.seconds) ||
		    take_option(argv[i], "-seed=", &plan.seed))
			continue;
		is_named = true;
		if (run_path(argv[i]) != 0)
			return 1;
	}
	if (!is_named && run_corpus(argv[0]) != 0)
		return 1;
	printf("%zu files\n", files.num);
	if (files.num == 0)
		return 1;
	if (plan.num_runs != 0 || plan.seconds != 0)
		printf("%llu runs, seed %llu\n",
		    (unsigned long long)fuzz_mutate(&plan, &files),
		    (unsigned long long)plan.seed);
	fuzz_files_fini(&files);
	return 0;
}
