/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders from newOrder to certificate, again and again, by accounts whose name
 * is proven: "acme_load FOLDER ACCOUNTS SECONDS [CA-FILE]" prints how many a
 * second.  acme_accounts.py has made the accounts: FOLDER/N.pem, a P-256 key,
 * and FOLDER/N.json, what else there is to know.  Each has a thread and a
 * connection.
 */
#include <curl/curl.h>
#include <jansson.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "acme/base64url.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "sign/alg.h"
#include "tests/bench/client.h"

#define ACCOUNTS_MAX 64
#define BODY_MAX (64 * 1024)
#define POLL_NS 2000000

const char client_program[] = "acme_load";

struct account {
	pthread_t thread;
	CURL *curl;
	struct curl_slist *fields;
	EVP_PKEY *key;
	json_t *known;			/* newOrder, newNonce, kid... */
	char nonce[128];		/* "": none left */
	char location[512];
	struct oc_buffer body;
	unsigned long count;
};

static struct account accounts[ACCOUNTS_MAX];
static const char *cafile;
static int64_t end_ns;

static const char *
text_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	if (text == NULL)
		client_give_up(name);
	return text;
}

/* --- HTTP ---------------------------------------------------------------- */

static void
take_field(const char *line, size_t len, const char *name, char *value,
    size_t max)
{
	size_t name_len = strlen(name), n = 0;

	if (len <= name_len || strncasecmp(line, name, name_len) != 0)
		return;
	while (name_len < len && line[name_len] == ' ')
		name_len++;
	while (name_len < len && n + 1 < max && line[name_len] > ' ')
		value[n++] = line[name_len++];
	value[n] = '\0';
}

static size_t
on_field(char *line, size_t size, size_t num, void *arg)
{
	struct account *a = arg;

	take_field(line, size * num, "Replay-Nonce:", a->nonce,
	    sizeof(a->nonce));
	take_field(line, size * num, "Location:", a->location,
	    sizeof(a->location));
	return size * num;
}

static size_t
on_body(char *bytes, size_t size, size_t num, void *arg)
{
	struct account *a = arg;

	oc_buffer_put(&a->body, bytes, size * num);
	return size * num;
}

static long
perform(struct account *a, const char *url)
{
	long status = 0;

	oc_buffer_fini(&a->body);
	oc_buffer_init(&a->body, BODY_MAX);
	curl_easy_setopt(a->curl, CURLOPT_URL, url);
	if (curl_easy_perform(a->curl) != CURLE_OK || a->body.err != OC_OK)
		client_give_up(url);
	curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void
open_connection(struct account *a)
{
	a->curl = curl_easy_init();
	a->fields = curl_slist_append(NULL,
	    "Content-Type: application/jose+json");
	curl_easy_setopt(a->curl, CURLOPT_HEADERFUNCTION, on_field);
	curl_easy_setopt(a->curl, CURLOPT_HEADERDATA, a);
	curl_easy_setopt(a->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(a->curl, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(a->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(a->curl, CURLOPT_TIMEOUT, 60L);
	if (cafile != NULL)
		curl_easy_setopt(a->curl, CURLOPT_CAINFO, cafile);
}

/* --- JWS ----------------------------------------------------------------- */

static char *
encode(const void *bytes, size_t len)
{
	char *text = malloc(ACME_BASE64URL_LEN(len) + 1);

	if (text == NULL)
		client_give_up("out of memory");
	acme_base64url_encode(bytes, len, text);
	return text;
}

static char *
sign(struct account *a, const char *input)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[128], raw[64];
	size_t len = sizeof(der);

	if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, a->key) != 1 ||
	    EVP_DigestSign(ctx, der, &len, (const uint8_t *)input,
	    strlen(input)) != 1 || sign_ecdsa_from_der((struct der_bytes){
	    der, len }, raw, sizeof(raw)) != OC_OK)
		client_give_up("signing");
	EVP_MD_CTX_free(ctx);
	return encode(raw, sizeof(raw));
}

static char *
make_jws(struct account *a, const char *url, const char *payload)
{
	char *header, *protected, *body, *input, *signature, *text;

	if (asprintf(&header, "{\"alg\":\"ES256\",\"kid\":\"%s\","
	    "\"nonce\":\"%s\",\"url\":\"%s\"}", text_of(a->known, "kid"),
	    a->nonce, url) < 0)
		client_give_up("out of memory");
	protected = encode(header, strlen(header));
	body = encode(payload, strlen(payload));
	if (asprintf(&input, "%s.%s", protected, body) < 0)
		client_give_up("out of memory");
	signature = sign(a, input);
	if (asprintf(&text, "{\"protected\":\"%s\",\"payload\":\"%s\","
	    "\"signature\":\"%s\"}", protected, body, signature) < 0)
		client_give_up("out of memory");
	free(header);
	free(protected);
	free(body);
	free(input);
	free(signature);
	return text;
}

static void
post(struct account *a, const char *url, const char *payload, long wanted)
{
	char *jws;
	long status;

	if (a->nonce[0] == '\0') {
		curl_easy_setopt(a->curl, CURLOPT_HTTPGET, 1L);
		(void)perform(a, text_of(a->known, "newNonce"));
	}
	jws = make_jws(a, url, payload);
	a->nonce[0] = '\0';
	curl_easy_setopt(a->curl, CURLOPT_POSTFIELDS, jws);
	curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, a->fields);
	status = perform(a, url);
	curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, NULL);
	free(jws);
	if (status != wanted)
		client_give_up(oc_buffer_text(&a->body));
}

/* --- an order ------------------------------------------------------------ */

static json_t *
answer_of(struct account *a)
{
	json_t *json = json_loads(oc_buffer_text(&a->body), 0, NULL);

	if (json == NULL)
		client_give_up(oc_buffer_text(&a->body));
	return json;
}

/* Asks until it is this. */
static json_t *
wait_for(struct account *a, json_t *order, const char *url,
    const char *wanted)
{
	const struct timespec pause = { 0, POLL_NS };

	while (strcmp(text_of(order, "status"), wanted) != 0) {
		if (strcmp(text_of(order, "status"), "invalid") == 0)
			client_give_up(oc_buffer_text(&a->body));
		json_decref(order);
		nanosleep(&pause, NULL);
		post(a, url, "", 200);
		order = answer_of(a);
	}
	return order;
}

static void
obtain(struct account *a)
{
	char url[sizeof(a->location)];
	json_t *order;

	post(a, text_of(a->known, "newOrder"), text_of(a->known, "order"),
	    201);
	strcpy(url, a->location);
	order = wait_for(a, answer_of(a), url, "ready");
	post(a, text_of(order, "finalize"), text_of(a->known, "finalize"),
	    200);
	json_decref(order);
	order = wait_for(a, answer_of(a), url, "valid");
	post(a, text_of(order, "certificate"), "", 200);
	json_decref(order);
	if (strstr(oc_buffer_text(&a->body), "BEGIN CERTIFICATE") == NULL)
		client_give_up(oc_buffer_text(&a->body));
}

static void *
run(void *arg)
{
	struct account *a = arg;

	while (oc_clock_mono_ns() < end_ns) {
		obtain(a);
		a->count++;
	}
	return NULL;
}

static void
load(struct account *a, const char *folder, int number)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d.json", folder, number);
	a->known = json_load_file(path, 0, NULL);
	snprintf(path, sizeof(path), "%s/%d.pem", folder, number);
	f = fopen(path, "r");
	if (a->known == NULL || f == NULL)
		client_give_up(path);
	a->key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	(void)fclose(f);
	if (a->key == NULL)
		client_give_up(path);
	open_connection(a);
}

int
main(int argc, char **argv)
{
	int num = argc >= 4 ? atoi(argv[2]) : 0;
	unsigned long count = 0;
	int64_t begun;

	if (num < 1 || num > ACCOUNTS_MAX)
		client_give_up("FOLDER ACCOUNTS SECONDS [CA-FILE]");
	cafile = argc > 4 ? argv[4] : NULL;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	for (int i = 0; i < num; i++)
		load(&accounts[i], argv[1], i);
	/* What is first is slow: handshakes, an EC key's tables. */
	for (int i = 0; i < num; i++)
		obtain(&accounts[i]);
	begun = oc_clock_mono_ns();
	end_ns = begun + atoi(argv[3]) * OC_NS_PER_S;
	for (int i = 0; i < num; i++)
		if (pthread_create(&accounts[i].thread, NULL, run,
		    &accounts[i]) != 0)
			client_give_up("pthread_create");
	for (int i = 0; i < num; i++) {
		pthread_join(accounts[i].thread, NULL);
		count += accounts[i].count;
	}
	printf("%.0f\n", (double)count * 1e9 /
	    (double)(oc_clock_mono_ns() - begun));
	return 0;
}
