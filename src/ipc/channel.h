/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's end of a socket to another role, and the signer that stands
 * behind one.  No libevent: the fd of ipc_channel_fd() and sign_fd() goes
 * into whatever loop the caller has.  Reconnects by itself with back-off
 * (20 ms to 1 s); what was asked and not answered is asked again of the new
 * peer until its deadline.
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include "base/err.h"
#include "ipc/message.h"
#include "sign/sign.h"

struct ipc_channel;
struct ipc_call;

/* fields are borrowed until it returns; err OC_OK, TIMEOUT, or DOWN (the
 * deadline has passed and nobody is connected).  May ask and cancel; must not
 * dispatch or free the channel. */
typedef void ipc_reply_fn(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields);

/* path is the socket, role our own name for HELLO.  Connects lazily. */
enum oc_err ipc_channel_new(const char *path, const char *role,
    struct ipc_channel **channel) OC_MUST_CHECK;
/* NULL is fine.  What was asked is forgotten: no reply runs. */
void ipc_channel_free(struct ipc_channel *channel);
/* An epoll fd: readable when ipc_channel_dispatch() has work. */
int ipc_channel_fd(const struct ipc_channel *channel);
void ipc_channel_dispatch(struct ipc_channel *channel);
/* A fresh id, for the ipc_put_*() of the next call. */
uint64_t ipc_channel_next_id(struct ipc_channel *channel);
/* Copies the frame, which was written with that id; reply runs exactly once,
 * from dispatch.  BUSY when too much waits.  fd >= 0 is sent along and
 * belongs to the channel from then on, even when this fails.  A SIGN or
 * VALIDATE is sent with the time that is then left as its timeout, and when
 * its deadline passes or it is cancelled the peer is sent CANCEL. */
enum oc_err ipc_channel_ask(struct ipc_channel *channel, uint64_t id,
    const uint8_t *frame, size_t len, int fd, int64_t deadline_ns,
    ipc_reply_fn *reply, void *arg) OC_MUST_CHECK;
/* While it is held, what is asked is only queued. */
void ipc_channel_hold(struct ipc_channel *channel, bool is_held);
/* After this returns reply has run or never will. */
void ipc_channel_cancel(struct ipc_channel *channel, uint64_t id);
/* Answers that came after their call was cancelled or timed out. */
uint64_t ipc_channel_num_late(const struct ipc_channel *channel);
/* Blocking, for commands: asks and waits, dispatching other calls meanwhile.
 * fields are valid until the next ask_now on the channel. */
enum oc_err ipc_channel_ask_now(struct ipc_channel *channel, uint64_t id,
    const uint8_t *frame, size_t len, int64_t deadline_ns,
    enum ipc_type *type, struct der_bytes *fields) OC_MUST_CHECK;

/* struct signer (sign/sign.h) over signer-*.sock. */
enum oc_err ipc_signer_new(const char *path, const char *role,
    struct signer **signer) OC_MUST_CHECK;

#endif
