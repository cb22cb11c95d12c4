/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* Not over PIPE_BUF (4096 on Linux): lines of several processes that share
 * a pipe do not mix. */
#define LINE_MAX_LEN 4096
#define TEXT_MAX_LEN 2048

/* Set once, before there are threads. */
static const char *log_name = "ocsign";
static enum oc_log_level log_level = OC_LOG_NOTICE;
static bool is_journal;

/* $JOURNAL_STREAM is inherited, stderr may have been redirected since: only
 * device and inode tell (systemd.exec(5)). */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	if (stream == NULL ||
	    sscanf(stream, "%ju:%ju", &device, &inode) != 2)
		return false;
	return fstat(STDERR_FILENO, &st) == 0 &&
	    (uintmax_t)st.st_dev == device && (uintmax_t)st.st_ino == inode;
}

void
oc_log_init(const char *name, enum oc_log_level level)
{
	log_name = name;
	log_level = level;
	is_journal = stderr_is_journal();
}

static const char *
level_name(enum oc_log_level level)
{
	switch (level) {
	case OC_LOG_ERROR:
		return "error";
	case OC_LOG_WARNING:
		return "warning";
	case OC_LOG_NOTICE:
		return "notice";
	case OC_LOG_INFO:
		return "info";
	case OC_LOG_DEBUG:
		return "debug";
	}
	return "?";
}

/* Returns the length without NUL; what does not fit is dropped. */
static size_t
escape(const char *text, char *out, size_t out_max)
{
	size_t len = 0;

	for (; *text != '\0' && len + 5 < out_max; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c != 0x7f)
			out[len++] = (char)c;
		else
			len += (size_t)snprintf(out + len, out_max - len,
			    "\\x%02x", c);
	}
	out[len] = '\0';
	return len;
}

static void
write_line(const char *line, size_t len)
{
	/* A log that cannot be written must not stop what it reports on. */
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		line += n;
		len -= (size_t)n;
	}
}

static void OC_PRINTF(2, 0)
log_list(enum oc_log_level level, const char *format, va_list ap)
{
	char text[TEXT_MAX_LEN], line[LINE_MAX_LEN];
	int saved = errno, head;
	size_t len;

	if (level > log_level)
		return;
	if (vsnprintf(text, sizeof(text), format, ap) < 0)
		text[0] = '\0';
	if (is_journal)
		head = snprintf(line, sizeof(line), "<%d>", (int)level);
	else
		head = snprintf(line, sizeof(line), "%.64s: %s: ", log_name,
		    level_name(level));
	oc_assert(head > 0);
	len = (size_t)head;
	len += escape(text, line + len, sizeof(line) - 1 - len);
	line[len++] = '\n';
	write_line(line, len);
	errno = saved;
}

void
oc_log(enum oc_log_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_list(level, format, ap);
	va_end(ap);
}

void
oc_log_few(struct oc_log_few *few, enum oc_log_level level,
    const char *format, ...)
{
	int64_t now_ns = oc_clock_mono_ns();
	va_list ap;

	if (few->since_ns == 0 ||
	    now_ns - few->since_ns >= 60 * OC_NS_PER_S) {
		if (few->num_left_out > 0)
			oc_log(level, "%u more lines like the next were left "
			    "out", few->num_left_out);
		*few = (struct oc_log_few){ .since_ns = now_ns };
	}
	if (few->num == OC_LOG_FEW_MAX) {
		few->num_left_out++;
		return;
	}
	few->num++;
	va_start(ap, format);
	log_list(level, format, ap);
	va_end(ap);
}
