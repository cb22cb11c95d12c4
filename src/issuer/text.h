/* SPDX-License-Identifier: Apache-2.0 */
/* What more than one dialect writes. */
#ifndef ISSUER_TEXT_H
#define ISSUER_TEXT_H

#include <jansson.h>
#include <stdint.h>

#include "base/serial.h"
#include "der/bytes.h"

/* Whose fault an error is, for the status that a dialect says. */
enum issuer_fault {
	ISSUER_REFUSED,		/* the request's: it will always be refused */
	ISSUER_AWAY,		/* something is busy or away: try later */
	ISSUER_BROKEN		/* ours: the log says it, the client is not
				 * told more */
};
enum issuer_fault issuer_fault_of(enum oc_err err);

#define ISSUER_DECIMAL_MAX 50		/* 2^159 has 48 digits */
#define ISSUER_TIME_MAX 24

/* "62584689071784286058513512432753333083198114639". */
void issuer_decimal(const struct oc_serial *serial,
    char text[ISSUER_DECIMAL_MAX]);
/* RFC 3339: "2026-11-26T11:33:00Z". */
void issuer_time(int64_t at, char text[ISSUER_TIME_MAX]);
/* A JSON string; NULL: out of memory. */
json_t *issuer_pem(const char *label, const uint8_t *der, size_t len);
/* Upper case if separator is not NUL: "AB:CD"; else "abcd". */
json_t *issuer_hex(const uint8_t *octets, size_t len, char separator);

#endif
