/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New serial numbers: 20 octets, never negative, never again.
 *
 *	01eeeeee eeeeeeee eeeeeeee eeeeeeee  r[16]
 *
 * e is the store's epoch (minutes since 2020 of its making or last restore,
 * 30 bits), so that a store restored from a backup cannot give out a serial
 * that it gave out after that backup; r are 128 bits from the CSPRNG (the
 * Baseline Requirements, 7.1, ask for 64).  The leading 01 keeps the INTEGER
 * positive and always 20 octets long: RFC 5280, 4.1.2.2.
 */
#ifndef CA_SERIAL_H
#define CA_SERIAL_H

#include "base/err.h"
#include "base/serial.h"

/* LIMIT if the epoch needs more than 30 bits, INTERNAL if the CSPRNG has no
 * octets to give: then nothing may be issued. */
enum oc_err ca_serial_new(uint32_t epoch, struct oc_serial *serial)
    OC_MUST_CHECK;

#endif
