/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Prometheus is told, read as strictly as its format 0.0.4 is written;
 * ocsign-status(8) has the same names.
 */
#include "tests/unit/status_fixture.h"

#include "base/file.h"
#include "status/metrics.h"
#include "validation/counts.h"

#define FAMILIES_MAX 128

struct sample {
	char name[96], labels[200];
	double value;
};
struct family {
	char name[96], type[16];
	struct sample samples[64];
	int num;
};
static struct family families[FAMILIES_MAX];
static int num_families;

static struct family *
find_family(const char *name)
{
	for (int i = 0; i < num_families; i++)
		if (strcmp(families[i].name, name) == 0)
			return &families[i];
	return NULL;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void
take_help(const char *line)
{
	struct family *f = &families[num_families];

	assert_true(num_families < FAMILIES_MAX);
	memset(f, 0, sizeof(*f));
	assert_int_equal(sscanf(line, "# HELP %95s", f->name), 1);
	if (find_family(f->name) != NULL)
		fail_msg("%s stands twice", f->name);
	/* A sentence. */
	assert_true(ends_with(line, "."));
	assert_int_equal(strspn(f->name, "abcdefghijklmnopqrstuvwxyz_"),
	    strlen(f->name));
	assert_int_equal(strncmp(f->name, "ocsign_", 7), 0);
	num_families++;
}

static void
take_type(const char *line)
{
	struct family *f = &families[num_families - 1];
	char name[96];

	assert_int_equal(sscanf(line, "# TYPE %95s %15s", name, f->type), 2);
	assert_string_equal(name, f->name);
	assert_int_equal(strcmp(f->type, "counter") == 0,
	    ends_with(f->name, "_total"));
	assert_true(strcmp(f->type, "counter") == 0 ||
	    strcmp(f->type, "gauge") == 0 ||
	    strcmp(f->type, "histogram") == 0);
}

static void
take_sample(char *line)
{
	struct family *f = &families[num_families - 1];
	struct sample *s = &f->samples[f->num];
	char *space = strrchr(line, ' '), *brace, *end;

	assert_true(f->num < 64 && f->type[0] != '\0');
	assert_non_null(space);
	*space = '\0';
	s->value = strtod(space + 1, &end);
	assert_true(end != space + 1 && *end == '\0');
	brace = strchr(line, '{');
	if (brace != NULL) {
		assert_true(ends_with(brace, "\"}"));
		snprintf(s->labels, sizeof(s->labels), "%s", brace);
		*brace = '\0';
	}
	snprintf(s->name, sizeof(s->name), "%s", line);
	if (strcmp(f->type, "histogram") != 0)
		assert_string_equal(s->name, f->name);
	else
		assert_int_equal(strncmp(s->name, f->name,
		    strlen(f->name)), 0);
	for (int i = 0; i < f->num; i++)
		if (strcmp(f->samples[i].name, s->name) == 0 &&
		    strcmp(f->samples[i].labels, s->labels) == 0)
			fail_msg("%s%s stands twice", s->name, s->labels);
	f->num++;
}

static void
check_histogram(const struct family *f)
{
	double before = 0, bound, bound_before = -1;
	int i = 0;

	for (; i < f->num && ends_with(f->samples[i].name, "_bucket"); i++) {
		assert_true(f->samples[i].value >= before);
		before = f->samples[i].value;
		assert_int_equal(strncmp(f->samples[i].labels, "{le=\"", 5),
		    0);
		bound = strtod(f->samples[i].labels + 5, NULL);
		assert_true(bound > bound_before);
		bound_before = bound;
	}
	assert_int_equal(i, f->num - 2);
	assert_string_equal(f->samples[i - 1].labels, "{le=\"+Inf\"}");
	assert_true(ends_with(f->samples[i].name, "_sum"));
	assert_true(ends_with(f->samples[i + 1].name, "_count"));
	assert_true(f->samples[i + 1].value == before);
}

static void
parse(const struct oc_buffer *out)
{
	char *text = strdup(oc_buffer_text(out)), *line, *rest = text;
	size_t len = strlen(text);

	assert_int_equal(len, out->len);
	assert_true(len > 0 && text[len - 1] == '\n');
	num_families = 0;
	text[len - 1] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		if (strncmp(line, "# HELP ", 7) == 0)
			take_help(line);
		else if (strncmp(line, "# TYPE ", 7) == 0)
			take_type(line);
		else
			take_sample(line);
	for (int i = 0; i < num_families; i++)
		if (strcmp(families[i].type, "histogram") == 0)
			check_histogram(&families[i]);
	free(text);
}

static double
value_of(const char *name, const char *labels)
{
	for (int i = 0; i < num_families; i++)
		for (int n = 0; n < families[i].num; n++)
			if (strcmp(families[i].samples[n].name, name) == 0 &&
			    strcmp(families[i].samples[n].labels,
			    labels) == 0)
				return families[i].samples[n].value;
	fail_msg("there is no %s%s", name, labels);
	return 0;
}

static const char signer_text[] = "{\"open\": true, \"tokens\": ["
    "{\"name\": \"a\\\"b\\\\c\\nd\", \"up\": true, \"sessions\": 4, "
    "\"waiting\": 2, \"logins\": 1, \"signed\": 5, \"failed\": 1, "
    "\"recovered\": 0, \"restarts\": 0, \"lost\": 1, \"limit\": 3, "
    "\"limit_found\": 2, \"recovered_at\": 1700000000, "
    "\"recovered_ms\": 1250, \"errors\": {\"token\": \"a\", "
    "\"session\": 7, \"hung\": 1, \"pin\": 0}}, {\"name\": \"t\", "
    "\"up\": false, \"sessions\": 0}, {\"up\": true}], "
    "\"journal\": {\"well\": "
    "false, \"failure\": \"x\", \"records\": 12, \"syncs\": 3, "
    "\"lost\": 4, \"waiting\": 5}, \"queues\": [{\"token\": \"t\", "
    "\"lane\": \"live\", \"waiting\": 3, \"oldest_us\": 1500000, "
    "\"taken\": 70, \"waited_us\": 123456789012}, {\"token\": \"t\"}, "
    "{\"token\": \"t\", \"lane\": \"crl\", \"waiting\": \"x\"}, 7]}";

static struct status_publish *publish;

/* With a service, a responder's page and a signer. */
static void
tell(struct world *w, const char *signer_json)
{
	struct status_service *services[] = { w->service };
	const struct status_all all = { .services = services,
	    .num_services = 1, .is_ready = true,
	    .responder_directory = w->directory,
	    .issuer_directory = w->directory, .run = 9,
	    .publish = publish, .validator_directory = w->directory };
	json_t *signer = signer_json == NULL ? NULL :
	    json_loads(signer_json, 0, NULL);
	struct oc_buffer out;

	oc_buffer_init(&out, 1024 * 1024);
	assert_true(status_put_metrics(&all, signer, &out));
	parse(&out);
	oc_buffer_fini(&out);
	json_decref(signer);
}

static void
remove_page(const struct world *w, const char *kind)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s-0.counts", w->directory, kind);
	assert_int_equal(unlink(path), 0);
}

/* Six were asked and three have ended, and a process before left two. */
static void
note_validations(const struct world *w)
{
	struct oc_error error = { 0 };
	struct validation_counts *c;
	struct oc_page *page;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(validation_counts_open(w->directory, 9,
		    &page, &error), OC_OK);
		c = validation_counts_of(page);
		assert_int_equal(validation_counts_waiting(c), 0);
		c->asked[VALIDATION_MAIL] += i == 0 ? 2 : 0;
		c->asked[VALIDATION_CAA] += i == 0 ? 0 : 5;
		c->asked[VALIDATION_FILE] += i == 0 ? 0 : 1;
		oc_page_close(i == 0 ? page : NULL);
	}
	c->ended[VALIDATION_CAA][VALIDATION_NO_FAULT] = 2;
	c->ended[VALIDATION_FILE][VALIDATION_CONNECTION_FAULT] = 1;
	oc_page_close(page);
}

#define IS(name, labels, value) \
	assert_true(value_of("ocsign_" name, labels) == (double)(value))

/* What signer_text says. */
static void
check_tokens(void)
{
	IS("signer_up", "", 1);
	IS("token_up", "{token=\"a\\\"b\\\\c\\nd\"}", 1);
	IS("token_waiting", "{token=\"a\\\"b\\\\c\\nd\"}", 2);
	IS("token_recovery_seconds", "{token=\"a\\\"b\\\\c\\nd\"}", 1.25);
	IS("token_limit", "{token=\"a\\\"b\\\\c\\nd\"}", 3);
	IS("token_errors_total",
	    "{token=\"a\\\"b\\\\c\\nd\",class=\"session\"}", 7);
	IS("token_errors_total",
	    "{token=\"a\\\"b\\\\c\\nd\",class=\"pin\"}", 0);
	assert_int_equal(find_family("ocsign_token_errors_total")->num, 3);
	IS("token_up", "{token=\"t\"}", 0);
	IS("signing_journal_up", "", 0);
	IS("signing_journal_records_total", "", 12);
	IS("signing_journal_syncs_total", "", 3);
	IS("signing_journal_lost_total", "", 4);
	IS("signing_journal_waiting", "", 5);
	IS("token_queue_waiting", "{token=\"t\",lane=\"live\"}", 3);
	IS("token_queue_oldest_seconds", "{token=\"t\",lane=\"live\"}", 1.5);
	IS("token_queue_taken_total", "{token=\"t\",lane=\"live\"}", 70);
	IS("token_queue_waited_seconds_total",
	    "{token=\"t\",lane=\"live\"}", 123456.789012);
	assert_int_equal(find_family("ocsign_token_queue_waiting")->num, 1);
	assert_int_equal(find_family("ocsign_token_up")->num, 2);
	assert_int_equal(find_family("ocsign_token_waiting")->num, 1);
}

/* The certificate of the world's issuer is served, its CRL would be. */
static void
publish_certificate(struct world *w, struct oc_config_file files[2])
{
	files[0] = (struct oc_config_file){ OC_FILE_CERTIFICATE, &w->issuer,
	    0, NULL, "http://a/ca.cer", "/ca.cer", 7 };
	files[1] = (struct oc_config_file){ OC_FILE_CRL, &w->issuer,
	    0, NULL, "http://a/ca.crl", "/ca.crl", 7 };
	w->config.files = files;
	w->config.num_files = 2;
	assert_int_equal(status_publish_new(&w->config, NULL, &publish,
	    NULL),
	    OC_OK);
	status_publish_look(publish, NULL, false);
}

static void
unpublish(struct world *w)
{
	char path[300];

	status_publish_free(publish);
	publish = NULL;
	w->config.num_files = 0;
	snprintf(path, sizeof(path), "%s/ca.certificate.served",
	    w->config.daemon.table_directory);
	assert_int_equal(unlink(path), 0);
}

static void
test_all(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct oc_page *page, *api;
	struct oc_error error = { 0 };
	struct ocsp_counts *c;

	assert_int_equal(ocsp_counts_open(w->directory, 9, &page, &error),
	    OC_OK);
	c = ocsp_counts_of(page);
	c->get = 7;
	c->try_later = 3;
	c->hits = UINT64_MAX;
	note_validations(w);
	assert_int_equal(net_counts_open(w->directory, 9, &api, &error),
	    OC_OK);
	net_counts_note(net_counts_of(api), 200);
	net_counts_note(net_counts_of(api), 200);
	net_counts_note(net_counts_of(api), 418);
	ocsp_counts_of_issuer(page, "ca")->try_later = 2;
	ocsp_counts_of_issuer(page, "ca")->hits = 6;
	ocsp_counts_of_issuer(page, "gone")->hits = 1;
	ocsp_latency_add(&c->hit_latency, 20000);
	ocsp_latency_add(&c->hit_latency, 300000);
	ocsp_latency_add(&c->miss_latency, INT64_C(61000000000));
	for (uint64_t n = 1; n <= 5; n++)
		world_issue(w, n, now + YEAR);
	w->issuer.presign = OC_PRESIGN_ALL;
	world_start(w);
	world_until(w, world_num_slots(w) == 5);
	w->skip_s += STATUS_HORIZON_PAUSE_S;
	world_until(w, w->service->horizon.num_answers == 5);
	tell(w, signer_text);
	IS("ready", "", 1);
	IS("responders", "", 1);
	IS("responder_requests_total", "{method=\"get\"}", 7);
	IS("responder_responses_total", "{outcome=\"try_later\"}", 3);
	IS("responder_hits_total", "", UINT64_MAX);
	IS("issuer_responses_total", "{issuer=\"ca\",outcome=\"try_later\"}",
	    2);
	IS("issuer_hits_total", "{issuer=\"ca\"}", 6);
	IS("validations_total", "{task=\"caa\",outcome=\"ok\"}", 2);
	IS("validations_total", "{task=\"file\",outcome=\"connection\"}", 1);
	IS("validations_total", "{task=\"mail\",outcome=\"unauthorized\"}", 0);
	IS("validations_waiting", "", 3);
	IS("api_responses_total", "{code=\"200\"}", 2);
	IS("api_responses_total", "{code=\"404\"}", 0);
	IS("api_responses_total", "{code=\"other\"}", 1);
	assert_int_equal(find_family("ocsign_api_responses_total")->num,
	    NET_CODES);
	assert_int_equal(find_family("ocsign_issuer_hits_total")->num, 1);
	IS("responder_hit_duration_seconds_bucket", "{le=\"1e-05\"}", 0);
	IS("responder_hit_duration_seconds_bucket", "{le=\"2.5e-05\"}", 1);
	IS("responder_hit_duration_seconds_bucket", "{le=\"0.0005\"}", 2);
	IS("responder_hit_duration_seconds_count", "", 2);
	IS("responder_hit_duration_seconds_sum", "", 0.00032);
	IS("responder_miss_duration_seconds_bucket", "{le=\"5\"}", 0);
	IS("responder_miss_duration_seconds_bucket", "{le=\"+Inf\"}", 1);
	IS("responder_miss_duration_seconds_sum", "", 61);
	IS("issuer_certificates", "{issuer=\"ca\"}", 5);
	IS("issuer_signatures_total", "{issuer=\"ca\"}", 5);
	IS("issuer_scheduled", "{issuer=\"ca\",kind=\"refresh\"}", 5);
	IS("issuer_signing", "{issuer=\"ca\",lane=\"live\"}", 0);
	IS("issuer_horizon_responses", "{issuer=\"ca\"}", 5);
	IS("issuer_first_stale_timestamp_seconds", "{issuer=\"ca\"}",
	    w->service->horizon.first_stale_at);
	IS("issuer_signer_not_after_timestamp_seconds", "{issuer=\"ca\"}",
	    w->service->identity->signer_not_after);
	check_tokens();
	oc_page_close(page);
	oc_page_close(api);
	remove_page(w, "api");
	remove_page(w, "responder");
}

static void
test_files(void **state)
{
	struct world *w = *state;
	struct oc_config_file files[2];
	struct oc_page *page;
	struct ocsp_counts *c;

	world_start(w);
	assert_int_equal(ocsp_counts_open(w->directory, 9, &page, NULL),
	    OC_OK);
	c = ocsp_counts_of(page);
	c->crls.whole = 4;
	c->certificates.missing = 2;
	c->certificates.cut = 1;
	publish_certificate(w, files);
	tell(w, signer_text);
	IS("responder_files_total", "{kind=\"crl\",outcome=\"whole\"}", 4);
	IS("responder_files_total",
	    "{kind=\"certificate\",outcome=\"missing\"}", 2);
	IS("responder_files_cut_total", "{kind=\"certificate\"}", 1);
	IS("file_served", "{issuer=\"ca\",kind=\"certificate\"}", 1);
	IS("file_served", "{issuer=\"ca\",kind=\"crl\"}", 0);
	assert_int_equal(find_family("ocsign_file_until_timestamp_seconds")->
	    num, 1);
	IS("file_until_timestamp_seconds",
	    "{issuer=\"ca\",kind=\"certificate\"}",
	    status_publish_get(publish, 0).until);
	unpublish(w);
	oc_page_close(page);
	remove_page(w, "responder");
}

/* What is not known is left out, and a signer that is away, or talks
 * nonsense, is down. */
static void
test_nothing_yet(void **state)
{
	static const char *const signers[] = { NULL, "{}",
	    "{\"open\": false, \"tokens\": []}", "[1]",
	    "{\"open\": 1, \"tokens\": {\"a\": 1}}" };
	struct world *w = *state;

	world_start(w);
	for (size_t i = 0; i < sizeof(signers) / sizeof(signers[0]); i++) {
		tell(w, signers[i]);
		IS("signer_up", "", 0);
		assert_null(find_family("ocsign_token_up"));
		IS("responders", "", 0);
		assert_int_equal(find_family("ocsign_issuer_first_stale_"
		    "timestamp_seconds")->num, 0);
		IS("issuer_stale_responses", "{issuer=\"ca\"}", 0);
	}
}

#define FRAME_TEXT_MAX (OC_FRAME_MAX - IPC_HEADER_LEN - 4)

/* Of what is too much, the rows that can best be spared are left out; at the
 * end nothing is said. */
static void
expect_some(const struct status_all *all, size_t len)
{
	char *text = status_describe(all, len - 1);
	json_t *whole;

	assert_non_null(text);
	assert_true(strlen(text) < len);
	whole = json_loads(text, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(whole,
	    "left_out")), 64);
	assert_int_equal(json_array_size(json_object_get(whole, "files")),
	    64);
	assert_int_equal(json_array_size(json_object_get(whole, "issuers")),
	    all->num_services);
	json_decref(whole);
	free(text);
	text = status_describe(all, 8000);
	assert_non_null(text);
	assert_true(strlen(text) <= 8000);
	assert_non_null(strstr(text, "\"crls\":[],"));
	assert_non_null(strstr(text, "\"issuers\":[{"));
	free(text);
	assert_null(status_describe(all, 100));
}

/* What each CRL's alarm has to say, and that it was read. */
static void
put_trouble(const struct oc_config *config,
    const struct oc_config_issuer *issuer)
{
	char *path = oc_crl_trouble_path(config, issuer);
	struct oc_crl_trouble trouble = { INT64_C(2000000000), INT32_MAX,
	    INT64_C(2000000000), "" };
	char why[OC_CRL_WHY_MAX + 1];

	memset(why, 'y', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	oc_crl_trouble_say(&trouble, why);
	assert_non_null(path);
	assert_int_equal(oc_crl_trouble_write(path, &trouble, NULL), OC_OK);
	free(path);
}

static void
wait_for_trouble(struct status_crls *crls)
{
	for (int n = 0; n < 1000 && status_crls_get(crls, 127)
	    .trouble.num_failures == 0; n++)
		usleep(10000);
	assert_int_equal(status_crls_get(crls, 127).trouble.num_failures,
	    INT32_MAX);
}

/* As many as there may be, with long names and all they can have to say,
 * are told in one frame. */
static void
test_most_issuers(void **state)
{
	static uint8_t frame[OC_FRAME_MAX];
	struct status_service *services[OCSP_COUNTS_ISSUERS_MAX];
	struct world *w = *state;
	char name[OC_CONFIG_NAME_MAX + 1], *usual = w->issuer.name, *text;
	struct oc_page *page;
	struct status_all all = { .services = services,
	    .num_services = OCSP_COUNTS_ISSUERS_MAX, .is_ready = true,
	    .responder_directory = w->directory,
	    .issuer_directory = w->directory, .run = 9 };
	struct oc_config_issuer many[200];
	struct oc_config_file files[200];
	static char url[4096];
	struct oc_config config = w->config;
	struct status_files *crl_files;
	struct status_service *s;
	size_t len;

	world_start(w);
	memset(name, 'n', OC_CONFIG_NAME_MAX);
	name[OC_CONFIG_NAME_MAX] = '\0';
	w->issuer.name = name;
	s = w->service;
	memset(s->source_error, 'e', sizeof(s->source_error) - 1);
	s->num_signed = s->num_failed = s->num_asked = INT64_MAX / 2;
	assert_int_equal(ocsp_counts_open(w->directory, 9, &page, NULL),
	    OC_OK);
	memset(ocsp_counts_of_issuer(page, name), 0x7f,
	    sizeof(struct ocsp_issuer_counts));
	s->horizon = (struct status_horizon){ 1, 1, UINT32_MAX / 2, 1, 1, 1,
	    UINT32_MAX / 2, UINT32_MAX / 2 };
	for (uint32_t i = 0; i < all.num_services; i++)
		services[i] = s;
	memset(url, 'u', sizeof(url) - 1);
	for (len = 0; len < sizeof(many) / sizeof(many[0]); len++) {
		many[len] = (struct oc_config_issuer){ .name = name,
		    .allow = OC_ALLOW_CRL, .crl_file = url,
		    .crl_publish = OC_PUBLISH_AT_ONCE,
		    .source = OC_SOURCE_INDEX, .index_file = url,
		    .certificate = w->issuer.certificate };
		files[len] = (struct oc_config_file){ OC_FILE_CERTIFICATE,
		    &many[len], 0, NULL, url, url, 0 };
	}
	config.files = files;
	config.num_files = len;
	assert_int_equal(status_publish_new(&config, NULL, &all.publish,
	    NULL),
	    OC_OK);
	config.issuers = many;
	config.num_issuers = len;
	config.daemon.issuer_directory = w->directory;
	put_trouble(&config, &many[0]);
	assert_int_equal(status_crls_new(&config, NULL, NULL, &all.crls,
	    NULL), OC_OK);
	wait_for_trouble(all.crls);
	assert_int_equal(status_crls_num(all.crls), 128);
	assert_int_equal(status_files_new(&config, &crl_files, NULL),
	    OC_OK);
	all.files = crl_files;
	text = status_describe(&all, FRAME_TEXT_MAX);
	assert_non_null(text);
	if (strstr(text, "\"left_out\":0,") == NULL)
		fail_msg("not all is told: %zu octets", strlen(text));
	expect_some(&all, strlen(text));
	status_files_free(crl_files);
	status_crls_free(all.crls);
	status_publish_free(all.publish);
	if (ipc_put_text_message(frame, sizeof(frame), 1, IPC_STATUS_IS,
	    text, &len) != OC_OK)
		fail_msg("%zu octets", strlen(text));
	free(text);
	w->issuer.name = usual;
	memset(s->source_error, 0, sizeof(s->source_error));
	oc_page_close(page);
	remove_page(w, "responder");
}

/* Each name is there, and no other. */
static void
test_manual(void **state)
{
	static const char mark[] = ".It Ql ocsign_";
	struct world *w = *state;
	const char *top = getenv("top_srcdir");
	char path[1000], *text, line[128];
	uint8_t *bytes;
	size_t len;
	int num = 0;

	world_start(w);
	tell(w, signer_text);
	snprintf(path, sizeof(path), "%s/man/ocsign-status.8",
	    top != NULL ? top : ".");
	assert_int_equal(oc_file_read(path, 1024 * 1024, &bytes, &len, NULL),
	    OC_OK);
	text = (char *)bytes;
	for (int i = 0; i < num_families; i++) {
		snprintf(line, sizeof(line), "\n.It Ql %.95s\n",
		    families[i].name);
		if (strstr(text, line) == NULL)
			fail_msg("ocsign-status.8 lacks %s",
			    families[i].name);
	}
	for (char *p = text; (p = strstr(p, mark)) != NULL; p++) {
		assert_int_equal(sscanf(p, ".It Ql %127s", line), 1);
		if (find_family(line) == NULL)
			fail_msg("there is no %s", line);
		num++;
	}
	assert_int_equal(num, num_families);
	free(bytes);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, \
    world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_all), T(test_files), T(test_nothing_yet),
		T(test_most_issuers), T(test_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
