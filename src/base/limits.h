/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of the project, each with its reason. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* Files a person hands us.  A CSR with 200 names is 8 KiB; 64 KiB is what
 * public CAs accept. */
#define OC_CSR_MAX (64 * 1024)
#define OC_CERTIFICATE_MAX (64 * 1024)
/* A chain of a handful of certificates in PEM. */
#define OC_CHAIN_FILE_MAX (256 * 1024)
#define OC_CHAIN_MAX 8
/* All CAs that somebody trusts: the public ones are 200 KiB. */
#define OC_BUNDLE_FILE_MAX (1024 * 1024)
/* A bundle of certificates to look at; a system's roots are 220 KB. */
#define OC_LINT_FILE_MAX (4 * 1024 * 1024)
#define OC_CONFIG_FILE_MAX (1024 * 1024)
/* A million blocked keys of 65 octets; the lists in public are smaller. */
#define OC_BLOCKLIST_FILE_MAX (64 * 1024 * 1024)
#define OC_CONFIG_NAME_MAX 64		/* "[issuer NAME]" */
/* "ISSUER", "ISSUER+SIGNER": whose OCSP responses. */
#define OC_OCSP_NAME_MAX (2 * OC_CONFIG_NAME_MAX + 1)
#define OC_PIN_MAX 256
#define OC_KEY_NAME_MAX OC_OCSP_NAME_MAX

/* The calendar clock may be set by so much in an hour, in seconds.  NTP steps
 * are fractions of one, and those after a virtual machine was paused some
 * minutes; clients' own clocks are off by as much. */
#define OC_CLOCK_STEP_MAX_S 300

/* A regular expression in a configuration: a list of some hundred names. */
#define OC_PATTERN_MAX 8192

/* A TBS larger than this travels as a sealed memfd, not inside a frame. */
#define OC_TBS_INLINE_MAX (64 * 1024)
/* In such a memfd the TBS is what it ends with: a CRL's entries are written
 * before what stands in front of them, an issuer's name above all. */
#define OC_TBS_BEFORE_MAX 8192
/* A CRL of ten million entries, each with a serial of 20 octets and a reason:
 * 53 octets.  Nothing else that is signed is longer than OC_TBS_INLINE_MAX. */
#define OC_TBS_MAX (576 * 1024 * 1024)
/* What a CRL is read from: one of OC_TBS_MAX in DER, three quarters of that in
 * PEM. */
#define OC_CRL_FILE_MAX (OC_TBS_MAX + 64 * 1024)
/* Two million serial numbers of 20 octets, in hexadecimal. */
#define OC_ISSUED_FILE_MAX (96 * 1024 * 1024)
/* A line of openssl's index.txt: a subject of OC_NAME_MAX in openssl's oneline
 * form, where an octet may be four characters. */
#define OC_INDEX_LINE_MAX (20 * 1024)
/* What a status source has in all, 400 MiB in memory: more than any one CA of
 * the Web's has that have not expired, ten times over. */
#define OC_RECORDS_MAX 10000000
/* Into so many CRLs one issuer's certificates may go: with as many a hundred
 * million, of which one in a hundred is revoked, make lists of 400 KB. */
#define OC_CRL_PARTITIONS_MAX 128
/* A URL that a list's partition goes into, with that. */
#define OC_CRL_URL_MAX 511
/* Names that a CA has in CAA records (RFC 8659): one or two. */
#define OC_CAA_IDENTITIES_MAX 8
/* A frame: a TBS inline plus its header fields, or how 64 issuers stand, of
 * which each may have 2 KiB to say, and 128 files that are served, each with
 * 400 octets. */
#define OC_FRAME_MAX (192 * 1024)

/* Keys of others, in CSRs and certificates: what is larger takes longer to
 * verify, and nobody needs it. */
#define OC_RSA_BITS_MAX 4096
/* RSA-4096 is 512; nothing we sign with is larger. */
#define OC_SIGNATURE_MAX 512
#define OC_SPKI_MAX 1024		/* RSA-4096 is 550 octets */
#define OC_NAME_MAX 4096		/* a Name in DER */

/* CFSSL's csr.json with 200 names of 255 octets is 56 KiB; what cfssljson
 * splits is a bundle at most.  The deepest of them has five levels. */
#define CFSSL_JSON_MAX (256 * 1024)
#define CFSSL_JSON_DEPTH_MAX 16
#define CFSSL_RSA_BITS_MAX 8192		/* what cfssl genkey makes */
/* newkey and newcert make keys for whoever asks, and RSA-8192 keeps a CPU for
 * half a minute. */
#define CFSSL_NEWKEY_RSA_BITS_MAX 4096
/* authsign's nonce, in octets: a UUID has 36, 64 random octets in hexadecimal
 * have 128. */
#define CFSSL_NONCE_MAX 128

/* OCSP over HTTP.  Real requests are 70 to 300 octets; signed ones 3 KiB. */
#define OCSP_REQUEST_MAX (64 * 1024)
/* One whose signature is to be verified, with four certificates of 3 KiB. */
#define OCSP_SIGNED_REQUEST_MAX (16 * 1024)
#define OCSP_REQUEST_SINGLES_MAX 128
#define OCSP_NONCE_MAX 128		/* RFC 9654, 2.1 */
/* Signature algorithms that a client prefers, of which the first that we have
 * is looked for; there are a dozen in use. */
#define OCSP_PREFERRED_MAX 32
#define OCSP_RESPONSE_MAX (16 * 1024)	/* nginx reads no more */
/* From thisUpdate to nextUpdate: what the keys sign, and a ceremony needs. */
#define OCSP_LIFE_MAX_S (400 * INT64_C(86400))
#define HTTP_HEADER_MAX (8 * 1024)
#define HTTP_TARGET_MAX (8 * 1024)
/* Of a chunked body: extensions are nobody's; trailers may be as long as a
 * header section. */
#define HTTP_CHUNK_EXTRA_MAX HTTP_HEADER_MAX

/* The API.  A CSR of OC_CSR_MAX with 200 names, as JSON in base64 in JSON
 * (authsign), is 210 KiB. */
#define NET_BODY_MAX (256 * 1024)
#define NET_HEAD_MAX (16 * 1024)	/* tokens are 200 octets */
#define NET_FIELDS_MAX 64		/* proxies add a dozen */
#define NET_JSON_DEPTH_MAX 16		/* what we read has four */
/* A chunked body's extensions and trailers, which no client of an API
 * sends. */
#define NET_CHUNK_EXTRA_MAX 4096
/* The list of an account's certificates.  One of them is 3 KiB as JSON, and
 * the store's thread reads a page while others wait for it; what is skipped
 * it counts through, and no account has a million. */
#define ORIGIN_PER_PAGE_MAX 100
#define ORIGIN_PAGE_MAX 1000000
/* Seconds for which a CRL is handed out again.  Whoever asks for one without
 * end gets a signature of the token and a row of the store in this time, and
 * no more; who fetches lists does so every few minutes at most. */
#define OC_CRL_AGAIN_S 5
/* A handshake costs 1 ms of CPU; more than these at once is no client. */
#define NET_HANDSHAKES_MAX 64
/* Who goes on sending more than this after a refusal does not read it. */
#define NET_LINGER_MAX (16 * 1024 * 1024)

#endif
