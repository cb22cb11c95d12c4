# SPDX-License-Identifier: Apache-2.0
#
# Orders, proofs, certificates and renewal: what is given, in the form that
# clients need it, and each way in which it must not be (RFC 8555, 7.4 to 7.6,
# 8; RFC 9773).

import datetime
import hashlib
import subprocess
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from acme_world import *  # noqa: F403
from acme_world import (Key, account, b64, case, certificates, directory,
                        expect, main, make_csr, renewal_id, responder, site,
                        txt)

number_of_names = 0


def new_name():
    """One that nobody has proven yet."""
    global number_of_names
    number_of_names += 1
    return 'n%d.example.test' % number_of_names


def ready(c, names=None):
    """An order that is: its URL, itself, its names."""
    names = names or [new_name()]
    answer = expect(c.order(names), 201)
    c.prove(answer.json(), 'http-01', responder())
    location = answer.headers['Location']
    return location, c.wait(location, ('ready', 'valid')), names


def obtain(c, names=None, **how):
    names = names or [new_name()]
    return certificates(c.obtain(names, 'http-01', responder(), **how))


def finalize(c, order, csr):
    text = csr if isinstance(csr, str) else b64(csr)
    return c.post(order['finalize'], {'csr': text})


# --- orders

@case
def an_order():
    c = site()
    names = [new_name(), new_name()]
    answer = expect(c.order([n.upper() for n in names]), 201)
    location = answer.headers['Location']
    order = answer.json()
    assert order['status'] == 'pending', answer
    assert sorted(i['value'] for i in order['identifiers']) == names, answer
    assert len(order['authorizations']) == 2, answer
    assert 'certificate' not in order and 'error' not in order, answer
    datetime.datetime.strptime(order['expires'], '%Y-%m-%dT%H:%M:%SZ')
    assert c.good(location).json() == order
    base = directory.rsplit('/', 1)[0] + '/'
    for url in order['authorizations'] + [location, order['finalize']]:
        assert url.startswith(base), url
    authorization = expect(c.post(order['authorizations'][0], None),
                           200).json()
    assert authorization['status'] == 'pending'
    assert 'wildcard' not in authorization, authorization
    kinds = {}
    for challenge in authorization['challenges']:
        kinds[challenge['type']] = challenge
        assert challenge['status'] == 'pending'
        assert len(challenge['token']) >= 22, challenge
        assert 'validated' not in challenge, challenge
    assert set(kinds) == {'http-01', 'dns-01'}, kinds


@case
def wildcards():
    c = site()
    name = new_name()
    order = expect(c.order(['*.' + name]), 201).json()
    assert order['identifiers'] == [{'type': 'dns', 'value': '*.' + name}]
    authorization = c.good(order['authorizations'][0]).json()
    assert authorization['identifier']['value'] == name, authorization
    assert authorization['wildcard'] is True, authorization
    kinds = [i['type'] for i in authorization['challenges']]
    assert kinds == ['dns-01'], kinds


@case
def many_names():
    c = site()
    names = ['m%d.example.test' % n for n in range(201)]
    order = expect(c.order(names[:200]), 201).json()
    assert len(order['authorizations']) == 200
    answer = c.order(names)
    assert answer.status in (400, 413), answer
    assert answer.type() in ('malformed', 'rejectedIdentifier'), answer


@case
def many_names_given():
    c = site()
    names = ['m%d.example.test' % n for n in range(200)]
    leaf = obtain(c, names)[0]
    given = leaf.extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert sorted(given) == sorted(names), given


@case
def names_that_are_none():
    c = site()
    for bad in ([], [''], ['.'], ['example.test.'], ['-a.example.test'],
                ['a-.example.test'], ['a_b.example.test'],
                ['a b.example.test'], ['a\x00.example.test'],
                ['a..example.test'], ['x' * 64 + '.example.test'],
                ['.'.join(['y' * 60] * 5) + '.example.test'],
                ['*'], ['*.*.example.test'], ['a.*.example.test'],
                ['*a.example.test'], ['xn--a.example.test'],
                ['127.0.0.1'], ['[::1]'],
                ['test'], ['*.test'], ['mail@example.test'],
                ['http://a.example.test/'], ['a.example.test:80']):
        answer = c.order(bad)
        assert answer.status in (400, 403), (bad, answer)
        assert answer.type() in ('malformed', 'rejectedIdentifier',
                                 'unsupportedIdentifier'), (bad, answer)
    # Another script is turned into A-labels, as at the other doors.
    order = expect(c.order(['b\u00fccher.example.test']), 201).json()
    assert order['identifiers'][0]['value'] == 'xn--bcher-kva.example.test'
    name = new_name()
    for bad in ([name, name], [name, name.upper()]):
        answer = c.order(bad)
        assert answer.status in (201, 400), answer
        if answer.status == 201:
            assert len(answer.json()['identifiers']) == 1, answer


@case
def identifiers_of_other_kinds():
    c = site()
    url = c.at('newOrder')
    for kind in ('ip', 'email', 'DNS', ''):
        answer = c.post(url, {'identifiers': [{'type': kind,
                                               'value': '127.0.0.1'}]})
        expect(answer, 400, 'unsupportedIdentifier|malformed')
    for bad in ('x', {}, [7], ['a.example.test'], [{'type': 'dns'}],
                [{'value': 'a.example.test'}],
                [{'type': 'dns', 'value': 7}]):
        expect(c.post(url, {'identifiers': bad}), 400,
               'malformed|unsupportedIdentifier')
    expect(c.post(url, {}), 400, 'malformed')


@case
def names_of_others():
    c = site()
    expect(c.order(['www.example.org']), 400, 'rejectedIdentifier')
    # Which of several is said.
    answer = expect(c.order([new_name(), 'a.example.org', 'b.example.org']),
                    400, 'rejectedIdentifier')
    named = {p['identifier']['value'] for p in answer.json()['subproblems']}
    assert named == {'a.example.org', 'b.example.org'}, answer


@case
def profiles_and_times():
    c = site()
    name = new_name()
    order = expect(c.order([name], profile='server'), 201).json()
    assert order['profile'] == 'server', order
    for bad in ('nothing', 'root', 7, ''):
        answer = c.order([name], profile=bad)
        assert answer.status in (201, 400) and (
            answer.status == 201) == (bad == ''), (bad, answer)
        if answer.status == 400:
            expect(answer, 400, 'invalidProfile')
    for field in ('notBefore', 'notAfter'):
        for bad in ('', 'tomorrow', 7, '2016-01-01', '9999-01-01T00:00:00Z',
                    '2016-01-01T00:00:00Z'):
            expect(c.order([name], **{field: bad}), 400, 'malformed')


@case
def orders_listed():
    c = account()
    made = []
    for _ in range(60):
        made.append(expect(c.order(['list.example.test']), 201).headers[
            'Location'])
    url = c.good(c.kid).json()['orders']
    found, pages = [], 0
    while url:
        answer = expect(c.post(url, None), 200)
        found += answer.json()['orders']
        pages += 1
        more = answer.links('next')
        url = more[0] if more else None
    assert sorted(found) == sorted(made) and pages == 2, (len(found), pages)


# --- proofs

@case
def challenges():
    c = site()
    order = expect(c.order([new_name()]), 201).json()
    url = order['authorizations'][0]
    authorization = c.good(url).json()
    challenge = [i for i in authorization['challenges']
                 if i['type'] == 'http-01'][0]
    for bad in (b'x', b'[]', b'7'):
        expect(c.post(challenge['url'], bad), 400, 'malformed')
    # POST-as-GET looks, and begins nothing.
    answer = expect(c.post(challenge['url'], None), 200)
    assert answer.links('up') == [url], answer.headers
    assert answer.json()['status'] == 'pending'
    responder()(None, challenge['token'],
                challenge['token'] + '.' + c.key.thumbprint())
    answer = expect(c.post(challenge['url'], {}), 200)
    assert answer.links('up') == [url], answer.headers
    assert answer.json()['url'] == challenge['url'], answer
    c.wait(url, ('valid',))
    # Once more changes nothing.
    answer = expect(c.post(challenge['url'], {}), 200)
    assert answer.json()['status'] == 'valid', answer
    datetime.datetime.strptime(answer.json()['validated'],
                               '%Y-%m-%dT%H:%M:%SZ')
    asked = [path for _, path in responder().asked
             if path.endswith(challenge['token'])]
    assert len(asked) == 1, asked


@case
def proof_by_http():
    c = site()
    name = new_name()
    pem = c.obtain([name], 'http-01', responder())
    assert ('%s:%d' % (name, responder().port), ) [0] in [
        host for host, _ in responder().asked], responder().asked
    assert certificates(pem)[0].extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value.get_values_for_type(
            x509.DNSName) == [name]


@case
def proof_by_dns():
    c = site()
    values = []

    def put(name, _, text):
        value = b64(hashlib.sha256(text.encode()).digest())
        txt(value, '_acme-challenge.%s.' % name)
        values.append((value, '_acme-challenge.%s.' % name))

    name = new_name()
    pem = c.obtain([name, '*.' + name], 'dns-01', put)
    for value, at in values:
        txt(value, at, 'del')
    names = certificates(pem)[0].extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert sorted(names) == ['*.' + name, name], names


def begin_proof(c, kind, answers):
    answer = expect(c.order([new_name()]), 201)
    url = answer.json()['authorizations'][0]
    c.begin(c.good(url).json(), kind, answers)
    return kind, answer.headers['Location'], url


def failed_proof(c, kind, location, url):
    authorization = c.wait(url, ('invalid', 'valid'), 120)
    assert authorization['status'] == 'invalid', authorization
    challenge = [i for i in authorization['challenges']
                 if i['type'] == kind][0]
    assert challenge['status'] == 'invalid', challenge
    problem = challenge['error']
    assert problem['type'].startswith('urn:ietf:params:acme:error:')
    assert problem['detail'], problem
    # certbot says nothing of an order without one.
    order = c.wait(location, ('invalid',))
    assert order['error']['type'], order
    return problem['type'].rsplit(':', 1)[1]


@case
def proofs_that_fail():
    c, other = site(), site(1)

    def wrong(_, token, text):
        responder()(None, token, text[:-1] + ('A' if text[-1] != 'A'
                                              else 'B'))

    def of_another(_, token, text):
        responder()(None, token, token + '.' + other.key.thumbprint())

    begun = [begin_proof(c, 'http-01', wrong),
             begin_proof(c, 'http-01', None),
             begin_proof(c, 'http-01', of_another),
             begin_proof(c, 'dns-01', None)]
    for proof in begun:
        kind = failed_proof(c, *proof)
        assert kind in ('incorrectResponse', 'unauthorized', 'dns'), kind


@case
def proofs_given_up():
    c = site()
    answer = expect(c.order([new_name()]), 201)
    url = answer.json()['authorizations'][0]
    for bad in ({'status': 'valid'}, {'status': 7}, {}):
        expect(c.post(url, bad), 400, 'malformed')
    found = expect(c.post(url, {'status': 'deactivated'}), 200).json()
    assert found['status'] == 'deactivated', found
    assert c.good(url).json()['status'] == 'deactivated'
    order = c.good(answer.headers['Location']).json()
    assert order['status'] == 'invalid', order
    challenge = found['challenges'][0]
    assert c.post(challenge['url'], {}).status in (200, 400)
    assert c.good(url).json()['status'] == 'deactivated'


@case
def proofs_used_again():
    c = site()
    name = new_name()
    obtain(c, [name])
    order = expect(c.order([name]), 201).json()
    assert order['status'] == 'ready', order
    # http-01 proves no wildcard, nor what is below; and nobody else's.
    for names in (['*.' + name], ['x.' + name]):
        order = expect(c.order(names), 201).json()
        assert order['status'] == 'pending', order
    url = expect(c.order([name]), 201).json()['authorizations'][0]
    c.good(url, {'status': 'deactivated'})
    order = expect(c.order([name]), 201).json()
    assert order['status'] == 'pending', order


@case
def of_other_accounts():
    a, b = site(), site(1)
    location, order, names = ready(a)
    authorization = a.good(order['authorizations'][0]).json()
    pem = finalize(a, order, make_csr(names))
    expect(pem, 200)
    order = a.wait(location, ('valid',))
    for url, payload in (
            (location, None), (order['authorizations'][0], None),
            (authorization['challenges'][0]['url'], None),
            (authorization['challenges'][0]['url'], {}),
            (order['authorizations'][0], {'status': 'deactivated'}),
            (order['certificate'], None),
            (order['finalize'], {'csr': b64(make_csr(names))})):
        answer = b.post(url, payload)
        assert answer.status in (403, 404), (url, answer)
        assert answer.type() in ('unauthorized', 'malformed'), answer
        expect(b.post(url + '0', payload), 404, 'malformed')
    assert a.good(order['authorizations'][0]).json()['status'] == 'valid'


# --- certificates

@case
def too_early():
    c = site()
    name = new_name()
    order = expect(c.order([name]), 201).json()
    expect(finalize(c, order, make_csr([name])), 403, 'orderNotReady')


def openssl_csr(name, digest, key='rsa:2048'):
    """What python3-cryptography does not make any more."""
    return subprocess.run(
        ['openssl', 'req', '-new', '-newkey', key, '-nodes', '-keyout',
         '/dev/null', '-subj', '/', '-addext', 'subjectAltName=DNS:' + name,
         digest, '-outform', 'DER'], check=True, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL).stdout


@case
def requests_that_are_bad():
    c = account()
    location, order, names = ready(c)
    key = ec.generate_private_key(ec.SECP256R1())
    good = make_csr(names, key)
    name = x509.DNSName('mail.example.test')
    broken = bytearray(good)
    broken[-1] ^= 1
    for bad in (
            bytes(broken), good[:-1], good + b'\0', b'', b'0',
            openssl_csr(names[0], '-sha1'),
            openssl_csr(names[0], '-sha256', 'rsa:1024'),
            make_csr(names + ['other.example.test']), make_csr([]),
            make_csr(['other.example.test']),
            make_csr(names, common_name='other.example.test'),
            make_csr(names, common_name='mail@example.test'),
            make_csr(names, more=[name]),
            make_csr(names, more=[x509.RFC822Name('a@example.test')]),
            make_csr(names, more=[x509.UniformResourceIdentifier(
                'http://example.test')]),
            make_csr(['*.' + names[0]]),
            make_csr(names, c.key.key),
            make_csr(names, ec.generate_private_key(ec.SECP256K1()))):
        answer = finalize(c, order, bad)
        expect(answer, 400, 'badCSR|malformed')
    for bad in ('', 'AA==', '+/', b64(good) + '=', b64(good) + '\n', 7, None,
                [b64(good)]):
        expect(c.post(order['finalize'], {'csr': bad}), 400,
               'badCSR|malformed')
    expect(c.post(order['finalize'], {}), 400, 'malformed|badCSR')
    expect(c.post(order['finalize'], None), 400, 'malformed')
    # It is ready still; names in another case and order are the same.
    assert c.good(location).json()['status'] == 'ready'
    expect(finalize(c, order, make_csr([n.upper() for n in names], key,
                                       common_name=names[0])), 200)
    c.wait(location, ('valid',))


@case
def once_alone():
    c = site()
    location, order, names = ready(c)
    csr = make_csr(names)
    first = expect(finalize(c, order, csr), 200)
    assert first.headers.get('Location') == location, first.headers
    order = c.wait(location, ('valid',))
    for again in (csr, make_csr(names)):
        answer = finalize(c, order, again)
        assert answer.status in (200, 403), answer
        if answer.status == 200:
            assert answer.json()['certificate'] == order['certificate']
        else:
            assert answer.type() == 'orderNotReady', answer
    assert c.good(order['certificate']).body == c.good(
        order['certificate']).body


@case
def a_chain():
    c = site()
    location, order, names = ready(c)
    expect(finalize(c, order, make_csr(names)), 200)
    order = c.wait(location, ('valid',))
    answer = expect(c.post(order['certificate'], None), 200)
    assert answer.headers['Content-Type'] == \
        'application/pem-certificate-chain', answer.headers
    text = answer.body.decode()
    assert text.count('-----BEGIN CERTIFICATE-----\n') >= 2, text
    assert text.startswith('-----BEGIN') and text.endswith('-----\n'), text
    assert '\n\n' not in text and '\r' not in text, text
    inside = False
    for line in text.splitlines():
        if line.startswith('-----'):
            inside = 'BEGIN' in line
        else:
            assert inside, line
    chain = certificates(answer.body)
    for below, above in zip(chain, chain[1:]):
        assert below.issuer == above.subject
        above.public_key().verify(
            below.signature, below.tbs_certificate_bytes,
            ec.ECDSA(below.signature_hash_algorithm))
    for url in answer.links('alternate'):
        other = expect(c.post(url, None), 200)
        assert certificates(other.body)[0] == chain[0]


@case
def times_as_asked_for():
    c = site()
    name = new_name()
    now = datetime.datetime.utcnow().replace(microsecond=0)
    end = now + datetime.timedelta(days=3)
    answer = expect(c.order([name], notAfter=end.isoformat() + 'Z'), 201)
    assert answer.json()['notAfter'] == end.isoformat() + 'Z', answer
    c.prove(answer.json(), 'http-01', responder())
    pem = c.finish(answer.headers['Location'], make_csr([name]))
    given = certificates(pem)[0].not_valid_after
    assert abs((given - end).total_seconds()) <= 1, given


# --- revocation

@case
def revoked():
    c, other = site(), site(1)
    key = ec.generate_private_key(ec.SECP256R1())
    names = [new_name()]
    leaf = obtain(c, names, csr=make_csr(names, key))[0]
    for bad in (7, 8, 10, -1, 99, 2, 6):
        expect(c.revoke(leaf, bad), 400, 'badRevocationReason')
    for bad in ('1', None, [1]):
        url = c.at('revokeCert')
        answer = c.post(url, {'certificate': b64(leaf.public_bytes(
            serialization.Encoding.DER)), 'reason': bad})
        expect(answer, 400, 'malformed|badRevocationReason')
    expect(other.revoke(leaf), 403, 'unauthorized')
    expect(c.revoke(leaf, key=Key()), 403, 'unauthorized')
    expect(c.revoke(leaf, 1), 200)
    expect(c.revoke(leaf, 1), 400, 'alreadyRevoked')
    expect(c.revoke(leaf), 400, 'alreadyRevoked')


@case
def revoked_by_its_key():
    c = site()
    names = [new_name()]
    for alg in ('ES256', 'RS256'):
        key = Key(alg)
        leaf = obtain(c, names, csr=make_csr(names, key.key))[0]
        answer = account().revoke(leaf, 1, key)
        expect(answer, 200)
        expect(c.revoke(leaf), 400, 'alreadyRevoked')


@case
def revoked_by_who_has_proven():
    c, other = site(), site(1)
    names = [new_name(), new_name()]
    leaf = obtain(c, names)[0]
    ready(other, names[:1])
    expect(other.revoke(leaf), 403, 'unauthorized')
    ready(other, names[1:])
    expect(other.revoke(leaf, 4), 200)


@case
def revoked_that_is_not_there():
    c = site()
    url = c.at('revokeCert')
    for bad in ('', 'AA==', b64(b'x'), 7, None):
        expect(c.post(url, {'certificate': bad}), 400, 'malformed')
    expect(c.post(url, {}), 400, 'malformed')
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, 'x')])
    now = datetime.datetime.utcnow()
    own = x509.CertificateBuilder().subject_name(name).issuer_name(
        name).public_key(c.key.key.public_key()).serial_number(
            7).not_valid_before(now).not_valid_after(
                now + datetime.timedelta(1)).sign(c.key.key, hashes.SHA256())
    for key in (None, c.key):
        answer = c.revoke(own, key=key)
        assert answer.status in (400, 403, 404), answer


# --- renewal

def info(c, name):
    return c.get(c.at('renewalInfo') + '/' + name)


def moment(text):
    return datetime.datetime.strptime(text, '%Y-%m-%dT%H:%M:%SZ')


@case
def when_to_renew():
    c = site()
    leaf = obtain(c)[0]
    answer = expect(info(c, renewal_id(leaf)), 200)
    assert int(answer.headers['Retry-After']) > 0, answer.headers
    window = answer.json()['suggestedWindow']
    start, end = moment(window['start']), moment(window['end'])
    assert leaf.not_valid_before < start < end < leaf.not_valid_after
    life = leaf.not_valid_after - leaf.not_valid_before
    assert 0.5 <= (start - leaf.not_valid_before) / life <= 0.8, window
    expect(c.revoke(leaf, 4), 200)
    window = expect(info(c, renewal_id(leaf)), 200).json()['suggestedWindow']
    assert moment(window['start']) < moment(window['end'])
    assert moment(window['end']) <= datetime.datetime.utcnow(), window


@case
def when_to_renew_what_is_not_there():
    c = site()
    leaf = obtain(c)[0]
    good = renewal_id(leaf)
    key_id, serial = good.split('.')
    for bad in ('x', '.', key_id, key_id + '.', '.' + serial, good + '.x',
                good + '=', key_id + '.' + b64(b'\0\0\1'), 'AB.' + serial):
        answer = info(c, bad)
        assert answer.status in (400, 404), (bad, answer)
        assert answer.type() == 'malformed', answer
    for bad in (key_id + '.' + b64(b'\1' * 16), b64(b'\1' * 20) + '.'
                + serial):
        expect(info(c, bad), 404, 'malformed')


@case
def what_is_replaced():
    c, other = site(), site(1)
    names = [new_name()]
    leaf = obtain(c, names)[0]
    old = renewal_id(leaf)
    for bad in ('x', '', 7, old + '=', b64(b'\1' * 20) + '.AQ'):
        answer = c.order(names, replaces=bad)
        assert answer.status in (400, 404), (bad, answer)
    # Somebody else's; for quite other names.
    answer = other.order(names, replaces=old)
    assert answer.status in (400, 403), answer
    answer = c.order([new_name()], replaces=old)
    assert answer.status == 400, answer
    order = expect(c.order(names, replaces=old), 201)
    assert order.json()['replaces'] == old, order
    expect(c.order(names, replaces=old), 409, 'alreadyReplaced')
    new = certificates(c.finish(order.headers['Location'],
                                make_csr(names)))[0]
    expect(c.order(names, replaces=old), 409, 'alreadyReplaced')
    expect(c.order(names, replaces=renewal_id(new)), 201)


@case
def replaced_by_what_failed():
    c = site()
    names = [new_name()]
    old = renewal_id(obtain(c, names)[0])
    url = c.good(expect(c.order(names), 201).headers['Location']).json()[
        'authorizations'][0]
    c.good(url, {'status': 'deactivated'})
    order = expect(c.order(names, replaces=old), 201).json()
    c.good(order['authorizations'][0], {'status': 'deactivated'})
    expect(c.order(names, replaces=old), 201)


# --- and all of it at once

@case
def in_a_hurry():
    """One account's requests on one connection, none of them lost."""
    c = account()
    begun = time.monotonic()
    names = [new_name()]
    obtain(c, names)
    count = 0
    while count < 20:
        answer = expect(c.order(names), 201)
        c.finish(answer.headers['Location'], make_csr(names))
        count += 1
    print('%.0f ms an order' % ((time.monotonic() - begun) * 1000 / count))


if __name__ == '__main__':
    sys.exit(main(sys.argv))
