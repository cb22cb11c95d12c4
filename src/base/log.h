/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log lines on stderr, one write(2) each: "ocsign-signer: warning: text", or,
 * where the journal reads stderr ($JOURNAL_STREAM), "<4>text".  Control bytes
 * in the text are escaped; nothing secret is ever passed in.
 * Safe from several threads.  Never on the hot path.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

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

#endif
