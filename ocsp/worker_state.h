/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What worker.c, accept.c, connection*.c, files.c, miss.c and tables.c share;
 * private to them.
 * One thread, so there are no locks.  All memory that requests need is
 * allocated when the worker is made; a connection that is idle holds its own
 * struct and nothing else.
 */
#ifndef OCSP_WORKER_STATE_H
#define OCSP_WORKER_STATE_H

#include <sys/queue.h>
#include <sys/types.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/limits.h"
#include "ipc/channel.h"
#include "ipc/turn.h"
#include "ocsp/answer.h"
#include "ocsp/http.h"
#include "ocsp/http_reply.h"
#include "ocsp/served.h"
#include "ocsp/sources.h"
#include "ocsp/target.h"
#include "ocsp/worker.h"

/* A buffer holds the longest head, the longest body and a little of the
 * framing of its next chunk; or what could not be sent.  Whole pages, so that
 * those of one that is not used can be given back. */
#define WORKER_BUFFER_LEN (88 * 1024)
_Static_assert(WORKER_BUFFER_LEN >= HTTP_HEAD_MAX + OCSP_REQUEST_MAX +
    3 * 1024, "see above");
/* Answers are gathered up to here before they are sent; what says 100 or 400
 * may stand behind them. */
#define WORKER_OUT_LEN (64 * 1024)
#define WORKER_OUT_ROOM (WORKER_OUT_LEN + 2 * HTTP_REPLY_MAX)
#define WORKER_ANSWER_MAX (HTTP_REPLY_MAX + OCSP_RESPONSE_MAX)
/* How many connections may hold a request that came in pieces, or an answer
 * that does not go out: what bounds the memory an attacker can have. */
#define WORKER_BUFFERS_MAX 2048

/* Each list is in the order of its deadlines, since all of its connections
 * wait equally long; so nothing is ever sorted or searched. */
enum worker_timer {
	TIMER_IDLE, TIMER_HEADER, TIMER_BODY, TIMER_WRITE, TIMER_LINGER,
	TIMER_NONE,		/* waits for ocsign-status: its own deadline */
	TIMER_MAX
};

enum connection_state {
	CONNECTION_HEAD,	/* between requests, or reading a head */
	CONNECTION_BODY,
	CONNECTION_ANSWER,
	CONNECTION_STATUS,	/* ocsign-status has been asked */
	CONNECTION_FILE,	/* what a head announced is being sent */
	CONNECTION_CLOSING,	/* the last answer is on its way */
	CONNECTION_LINGER,	/* until the other end has read it */
	CONNECTION_CLOSED
};

enum miss_verdict {
	MISS_PENDING, MISS_LOOK_AGAIN, MISS_NO_NONCE,
	MISS_NO_SIGNATURE,	/* what is at hand is better than tryLater */
	MISS_ANSWERED		/* and put into the output */
};

/* What is served at a path, or was and is still being sent; closed when
 * nobody has it any more. */
struct worker_served {
	struct ocsp_served served;
	uint32_t num_users;
};

struct worker_file {
	uint8_t *target;
	size_t target_len;
	char *path;
	enum oc_config_file_kind kind;
	struct worker_served *served;	/* NULL: there is none yet */
	enum oc_err err;		/* of the last look */
};

struct connection {
	struct ocsp_worker *worker;
	struct ocsp_source *source;	/* whose it is; NULL: not counted */
	struct event read_event, write_event;
	TAILQ_ENTRY(connection) link;	/* in timers[timer], or free */
	int64_t deadline_ns;
	enum worker_timer timer, list;	/* what for; where the link is */
	enum connection_state state;
	int fd;
	bool is_readable;		/* no EAGAIN since the last event */
	bool has_hung_up;		/* a FIN may be behind what is read */
	bool has_finished;		/* a request, since it was last idle */
	bool is_writing;		/* write_event is added */

	/* Input: the request begins at in[at]; offsets below are from there.
	 * in is NULL, the worker's scratch, or a buffer of ours. */
	uint8_t *in;
	uint32_t at, end, in_high;
	uint32_t head_len, used;	/* used: octets of the whole request */
	uint32_t der_at, der_len;
	struct http_request request;
	enum http_target_kind kind;
	bool has_other_type;		/* a POST */
	struct http_chunked chunked;
	struct ocsp_issuer_counts *issuer;	/* whom the request is about */
	struct worker_file *file;	/* what it asks for instead, or NULL */

	/* Output that would not go out; NULL: none. */
	uint8_t *out;
	uint32_t out_at, out_end;
	/* Behind that: of this file, from body_at to body_end; NULL: none. */
	struct worker_served *body;
	struct ocsp_file_counts *body_counts;
	uint64_t body_at, body_end;
	int64_t body_taken;		/* when the deadline was last moved */

	uint64_t miss_id;
	int64_t asked_ns;		/* when */
	enum miss_verdict verdict;
	unsigned int modes;		/* enum ocsp_answer_mode */
	bool has_asked_nonce;		/* the last miss was one with a nonce */
	bool has_looked_again;
};

struct worker_table {
	char name[OC_OCSP_NAME_MAX + 1];
	char *path;
	bool wants_nonce, requires_nonce, is_by_crl;
	struct ocsp_issuer_counts *counts;
	enum ocsp_signed_requests signed_requests;
	bool is_older;			/* of the one in front; need not be
					 * there */
	uint64_t run;
	struct ocsp_table *table;	/* NULL: not there yet */
	struct ocsp_context *context;
	struct ocsp_identity identity;	/* what context was made from */
	dev_t dev;
	ino_t ino;
	enum oc_err err;		/* of the last attempt */
};

struct ocsp_worker {
	struct ocsp_worker_options options;	/* its lists are not kept */
	char *prefix, *status_path;
	struct event_base *base;
	struct event *tick, *on_term, *on_int, *on_status;
	struct ipc_turn turn;		/* of asking status */
	struct event **listeners;
	size_t num_listeners;
	bool is_accepting, is_stopping;
	int reserve_fd;
	int64_t stop_idle_at_ns, stop_at_ns;

	struct ipc_channel *status;
	uint32_t num_misses;

	struct worker_table *tables;
	size_t num_tables;
	struct ocsp_answerer answerer;
	struct worker_table *answerer_tables[OCSP_ANSWERER_MAX];

	struct worker_file *files;
	size_t num_files;
	size_t target_max;		/* of the longest target; 0: no file */
	uint8_t *target;		/* a copy of a GET's, before it is
					 * decoded */
	size_t target_len;		/* 0: it leads to no file */
	int64_t files_look_at_ns;

	struct connection *connections;
	struct ocsp_sources *sources;
	uint32_t connections_max, num_connections, num_connections_used;
	TAILQ_HEAD(http_connection_list, connection) free_connections;
	struct http_connection_list timers[TIMER_MAX];

	uint8_t *arena;
	uint32_t num_buffers, num_buffers_used;	/* used: ever */
	uint8_t **free_buffers;		/* the last one is taken first */
	uint32_t num_free_buffers;

	/* Valid while one connection runs. */
	int64_t now_ns;
	struct http_now now;
	int64_t clock_behind_s;		/* of what it should be, as of the
					 * last tick; 0 when ahead */
	uint8_t *scratch;
	uint8_t *out;
	uint32_t out_len;
	struct ocsp_miss miss;
	struct ipc_ask ask;
	uint8_t *frame;

	struct ocsp_counts *counts, own_counts;
	struct ocsp_issuer_counts nobody;	/* what is about no issuer, or
						 * counted nowhere */
};

/* worker.c */
/* Nobody who is idle is waited for any more. */
bool http_worker_is_ending(const struct ocsp_worker *w);
void http_worker_now(struct ocsp_worker *w);
uint8_t *http_buffer_acquire(struct ocsp_worker *w);	/* NULL: none left */
/* high: how much of it was used, at most. */
void http_buffer_release(struct ocsp_worker *w, uint8_t *buffer,
    size_t high);
/* The connection is closed and its struct free. */
void http_worker_forget(struct ocsp_worker *w, struct connection *c);

/* accept.c */
enum oc_err http_accept_init(struct ocsp_worker *w, const int *fds,
    size_t num);
/* The descriptor with which one can be told that there are no more; nothing if
 * it is there. */
void http_accept_keep_reserve(struct ocsp_worker *w);
/* After a pause; nothing otherwise. */
void http_accept_resume(struct ocsp_worker *w);
/* Who waits in a listener's queue that is about to be closed: they would be
 * lost with it, if nobody else has it.  Not whoever comes meanwhile. */
void http_accept_rest(struct ocsp_worker *w, int listener);

/* connection.c */
void http_connection_start(struct ocsp_worker *w, int fd,
    struct ocsp_source *source);
/* Goes on as far as it can; the connection may be gone afterwards. */
void http_connection_run(struct connection *c);
void http_connection_close(struct connection *c);
/* Sends what miss.c put, and lets the loop run the connection again. */
void http_connection_wake(struct connection *c);

/* connection_request.c, connection_file.c: the handlers of the states. */
enum want {
	DONE,			/* the state has changed: go on */
	WANT_READ, WANT_WRITE, WANT_STATUS
};
enum want http_exchange_on_head(struct connection *c);
enum want http_exchange_on_body(struct connection *c);
enum want http_exchange_on_answer(struct connection *c);
enum want http_exchange_on_status(struct connection *c);
enum want http_exchange_on_file(struct connection *c);
/* The request has its answer: on to the next one. */
enum want http_exchange_finish(struct connection *c);
/* Also of one that was told otherwise: false when we end. */
bool http_exchange_stays_open(const struct connection *c);
enum http_connection http_exchange_connection(const struct connection *c);
/* Answers a request for c->file. */
enum want http_exchange_answer_file(struct connection *c);
/* Puts an answer into the worker's output: reply->len octets of response are
 * already at http_exchange_body(). */
uint8_t *http_exchange_body(const struct ocsp_worker *w);
void http_exchange_put_answer(struct connection *c, struct ocsp_reply *reply,
    uint32_t retry_after_s);
/* Five octets of a status that is not successful. */
void http_exchange_put_error(struct connection *c,
    enum ocsp_response_status status, uint32_t retry_after_s);

/* connection_output.c: sending. */
enum output_result { OUTPUT_SENT, OUTPUT_BLOCKED, OUTPUT_BROKEN };
enum output_result http_output_flush(struct connection *c);
void http_output_release(struct connection *c);
/* There is something that the socket would not take, or not yet. */
bool http_output_is_left(const struct connection *c);
/* The file is sent, or will not be. */
void http_body_release(struct connection *c);
/* The time to send is over: true, and there is more of it, if the other end
 * has taken enough of a file. */
bool http_body_goes_on(struct connection *c);

/* miss.c: false if it cannot be asked now. */
bool http_miss_ask(struct connection *c);
void http_miss_cancel(struct connection *c);

/* files.c */
enum oc_err http_files_init(struct ocsp_worker *w,
    const struct ocsp_worker_file *files, size_t num_files);
void http_files_fini(struct ocsp_worker *w);
/* Opens what has been replaced, closes what is gone. */
void http_files_check(struct ocsp_worker *w);
void http_served_release(struct worker_served *served);	/* NULL is fine */
/* NULL: nothing is served there.  A query does not count. */
struct worker_file *http_files_find(const struct ocsp_worker *w,
    const uint8_t *target, size_t len);
/* Keeps a target in w->target, which is about to be decoded where it is. */
void http_files_keep(struct ocsp_worker *w, const uint8_t *target,
    size_t len);

/* tables.c */
enum oc_err http_tables_init(struct ocsp_worker *w,
    const struct ocsp_worker_issuer *issuers, size_t num_issuers);
void http_tables_fini(struct ocsp_worker *w);
/* Where is counted what is about this issuer of the answerer. */
struct ocsp_issuer_counts *http_tables_counts(struct ocsp_worker *w,
    uint32_t issuer);
/* Opens what has appeared or been replaced.  True if anything was: then the
 * answerer's numbers are others. */
bool http_tables_check(struct ocsp_worker *w);
/* The same, but looks only if a table is missing or says itself that it is
 * retired. */
bool http_tables_check_retired(struct ocsp_worker *w);
/* False while a signer's table is not there: who asks for it cannot be told
 * from who asks for somebody else's. */
bool http_tables_are_complete(const struct ocsp_worker *w);
/* Whether a GET that was repaired asks for one of our issuers; arg is the
 * worker. */
http_judge_fn http_tables_judge;

#endif
