/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/steer.h"

#include <linux/filter.h>
#include <sys/socket.h>

/*
 * The program runs for each SYN and returns a socket's place in the order in
 * which they were bound.  By chance, as the kernel's own hash of addresses
 * and ports is: what follows a SYN finds its socket without the program.
 */
enum oc_err
daemon_steer(int fd, unsigned int num)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    (unsigned int)(SKF_AD_OFF + SKF_AD_RANDOM)),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, num),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	const struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]), .filter = code };

	oc_assert(num > 0);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
	    sizeof(program)) == 0 ? OC_OK : OC_ERR_UNSUPPORTED;
}
