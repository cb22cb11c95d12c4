/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/responder.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/connect.h"
#include "cli/http.h"
#include "cli/work_impl.h"

#define PATH_MAX_LEN 1024

static enum oc_err
parse_url(const char *url, struct cli_responder *r, struct cli_http_url *at,
    struct oc_error *error)
{
	size_t path_len;

	if (strncasecmp(url, "https://", 8) == 0)
		return oc_error_set(error, OC_ERR_USAGE, "\"%.100s\": https "
		    "is not spoken here; OCSP is signed, and asked over "
		    "http://", url);
	if (cli_http_parse_url(url, at, error) != OC_OK)
		return OC_ERR_USAGE;
	path_len = strcspn(at->path, "?#");
	if (path_len > PATH_MAX_LEN)
		return oc_error_set(error, OC_ERR_USAGE, "the URL's path has "
		    "more than %d characters", PATH_MAX_LEN);
	r->authority = strndup(at->authority, at->authority_len);
	r->path = strndup(at->path, path_len);
	if (r->authority == NULL || r->path == NULL)
		cli_no_memory();
	return OC_OK;
}

enum oc_err
cli_responder_find(const char *url, int64_t timeout_ns,
    struct cli_responder *r, struct oc_error *error)
{
	struct probe_peer *peer = &r->peer;
	struct cli_http_url at;
	enum oc_err err = parse_url(url, r, &at, error);

	if (err != OC_OK)
		return err;
	peer->timeout_ns = timeout_ns;
	cli_progress_begin("the responder");
	err = cli_connect(at.host, at.port, oc_clock_mono_ns() + timeout_ns,
	    &peer->first_fd, error);
	cli_progress_end();
	if (err != OC_OK)
		return oc_error_prefix(error, "%s", url);
	peer->address_len = sizeof(peer->address);
	if (getpeername(peer->first_fd, (struct sockaddr *)&peer->address,
	    &peer->address_len) != 0)
		err = oc_error_set_errno(error, OC_ERR_DOWN, "%s", url);
	return err;
}

void
cli_responder_fini(struct cli_responder *r)
{
	if (r->peer.first_fd >= 0)
		(void)close(r->peer.first_fd);
	r->peer.first_fd = -1;
	free(r->authority);
	free(r->path);
	r->authority = r->path = NULL;
}
