/* SPDX-License-Identifier: Apache-2.0 */
/* One mutex is around the two lists; a letter is its thread's alone while it
 * is in neither. */
#include "validation/post.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"

#define THREADS_NUM 4
/* For a server to say good-bye in. */
#define QUIT_MAX_NS (2 * OC_NS_PER_S)

struct list {
	struct validation_letter *first, **end;
	unsigned int num;
};

struct validation_post {
	pthread_mutex_t mutex;
	pthread_cond_t is_work;
	struct list waiting, sent;
	atomic_bool is_stopping;
	pthread_t threads[THREADS_NUM];
	unsigned int num_threads;
	int fd;
};

static void
put(struct list *list, struct validation_letter *letter)
{
	letter->next = NULL;
	*list->end = letter;
	list->end = &letter->next;
	list->num++;
}

static struct validation_letter *
get(struct list *list)
{
	struct validation_letter *letter = list->first;

	if (letter == NULL)
		return NULL;
	list->first = letter->next;
	if (list->first == NULL)
		list->end = &list->first;
	list->num--;
	return letter;
}

void
validation_letter_free(struct validation_letter *letter)
{
	if (letter == NULL)
		return;
	if (letter->easy != NULL)
		curl_easy_cleanup(letter->easy);
	curl_slist_free_all(letter->to);
	curl_slist_free_all(letter->resolve);
	/* There is a code in it. */
	oc_buffer_fini(&letter->message);
	free(letter);
}

/* --- on a thread -------------------------------------------------------- */

static size_t
on_wanted(char *bytes, size_t size, size_t num, void *arg)
{
	struct validation_letter *letter = arg;
	size_t len = letter->message.len - letter->num_sent;

	if (len > size * num)
		len = size * num;
	memcpy(bytes, letter->message.bytes + letter->num_sent, len);
	letter->num_sent += len;
	return len;
}

static long
code_of(const char *line)
{
	return line[0] >= '2' && line[0] <= '5' ? strtol(line, NULL, 10) : 0;
}

static void
keep_line(struct validation_letter *letter, const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len >= sizeof(letter->line))
		len = sizeof(letter->line) - 1;
	memcpy(letter->line, line, len);
	letter->line[len] = '\0';
	letter->code = code_of(letter->line);
}

/* A line of the server's, with its CR LF.  What it says to a whole message is
 * the last word, and what it says against anything before is so unless more
 * is refused: what comes behind that is said to QUIT. */
static size_t
on_line(char *line, size_t size, size_t num, void *arg)
{
	struct validation_letter *letter = arg;
	size_t len = size * num;
	bool is_refusal = len > 0 && (line[0] == '4' || line[0] == '5');
	bool is_sent = letter->num_sent == letter->message.len;

	letter->num_said += len;
	if (letter->num_said > VALIDATION_LETTER_SAID_MAX)
		return 0;
	letter->told_ns = is_refusal || is_sent ? oc_clock_mono_ns() : 0;
	if (!letter->has_verdict && (is_refusal || is_sent ||
	    letter->code < 400))
		keep_line(letter, line, len);
	letter->has_verdict |= is_sent;
	return len;
}

/* Each second at least, also while it waits for the answer to QUIT. */
static int
on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct validation_letter *letter = arg;
	int64_t now_ns = oc_clock_mono_ns();

	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(&letter->is_abandoned) ||
	    atomic_load(&letter->post->is_stopping) ||
	    now_ns >= letter->deadline_ns || (letter->told_ns != 0 &&
	    now_ns - letter->told_ns > QUIT_MAX_NS);
}

static void
send_letter(struct validation_letter *letter)
{
	CURL *easy = letter->easy;

	/* It waited for too long, and its failure has been told. */
	letter->rc = CURLE_ABORTED_BY_CALLBACK;
	if (atomic_load(&letter->is_abandoned) ||
	    oc_clock_mono_ns() >= letter->deadline_ns)
		return;
	letter->rc = CURLE_FAILED_INIT;
	if (curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_wanted) ==
	    CURLE_OK && curl_easy_setopt(easy, CURLOPT_READDATA, letter) ==
	    CURLE_OK && curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
	    on_line) == CURLE_OK && curl_easy_setopt(easy,
	    CURLOPT_HEADERDATA, letter) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress) ==
	    CURLE_OK && curl_easy_setopt(easy, CURLOPT_XFERINFODATA,
	    letter) == CURLE_OK && curl_easy_setopt(easy, CURLOPT_NOPROGRESS,
	    0L) == CURLE_OK && curl_easy_setopt(easy, CURLOPT_ERRORBUFFER,
	    letter->trouble) == CURLE_OK)
		letter->rc = curl_easy_perform(easy);
}

static void *
run(void *arg)
{
	struct validation_post *post = arg;
	struct validation_letter *letter;
	const uint64_t one = 1;

	(void)pthread_mutex_lock(&post->mutex);
	while (!atomic_load(&post->is_stopping)) {
		letter = get(&post->waiting);
		if (letter == NULL) {
			(void)pthread_cond_wait(&post->is_work, &post->mutex);
			continue;
		}
		(void)pthread_mutex_unlock(&post->mutex);
		send_letter(letter);
		(void)pthread_mutex_lock(&post->mutex);
		put(&post->sent, letter);
		(void)!write(post->fd, &one, sizeof(one));
	}
	(void)pthread_mutex_unlock(&post->mutex);
	return NULL;
}

/* --- on the loop's ------------------------------------------------------ */

enum oc_err
validation_post_new(struct validation_post **out)
{
	struct validation_post *post = calloc(1, sizeof(*post));

	if (post == NULL)
		return OC_ERR_NOMEM;
	post->waiting.end = &post->waiting.first;
	post->sent.end = &post->sent.first;
	post->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (post->fd < 0) {
		free(post);
		return OC_ERR_SYSTEM;
	}
	(void)pthread_mutex_init(&post->mutex, NULL);
	(void)pthread_cond_init(&post->is_work, NULL);
	*out = post;
	return OC_OK;
}

int
validation_post_fd(const struct validation_post *post)
{
	return post->fd;
}

enum oc_err
validation_post_put(struct validation_post *post,
    struct validation_letter *letter)
{
	enum oc_err err = OC_OK;

	while (post->num_threads < THREADS_NUM && oc_thread_start(
	    &post->threads[post->num_threads], run, post) == 0)
		post->num_threads++;
	if (post->num_threads == 0)
		return OC_ERR_SYSTEM;
	(void)pthread_mutex_lock(&post->mutex);
	if (post->waiting.num >= VALIDATION_LETTERS_MAX) {
		err = OC_ERR_BUSY;
	} else {
		letter->post = post;
		put(&post->waiting, letter);
		(void)pthread_cond_signal(&post->is_work);
	}
	(void)pthread_mutex_unlock(&post->mutex);
	return err;
}

struct validation_letter *
validation_post_take(struct validation_post *post)
{
	struct validation_letter *letter;
	uint64_t num;

	(void)pthread_mutex_lock(&post->mutex);
	(void)!read(post->fd, &num, sizeof(num));
	letter = get(&post->sent);
	(void)pthread_mutex_unlock(&post->mutex);
	return letter;
}

void
validation_post_free(struct validation_post *post)
{
	struct validation_letter *letter;

	if (post == NULL)
		return;
	(void)pthread_mutex_lock(&post->mutex);
	atomic_store(&post->is_stopping, true);
	(void)pthread_cond_broadcast(&post->is_work);
	(void)pthread_mutex_unlock(&post->mutex);
	while (post->num_threads > 0)
		(void)pthread_join(post->threads[--post->num_threads], NULL);
	while ((letter = get(&post->waiting)) != NULL)
		validation_letter_free(letter);
	while ((letter = get(&post->sent)) != NULL)
		validation_letter_free(letter);
	(void)close(post->fd);
	(void)pthread_cond_destroy(&post->is_work);
	(void)pthread_mutex_destroy(&post->mutex);
	free(post);
}
