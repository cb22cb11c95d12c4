/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main() for fuzz targets built without libFuzzer: runs the target over
 * every file named, and every file in every folder named; with no arguments,
 * as fuzz_NAME, over $top_srcdir/tests/fuzz/corpus/NAME.  No file at all is a
 * failure, so that a corpus that is not found does not pass.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

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
	free(data);
	return 0;
}

static int run_path(const char *path, unsigned long *num_files);

static int
run_folder(const char *folder, unsigned long *num_files)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	char path[4096];
	int result = 0;

	if (dir == NULL) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		return -1;
	}
	while (result == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder,
		    entry->d_name) >= sizeof(path)) {
			fprintf(stderr, "%s: path too long\n", folder);
			result = -1;
			break;
		}
		result = run_path(path, num_files);
	}
	(void)closedir(dir);
	return result;
}

static int
run_path(const char *path, unsigned long *num_files)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	if (S_ISDIR(st.st_mode))
		return run_folder(path, num_files);
	(*num_files)++;
	return run_file(path, (size_t)st.st_size);
}

/* The target's own corpus. */
static int
run_corpus(const char *program, unsigned long *num_files)
{
	const char *top = getenv("top_srcdir");
	const char *name = strstr(program, "fuzz_");
	const char *next;
	char path[4096];

	if (top == NULL || name == NULL) {
		fprintf(stderr, "usage: [top_srcdir=DIR] %s [file|folder]...\n",
		    program);
		return -1;
	}
	/* The last of them: a folder may be called so, too. */
	while ((next = strstr(name + 1, "fuzz_")) != NULL)
		name = next;
	if ((size_t)snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
	    top, name + strlen("fuzz_")) >= sizeof(path))
		return -1;
	return run_path(path, num_files);
}

int
main(int argc, char **argv)
{
	unsigned long num_files = 0;
	int i;

	if (argc == 1 && run_corpus(argv[0], &num_files) != 0)
		return 1;
	for (i = 1; i < argc; i++)
		if (run_path(argv[i], &num_files) != 0)
			return 1;
	printf("%lu files\n", num_files);
	return num_files > 0 ? 0 : 1;
}
