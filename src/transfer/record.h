/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source said of a certificate in its own words (store/import.h's
 * record): a word for the format, and behind it
 *
 *	index:	the line of an index.txt
 *	certdb:	the columns of a row, with a tab between them; in them \\, \t,
 *		\n and \r are escaped with a backslash, and \N is null
 *
 * Of other sources there is none.
 */
#ifndef TRANSFER_RECORD_H
#define TRANSFER_RECORD_H

#include "base/bytes.h"
#include "status/certdb.h"

#define TRANSFER_RECORD_INDEX "index:"
#define TRANSFER_RECORD_CERTDB "certdb:"

/* In the order of enum status_certdb_more, behind what a row has. */
enum transfer_column {
	TRANSFER_KEY_ID, TRANSFER_PEM, TRANSFER_SERIAL, TRANSFER_STATUS,
	TRANSFER_REASON, TRANSFER_EXPIRY, TRANSFER_REVOKED_AT,
	TRANSFER_MORE,
	TRANSFER_NUM_COLUMNS = TRANSFER_MORE + STATUS_CERTDB_NUM_MORE
};

/* Columns as a record; NULL is null.  Failures are the buffer's. */
void transfer_record_write(struct oc_buffer *b,
    const char *const columns[TRANSFER_NUM_COLUMNS]);
/* The other way; text is changed, and columns are views into it.  MALFORMED:
 * it is no such record. */
enum oc_err transfer_record_read(char *text,
    const char *columns[TRANSFER_NUM_COLUMNS]) OC_MUST_CHECK;

#endif
