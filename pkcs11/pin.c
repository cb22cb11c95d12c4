/* SPDX-License-Identifier: Apache-2.0 */
/* PIN sources: those of any secret, for nobody but the signer to read. */
#include "base/secret.h"
#include "pkcs11/pin.h"

enum oc_err
p11_pin_read(const char *source, struct oc_secret *pin,
    struct oc_error *error)
{
	static const struct oc_secret_kind kind = {
		"pin-source", "PIN", OC_ERR_PIN, false
	};

	return oc_secret_take(source, &kind, pin, error);
}
