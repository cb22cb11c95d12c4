/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the responder share: an issuer with a real key and its
 * table, a worker in a child process, an ocsign-status that does as it is
 * told, and an HTTP client that believes nothing.
 */
#ifndef TESTS_UNIT_OCSP_WORKER_TEST_H
#define TESTS_UNIT_OCSP_WORKER_TEST_H

#include "tests/unit/ocsp_fixture.h"

#include <stdatomic.h>
#include <sys/types.h>

#include "base/clock.h"
#include "ipc/server.h"
#include "ocsp/worker.h"
#include "tests/unit/ipc_thread.h"

#define WORLD_PATH_MAX (IPC_DIR_MAX + 32)
/* Not before the test and not soon after it. */
#define WORLD_AGE_S 3600
#define WORLD_LIFE_S 86400

struct world {
	char dir[IPC_DIR_MAX];
	char table_path[WORLD_PATH_MAX], status_path[WORLD_PATH_MAX];
	EVP_PKEY *key;
	X509 *ca;
	struct ocsp_identity identity;
	struct ocsp_table *table;	/* we are its writer */
	struct ocsp_context *context;
	int64_t now;			/* when it was made */
	char serial_hex[2 * OC_SERIAL_MAX + 1];
	struct blob request, answer;	/* of that serial, which is good */
	char path[512];			/* the GET of it, '/' in front */
};

/* A CA, its table with one answer in it, ready. */
void world_init(struct world *w);
void world_fini(struct world *w);
/* Signs and puts an answer for now; what a responder must send. */
struct blob world_put(struct world *w, const char *serial_hex,
    enum ocsp_cert_status status, int64_t this_update, int64_t next_update);
/* The request for one serial; nonce_len 0: none. */
struct blob world_request(struct world *w, const char *serial_hex,
    size_t nonce_len);
/* '/' and base64, which is escaped nowhere. */
void world_path(struct blob request, char *path, size_t path_max);
/* OpenSSL's opinion: signed by the CA, about this serial; the status. */
int world_verify(struct world *w, struct blob request, const uint8_t *der,
    size_t len);

/* A worker, in a child of its own. */
struct running {
	pid_t pid;
	uint16_t port;
	struct ocsp_counts *counts;	/* shared; set at its end */
	uint32_t fds_max;	/* for the worker's run; 0: as it is */
};
typedef void worker_tune_fn(struct ocsp_worker_options *options);
/* tune may be NULL. */
void worker_start(struct world *w, worker_tune_fn *tune, struct running *r);

/* What nearly all of them have one of at a time; a test that is its own has
 * a new world, and starts the worker as it wants it. */
extern struct world world;
extern struct running running;
int worker_setup(void **state);
int worker_setup_started(void **state);	/* for all tests of a program */
int worker_teardown(void **state);
/* What harmless requests have left: no waiting, no trouble. */
void worker_stop_untroubled(void);
#define WORKER_TEST(f) cmocka_unit_test_setup_teardown(f, worker_setup, \
	worker_teardown)
/* SIGTERM; it must end well. */
void worker_stop(struct running *r);
/* The same after a SIGTERM, of which a second could find it without a
 * handler. */
void worker_wait(struct running *r);
/* CPU time it has used, in ms. */
int64_t worker_cpu_ms(const struct running *r);
/* Its descriptors, once it has seen that the last client is gone. */
int worker_num_fds(const struct running *r);

void sleep_ms(int ms);
int64_t now_ms(void);		/* of the clock that only goes forward */

/* ocsign-status: what it says to every question. */
enum scripted_mode {
	STUB_TABLE,		/* puts an answer and says "look again" */
	STUB_TABLE_LIE,		/* says so without putting one */
	STUB_RESPONSE, STUB_ERROR, STUB_NO_NONCE, STUB_SILENT, STUB_HANG_UP,
	STUB_GARBAGE, STUB_SLOW
};
struct scripted {
	struct world *world;
	_Atomic enum scripted_mode mode;
	atomic_int num_asked, num_nonces, num_signed, num_pending;
	struct ipc_server *server;
	struct ipc_thread *thread;
	struct event_base *base;
};
void scripted_start(struct world *w, enum scripted_mode mode,
    struct scripted *s);
void scripted_stop(struct scripted *s);

#define CLIENT_BUFFER (256 * 1024)
struct client {
	int fd;
	size_t len;
	uint8_t buffer[CLIENT_BUFFER];
};
struct response {
	int status;
	char head[2048];
	uint8_t body[16 * 1024];
	size_t len, content_length;
};
struct client *client_new(uint16_t port);
void client_free(struct client *c);
/* The same with an RST. */
void client_reset(struct client *c);
void client_send(struct client *c, const void *bytes, size_t len);
void client_send_text(struct client *c, const char *text);
/* Reads one; false if the connection ends first.  What it says of itself must
 * hold.  is_head: there is no body. */
bool client_read(struct client *c, bool is_head, struct response *r);
/* True if the other end closes within ms, without a word more. */
bool client_is_closed(struct client *c, int ms);
/* A field's value, up to the line's end; NULL if it is not there. */
const char *response_field(const struct response *r, const char *name,
    char value[256]);
void assert_field(const struct response *r, const char *name,
    const char *expected);

/* The request of a GET. */
void get_text(const char *path, char text[1024]);
/* On a connection of its own.  fields: lines that end in CR LF. */
void http_get(uint16_t port, const char *path, const char *fields,
    struct response *r);
void http_get_serial(struct world *w, uint16_t port, const char *serial_hex,
    size_t nonce_len, struct response *r);
/* A request that must be answered by this status and the end. */
void http_refused(uint16_t port, const char *text, int status);
void http_post(uint16_t port, const char *fields, struct blob body,
    struct response *r);
/* That an answer is this status of RFC 6960, and says no cache may keep it. */
void assert_ocsp_error(const struct response *r,
    enum ocsp_response_status status);
void assert_body(const struct response *r, struct blob expected);

#endif
