/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/serial.h"

#include <openssl/rand.h>
#include <string.h>

#define EPOCH_LIMIT (UINT32_C(1) << 30)
#define EPOCH_LEN 4
#define RANDOM_LEN 16

enum oc_err
ca_serial_new(uint32_t epoch, struct oc_serial *serial)
{
	struct oc_serial made = { .len = EPOCH_LEN + RANDOM_LEN };
	uint32_t head = EPOCH_LIMIT | epoch;

	if (epoch >= EPOCH_LIMIT)
		return OC_ERR_LIMIT;
	made.bytes[0] = (uint8_t)(head >> 24);
	made.bytes[1] = (uint8_t)(head >> 16);
	made.bytes[2] = (uint8_t)(head >> 8);
	made.bytes[3] = (uint8_t)head;
	if (RAND_bytes(made.bytes + EPOCH_LEN, RANDOM_LEN) != 1)
		return OC_ERR_INTERNAL;
	*serial = made;
	return OC_OK;
}
