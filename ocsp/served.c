/* SPDX-License-Identifier: Apache-2.0 */
#include "ocsp/served_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum oc_err
fail(struct oc_error *error, const char *what, const char *path)
{
	return oc_error_set_errno(error, errno == ENOENT ? OC_ERR_NOT_FOUND :
	    OC_ERR_SYSTEM, "cannot %s %s", what, path);
}

char *
ocsp_served_path(const char *directory, const struct oc_config_file *file)
{
	const char *kind = NULL;
	char part[16] = "", *path;

	switch (file->kind) {
	case OC_FILE_CRL:
		kind = "crl";
		break;
	case OC_FILE_CERTIFICATE:
		kind = "certificate";
		break;
	case OC_FILE_DELTA_CRL:
		kind = "delta-crl";
		break;
	}
	if (file->partition != 0)
		(void)snprintf(part, sizeof(part), "-%u", file->partition);
	return asprintf(&path, "%s/%s.%s%s.served", directory,
	    file->issuer->name, kind, part) < 0 ? NULL : path;
}

enum oc_err
ocsp_served_open(const char *path, struct ocsp_served *served,
    struct oc_error *error)
{
	struct served_header header = { 0 };
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail(error, "open", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    header.magic != SERVED_MAGIC ||
	    (uint64_t)st.st_size - sizeof(header) != header.len) {
		(void)close(fd);
		return oc_error_set(error, OC_ERR_MALFORMED, "%s is no file "
		    "to be served, or cut short", path);
	}
	*served = (struct ocsp_served){ .facts = header.facts, .fd = fd,
	    .at = (off_t)sizeof(header), .len = header.len,
	    .dev = st.st_dev, .ino = st.st_ino };
	return OC_OK;
}

void
ocsp_served_close(struct ocsp_served *served)
{
	(void)close(served->fd);
	served->fd = -1;
}

bool
ocsp_served_is(const struct ocsp_served *served, const struct stat *st)
{
	return served->dev == st->st_dev && served->ino == st->st_ino;
}
