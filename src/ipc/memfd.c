/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool
write_all(int fd, struct der_bytes bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.p, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes.p += n;
		bytes.len -= (size_t)n;
	}
	return true;
}

enum oc_err
ipc_memfd_new(struct der_bytes bytes, int *fd)
{
	int memfd;

	memfd = memfd_create("ocsign-tbs", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memfd < 0)
		return OC_ERR_SYSTEM;
	if (!write_all(memfd, bytes) ||
	    fcntl(memfd, F_ADD_SEALS, SEALS) != 0) {
		close(memfd);
		return OC_ERR_SYSTEM;
	}
	*fd = memfd;
	return OC_OK;
}

enum oc_err
ipc_memfd_map(int fd, uint64_t len, struct der_bytes *bytes)
{
	struct stat st;
	void *p;
	int seals;

	if (len == 0 || len > OC_TBS_MAX)
		return OC_ERR_LIMIT;
	/* Fails for whatever is no memfd: EINVAL. */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS)
		return OC_ERR_REFUSED;
	if (fstat(fd, &st) != 0)
		return OC_ERR_SYSTEM;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != len)
		return OC_ERR_MISMATCH;
	p = mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return OC_ERR_SYSTEM;
	*bytes = (struct der_bytes){ p, (size_t)len };
	return OC_OK;
}

void
ipc_memfd_unmap(struct der_bytes bytes)
{
	if (bytes.p != NULL)
		munmap((void *)(uintptr_t)bytes.p, bytes.len);
}
