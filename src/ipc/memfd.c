/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

enum oc_err
ipc_memfd_new(struct der_bytes bytes, int *fd)
{
	struct oc_spool spool;
	enum oc_err err;

	err = oc_spool_open(&spool, "ocsign-tbs", OC_TBS_MAX);
	oc_spool_put(&spool, bytes.p, bytes.len);
	if (err == OC_OK)
		err = oc_spool_seal(&spool);
	if (err == OC_OK) {
		*fd = spool.fd;
		spool.fd = -1;
	}
	oc_spool_close(&spool);
	return err;
}

enum oc_err
ipc_memfd_map(int fd, uint64_t len, struct oc_mapping *mapping,
    struct der_bytes *tbs)
{
	uint64_t size;
	struct stat st;
	void *p;
	int seals;

	if (len == 0 || len > OC_TBS_MAX)
		return OC_ERR_LIMIT;
	/* Fails for whatever is no memfd: EINVAL. */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & OC_SPOOL_SEALS) != OC_SPOOL_SEALS)
		return OC_ERR_REFUSED;
	if (fstat(fd, &st) != 0)
		return OC_ERR_SYSTEM;
	size = (uint64_t)st.st_size;
	if (!S_ISREG(st.st_mode) || size < len ||
	    size - len > OC_TBS_BEFORE_MAX)
		return OC_ERR_MISMATCH;
	p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return OC_ERR_SYSTEM;
	*mapping = (struct oc_mapping){ p, (size_t)size, (size_t)size };
	*tbs = (struct der_bytes){ mapping->bytes + (size - len),
	    (size_t)len };
	return OC_OK;
}
