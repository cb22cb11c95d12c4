/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that a worker serves: opened when they are there, opened again
 * when they were replaced.  Whoever sends from the one before goes on with
 * that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ocsp/worker_state.h"

#define LOOK_NS OC_NS_PER_S

void
http_served_release(struct worker_served *served)
{
	if (served == NULL || --served->num_users > 0)
		return;
	ocsp_served_close(&served->served);
	free(served);
}

static enum oc_err
open_file(struct worker_file *f, struct oc_error *error)
{
	struct worker_served *served = calloc(1, sizeof(*served));
	enum oc_err err;

	if (served == NULL)
		return OC_ERR_NOMEM;
	err = ocsp_served_open(f->path, &served->served, error);
	if (err != OC_OK) {
		free(served);
		return err;
	}
	served->num_users = 1;
	http_served_release(f->served);
	f->served = served;
	return OC_OK;
}

/* What is damaged, or cannot be looked at now, is not ours to mend: the one
 * before goes on being served.  That there is none yet is the common case, and
 * ocsign-status tells why. */
static void
check_file(struct worker_file *f)
{
	struct oc_error error = { OC_OK, "" };
	enum oc_err err = OC_OK;
	struct stat st;

	if (stat(f->path, &st) == 0) {
		if (f->served == NULL ||
		    !ocsp_served_is(&f->served->served, &st))
			err = open_file(f, &error);
	} else if (errno == ENOENT) {
		http_served_release(f->served);
		f->served = NULL;
		err = OC_ERR_NOT_FOUND;
	} else {
		err = oc_error_set_errno(&error, OC_ERR_SYSTEM,
		    "cannot examine %s", f->path);
	}
	if (err != OC_OK && err != OC_ERR_NOT_FOUND && err != f->err)
		oc_log(OC_LOG_WARNING, "%s", error.text[0] == '\0' ?
		    oc_strerror(err) : error.text);
	f->err = err;
}

void
http_files_check(struct ocsp_worker *w)
{
	if (w->now_ns < w->files_look_at_ns)
		return;
	w->files_look_at_ns = w->now_ns + LOOK_NS;
	for (size_t i = 0; i < w->num_files; i++)
		check_file(&w->files[i]);
}

struct worker_file *
http_files_find(const struct ocsp_worker *w, const uint8_t *target,
    size_t len)
{
	const uint8_t *query;

	if (len == 0)
		return NULL;
	query = memchr(target, '?', len);
	if (query != NULL)
		len = (size_t)(query - target);
	for (size_t i = 0; i < w->num_files; i++)
		if (w->files[i].target_len == len &&
		    memcmp(w->files[i].target, target, len) == 0)
			return &w->files[i];
	return NULL;
}

/* The path is of interest, and where it ends: that of a request for OCSP is
 * longer than any file's, and costs no more than this. */
void
http_files_keep(struct ocsp_worker *w, const uint8_t *target, size_t len)
{
	size_t kept = len <= w->target_max ? len : w->target_max + 1;

	w->target_len = 0;
	if (w->target_max == 0 || (len > kept &&
	    memchr(target, '?', kept) == NULL))
		return;
	memcpy(w->target, target, kept);
	w->target_len = kept;
}

static enum oc_err
add_file(struct ocsp_worker *w, const struct ocsp_worker_file *file)
{
	struct worker_file *f = &w->files[w->num_files++];

	f->kind = file->kind;
	f->target_len = file->target_len;
	f->target = malloc(file->target_len + 1);
	f->path = strdup(file->path);
	if (f->target == NULL || f->path == NULL)
		return OC_ERR_NOMEM;
	memcpy(f->target, file->target, file->target_len);
	if (file->target_len > w->target_max)
		w->target_max = file->target_len;
	return OC_OK;
}

enum oc_err
http_files_init(struct ocsp_worker *w, const struct ocsp_worker_file *files,
    size_t num_files)
{
	enum oc_err err = OC_OK;

	w->files = calloc(num_files + 1, sizeof(*w->files));
	if (w->files == NULL)
		return OC_ERR_NOMEM;
	for (size_t i = 0; err == OC_OK && i < num_files; i++)
		err = add_file(w, &files[i]);
	if (err != OC_OK)
		return err;
	w->target = malloc(w->target_max + 1);
	if (w->target == NULL)
		return OC_ERR_NOMEM;
	http_files_check(w);
	return OC_OK;
}

void
http_files_fini(struct ocsp_worker *w)
{
	for (size_t i = 0; i < w->num_files; i++) {
		http_served_release(w->files[i].served);
		free(w->files[i].target);
		free(w->files[i].path);
	}
	free(w->files);
	free(w->target);
}
