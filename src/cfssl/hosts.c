/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "hosts" of csr.json and -hostname: names without a prefix that says what
 * they are.  What is an IP address is one; else what has a scheme is a URI;
 * else what has an "@" is an e-mail address; all others are DNS names.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cfssl/request.h"

/* ::ffff:192.0.2.1 is an IPv4 address, as Go has it. */
static size_t
read_address(const char *host, uint8_t octets[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET, host, octets) == 1)
		return 4;
	if (inet_pton(AF_INET6, host, octets) != 1)
		return 0;
	if (memcmp(octets, mapped, sizeof(mapped)) != 0)
		return 16;
	memmove(octets, octets + sizeof(mapped), 4);
	return 4;
}

/* RFC 3986, 3.1: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) ":" */
static bool
has_scheme(const char *host)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
	size_t len = strspn(host, others);

	return len > 0 && host[len] == ':' &&
	    strchr(letters, host[0]) != NULL;
}

/* "www.example.com:443" looks like a URI of a strange scheme. */
static bool
is_with_port(const char *host)
{
	const char *port = strchr(host, ':') + 1;

	return strspn(port, "0123456789") == strlen(port);
}

enum oc_err
cfssl_host_classify(const char *host, uint8_t address[16],
    struct x509_san *san, struct oc_error *error)
{
	size_t address_len = read_address(host, address);

	if (host[0] == '\0')
		return oc_error_set(error, OC_ERR_MALFORMED,
		    "is empty; take it out");
	*san = (struct x509_san){ .kind = X509_SAN_DNS,
	    .value = { (const uint8_t *)host, strlen(host) } };
	if (address_len != 0) {
		san->kind = X509_SAN_IP;
		san->value = (struct der_bytes){ address, address_len };
	} else if (has_scheme(host)) {
		san->kind = X509_SAN_URI;
		if (is_with_port(host))
			return oc_error_set(error, OC_ERR_MALFORMED,
			    "\"%.80s\" has a port, which no name has; leave "
			    "it out", host);
	} else if (strchr(host, '@') != NULL)
		san->kind = X509_SAN_EMAIL;
	return OC_OK;
}

/* In a CSR, where a DNS name is an IA5String. */
static enum oc_err
classify_ascii(const struct cfssl_place *place, const char *host,
    uint8_t address[16], struct x509_san *san, struct oc_error *error)
{
	enum oc_err err;

	for (const char *p = host; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			return cfssl_json_error(place, OC_ERR_MALFORMED,
			    error, "has letters beyond ASCII; write the "
			    "A-labels (xn--...) that DNS has");
	err = cfssl_host_classify(host, address, san, error);
	if (err != OC_OK)
		cfssl_json_prefix(place, error);
	return err;
}

/* Where it stands: the order in which CFSSL, that is Go, writes the kinds. */
static int
order_of(enum x509_san_kind kind)
{
	switch (kind) {
	case X509_SAN_DNS:
		return 0;
	case X509_SAN_EMAIL:
		return 1;
	case X509_SAN_IP:
		return 2;
	case X509_SAN_URI:
		return 3;
	case X509_SAN_DIRECTORY:
		break;
	}
	return 4;
}

static bool
has_san(const struct cfssl_request *r, const struct x509_san *san)
{
	uint32_t i;

	for (i = 0; i < r->num_sans; i++)
		if (r->sans[i].kind == san->kind &&
		    der_bytes_equal(r->sans[i].value, san->value))
			return true;
	return false;
}

/* Behind the last of its kind.  Takes octets over. */
static void
insert(struct cfssl_request *r, const struct x509_san *san, uint8_t *octets)
{
	uint32_t at;

	for (at = r->num_sans++; at > 0 && order_of(r->sans[at - 1].kind) >
	    order_of(san->kind); at--) {
		r->sans[at] = r->sans[at - 1];
		r->octets[at] = r->octets[at - 1];
	}
	r->sans[at] = *san;
	r->octets[at] = octets;
}

enum oc_err
cfssl_request_add_host(struct cfssl_request *r,
    const struct cfssl_place *place, const char *host, struct oc_error *error)
{
	struct x509_san san, normal;
	uint8_t address[16], *octets;
	size_t len = strlen(host);
	enum oc_err err;

	if (len > CFSSL_HOST_MAX)
		return cfssl_json_error(place, OC_ERR_LIMIT, error,
		    "is longer than %d octets", CFSSL_HOST_MAX);
	err = classify_ascii(place, host, address, &san, error);
	if (err != OC_OK)
		return err;
	octets = malloc(len + sizeof(address));
	if (octets == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = x509_san_normalize(&san, octets, len + sizeof(address),
	    &normal, error);
	if (err != OC_OK)
		cfssl_json_prefix(place, error);
	else if (!has_san(r, &normal) && r->num_sans == X509_SANS_MAX)
		err = cfssl_json_error(place, OC_ERR_LIMIT, error,
		    "more than %d names", X509_SANS_MAX);
	if (err != OC_OK || has_san(r, &normal))
		free(octets);
	else
		insert(r, &normal, octets);
	return err;
}

enum oc_err
cfssl_request_set_hosts(struct cfssl_request *r, const char *where,
    const char *hosts, struct oc_error *error)
{
	const struct cfssl_place place = { .where = where };
	char host[CFSSL_HOST_MAX + 1];
	size_t len;

	while (r->num_sans > 0)
		free(r->octets[--r->num_sans]);
	for (;; hosts += len + 1) {
		enum oc_err err;

		len = strcspn(hosts, ",");
		if (len > CFSSL_HOST_MAX)
			return cfssl_json_error(&place, OC_ERR_LIMIT, error,
			    "a name is longer than %d octets",
			    CFSSL_HOST_MAX);
		memcpy(host, hosts, len);
		host[len] = '\0';
		err = cfssl_request_add_host(r, &place, host, error);
		if (err != OC_OK || hosts[len] == '\0')
			return err;
	}
}
