/* SPDX-License-Identifier: Apache-2.0 */
#include "status/files.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

/* By the issuer's place; NULL: none. */
struct status_files {
	const struct oc_config *config;
	struct status_crl_file **crls;
	struct status_records **records;
};

static enum oc_err
open_crl(struct status_files *files, size_t i, struct oc_error *error)
{
	const struct oc_config_issuer *issuer = &files->config->issuers[i];
	struct status_crl_plan plan = {
		.issuer = issuer->name,
		.path = issuer->crl_file,
		.delta = issuer->crl_delta_file,
		.certificate = issuer->certificate,
		.issued = issuer->issued,
		.scope = issuer->unlisted == OC_UNLISTED_GOOD ?
		    STATUS_CRL_WHOLE : STATUS_CRL_ANY,
		.dropped_max_percent = issuer->crl_dropped,
		.clock_directory = files->config->daemon.status_directory,
		.is_fetched = fetch_is_wanted(issuer, FETCH_CRL),
	};
	char *copy = status_crl_copy_path(files->config, issuer);
	enum oc_err err;

	if (copy == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	plan.copy = copy;
	err = status_crl_file_new(&plan, &files->crls[i], error);
	free(copy);
	return err;
}

static enum oc_err
open_records(struct status_files *files, size_t i, const char *path,
    struct oc_error *error)
{
	const struct oc_config_issuer *issuer = &files->config->issuers[i];
	struct status_records_plan plan = {
		.issuer = issuer->name,
		.source = issuer->source,
		.path = path,
		.certificate = issuer->certificate,
		.dropped_max_percent = issuer->source_dropped,
		.max_age_s = issuer->source_max_age_s,
		.clock_directory = files->config->daemon.status_directory,
		.retention_s = issuer->archive_cutoff_s == OC_CONFIG_UNSET ?
		    0 : issuer->archive_cutoff_s,
	};
	char *copy = status_records_copy_path(files->config, issuer);
	enum oc_err err;

	if (copy == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	plan.copy = copy;
	err = status_records_new(&plan, &files->records[i], error);
	free(copy);
	return err;
}

static enum oc_err
open_one(struct status_files *files, size_t i, struct oc_error *error)
{
	const struct oc_config_issuer *issuer = &files->config->issuers[i];
	const char *path = NULL;
	enum oc_err err;

	switch (issuer->source) {
	case OC_SOURCE_STORE:
	case OC_SOURCE_CRL:
		break;
	case OC_SOURCE_INDEX:
		path = issuer->index_file;
		break;
	case OC_SOURCE_CERTDB:
		path = issuer->certdb_database != NULL ?
		    issuer->certdb_database : issuer->certdb_file;
		break;
	}
	if ((issuer->crl_file == NULL && path == NULL) ||
	    access(issuer->certificate, F_OK) != 0)
		return OC_OK;
	err = oc_file_mkdir_p(files->config->daemon.table_directory, 0755,
	    error);
	if (err != OC_OK)
		return err;
	if (issuer->crl_file != NULL)
		err = open_crl(files, i, error);
	if (err == OC_OK && path != NULL)
		err = open_records(files, i, path, error);
	return err != OC_OK ? oc_error_prefix(error, "issuer %s",
	    issuer->name) : OC_OK;
}

/* NULL where there is none. */
static void
find_watches(const struct status_files *files, size_t i,
    struct status_watch *watches[2])
{
	watches[0] = files->crls[i] == NULL ? NULL :
	    status_crl_file_watched(files->crls[i]);
	watches[1] = files->records[i] == NULL ? NULL :
	    status_records_watched(files->records[i]);
}

enum oc_err
status_files_new(const struct oc_config *config,
    struct status_files **out, struct oc_error *error)
{
	struct status_files *files = calloc(1, sizeof(*files));
	enum oc_err err = OC_OK;

	if (files == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	files->config = config;
	files->crls = calloc(config->num_issuers + 1,
	    sizeof(struct status_crl_file *));
	files->records = calloc(config->num_issuers + 1,
	    sizeof(struct status_records *));
	if (files->crls == NULL || files->records == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; err == OC_OK && i < config->num_issuers; i++)
		err = open_one(files, i, error);
	if (err != OC_OK) {
		status_files_free(files);
		return err;
	}
	*out = files;
	return OC_OK;
}

enum oc_err
status_files_watch(struct status_files *files)
{
	struct status_watch *of[2];
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < files->config->num_issuers;
	    i++) {
		find_watches(files, i, of);
		if (of[0] != NULL)
			err = status_watch_start(of[0]);
		if (err == OC_OK && of[1] != NULL)
			err = status_watch_start(of[1]);
	}
	return err;
}

void
status_files_stop(struct status_files *files)
{
	struct status_watch *of[2];

	for (size_t i = 0; files != NULL && i < files->config->num_issuers;
	    i++) {
		find_watches(files, i, of);
		if (of[0] != NULL)
			status_watch_stop(of[0]);
		if (of[1] != NULL)
			status_watch_stop(of[1]);
	}
}

void
status_files_free(struct status_files *files)
{
	if (files == NULL)
		return;
	for (size_t i = 0; i < files->config->num_issuers; i++) {
		if (files->crls != NULL)
			status_crl_file_free(files->crls[i]);
		if (files->records != NULL)
			status_records_free(files->records[i]);
	}
	free(files->crls);
	free(files->records);
	free(files);
}

struct status_crl_file *
status_files_find_crl(const struct status_files *files,
    const struct oc_config_issuer *issuer)
{
	return files->crls[issuer - files->config->issuers];
}

struct status_records *
status_files_find_records(const struct status_files *files,
    const struct oc_config_issuer *issuer)
{
	return files->records[issuer - files->config->issuers];
}

size_t
status_files_num(const struct status_files *files)
{
	return files == NULL ? 0 : files->config->num_issuers;
}

bool
status_files_report_crl(const struct status_files *files, size_t i,
    struct status_crl_report *report)
{
	if (files->crls[i] == NULL)
		return false;
	status_crl_file_report(files->crls[i], report);
	return true;
}

bool
status_files_report_records(const struct status_files *files, size_t i,
    struct status_watch_report *report)
{
	if (files->records[i] == NULL)
		return false;
	status_watch_report(status_records_watched(files->records[i]),
	    report);
	return true;
}

bool
status_files_report_fetch(const struct status_files *files, size_t i,
    enum fetch_what what, struct fetch_state *state)
{
	const struct oc_config_issuer *issuer = &files->config->issuers[i];
	char *path;

	*state = (struct fetch_state){ .tried_at = 0 };
	if (!fetch_is_wanted(issuer, what))
		return false;
	path = fetch_state_path(files->config, issuer, what);
	if (path != NULL && fetch_state_read(path, state, NULL) != OC_OK)
		*state = (struct fetch_state){ .tried_at = 0 };
	free(path);
	return true;
}

const char *
status_files_issuer(const struct status_files *files, size_t i)
{
	return files->config->issuers[i].name;
}
