/* SPDX-License-Identifier: Apache-2.0 */
#include "status/publish.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "ocsp/served.h"
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/file.h"

/* After one that could not be written, the next try; each time twice as long
 * after the one before. */
#define PAUSE_MIN_NS OC_NS_PER_S
#define PAUSE_MAX_NS (30 * OC_NS_PER_S)

struct published {
	struct status_published report;	/* under the lock */
	char *path;
	/* What is in place; st_ino 0: nothing. */
	struct stat placed;
	struct ocsp_served_facts facts;
	/* What it was made from: the certificate's file; the store's CRL, 0
	 * if that is to be looked at; that of crl-file, or UINT64_MAX. */
	struct oc_file_stamp made_from;
	uint64_t number, generation;
	bool has_failed;		/* that has been said */
	int64_t pause_ns, retry_ns;	/* 0: it was written */
};

struct status_publish {
	const struct status_files *files;
	pthread_mutex_t lock;
	size_t num;
	struct published *list;
};

const char *
status_publish_kind(const struct status_published *published)
{
	switch (published->file->kind) {
	case OC_FILE_CRL:
		return "crl";
	case OC_FILE_CERTIFICATE:
		return "certificate";
	case OC_FILE_DELTA_CRL:
		return "delta-crl";
	}
	return NULL;
}

/* Says once what is wrong, not each second. */
static void
complain(struct published *f, const char *what)
{
	if (!f->has_failed)
		oc_log(OC_LOG_WARNING, "issuer %s: %s is not served anew: %s",
		    f->report.file->issuer->name,
		    status_publish_kind(&f->report), what);
	f->has_failed = true;
}

static void
report(struct status_publish *p, struct published *f, uint64_t len)
{
	(void)pthread_mutex_lock(&p->lock);
	f->report.len = len;
	f->report.modified_at = len == 0 ? 0 : f->facts.modified_at;
	f->report.until = len == 0 ? 0 : f->facts.until;
	(void)pthread_mutex_unlock(&p->lock);
}

/* A full disk is no fuller for being left alone, and a large CRL read each
 * second for nothing is work. */
static void
pause_writing(struct published *f)
{
	f->pause_ns = f->pause_ns == 0 ? PAUSE_MIN_NS : 2 * f->pause_ns;
	if (f->pause_ns > PAUSE_MAX_NS)
		f->pause_ns = PAUSE_MAX_NS;
	f->retry_ns = oc_clock_mono_ns() + f->pause_ns;
}

/* What is in place, from an earlier run or just put there. */
static void
note_placed(struct status_publish *p, struct published *f)
{
	struct ocsp_served served;

	memset(&f->placed, 0, sizeof(f->placed));
	if (ocsp_served_open(f->path, &served, NULL) != OC_OK) {
		report(p, f, 0);
		return;
	}
	if (fstat(served.fd, &f->placed) < 0)
		f->placed.st_ino = 0;
	f->facts = served.facts;
	report(p, f, served.len);
	ocsp_served_close(&served);
}

/* Nobody else writes there; but somebody may have removed it. */
static bool
is_placed(const struct published *f)
{
	struct stat st;

	return f->placed.st_ino != 0 && stat(f->path, &st) == 0 &&
	    st.st_dev == f->placed.st_dev && st.st_ino == f->placed.st_ino;
}

static bool
is_same(const struct published *f, const struct ocsp_served_facts *facts)
{
	return memcmp(facts->etag, f->facts.etag, sizeof(facts->etag)) == 0;
}

/* Of what takes another's place: later than that, for whoever knows no more of
 * what he has than Last-Modified.  A CRL may be of the same second as the one
 * before, and a certificate older. */
static int64_t
modified_after(const struct published *f,
    const struct ocsp_served_facts *facts)
{
	if (f->placed.st_ino == 0 ||
	    facts->modified_at > f->facts.modified_at)
		return facts->modified_at;
	return f->facts.modified_at + (is_same(f, facts) ? 0 : 1);
}

/* False: it is to be tried again. */
static bool
put(struct status_publish *p, struct published *f, struct der_bytes der,
    int64_t modified_at, int64_t until)
{
	struct ocsp_served_facts facts = { .modified_at = modified_at,
	    .until = until };
	struct oc_error error = { OC_OK, "" };

	if (ocsp_served_make_etag(der, facts.etag) != OC_OK) {
		complain(f, "no SHA-256");
		return false;
	}
	if (!is_placed(f) || !is_same(f, &facts)) {
		facts.modified_at = modified_after(f, &facts);
		if (ocsp_served_write(f->path, &facts, der, &error) != OC_OK) {
			complain(f, error.text);
			pause_writing(f);
			return false;
		}
		note_placed(p, f);
		oc_log(OC_LOG_INFO, "issuer %s: another %s is served as %s",
		    f->report.file->issuer->name,
		    status_publish_kind(&f->report), f->report.file->url);
	}
	f->has_failed = false;
	f->pause_ns = f->retry_ns = 0;
	return true;
}

static void
remove_placed(struct status_publish *p, struct published *f)
{
	if (f->placed.st_ino == 0)
		return;
	(void)unlink(f->path);
	note_placed(p, f);
}

/* --- certificates ----------------------------------------------------- */

static bool
put_certificate(struct status_publish *p, struct published *f)
{
	struct oc_error error = { OC_OK, "" };
	struct x509_cert cert;
	uint8_t *der = NULL;
	size_t len;
	bool is_put = false;

	if (x509_file_read(f->report.file->issuer->certificate,
	    X509_FILE_CERTIFICATE, &der, &len, &error) != OC_OK ||
	    x509_cert_read((struct der_bytes){ der, len }, &cert, &error) !=
	    OC_OK)
		complain(f, error.text);
	else
		is_put = put(p, f, cert.der, cert.not_before, cert.not_after);
	free(der);
	return is_put;
}

/* An issuer without a certificate is only planned; one whose certificate is
 * gone had it a moment ago. */
static void
look_certificate(struct status_publish *p, struct published *f)
{
	struct oc_file_stamp stamp;

	if (oc_file_stamp(f->report.file->issuer->certificate, &stamp,
	    NULL) != OC_OK || (oc_file_stamp_equal(&stamp, &f->made_from) &&
	    is_placed(f)))
		return;
	if (put_certificate(p, f))
		f->made_from = stamp;
}

/* --- CRLs ------------------------------------------------------------- */

static bool
put_crl(struct status_publish *p, struct published *f, struct der_bytes der)
{
	struct oc_error error = { OC_OK, "" };
	struct x509_crl crl;

	if (x509_crl_read(der, &crl, &error) != OC_OK) {
		complain(f, error.text);
		return false;
	}
	return put(p, f, der, crl.this_update, crl.next_update);
}

/* The newest one that the store has; its octets are read only if they are
 * others than those in place. */
static enum oc_err
read_store(struct status_publish *p, struct published *f, struct store *store)
{
	const struct oc_config_file *file = f->report.file;
	struct store_crl_scope scope = { .partition = file->partition,
	    .kind = file->kind == OC_FILE_DELTA_CRL ? STORE_CRL_DELTA :
	    STORE_CRL_FULL };
	struct store_issuer issuer = { 0 };
	struct store_crl crl = { 0 };
	enum oc_err err;

	err = store_find_issuer(store, file->issuer->name, &issuer);
	scope.issuer_id = issuer.id;
	if (err == OC_OK)
		err = store_find_list_times(store, &scope, &crl);
	if (err == OC_OK && crl.number != f->number) {
		err = store_find_list(store, &scope, &crl);
		if (err == OC_OK && put_crl(p, f,
		    (struct der_bytes){ crl.crl, crl.crl_len }))
			f->number = crl.number;
	}
	store_crl_fini(&crl);
	store_issuer_fini(&issuer);
	return err;
}

/* The last good one in crl-file. */
static void
look_crl_file(struct status_publish *p, struct published *f)
{
	struct status_crl_file *file = p->files == NULL ? NULL :
	    status_files_find_crl(p->files, f->report.file->issuer);
	struct status_crl_list *list;
	uint64_t generation;

	if (file == NULL)
		return;
	generation = status_crl_file_generation(file);
	if (generation == f->generation && is_placed(f))
		return;
	list = status_crl_file_hold(file);
	if (list == NULL)
		remove_placed(p, f);
	else if (put(p, f, list->crl.der, list->crl.this_update,
	    list->crl.next_update))
		f->generation = generation;
	status_crl_list_release(list);
}

static void
look_store(struct status_publish *p, struct published *f, struct store *store,
    bool has_news)
{
	enum oc_err err;

	if (!is_placed(f))
		f->number = 0;
	if (store == NULL || (!has_news && f->number != 0 && !f->has_failed))
		return;
	err = read_store(p, f, store);
	if (err == OC_ERR_NOT_FOUND)
		remove_placed(p, f);
	else if (err != OC_OK)
		complain(f, store_error(store));
}

/* --- all of them ------------------------------------------------------ */

void
status_publish_look(void *publish, struct store *store, bool has_news)
{
	struct status_publish *p = publish;

	for (size_t i = 0; i < p->num; i++) {
		struct published *f = &p->list[i];

		if (f->retry_ns > oc_clock_mono_ns())
			continue;
		switch (f->report.file->kind) {
		case OC_FILE_CRL:
			if (f->report.file->issuer->crl_file != NULL)
				look_crl_file(p, f);
			else
				look_store(p, f, store, has_news);
			break;
		case OC_FILE_DELTA_CRL:
			look_store(p, f, store, has_news);
			break;
		case OC_FILE_CERTIFICATE:
			look_certificate(p, f);
			break;
		}
	}
}

enum oc_err
status_publish_new(const struct oc_config *config,
    const struct status_files *files,
    struct status_publish **publish, struct oc_error *error)
{
	struct status_publish *p;
	enum oc_err err = OC_OK;

	/* Tables may be nobody's. */
	if (config->num_files > 0)
		err = oc_file_mkdir_p(config->daemon.table_directory, 0755,
		    error);
	if (err != OC_OK)
		return err;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	p->list = calloc(config->num_files + 1, sizeof(*p->list));
	if (p->list == NULL || pthread_mutex_init(&p->lock, NULL) != 0) {
		free(p->list);
		free(p);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	p->files = files;
	for (; p->num < config->num_files; p->num++) {
		struct published *f = &p->list[p->num];

		f->report.file = &config->files[p->num];
		f->generation = UINT64_MAX;
		f->path = ocsp_served_path(config->daemon.table_directory,
		    f->report.file);
		if (f->path == NULL) {
			status_publish_free(p);
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
		}
		note_placed(p, f);
	}
	*publish = p;
	return OC_OK;
}

void
status_publish_free(struct status_publish *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->num; i++)
		free(p->list[i].path);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->list);
	free(p);
}

size_t
status_publish_num(const struct status_publish *p)
{
	return p == NULL ? 0 : p->num;
}

struct status_published
status_publish_get(struct status_publish *p, size_t i)
{
	struct status_published report;

	oc_assert(i < p->num);
	(void)pthread_mutex_lock(&p->lock);
	report = p->list[i].report;
	(void)pthread_mutex_unlock(&p->lock);
	return report;
}
