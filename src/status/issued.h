/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial numbers that a CA has given out, from a file: [issuer NAME]
 * issued.  A list never changes once it is read, and lives for as long as
 * somebody holds it.
 */
#ifndef STATUS_ISSUED_H
#define STATUS_ISSUED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/file.h"
#include "base/serial.h"

struct status_issued_range { struct oc_serial first, last; };

struct status_issued {
	struct oc_serial *singles;	/* owned; in their order, each once */
	struct status_issued_range *ranges;	/* owned; in their order, and
					 * none touches the next */
	uint32_t num_singles, num_ranges;
	atomic_uint num_holders;	/* private */
};

/*
 * A number or a range a line, in hexadecimal, "1A2B" or "1A00-1AFF"; what
 * stands behind '#', and empty lines, are nothing.  MALFORMED, with the line:
 * anything else, numbers that no certificate can have, ranges that end before
 * they begin, and a last line without its end, since half of a number is
 * another one's.
 */
enum oc_err status_issued_parse(const char *text, size_t len,
    struct status_issued **issued, struct oc_error *error) OC_MUST_CHECK;
void status_issued_hold(struct status_issued *issued);
void status_issued_release(struct status_issued *issued);  /* NULL: fine */
bool status_issued_has(const struct status_issued *issued,
    const struct oc_serial *serial);

/* The file, looked at by one thread, and read at once, and then again whenever
 * it has not changed for three seconds.  Of one that was not empty, an empty
 * one does not take the place.  Zero state, but for the path: not looked at
 * yet. */
struct status_issued_file {
	const char *path;		/* borrowed */
	struct oc_file_stamp seen;
	int64_t seen_ns;		/* since when it is so; 0: never */
	bool is_settled;		/* as it is, it has been read */
	bool has_failed;
	uint32_t num;			/* numbers and ranges read last */
};
/* NULL: nothing new, or what is there is no good, which is said once in the
 * log; issuer is its name there. */
struct status_issued *status_issued_file_look(struct status_issued_file *file,
    const char *issuer, int64_t mono_ns);

#endif
