/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "pkcs11/recover.h"

#define PATH_MAX_LEN 4096
/* "signature" and 20 digits, for each. */
#define TEXT_MAX (P11_CLASS_MAX * 48)

static enum oc_err
path_of(const char *state_dir, const char *token, char path[PATH_MAX_LEN],
    struct oc_error *error)
{
	int len = snprintf(path, PATH_MAX_LEN, "%s/errors-%s", state_dir,
	    token);

	return len > 0 && len < PATH_MAX_LEN ? OC_OK : oc_error_set(error,
	    OC_ERR_CONFIG, "the state directory's path is too long");
}

enum oc_err
p11_tally_keep(const char *state_dir, const char *token,
    const uint64_t num[P11_CLASS_MAX], struct oc_error *error)
{
	char path[PATH_MAX_LEN], text[TEXT_MAX];
	enum oc_err err = path_of(state_dir, token, path, error);
	size_t len = 0;

	if (err != OC_OK)
		return err;
	for (int class = 0; class < P11_CLASS_MAX; class++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s %" PRIu64 "\n", p11_class_name((enum p11_class)class),
		    num[class]);
	return oc_file_write_own(path, 0600, text, len, error);
}

/* One line of each class, in their order, and nothing else. */
static bool
read_text(const char *text, uint64_t num[P11_CLASS_MAX])
{
	for (int class = 0; class < P11_CLASS_MAX; class++) {
		const char *name = p11_class_name((enum p11_class)class);
		size_t len = strlen(name);
		char *end;

		if (strncmp(text, name, len) != 0 || text[len] != ' ' ||
		    text[len + 1] < '0' || text[len + 1] > '9')
			return false;
		errno = 0;
		num[class] = strtoull(text + len + 1, &end, 10);
		if (errno != 0 || *end != '\n')
			return false;
		text = end + 1;
	}
	return *text == '\0';
}

void
p11_tally_take(const char *state_dir, const char *token,
    uint64_t num[P11_CLASS_MAX])
{
	char path[PATH_MAX_LEN];
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum oc_err err;

	memset(num, 0, P11_CLASS_MAX * sizeof(*num));
	if (path_of(state_dir, token, path, NULL) != OC_OK)
		return;
	err = oc_file_read(path, TEXT_MAX, &bytes, &len, NULL);
	if (err == OC_OK && (memchr(bytes, '\0', len) != NULL ||
	    !read_text((const char *)bytes, num)))
		memset(num, 0, P11_CLASS_MAX * sizeof(*num));
	free(bytes);
	if (err != OC_ERR_NOT_FOUND && unlink(path) != 0)
		oc_log(OC_LOG_WARNING, "cannot remove %s: %s", path,
		    strerror(errno));
}
