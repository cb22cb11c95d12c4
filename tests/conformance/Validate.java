// SPDX-License-Identifier: Apache-2.0
//
// The JDK's own PKIX validation, with a responder asked for the end entity:
// "java Validate.java URL ROOT CA LEAF [nonce]" prints "good", the reason why
// not ("REVOKED keyCompromise"), or what it could not believe.

import java.io.FileInputStream;
import java.io.InputStream;
import java.net.URI;
import java.security.SecureRandom;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateRevokedException;
import java.security.cert.Extension;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

class Validate {
	static X509Certificate read(String path) throws Exception {
		try (InputStream in = new FileInputStream(path)) {
			return (X509Certificate) CertificateFactory.
			    getInstance("X.509").generateCertificate(in);
		}
	}

	// RFC 9654: 32 octets in an OCTET STRING.
	static Extension nonce() {
		byte[] value = new byte[34];
		byte[] octets = new byte[32];

		new SecureRandom().nextBytes(octets);
		value[0] = 4;
		value[1] = 32;
		System.arraycopy(octets, 0, value, 2, 32);
		return new Extension() {
			public String getId() {
				return "1.3.6.1.5.5.7.48.1.2";
			}
			public boolean isCritical() {
				return false;
			}
			public byte[] getValue() {
				return value;
			}
			// Extension ::= SEQUENCE { extnID, extnValue }
			public void encode(OutputStream out)
			    throws java.io.IOException {
				ByteArrayOutputStream b =
				    new ByteArrayOutputStream();
				b.write(new byte[] { 0x06, 0x09, 0x2b, 0x06,
				    0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02,
				    0x04, 0x22 });
				b.write(value);
				out.write(0x30);
				out.write(b.size());
				b.writeTo(out);
			}
		};
	}

	public static void main(String[] args) throws Exception {
		CertPathValidator validator =
		    CertPathValidator.getInstance("PKIX");
		PKIXRevocationChecker checker = (PKIXRevocationChecker)
		    validator.getRevocationChecker();
		PKIXParameters parameters = new PKIXParameters(Set.of(
		    new TrustAnchor(read(args[1]), null)));

		checker.setOcspResponder(new URI(args[0]));
		checker.setOptions(EnumSet.of(Option.NO_FALLBACK,
		    Option.ONLY_END_ENTITY));
		if (args.length > 4)
			checker.setOcspExtensions(List.of(nonce()));
		parameters.addCertPathChecker(checker);
		try {
			validator.validate(CertificateFactory.getInstance(
			    "X.509").generateCertPath(List.of(read(args[3]),
			    read(args[2]))), parameters);
			System.out.println("good");
		} catch (CertPathValidatorException e) {
			System.out.println(e.getReason() + " " +
			    (e.getCause() instanceof
			    CertificateRevokedException r ?
			    r.getRevocationReason() : e.getMessage() + " " +
			    e.getCause()));
		}
	}
}
