/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that send letters by libcurl.  Its SMTP says QUIT at the end and
 * waits for what the server says to that, also within the multi interface,
 * which would hold an event loop for as long as a server likes; a thread of
 * four may wait.
 *
 * Threads begin with the first letter.  All but the threads' own work is for
 * the loop's thread alone.
 */
#ifndef VALIDATION_POST_H
#define VALIDATION_POST_H

#include <curl/curl.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "validation/validation.h"

/* What a server says in a line, and in all: who goes on talking says
 * nothing. */
#define VALIDATION_LETTER_LINE_MAX 200
#define VALIDATION_LETTER_SAID_MAX (64 * 1024)
#define VALIDATION_LETTERS_MAX 256	/* that are not sent yet */

struct validation_letter {
	/* The caller's: a handle that knows server and addresses. */
	CURL *easy;
	struct curl_slist *to, *resolve;
	struct oc_buffer message;
	int64_t deadline_ns;
	void *job;			/* NULL: nobody waits for it */
	atomic_bool is_abandoned;	/* it ends soon, however */
	/* How it went. */
	CURLcode rc;
	long code;			/* of the line; 0 */
	char line[VALIDATION_LETTER_LINE_MAX];	/* what the server said */
	char trouble[CURL_ERROR_SIZE];
	/* The post's own. */
	struct validation_post *post;
	struct validation_letter *next;
	size_t num_sent, num_said;
	bool has_verdict;
	int64_t told_ns;		/* since when all is said; 0 */
};

struct validation_post;

enum oc_err validation_post_new(struct validation_post **post) OC_MUST_CHECK;
/* Readable when take() has one. */
int validation_post_fd(const struct validation_post *post);
/* Moves it in until take(); BUSY, NOMEM, SYSTEM: it stays the caller's. */
enum oc_err validation_post_put(struct validation_post *post,
    struct validation_letter *letter) OC_MUST_CHECK;
/* One that was sent, or not; NULL: none for now. */
struct validation_letter *validation_post_take(struct validation_post *post);
/* Whatever is on its way ends within some seconds; letters are freed.  NULL is
 * fine. */
void validation_post_free(struct validation_post *post);

/* What the caller has in it as well.  NULL is fine. */
void validation_letter_free(struct validation_letter *letter);

#endif
