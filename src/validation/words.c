/* SPDX-License-Identifier: Apache-2.0 */
#include "validation/validation.h"

const char *
validation_fault_text(enum validation_fault fault)
{
	switch (fault) {
	case VALIDATION_NO_FAULT:
		return "";
	case VALIDATION_DNS_FAULT:
		return "dns";
	case VALIDATION_CONNECTION_FAULT:
		return "connection";
	case VALIDATION_TLS_FAULT:
		return "tls";
	case VALIDATION_INCORRECT:
		return "incorrectResponse";
	case VALIDATION_CAA_FAULT:
		return "caa";
	case VALIDATION_REFUSED:
		return "unauthorized";
	case VALIDATION_OURS:
		return "serverInternal";
	}
	return "serverInternal";
}

const char *
validation_task_text(enum validation_task task)
{
	switch (task) {
	case VALIDATION_TXT:
		return "txt";
	case VALIDATION_FILE:
		return "file";
	case VALIDATION_META:
		return "meta";
	case VALIDATION_CAA:
		return "caa";
	case VALIDATION_CONTACTS:
		return "contacts";
	case VALIDATION_MAIL:
		return "mail";
	case VALIDATION_PUBLISH:
		return "publish";
	case VALIDATION_WITHDRAW:
		return "withdraw";
	}
	return "unknown";
}
