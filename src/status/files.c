/* SPDX-License-Identifier: Apache-2.0 */
#include "status/files.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

struct status_files {
	const struct oc_config *config;
	struct status_crl_file **of;	/* by the issuer's place; NULL: none */
};

static enum oc_err
open_one(struct status_files *files, size_t i, struct oc_error *error)
{
	const struct oc_config_issuer *issuer = &files->config->issuers[i];
	struct status_crl_plan plan = {
		.issuer = issuer->name,
		.path = issuer->crl_file,
		.certificate = issuer->certificate,
		.issued = issuer->issued,
		.scope = issuer->unlisted == OC_UNLISTED_GOOD ?
		    STATUS_CRL_WHOLE : STATUS_CRL_ANY,
		.dropped_max_percent = issuer->crl_dropped,
	};
	char *copy;
	enum oc_err err;

	if (issuer->crl_file == NULL || access(issuer->certificate, F_OK) != 0)
		return OC_OK;
	err = oc_file_mkdir_p(files->config->daemon.table_directory, 0755,
	    error);
	if (err != OC_OK)
		return err;
	copy = status_crl_copy_path(files->config, issuer);
	if (copy == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	plan.copy = copy;
	err = status_crl_file_new(&plan, &files->of[i], error);
	free(copy);
	return err != OC_OK ? oc_error_prefix(error, "issuer %s",
	    issuer->name) : OC_OK;
}

enum oc_err
status_files_new(const struct oc_config *config,
    struct status_files **out, struct oc_error *error)
{
	struct status_files *files = calloc(1, sizeof(*files));
	enum oc_err err = OC_OK;

	if (files != NULL)
		files->of = calloc(config->num_issuers + 1,
		    sizeof(struct status_crl_file *));
	if (files == NULL || files->of == NULL) {
		free(files);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	files->config = config;
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
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < files->config->num_issuers; i++)
		if (files->of[i] != NULL)
			err = status_watch_start(
			    status_crl_file_watched(files->of[i]));
	return err;
}

void
status_files_stop(struct status_files *files)
{
	for (size_t i = 0; files != NULL && i < files->config->num_issuers;
	    i++)
		if (files->of[i] != NULL)
			status_watch_stop(status_crl_file_watched(
			    files->of[i]));
}

void
status_files_free(struct status_files *files)
{
	if (files == NULL)
		return;
	for (size_t i = 0; i < files->config->num_issuers; i++)
		status_crl_file_free(files->of[i]);
	free(files->of);
	free(files);
}

struct status_crl_file *
status_files_find_crl(const struct status_files *files,
    const struct oc_config_issuer *issuer)
{
	return files->of[issuer - files->config->issuers];
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
	if (files->of[i] == NULL)
		return false;
	status_crl_file_report(files->of[i], report);
	return true;
}
