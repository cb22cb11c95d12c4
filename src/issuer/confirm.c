/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page that the link of a message leads to (proof/code.c).  Filters follow
 * the links of mail before people do: so looking at it changes nothing, and a
 * button gives the code.  Nothing is said to who has no good one.
 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "issuer/door.h"
#include "proof/proof.h"

#define PAGE_MAX 4096

struct confirmation {
	struct issuer_service *service;
	struct net_exchange *exchange;
	struct store_job job;
	char tag[STORE_TAG_LEN + 1];
	char code[PROOF_CODE_TEXT_MAX];	/* cleansed */
	struct store_authorization claim;
	struct store_account account;
	bool is_good;			/* the code is, or was */
	enum oc_err redeem_err;
};

/* --- pages -------------------------------------------------------------- */

static void
put_escaped(struct oc_buffer *page, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&':
			oc_buffer_put_text(page, "&amp;");
			break;
		case '<':
			oc_buffer_put_text(page, "&lt;");
			break;
		case '>':
			oc_buffer_put_text(page, "&gt;");
			break;
		case '"':
			oc_buffer_put_text(page, "&quot;");
			break;
		default:
			oc_buffer_put(page, text, 1);
		}
}

/* Loads nothing, is in no frame, and tells nobody where one came from. */
static void
send_page(struct net_exchange *exchange, int status, struct oc_buffer *body)
{
	static const char fields[] = "Cache-Control: no-store\r\n"
	    "Referrer-Policy: no-referrer\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Content-Security-Policy: default-src 'none'; form-action 'self';"
	    " frame-ancestors 'none'\r\n";
	struct oc_buffer page;

	oc_buffer_init(&page, PAGE_MAX);
	oc_buffer_put_text(&page, "<!DOCTYPE html>\n<html lang=\"en\"><head>"
	    "<meta charset=\"utf-8\"><title>Certificates</title></head>"
	    "<body>\n");
	oc_buffer_put(&page, body->bytes, body->len);
	oc_buffer_put_text(&page, "</body></html>\n");
	if (page.err == OC_OK && body->err == OC_OK)
		net_reply(exchange, status, "text/html; charset=utf-8",
		    fields, page.bytes, page.len);
	else
		net_reply(exchange, 500, NULL, NULL, NULL, 0);
	oc_buffer_fini(&page);
	oc_buffer_fini(body);
}

static void
say(struct net_exchange *exchange, int status, const char *text)
{
	struct oc_buffer body;

	oc_buffer_init(&body, PAGE_MAX);
	oc_buffer_printf(&body, "<p>%s</p>\n", text);
	send_page(exchange, status, &body);
}

static void
say_not_good(struct net_exchange *exchange)
{
	say(exchange, 404, "This link is not good, or not any more.");
}

static void
ask_for_button(const struct confirmation *c)
{
	struct oc_buffer body;

	oc_buffer_init(&body, PAGE_MAX);
	oc_buffer_put_text(&body, "<p>May account <b>");
	put_escaped(&body, c->account.name);
	oc_buffer_put_text(&body, "</b> have certificates for <b>");
	put_escaped(&body, c->claim.name);
	oc_buffer_put_text(&body, "</b> and all names below it?</p>\n"
	    "<form method=\"post\"><button>Yes, it may</button></form>\n"
	    "<p>If you do not know of this, close the page.</p>\n");
	send_page(c->exchange, 200, &body);
}

/* --- in the store ------------------------------------------------------- */

static enum oc_err
look(struct store *store, void *arg)
{
	struct confirmation *c = arg;
	enum oc_err err;

	err = store_find_authorization(store, c->tag, &c->claim);
	if (err == OC_OK)
		err = store_get_account(store, c->claim.account_id,
		    &c->account);
	c->is_good = err == OC_OK && proof_is_code(&c->claim, c->code,
	    oc_clock_now_s());
	return err == OC_ERR_NOT_FOUND ? OC_OK : err;
}

/* Whoever asks can be told what it means. */
static bool
is_answer(enum oc_err err)
{
	return err == OC_OK || err == OC_ERR_MISMATCH ||
	    err == OC_ERR_NOT_FOUND || err == OC_ERR_EXISTS ||
	    err == OC_ERR_REFUSED;
}

/* A wrong one that was tried is written down. */
static enum oc_err
redeem(struct store *store, void *arg)
{
	struct confirmation *c = arg;
	enum oc_err err = store_find_authorization(store, c->tag, &c->claim);

	c->redeem_err = err == OC_OK ? proof_redeem_code(store,
	    &issuer_service_config(c->service)->validation, &c->claim,
	    c->code, oc_clock_now_s()) : err;
	return is_answer(c->redeem_err) ? OC_OK : c->redeem_err;
}

static void
confirmation_free(struct confirmation *c)
{
	OPENSSL_cleanse(c->code, sizeof(c->code));
	free(c);
}

static bool
has_failed(struct confirmation *c, const struct store_job *job)
{
	if (job->err == OC_OK)
		return false;
	oc_log(OC_LOG_ERROR, "zone-proof: %s", job->error_text);
	say(c->exchange, 503, "This cannot be looked at now: try again.");
	confirmation_free(c);
	return true;
}

static void
looked(struct store_job *job, void *arg)
{
	struct confirmation *c = arg;

	if (has_failed(c, job))
		return;
	if (c->is_good)
		ask_for_button(c);
	else
		say_not_good(c->exchange);
	confirmation_free(c);
}

static void
redeemed(struct store_job *job, void *arg)
{
	struct confirmation *c = arg;

	if (has_failed(c, job))
		return;
	if (c->redeem_err == OC_OK)
		say(c->exchange, 200, "Thank you.  It may.");
	else if (c->redeem_err == OC_ERR_EXISTS ||
	    c->redeem_err == OC_ERR_REFUSED)
		say(c->exchange, 409, "The zone, or one inside or around it, "
		    "is another account's.");
	else
		say_not_good(c->exchange);
	confirmation_free(c);
}

/* --- the door ----------------------------------------------------------- */

/* TAG/CODE */
static bool
read_path(struct confirmation *c, const char *rest)
{
	size_t len = strlen(rest);

	if (len < STORE_TAG_LEN + 2 || rest[STORE_TAG_LEN] != '/' ||
	    len - STORE_TAG_LEN - 1 >= sizeof(c->code))
		return false;
	memcpy(c->tag, rest, STORE_TAG_LEN);
	memcpy(c->code, rest + STORE_TAG_LEN + 1, len - STORE_TAG_LEN);
	return true;
}

void
issuer_confirm_handle(struct issuer_service *service,
    struct net_exchange *exchange, const char *rest)
{
	enum net_method method = net_exchange_request(exchange)->method;
	bool is_post = method == NET_POST;
	struct confirmation *c = NULL;

	if (!is_post && method != NET_GET && method != NET_HEAD) {
		net_reply(exchange, 405, NULL, "Allow: GET, POST\r\n", NULL,
		    0);
		return;
	}
	if (issuer_service_config(service)->validation.mail_link != NULL)
		c = calloc(1, sizeof(*c));
	if (c == NULL || !read_path(c, rest)) {
		say_not_good(exchange);
		free(c);
		return;
	}
	c->service = service;
	c->exchange = exchange;
	c->job = (struct store_job){
		.kind = is_post ? STORE_JOB_CHANGE : STORE_JOB_READ,
		.fn = is_post ? redeem : look,
		.done = is_post ? redeemed : looked,
		.arg = c
	};
	if (issuer_service_submit(service, &c->job) == OC_OK)
		return;
	say(exchange, 503, "busy: try again");
	confirmation_free(c);
}
