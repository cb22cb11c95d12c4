/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meta elements of an HTML page's head: as much of the HTML standard's
 * tokenizer and of its tree construction ("in head") as tells them from what
 * only looks like one, in a comment, script, title or attribute, or in the
 * body.  One pass, bounded memory, no allocation; where the standard goes on
 * in ways that would need a tree, the head ends.
 */
#ifndef VALIDATION_HTML_H
#define VALIDATION_HTML_H

#include <stdbool.h>
#include <stddef.h>

#define VALIDATION_HTML_VALUE_MAX 600	/* longer values are cut, and match
					 * nothing */

/* The content attribute of one whose name attribute, in any case, is that;
 * decoded, blanks around it gone.  False: no more. */
typedef bool validation_html_fn(void *arg, const char *content);

/* How many there were until fn had enough.  Whatever the octets are. */
size_t validation_html_metas(const char *page, size_t len, const char *name,
    validation_html_fn *fn, void *arg);

#endif
