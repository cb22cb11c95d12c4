/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl publish --directory: all lists as files.  Several may be at it, and who
 * took a number later may be there first: one at a time, and none over a higher
 * number of the same key's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/crl.h"
#include "x509/crl.h"

#define LOCK_WAIT_NS (60 * OC_NS_PER_S)
#define LOCK_LOOK_NS (50 * OC_NS_PER_MS)

/* As at its URL; without one "web-3.crl", "web-delta-3.crl". */
static char *
path_of(const struct cli_crl_files *files, const struct ca_crl *crl)
{
	size_t len = strcspn(crl->url, "?#"), at = len;
	char *path, name[OC_CRL_URL_MAX + 1];

	while (at > 0 && crl->url[at - 1] != '/')
		at--;
	if (crl->url[0] != '\0' && at < len)
		snprintf(name, sizeof(name), "%.*s", (int)(len - at),
		    crl->url + at);
	else
		snprintf(name, sizeof(name), "%s%s.crl",
		    files->issuer->config->name, crl->base_number != 0 ?
		    "-delta" : "");
	return asprintf(&path, "%s/%s", files->directory, name) < 0 ? NULL :
	    path;
}

/* Two at one name, of a full list and its delta say, would lose one. */
static enum oc_err
name_all(const struct cli_crl_files *files, char **paths,
    struct oc_error *error)
{
	for (uint32_t i = 0; i < files->num; i++) {
		paths[i] = path_of(files, &files->lists[i]);
		if (paths[i] == NULL)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		for (uint32_t j = 0; j < i; j++)
			if (strcmp(paths[i], paths[j]) == 0)
				return oc_error_set(error, OC_ERR_CONFIG,
				    "%s would be two CRLs: crl-url and "
				    "crl-delta-url end in one name",
				    paths[i]);
	}
	return OC_OK;
}

/* --- one at a time ------------------------------------------------------ */

/* The directory itself, so that nothing lies in it that is no CRL.  Where it
 * cannot be locked (NFS), it is left at that. */
static enum oc_err
lock(const char *directory, int *fd, struct oc_error *error)
{
	const struct timespec pause = { 0, LOCK_LOOK_NS };
	int64_t until_ns = oc_clock_mono_ns() + LOCK_WAIT_NS;

	*fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (*fd >= 0 && flock(*fd, LOCK_EX | LOCK_NB) < 0 &&
	    errno == EWOULDBLOCK) {
		if (oc_clock_mono_ns() > until_ns) {
			(void)close(*fd);
			return oc_error_set(error, OC_ERR_BUSY, "another "
			    "has locked %s for a minute", directory);
		}
		(void)nanosleep(&pause, NULL);
	}
	return OC_OK;
}

/* --- none over a higher number ------------------------------------------ */

/* Of a non-negative INTEGER's contents. */
static bool
is_higher(struct der_bytes number, uint64_t than)
{
	uint64_t value = 0;

	while (number.len > 0 && number.p[0] == 0) {
		number.p++;
		number.len--;
	}
	if (number.len > sizeof(value))
		return true;
	for (size_t i = 0; i < number.len; i++)
		value = value << 8 | number.p[i];
	return value > than;
}

/* What cannot be read, or is somebody else's, is written over as ever. */
static bool
is_there_newer(const struct cli_crl_files *files, const char *path,
    const struct ca_crl *crl)
{
	const struct ca_issuer *issuer = files->issuer;
	struct oc_mapping mapping = { 0 };
	struct x509_crl there;
	bool is = false;

	if (oc_file_map(path, OC_TBS_MAX, &mapping, NULL) != OC_OK)
		return false;
	if (mapping.bytes != NULL && x509_crl_read((struct der_bytes){
	    mapping.bytes, mapping.len }, &there, NULL) == OC_OK)
		is = der_bytes_equal(there.issuer, issuer->cert.subject) &&
		    der_bytes_equal(there.authority_key_id, (struct der_bytes){
		    issuer->key_id, issuer->key_id_len }) &&
		    is_higher(there.number, crl->number);
	oc_mapping_fini(&mapping);
	return is;
}

static enum oc_err
write_those(const struct cli_crl_files *files, char **paths,
    struct oc_error *error)
{
	struct oc_file_part *parts = calloc(files->num, sizeof(*parts));
	uint32_t num = 0;
	enum oc_err err = OC_OK;

	if (parts == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (uint32_t i = 0; i < files->num; i++) {
		const struct ca_crl *crl = &files->lists[i];

		if (is_there_newer(files, paths[i], crl)) {
			free(paths[i]);
			paths[i] = NULL;
			continue;
		}
		parts[num++] = (struct oc_file_part){ .path = paths[i],
		    .mode = 0644, .bytes = crl->der, .len = crl->der_len };
	}
	if (num > 0)
		err = oc_file_write_all(parts, num, error);
	free(parts);
	return err;
}

enum oc_err
cli_crl_write(const struct cli_crl_files *files, char **paths,
    struct oc_error *error)
{
	enum oc_err err = name_all(files, paths, error);
	int fd;

	if (err == OC_OK)
		err = lock(files->directory, &fd, error);
	if (err != OC_OK)
		return err;
	err = write_those(files, paths, error);
	if (fd >= 0)
		(void)close(fd);
	return err;
}
