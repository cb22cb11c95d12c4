# SPDX-License-Identifier: Apache-2.0
#
# What strangers get where external accounts are optional, and what is
# certified of a CSR's subject: for acme_unproven.sh.

import hashlib
import subprocess
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from acme_world import *  # noqa: F403
from acme_world import (Client, account, b64, case, certificates, directory,
                        dns_port, eab, expect, main, make_csr, responder,
                        shared, site, txt)

strangers = []


def stranger():
    """Of three that there may be."""
    if not strangers:
        c = Client(directory)
        expect(c.register(), 201)
        strangers.append(c)
    return strangers[0]


@case
def what_the_owner_has():
    """Who has shown a key of the account's has the zone's proof, too."""
    answer = expect(site().order(['own.example.test', '*.example.test']), 201)
    order = answer.json()
    assert order['status'] == 'ready', answer
    # What rests on one proof is one authorization, however often it is asked.
    again = site().order(['own.example.test', '*.example.test']).json()
    assert again['authorizations'] == order['authorizations'], again


@case
def what_strangers_have():
    c = stranger()
    for name in ('x.example.test', '*.x.example.test', 'example.test'):
        answer = expect(c.order([name]), 201)
        assert answer.json()['status'] == 'pending', answer
    # Nor may they revoke what is his.
    leaf = certificates(site().finish(
        site().order(['y.example.test']).headers['Location'],
        make_csr(['y.example.test'])))[0]
    expect(c.revoke(leaf), 403, 'unauthorized')
    # What they prove is theirs.
    c.obtain(['x.example.test'], 'http-01', responder())


def txt_of(name, _, text):
    txt(b64(hashlib.sha256(text.encode()).digest()),
        '_acme-challenge.%s.' % name)


def caa(name, tag, method):
    lines = ('server 127.0.0.1 %d\nzone example.test.\nadd %s. 1 A 127.0.0.1\n'
             'add %s. 1 CAA 0 %s "ca.test; validationmethods=%s"\n'
             'send\nquit\n' % (dns_port, name, name, tag, method))
    subprocess.run(['knsupdate', '-v', '-k', 'dns/update.key'], check=True,
                   input=lines.encode(), stdout=subprocess.DEVNULL)


def csr(attributes, name):
    key = ec.generate_private_key(ec.SECP256R1())
    return x509.CertificateSigningRequestBuilder().subject_name(x509.Name(
        [x509.NameAttribute(oid, value) for oid, value in attributes])
    ).add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]),
                    False).sign(key, hashes.SHA256()).public_bytes(
                        serialization.Encoding.DER)


@case
def subjects():
    c, name = site(), 's.example.test'
    cn = (NameOID.COMMON_NAME, name.upper())

    def given(*attributes):
        answer = expect(c.order([name]), 201)
        pem = c.finish(answer.headers['Location'], csr(attributes, name))
        return certificates(pem)[0].subject.rfc4514_string()

    assert given() == ''
    assert given(cn) == 'CN=' + name
    assert given((NameOID.COUNTRY_NAME, 'DE'),
                 (NameOID.ORGANIZATION_NAME, 'A Bank'),
                 (NameOID.EMAIL_ADDRESS, 'a@other.test'), cn) == 'CN=' + name
    assert given((NameOID.ORGANIZATION_NAME, 'A Bank')) == ''
    order = expect(c.order([name]), 201).json()
    for other in ('other.test', 'A Bank'):
        for pair in ((cn, (cn[0], other)), ((cn[0], other), cn)):
            expect(c.post(order['finalize'], {'csr': b64(csr(pair, name))}),
                   400, 'badCSR')


@case
def methods_that_caa_allows():
    """A name and its wildcard, each proven by another method (RFC 8657)."""
    c = stranger()
    for first, by_name, status in (('*.', 'dns-01', 403), ('', 'http-01', 200),
                                   ('*.', 'http-01', 200),
                                   ('', 'dns-01', 403)):
        name = 'caa%d.example.test' % len(shared)
        shared[name] = None
        caa(name, 'issue', by_name)
        caa(name, 'issuewild', 'dns-01')
        names = [first + name, ('' if first else '*.') + name]
        answer = expect(c.order(names), 201)
        for url in answer.json()['authorizations']:
            authorization = c.good(url).json()
            if authorization.get('wildcard'):
                c.begin(authorization, 'dns-01', txt_of)
            else:
                c.begin(authorization, 'http-01', responder())
        order = c.wait(answer.headers['Location'], ('ready', 'invalid'))
        assert order['status'] == 'ready', order
        expect(c.post(order['finalize'], {'csr': b64(make_csr(names))}),
               status, 'caa' if status == 403 else None)


@case
def how_many_strangers():
    first = stranger()
    for _ in range(2):
        expect(Client(directory).register(), 201)
    answer = expect(Client(directory).register(), 429, 'rateLimited')
    assert int(answer.headers['Retry-After']) > 0, answer.headers
    # Who is there stays, and who has a key comes.
    expect(Client(directory, first.key).register(), 200)
    account()


@case
def how_many_are_open():
    """Twelve, of all orders that there are; what is refused opens none."""
    c = stranger()
    names = ['p%d.example.test' % n for n in range(13)]
    answer = expect(c.order(names), 429, 'rateLimited')
    assert int(answer.headers['Retry-After']) > 0, answer.headers
    num = 0
    while True:
        answer = c.order([names[num]])
        if answer.status != 201:
            break
        url = answer.json()['authorizations'][0]
        num += 1
    expect(answer, 429, 'rateLimited')
    assert 8 <= num <= 12, num
    expect(c.post(url, {'status': 'deactivated'}), 200)
    expect(c.order([names[12]]), 201)


@case
def a_key_that_was_given_up():
    c, other = account(), account()
    old = other.key
    expect(other.post(other.kid, {'status': 'deactivated'}), 200)
    expect(c.roll(old), 403, 'unauthorized')
    expect(Client(directory, old).register(*eab()), 403, 'unauthorized')
    expect(c.post(c.kid, None), 200)


if __name__ == '__main__':
    sys.exit(main(sys.argv))
