/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's own: parts of the report that have files of their own. */
#ifndef PKCS11_DOCTOR_REPORT_H
#define PKCS11_DOCTOR_REPORT_H

#include "pkcs11/doctor.h"

/* Where findings go. */
struct p11_report {
	const struct p11_doctor_options *options;
	const struct p11_doctor_facts *facts;
	p11_finding_fn *put;
	void *arg;
};

void p11_say(const struct p11_report *r, enum p11_probe probe,
    enum p11_finding_level level, const char *means, const char *format, ...)
    OC_PRINTF(5, 6);
/* "CKR_OK"; lasts for seven more calls. */
const char *p11_ckr(unsigned long rv);

/* "web" in quotes, or "the temporary P-256 key"; lasts for three more. */
const char *p11_doctor_key_text(const struct p11_doctor_key *key);

/* Those about signatures and sessions. */
void p11_doctor_sign_findings(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, p11_finding_fn *put, void *arg);

/* Is it ocsign's own doing, or what every program has: the PIN's file, the
 * latch, syslog's socket? */
bool p11_doctor_is_ours(const struct p11_doctor_options *options,
    const struct p11_doctor_seen *seen);

/* Is it below another path that was seen, or the same again? */
bool p11_doctor_is_covered(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, size_t seen);

/* With blanks between them; none that is below another. */
void p11_doctor_list_paths(const struct p11_doctor_options *options,
    const struct p11_doctor_facts *facts, struct oc_buffer *out);
bool p11_doctor_has_network(const struct p11_doctor_facts *facts);

#endif
