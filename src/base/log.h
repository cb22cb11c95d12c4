/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines on stderr, one write(2) each: "ocsign-signer: warning: text", or,
 * where the journal reads stderr ($JOURNAL_STREAM), "<4>text".  Control bytes
 * in the text are escaped; nothing secret is ever passed in.
 * Safe from several threads.  Never on the hot path.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

#include "base/err.h"

enum oc_log_level {		/* the values are syslog's */
	OC_LOG_ERROR = 3,
	OC_LOG_WARNING = 4,
	OC_LOG_NOTICE = 5,
	OC_LOG_INFO = 6,
	OC_LOG_DEBUG = 7
};

/* name is kept, not copied: "ocsign-signer".  Lines above the level are
 * dropped. */
void oc_log_init(const char *name, enum oc_log_level level);

void oc_log(enum oc_log_level level, const char *format, ...) OC_PRINTF(2, 3);

/*
 * For what others can make happen as often as they like: ten lines a minute,
 * and then how many were left out.  few is static where it is used, all zero
 * at first, and one thread's.
 */
#define OC_LOG_FEW_MAX 10
struct oc_log_few {
	int64_t since_ns;
	unsigned int num, num_left_out;
};
void oc_log_few(struct oc_log_few *few, enum oc_log_level level,
    const char *format, ...) OC_PRINTF(3, 4);

#endif
