/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of serial numbers, one a line: hexadecimal, as openssl prints it,
 * with or without colons or 0x; digits alone are hexadecimal, too, since who
 * writes such a file writes all of them alike.  Blank lines, and what stands
 * behind "#", are nothing.  For a million lines: read as they come, 21 octets
 * each.
 */
#ifndef BASE_SERIAL_LIST_H
#define BASE_SERIAL_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/serial.h"

/* 350 MB of them; who has more gives them in two files. */
#define OC_SERIAL_LIST_MAX (16u * 1024 * 1024)
/* With a comment behind it. */
#define OC_SERIAL_LINE_MAX 1024

struct oc_serial_list {
	struct oc_serial *serials;	/* owned; after end: ascending by
					 * length and octets, each once */
	uint32_t num, room;
	uint32_t num_double;		/* left out: were there already */
	uint64_t num_lines;
	uint64_t num_bad;		/* lines */
	struct oc_error bad;		/* the first: "line 17: ..." */
	enum oc_err err;		/* NOMEM, LIMIT: no more was taken */
	char line[OC_SERIAL_LINE_MAX + 1];
	size_t line_len;		/* beyond the limit: no text */
};

/* Zero state is an empty list. */
void oc_serial_list_fini(struct oc_serial_list *list);
/* The next octets of the file, cut anywhere. */
void oc_serial_list_feed(struct oc_serial_list *list, const char *octets,
    size_t len);
/*
 * There are no more.  MALFORMED if a line is no serial number: the error has
 * the first of them with its number, and how many more there are.  NOT_FOUND
 * if it has none at all, LIMIT for too many.
 */
enum oc_err oc_serial_list_end(struct oc_serial_list *list,
    struct oc_error *error) OC_MUST_CHECK;
/* The whole of a file, or of standard input for "-"; errors say which. */
enum oc_err oc_serial_list_read(const char *path, struct oc_serial_list *list,
    struct oc_error *error) OC_MUST_CHECK;

/* By length, then octets: as numbers. */
int oc_serial_compare(const struct oc_serial *a, const struct oc_serial *b);

#endif
