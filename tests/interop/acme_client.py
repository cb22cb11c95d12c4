# SPDX-License-Identifier: Apache-2.0
#
# An ACME client (RFC 8555, RFC 9773) that does as it is told, also what no
# client should: the tests of the ACME doors are written with it.  A Client is
# one account on kept connections; what it does not decide by itself stands in
# the arguments of jws().
#
# With python3-cryptography alone.

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import ssl
import threading
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import (ec, ed25519, padding,
                                                       rsa, utils)
from cryptography.x509.oid import NameOID

JOSE = 'application/jose+json'
ERROR = 'urn:ietf:params:acme:error:'
CURVES = {'ES256': (ec.SECP256R1, 'P-256', 32, hashes.SHA256),
          'ES384': (ec.SECP384R1, 'P-384', 48, hashes.SHA384),
          'ES512': (ec.SECP521R1, 'P-521', 66, hashes.SHA512)}
AUTO = object()


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b'=').decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def number(n):
    return b64(n.to_bytes((n.bit_length() + 7) // 8, 'big'))


class Key:
    """A private key, and the algorithm that it signs with."""

    def __init__(self, alg='ES256', pem=None):
        self.alg = alg
        if pem is not None:
            self.key = serialization.load_pem_private_key(pem, None)
        elif alg == 'RS256':
            self.key = rsa.generate_private_key(65537, 2048)
        elif alg == 'EdDSA':
            self.key = ed25519.Ed25519PrivateKey.generate()
        else:
            self.key = ec.generate_private_key(CURVES[alg][0]())

    def pem(self):
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())

    def jwk(self):
        public = self.key.public_key()
        if self.alg == 'EdDSA':
            raw = public.public_bytes(serialization.Encoding.Raw,
                                      serialization.PublicFormat.Raw)
            return {'crv': 'Ed25519', 'kty': 'OKP', 'x': b64(raw)}
        n = public.public_numbers()
        if self.alg == 'RS256':
            return {'e': number(n.e), 'kty': 'RSA', 'n': number(n.n)}
        _, name, size, _ = CURVES[self.alg]
        return {'crv': name, 'kty': 'EC', 'x': b64(n.x.to_bytes(size, 'big')),
                'y': b64(n.y.to_bytes(size, 'big'))}

    def thumbprint(self):
        text = json.dumps(self.jwk(), sort_keys=True, separators=(',', ':'))
        return b64(hashlib.sha256(text.encode()).digest())

    def sign(self, octets):
        if self.alg == 'RS256':
            return self.key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        if self.alg == 'EdDSA':
            return self.key.sign(octets)
        _, _, size, digest = CURVES[self.alg]
        r, s = utils.decode_dss_signature(
            self.key.sign(octets, ec.ECDSA(digest())))
        return r.to_bytes(size, 'big') + s.to_bytes(size, 'big')


def flattened(header, payload, sign):
    """{"protected", "payload", "signature"}; payload None is empty."""
    protected = b64(json.dumps(header).encode())
    if payload is None:
        body = ''
    elif isinstance(payload, bytes):
        body = b64(payload)
    else:
        body = b64(json.dumps(payload).encode())
    return {'protected': protected, 'payload': body,
            'signature': b64(sign((protected + '.' + body).encode()))}


def binding(key, url, kid, secret, alg='HS256', **header):
    """An externalAccountBinding (RFC 8555, 7.3.4) for the account's key."""
    digest = {'HS256': 'sha256', 'HS384': 'sha384', 'HS512': 'sha512'}[alg]
    full = {'alg': alg, 'kid': kid, 'url': url}
    full.update(header)
    full = {k: v for k, v in full.items() if v is not None}
    return flattened(full, key.jwk(), lambda octets: hmac.new(
        unb64(secret), octets, digest).digest())


def make_csr(names, key=None, common_name=None, more=(), digest=None):
    """DER; key is a private key of cryptography's."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = [] if common_name is None else [
        x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name(subject))
    sans = [x509.DNSName(n) for n in names] + list(more)
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans),
                                        critical=not subject)
    if digest is None and not isinstance(key, ed25519.Ed25519PrivateKey):
        digest = hashes.SHA256()
    return builder.sign(key, digest).public_bytes(serialization.Encoding.DER)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def type(self):
        """"badNonce"; None if it is no problem of ACME's."""
        if self.headers.get('Content-Type') != 'application/problem+json':
            return None
        return self.json().get('type', '').replace(ERROR, '', 1)

    def links(self, rel):
        found = []
        for line in self.headers.get_all('Link', []):
            for part in line.split(','):
                url, _, rest = part.strip().partition('>')
                if rel in rest.replace('"', '').split('rel=')[-1].split(';'):
                    found.append(url.lstrip('<'))
        return found

    def __str__(self):
        return '%d %s' % (self.status, self.body.decode('utf-8', 'replace'))


class Failed(Exception):
    def __init__(self, answer):
        super().__init__(str(answer))
        self.answer = answer


class Client:
    def __init__(self, directory, key=None, cafile=None, timeout=60):
        self.key = key or Key()
        self.kid = None
        self.nonces = []
        self.timeout = timeout
        self.tls = ssl.create_default_context(cafile=cafile) if cafile \
            else None
        self.connection = None
        self.place = None
        self.url = directory
        self.directory = None

    # --- HTTP

    def connect(self, url):
        place = (url.scheme, url.netloc)
        if self.connection is not None and self.place == place:
            return
        if url.scheme == 'https':
            self.connection = http.client.HTTPSConnection(
                url.netloc, timeout=self.timeout, context=self.tls)
        else:
            self.connection = http.client.HTTPConnection(
                url.netloc, timeout=self.timeout)
        self.place = place

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def request(self, method, url, body=None, headers=None):
        parts = urllib.parse.urlsplit(url)
        path = parts.path + ('?' + parts.query if parts.query else '')
        self.connect(parts)
        try:
            self.connection.request(method, path, body, headers or {})
            answer = Answer(self.connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if method == 'POST' and 'Replay-Nonce' in answer.headers:
            self.nonces.append(answer.headers['Replay-Nonce'])
        return answer

    def get(self, url):
        return self.request('GET', url)

    def at(self, name):
        if self.directory is None:
            answer = self.get(self.url)
            if answer.status != 200:
                raise Failed(answer)
            self.directory = answer.json()
        return self.directory[name]

    def nonce(self):
        if self.nonces:
            return self.nonces.pop()
        return self.request('HEAD', self.at('newNonce')).headers[
            'Replay-Nonce']

    # --- JWS

    def jws(self, url, payload, key=None, kid=AUTO, nonce=AUTO, change=None):
        """kid None: with jwk.  change: header members; None takes one out."""
        key = key or self.key
        header = {'alg': key.alg, 'url': url,
                  'nonce': self.nonce() if nonce is AUTO else nonce}
        if kid is AUTO:
            kid = self.kid
        if kid is None:
            header['jwk'] = key.jwk()
        else:
            header['kid'] = kid
        header.update(change or {})
        header = {k: v for k, v in header.items() if v is not None}
        return flattened(header, payload, key.sign)

    def send(self, url, jws, content_type=JOSE):
        body = jws if isinstance(jws, (bytes, str)) else json.dumps(jws)
        if isinstance(body, str):
            body = body.encode()
        headers = {} if content_type is None else {
            'Content-Type': content_type}
        return self.request('POST', url, body, headers)

    def post(self, url, payload, **how):
        """As a good client does: again, twice at most, after badNonce."""
        for _ in range(3):
            answer = self.send(url, self.jws(url, payload, **how))
            if answer.type() != 'badNonce' or 'nonce' in how:
                break
            self.nonces.clear()
        return answer

    def good(self, url, payload=None, status=200, **how):
        answer = self.post(url, payload, **how)
        if answer.status != status:
            raise Failed(answer)
        return answer

    # --- what a client does

    def register(self, kid=None, secret=None, alg='HS256', contact=None,
                 only_existing=False, **more):
        url = self.at('newAccount')
        payload = {'termsOfServiceAgreed': True}
        if contact is not None:
            payload['contact'] = contact
        if only_existing:
            payload['onlyReturnExisting'] = True
        if kid is not None:
            payload['externalAccountBinding'] = binding(
                self.key, url, kid, secret, alg)
        payload.update(more)
        answer = self.post(url, payload, kid=None)
        if answer.status in (200, 201):
            self.kid = answer.headers['Location']
        return answer

    def order(self, names, **more):
        payload = {'identifiers': [{'type': 'dns', 'value': n}
                                   for n in names]}
        payload.update(more)
        return self.post(self.at('newOrder'), payload)

    def begin(self, authorization, kind, answers=None):
        """Has the challenge of this kind looked at; its key authorization."""
        for challenge in authorization['challenges']:
            if challenge['type'] == kind:
                break
        else:
            raise KeyError(kind)
        text = challenge['token'] + '.' + self.key.thumbprint()
        if answers is not None:
            answers(authorization['identifier']['value'], challenge['token'],
                    text)
        self.good(challenge['url'], {})
        return text

    def wait(self, url, states, seconds=60, pause=0.02):
        """Polls until "status" is one of these."""
        end = time.monotonic() + seconds
        while True:
            answer = self.good(url)
            if answer.json()['status'] in states:
                return answer.json()
            if time.monotonic() > end:
                raise TimeoutError(str(answer))
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)

    def prove(self, order, kind, answers):
        """All authorizations of an order that are not valid yet."""
        for url in order['authorizations']:
            authorization = self.good(url).json()
            if authorization['status'] == 'pending':
                self.begin(authorization, kind, answers)
        for url in order['authorizations']:
            authorization = self.wait(url, ('valid', 'invalid'))
            if authorization['status'] != 'valid':
                raise Exception(json.dumps(authorization))

    def finish(self, location, csr, order=None, pause=0.02):
        """Finalizes and downloads: PEM, the leaf first.  order: as it was
        answered; what is said already is not asked for again."""
        if order is None or order['status'] == 'pending':
            order = self.wait(location, ('ready', 'valid'))
        if order['status'] == 'ready':
            order = self.good(order['finalize'], {'csr': b64(csr)}).json()
        if order['status'] != 'valid':
            order = self.wait(location, ('valid', 'invalid'), pause=pause)
        if order['status'] != 'valid':
            raise Exception(json.dumps(order))
        return self.good(order['certificate']).body

    def obtain(self, names, kind, answers, csr=None, **more):
        answer = self.order(names, **more)
        if answer.status != 201:
            raise Failed(answer)
        self.prove(answer.json(), kind, answers)
        return self.finish(answer.headers['Location'],
                           csr or make_csr(names))

    def roll(self, key, **change):
        """RFC 8555, 7.3.5; change is of the inner payload."""
        url = self.at('keyChange')
        payload = {'account': self.kid, 'oldKey': self.key.jwk()}
        payload.update(change)
        inner = flattened({'alg': key.alg, 'jwk': key.jwk(), 'url': url},
                          payload, key.sign)
        answer = self.post(url, inner)
        if answer.status == 200:
            self.key = key
        return answer

    def revoke(self, certificate, reason=None, key=None):
        """key: the certificate's own, which needs no account."""
        payload = {'certificate': b64(certificate.public_bytes(
            serialization.Encoding.DER))}
        if reason is not None:
            payload['reason'] = reason
        if key is None:
            return self.post(self.at('revokeCert'), payload)
        return self.post(self.at('revokeCert'), payload, key=key, kid=None)


def renewal_id(certificate):
    """RFC 9773, 4.1: the key identifier and the serial number's octets."""
    aki = certificate.extensions.get_extension_for_class(
        x509.AuthorityKeyIdentifier).value.key_identifier
    serial = certificate.serial_number
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, 'big')
    return b64(aki) + '.' + b64(octets)


def certificates(pem):
    """All of a chain, in its order."""
    end = b'-----END CERTIFICATE-----\n'
    return [x509.load_pem_x509_certificate(part + end)
            for part in pem.split(end)[:-1]]


class Responder:
    """http-01's answers, from a thread."""

    def __init__(self, port, host='127.0.0.1'):
        answers = self.answers = {}
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.headers.get('Host'), self.path))
                text = answers.get(self.path)
                self.send_response(404 if text is None else 200)
                self.end_headers()
                self.wfile.write((text or 'nothing').encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((host, port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def __call__(self, _, token, text):
        self.answers['/.well-known/acme-challenge/' + token] = text

    def close(self):
        self.server.shutdown()
        self.server.server_close()
