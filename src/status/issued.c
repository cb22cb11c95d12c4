/* SPDX-License-Identifier: Apache-2.0 */
#include "status/issued.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "status/list.h"

/* Before that who writes it in place may not be done: half a number is another
 * one's, and half a list takes back the rest. */
#define SETTLE_NS (3 * OC_NS_PER_S)

static int
compare_singles(const void *a, const void *b)
{
	return status_serial_compare(a, b);
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct status_issued_range *x = a, *y = b;

	return status_serial_compare(&x->first, &y->first);
}

/* --- reading ----------------------------------------------------------- */

/* Room for one more; what is there is doubled. */
static bool
make_room(void **items, uint32_t num, uint32_t *room, size_t size)
{
	uint32_t more = *room * 2 + 64;
	void *larger;

	if (num < *room)
		return true;
	larger = reallocarray(*items, more, size);
	if (larger == NULL)
		return false;
	*items = larger;
	*room = more;
	return true;
}

struct parser {
	struct status_issued *issued;
	uint32_t singles_room, ranges_room;
};

static enum oc_err
take_range(struct parser *p, const char *text, size_t len, const char *dash)
{
	struct status_issued *issued = p->issued;
	size_t first_len = (size_t)(dash - text);
	struct status_issued_range range;

	if (!status_serial_read(text, first_len, &range.first) ||
	    !status_serial_read(dash + 1, len - first_len - 1, &range.last) ||
	    status_serial_compare(&range.first, &range.last) > 0)
		return OC_ERR_MALFORMED;
	if (!make_room((void **)&issued->ranges, issued->num_ranges,
	    &p->ranges_room, sizeof(range)))
		return OC_ERR_NOMEM;
	issued->ranges[issued->num_ranges++] = range;
	return OC_OK;
}

/* Without blanks around it, and not empty. */
static enum oc_err
take_word(struct parser *p, const char *text, size_t len)
{
	struct status_issued *issued = p->issued;
	const char *dash = memchr(text, '-', len);
	struct oc_serial serial;

	if (dash != NULL)
		return take_range(p, text, len, dash);
	if (!status_serial_read(text, len, &serial))
		return OC_ERR_MALFORMED;
	if (!make_room((void **)&issued->singles, issued->num_singles,
	    &p->singles_room, sizeof(serial)))
		return OC_ERR_NOMEM;
	issued->singles[issued->num_singles++] = serial;
	return OC_OK;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static enum oc_err
take_line(struct parser *p, const char *text, size_t len)
{
	const char *comment = memchr(text, '#', len);

	if (comment != NULL)
		len = (size_t)(comment - text);
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	while (len > 0 && is_blank(*text)) {
		text++;
		len--;
	}
	return len == 0 ? OC_OK : take_word(p, text, len);
}

static void
sort(struct status_issued *issued)
{
	uint32_t num = 0, i;

	if (issued->num_singles > 1)
		qsort(issued->singles, issued->num_singles,
		    sizeof(*issued->singles), compare_singles);
	for (i = 0; i < issued->num_singles; i++)
		if (num == 0 || !oc_serial_equal(&issued->singles[num - 1],
		    &issued->singles[i]))
			issued->singles[num++] = issued->singles[i];
	issued->num_singles = num;
	if (issued->num_ranges > 1)
		qsort(issued->ranges, issued->num_ranges,
		    sizeof(*issued->ranges), compare_ranges);
	for (num = 0, i = 0; i < issued->num_ranges; i++) {
		struct status_issued_range *last = num == 0 ? NULL :
		    &issued->ranges[num - 1];
		const struct status_issued_range *next = &issued->ranges[i];

		if (last == NULL || status_serial_compare(&last->last,
		    &next->first) < 0)
			issued->ranges[num++] = *next;
		else if (status_serial_compare(&last->last, &next->last) < 0)
			last->last = next->last;
	}
	issued->num_ranges = num;
}

/* Half a number is another one's. */
static enum oc_err
fail_torn(unsigned int line, struct oc_error *error)
{
	return oc_error_set(error, OC_ERR_MALFORMED, "line %u has no end, so "
	    "that more may be missing", line);
}

enum oc_err
status_issued_parse(const char *text, size_t len, struct status_issued **out,
    struct oc_error *error)
{
	struct parser p = { .issued = calloc(1, sizeof(*p.issued)) };
	enum oc_err err = p.issued == NULL ? OC_ERR_NOMEM : OC_OK;
	unsigned int line = 1;

	if (p.issued != NULL)
		atomic_init(&p.issued->num_holders, 1);
	for (; err == OC_OK && len > 0; line++) {
		const char *end = memchr(text, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - text);

		err = end == NULL ? fail_torn(line, error) : take_line(&p,
		    text, n);
		if (err == OC_ERR_MALFORMED && end != NULL)
			(void)oc_error_set(error, err, "line %u is neither a "
			    "serial number nor a range of them, in "
			    "hexadecimal: write 1A2B or 1A00-1AFF", line);
		n += end != NULL;
		text += n;
		len -= n;
	}
	if (err == OC_ERR_NOMEM)
		(void)oc_error_set(error, err, "out of memory");
	if (err != OC_OK) {
		status_issued_release(p.issued);
		return err;
	}
	sort(p.issued);
	*out = p.issued;
	return OC_OK;
}

void
status_issued_hold(struct status_issued *issued)
{
	atomic_fetch_add(&issued->num_holders, 1);
}

void
status_issued_release(struct status_issued *issued)
{
	if (issued == NULL || atomic_fetch_sub(&issued->num_holders, 1) > 1)
		return;
	free(issued->singles);
	free(issued->ranges);
	free(issued);
}

bool
status_issued_has(const struct status_issued *issued,
    const struct oc_serial *serial)
{
	uint32_t from = 0, to = issued->num_ranges;

	if (issued->num_singles > 0 && bsearch(serial, issued->singles,
	    issued->num_singles, sizeof(*issued->singles),
	    compare_singles) != NULL)
		return true;
	while (from < to) {
		uint32_t middle = from + (to - from) / 2;
		const struct status_issued_range *range =
		    &issued->ranges[middle];

		if (status_serial_compare(serial, &range->first) < 0)
			to = middle;
		else if (status_serial_compare(serial, &range->last) > 0)
			from = middle + 1;
		else
			return true;
	}
	return false;
}

/* --- the file ---------------------------------------------------------- */

/* Who has given out certificates has not given out none. */
static enum oc_err
check_empty(const struct status_issued_file *f,
    const struct status_issued *issued, struct oc_error *error)
{
	return f->num == 0 || issued->num_singles + issued->num_ranges > 0 ?
	    OC_OK : oc_error_set(error, OC_ERR_MALFORMED, "%s: no serial "
	    "number is in it any more", f->path);
}

static enum oc_err
read_file(const char *path, struct status_issued **issued,
    struct oc_error *error)
{
	uint8_t *octets = NULL;
	size_t len = 0;
	enum oc_err err;

	err = oc_file_read_regular(path, OC_ISSUED_FILE_MAX, &octets, &len,
	    NULL, error);
	if (err == OC_OK) {
		err = status_issued_parse((const char *)octets, len, issued,
		    error);
		if (err != OC_OK)
			(void)oc_error_prefix(error, "%s", path);
	}
	free(octets);
	return err;
}

struct status_issued *
status_issued_file_look(struct status_issued_file *f, const char *issuer,
    int64_t mono_ns)
{
	struct oc_file_stamp stamp = { .len = 0 };
	struct status_issued *issued = NULL;
	struct oc_error error = { 0 };
	bool is_first = false;
	enum oc_err err;

	(void)!oc_file_stamp(f->path, &stamp, NULL);
	if (f->seen_ns == 0 || !oc_file_stamp_equal(&stamp, &f->seen)) {
		is_first = f->seen_ns == 0;
		f->seen = stamp;
		f->seen_ns = mono_ns;
		f->is_settled = false;
	}
	if (!is_first && (f->is_settled || mono_ns - f->seen_ns < SETTLE_NS))
		return NULL;
	f->is_settled = !is_first;
	err = read_file(f->path, &issued, &error);
	if (err == OC_OK)
		err = check_empty(f, issued, &error);
	if (err != OC_OK) {
		status_issued_release(issued);
		issued = NULL;
	} else
		f->num = issued->num_singles + issued->num_ranges;
	if (err != OC_OK && !f->has_failed)
		oc_log(OC_LOG_ERROR, "issuer %s: issued: %s; what was read "
		    "before stays", issuer, error.text);
	f->has_failed = err != OC_OK;
	return issued;
}
