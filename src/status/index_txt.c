/* SPDX-License-Identifier: Apache-2.0 */
#include "status/index_txt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "der/time.h"

#define NUM_FIELDS 6
#define PART_LEN (256 * 1024)
/* "R", two dates, a reason, a serial number, and what stands for the rest. */
#define WRITTEN_MAX 128
#define SPOOL_MAX ((uint64_t)OC_RECORDS_MAX * WRITTEN_MAX + 4096)

enum { STATUS, END, REVOCATION, SERIAL, NAME, SUBJECT };
struct field { const char *text; size_t len; };

/* --- one line ---------------------------------------------------------- */

static enum oc_err
wrong(struct oc_error *error, const char *what)
{
	return oc_error_set(error, OC_ERR_MALFORMED, "%s", what);
}

/* openssl writes UTCTime until 2049, and reads both. */
static enum oc_err
read_time(const char *text, size_t len, int64_t *at)
{
	struct der_bytes contents = { (const uint8_t *)text, len };

	return len == DER_UTCTIME_LEN ? der_parse_utctime(contents, at) :
	    der_parse_gentime(contents, at);
}

/* The reasons that openssl has, some with an argument. */
enum argument { NONE, INSTRUCTION, DATE };
static const struct {
	const char *word;
	enum crl_reason reason;
	enum argument argument;
} reasons[] = {
	{ "unspecified", CRL_REASON_UNSPECIFIED, NONE },
	{ "keyCompromise", CRL_REASON_KEY_COMPROMISE, NONE },
	{ "CACompromise", CRL_REASON_CA_COMPROMISE, NONE },
	{ "affiliationChanged", CRL_REASON_AFFILIATION_CHANGED, NONE },
	{ "superseded", CRL_REASON_SUPERSEDED, NONE },
	{ "cessationOfOperation", CRL_REASON_CESSATION_OF_OPERATION, NONE },
	{ "certificateHold", CRL_REASON_CERTIFICATE_HOLD, NONE },
	{ "removeFromCRL", CRL_REASON_REMOVE_FROM_CRL, NONE },
	{ "privilegeWithdrawn", CRL_REASON_PRIVILEGE_WITHDRAWN, NONE },
	{ "aACompromise", CRL_REASON_AA_COMPROMISE, NONE },
	{ "holdInstruction", CRL_REASON_CERTIFICATE_HOLD, INSTRUCTION },
	{ "keyTime", CRL_REASON_KEY_COMPROMISE, DATE },
	{ "CAkeyTime", CRL_REASON_CA_COMPROMISE, DATE },
};
#define NUM_REASONS (sizeof(reasons) / sizeof(reasons[0]))

static enum oc_err
check_argument(enum argument wanted, const struct field *argument,
    int64_t *at, struct oc_error *error)
{
	struct der_bytes date = { (const uint8_t *)argument->text,
	    argument->len };

	switch (wanted) {
	case NONE:
		return argument->text == NULL ? OC_OK : wrong(error,
		    "the reason of the revocation has no argument");
	case INSTRUCTION:
		return argument->len > 0 ? OC_OK : wrong(error,
		    "holdInstruction has no instruction behind a comma");
	case DATE:
		break;
	}
	return argument->text != NULL && der_parse_gentime(date, at) ==
	    OC_OK ? OC_OK : wrong(error, "keyTime and CAkeyTime have a date "
	    "behind a comma, YYYYMMDDHHMMSSZ");
}

/* Up to the next comma, which is gone with it; text NULL: there is none. */
static struct field
take_part(struct field *rest)
{
	struct field part = *rest;
	size_t len = part.len;
	const char *comma = part.text == NULL ? NULL :
	    memchr(part.text, ',', part.len);

	*rest = (struct field){ NULL, 0 };
	if (comma == NULL)
		return part;
	part.len = (size_t)(comma - part.text);
	*rest = (struct field){ comma + 1, len - part.len - 1 };
	return part;
}

static enum oc_err
read_revocation(const char *text, size_t len, struct status_entry *entry,
    int64_t *invalidity_at, struct oc_error *error)
{
	struct field rest = { text, len };
	struct field date = take_part(&rest), word = take_part(&rest);
	int64_t revoked_at;
	size_t i;
	enum oc_err err;

	if (read_time(date.text, date.len, &revoked_at) != OC_OK)
		return wrong(error, "the revocation does not begin with a "
		    "date, YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ");
	for (i = 0; word.text != NULL && i < NUM_REASONS; i++)
		if (strlen(reasons[i].word) == word.len &&
		    strncasecmp(reasons[i].word, word.text, word.len) == 0)
			break;
	if (i == NUM_REASONS)
		return wrong(error, "the reason of the revocation is none of "
		    "RFC 5280's");
	err = check_argument(word.text == NULL ? NONE : reasons[i].argument,
	    &rest, invalidity_at, error);
	if (err != OC_OK)
		return err;
	entry->reason = word.text == NULL ? CRL_REASON_UNSPECIFIED :
	    (uint8_t)reasons[i].reason;
	entry->is_revoked = entry->reason != CRL_REASON_REMOVE_FROM_CRL;
	entry->revoked_at = revoked_at;
	return OC_OK;
}

enum oc_err
status_index_revocation(const char *text, size_t len,
    struct status_entry *entry, struct oc_error *error)
{
	int64_t invalidity_at = 0;

	return read_revocation(text, len, entry, &invalidity_at, error);
}

/* Behind a backslash a tab is the subject's own. */
static bool
split(const char *text, size_t len, struct field fields[NUM_FIELDS])
{
	size_t from = 0, num = 0, i;

	for (i = 0; i <= len; i++) {
		if (i < len && (text[i] != '\t' || (i > from &&
		    text[i - 1] == '\\')))
			continue;
		if (num == NUM_FIELDS)
			return false;
		fields[num++] = (struct field){ text + from, i - from };
		from = i + 1;
	}
	return num == NUM_FIELDS;
}

static enum oc_err
read_status(const struct field fields[NUM_FIELDS],
    struct status_index_line *line, struct oc_error *error)
{
	const struct field *revocation = &fields[REVOCATION];
	char status = fields[STATUS].len == 1 ? *fields[STATUS].text : '\0';

	if (status == 'R')
		return revocation->len == 0 ? wrong(error, "it is revoked, "
		    "and has no date of that") :
		    read_revocation(revocation->text, revocation->len,
		    &line->entry, &line->invalidity_at, error);
	if (status != 'V' && status != 'E')
		return wrong(error, "the status is none of V, R and E");
	return revocation->len == 0 ? OC_OK : wrong(error, "it has a date of "
	    "revocation, and is not revoked");
}

enum oc_err
status_index_line_read(const char *text, size_t len,
    struct status_index_line *line, struct oc_error *error)
{
	struct field fields[NUM_FIELDS];

	*line = (struct status_index_line){ .text = text, .len = len };
	if (memchr(text, '\0', len) != NULL)
		return wrong(error, "there is a NUL in it");
	if (!split(text, len, fields))
		return wrong(error, "it has not six fields with tabs between "
		    "them");
	if (fields[SERIAL].len % 2 != 0 || !status_serial_read(
	    fields[SERIAL].text, fields[SERIAL].len, &line->entry.serial))
		return wrong(error, "the serial number is not an even number "
		    "of hexadecimal digits, above zero, of 20 octets at most");
	if (read_time(fields[END].text, fields[END].len,
	    &line->entry.not_after) != OC_OK)
		return wrong(error, "the end is no date, YYMMDDHHMMSSZ or "
		    "YYYYMMDDHHMMSSZ");
	line->subject = fields[SUBJECT].text;
	line->subject_len = fields[SUBJECT].len;
	line->serial = fields[SERIAL].text;
	line->serial_len = fields[SERIAL].len;
	return read_status(fields, line, error);
}

/* --- all of them ------------------------------------------------------- */

enum oc_err
status_index_init(struct status_index *index)
{
	index->list = NULL;
	index->line = index->in_rest = 0;
	index->wanted = NULL;
	index->found[0] = index->found[1] = 0;
	index->fn = NULL;
	return status_list_new(&index->list);
}

void
status_index_fini(struct status_index *index)
{
	status_list_release(index->list);
	index->list = NULL;
}

static enum oc_err
add(struct status_index *index, const struct status_entry *entry)
{
	if (index->wanted == NULL)
		return status_list_add(index->list, entry);
	if (oc_serial_equal(index->wanted, &entry->serial))
		index->found[index->found[0] != 0] = index->line;
	return OC_OK;
}

static enum oc_err
take_line(struct status_index *index, const char *text, size_t len,
    struct oc_error *error)
{
	struct status_index_line line;
	enum oc_err err;

	index->line++;
	if (len > 0 && *text == '#')
		return OC_OK;
	err = status_index_line_read(text, len, &line, error);
	if (err == OC_OK && index->fn != NULL)
		err = index->fn(index->arg, &line, error);
	if (err != OC_OK)
		return oc_error_prefix(error, "line %u", index->line);
	if (index->fn != NULL)
		return OC_OK;
	err = add(index, &line.entry);
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "line %u: %s",
	    index->line, err == OC_ERR_LIMIT ? "there are too many of them" :
	    oc_strerror(err));
}

static enum oc_err
keep_rest(struct status_index *index, const char *text, size_t len,
    struct oc_error *error)
{
	if (len > sizeof(index->rest) - index->in_rest)
		return oc_error_set(error, OC_ERR_MALFORMED, "line %u: it is "
		    "longer than %d octets", index->line + 1,
		    OC_INDEX_LINE_MAX);
	memcpy(index->rest + index->in_rest, text, len);
	index->in_rest += (uint32_t)len;
	return OC_OK;
}

enum oc_err
status_index_put(struct status_index *index, const char *text, size_t len,
    struct oc_error *error)
{
	enum oc_err err = OC_OK;

	while (err == OC_OK && len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - text);

		if (end == NULL || index->in_rest > 0 ||
		    n > sizeof(index->rest))
			err = keep_rest(index, text, n, error);
		if (err == OC_OK && end != NULL)
			err = index->in_rest > 0 ? take_line(index,
			    index->rest, index->in_rest, error) :
			    take_line(index, text, n, error);
		if (end != NULL)
			index->in_rest = 0;
		n += end != NULL;
		text += n;
		len -= n;
	}
	return err;
}

static enum oc_err
fail_torn(const struct status_index *index, struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_MALFORMED, "line %u: it has no end, "
	    "so that more may be missing", index->line + 1);
}

enum oc_err
status_index_finish(struct status_index *index, struct status_list **list,
    struct oc_error *error)
{
	char serial[OC_SERIAL_TEXT_MAX];
	struct oc_serial twice;

	if (index->in_rest > 0)
		return fail_torn(index, error);
	if (index->list->num_entries == 0)
		return oc_error_set(error, OC_ERR_MALFORMED, "no certificate "
		    "is in it");
	if (status_list_sort(index->list) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	if (status_list_double(index->list, &twice)) {
		oc_serial_format(&twice, serial);
		return oc_error_set(error, OC_ERR_EXISTS, "the serial number "
		    "%s is there twice", serial);
	}
	status_list_close(index->list);
	*list = index->list;
	index->list = NULL;
	return OC_OK;
}

/* --- files ------------------------------------------------------------- */

static enum oc_err
put_all(struct status_index *index, int fd, struct oc_error *error)
{
	char *part = malloc(PART_LEN);
	enum oc_err err = part == NULL ? OC_ERR_NOMEM : OC_OK;
	ssize_t num = 1;

	while (err == OC_OK && num != 0) {
		num = read(fd, part, PART_LEN);
		if (num > 0)
			err = status_index_put(index, part, (size_t)num,
			    error);
		else if (num < 0 && errno != EINTR)
			err = oc_error_set(error, OC_ERR_SYSTEM, "%s",
			    strerror(errno));
	}
	free(part);
	return err;
}

/* Which lines they are nobody has kept. */
static enum oc_err
name_lines(struct status_index *index, int fd, struct oc_error *error)
{
	struct oc_serial serial = { .len = 0 };
	char text[OC_SERIAL_TEXT_MAX];
	struct oc_error unused = { 0 };

	oc_assert(status_list_double(index->list, &serial));
	index->wanted = &serial;
	index->line = index->in_rest = 0;
	oc_serial_format(&serial, text);
	if (lseek(fd, 0, SEEK_SET) == 0 && put_all(index, fd, &unused) ==
	    OC_OK && index->found[1] != 0)
		(void)oc_error_set(error, OC_ERR_MALFORMED, "line %u: the "
		    "serial number %s stands in line %u as well",
		    index->found[1], text, index->found[0]);
	error->code = OC_ERR_MALFORMED;
	return OC_ERR_MALFORMED;
}

static enum oc_err
read_open(struct status_index *index, int fd, struct status_list **list,
    struct oc_error *error)
{
	enum oc_err err = put_all(index, fd, error);

	if (err == OC_OK)
		err = status_index_finish(index, list, error);
	return err == OC_ERR_EXISTS ? name_lines(index, fd, error) : err;
}

static enum oc_err
open_regular(const char *path, int *fd, struct oc_error *error)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return oc_error_set(error, errno == ENOENT ?
		    OC_ERR_NOT_FOUND : OC_ERR_SYSTEM, "%s", strerror(errno));
	return S_ISREG(st.st_mode) ? OC_OK : oc_error_set(error,
	    OC_ERR_REFUSED, "it is no regular file");
}

enum oc_err
status_index_read(const char *path, struct status_list **list,
    struct oc_file_stamp *stamp, struct oc_error *error)
{
	struct status_index *index = malloc(sizeof(*index));
	struct oc_file_stamp after;
	struct status_list *read = NULL;
	enum oc_err err = index == NULL ? OC_ERR_NOMEM :
	    status_index_init(index);
	int fd = -1;

	if (err == OC_OK)
		err = oc_file_stamp(path, stamp, error);
	if (err == OC_OK)
		err = open_regular(path, &fd, error);
	if (err == OC_OK)
		err = read_open(index, fd, &read, error);
	/* Half of one, half of another. */
	if (err == OC_OK && (oc_file_stamp(path, &after, NULL) != OC_OK ||
	    !oc_file_stamp_equal(stamp, &after)))
		err = oc_error_set(error, OC_ERR_BUSY, "it has changed while "
		    "it was read");
	if (err == OC_ERR_NOMEM)
		(void)oc_error_set(error, err, "out of memory");
	if (err == OC_OK)
		*list = read;
	else
		status_list_release(read);
	if (index != NULL)
		status_index_fini(index);
	free(index);
	if (fd >= 0)
		(void)close(fd);
	return err;
}

static enum oc_err
walk_open(struct status_index *index, int fd, struct oc_error *error)
{
	enum oc_err err = put_all(index, fd, error);

	if (err == OC_OK && index->in_rest > 0)
		return fail_torn(index, error);
	return err;
}

enum oc_err
status_index_walk(const char *path, status_index_line_fn *fn, void *arg,
    struct oc_error *error)
{
	struct status_index *index = malloc(sizeof(*index));
	struct oc_file_stamp before, after;
	enum oc_err err;
	int fd = -1;

	if (index == NULL || status_index_init(index) != OC_OK) {
		free(index);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	index->fn = fn;
	index->arg = arg;
	err = oc_file_stamp(path, &before, error);
	if (err == OC_OK)
		err = open_regular(path, &fd, error);
	if (err == OC_OK)
		err = walk_open(index, fd, error);
	if (err == OC_OK && (oc_file_stamp(path, &after, NULL) != OC_OK ||
	    !oc_file_stamp_equal(&before, &after)))
		err = oc_error_set(error, OC_ERR_BUSY, "it has changed while "
		    "it was read");
	status_index_fini(index);
	free(index);
	if (fd >= 0)
		(void)close(fd);
	return err;
}

/* --- writing ----------------------------------------------------------- */

static int
write_line(const struct status_entry *e, char text[WRITTEN_MAX])
{
	char serial[OC_SERIAL_TEXT_MAX], revocation[64] = "";
	uint8_t end[DER_GENTIME_LEN], at[DER_GENTIME_LEN];
	bool is_listed = e->is_revoked ||
	    e->reason == CRL_REASON_REMOVE_FROM_CRL;

	oc_serial_format(&e->serial, serial);
	der_format_gentime(e->not_after, end);
	if (is_listed) {
		der_format_gentime(e->revoked_at, at);
		(void)snprintf(revocation, sizeof(revocation), "%.*s,%s",
		    DER_GENTIME_LEN, (const char *)at,
		    crl_reason_name((enum crl_reason)e->reason));
	}
	return snprintf(text, WRITTEN_MAX, "%c\t%.*s\t%s\t%s\tunknown\t/\n",
	    is_listed ? 'R' : 'V', DER_GENTIME_LEN, (const char *)end,
	    revocation, serial);
}

enum oc_err
status_index_write(const struct status_list *list, const char *first_line,
    struct oc_mapping *text)
{
	char line[WRITTEN_MAX];
	struct oc_spool spool;
	enum oc_err err = oc_spool_open(&spool, "ocsign-index", SPOOL_MAX);

	if (err == OC_OK) {
		oc_spool_put(&spool, first_line, strlen(first_line));
		oc_spool_put(&spool, "\n", 1);
	}
	for (uint32_t i = 0; err == OC_OK && i < list->num_entries; i++) {
		struct status_entry e = status_list_at(list, i);

		oc_spool_put(&spool, line, (size_t)write_line(&e, line));
	}
	if (err == OC_OK)
		err = oc_spool_seal(&spool);
	if (err == OC_OK)
		err = oc_spool_map(&spool, 0, text);
	oc_spool_close(&spool);
	return err;
}
