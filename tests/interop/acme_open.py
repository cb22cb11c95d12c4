# SPDX-License-Identifier: Apache-2.0
#
# Accounts with and without a key, where none is needed: for acme_open.sh.

from acme_world import *  # noqa: F403
from acme_world import (Client, b64, directory, eab, expect, make_csr,
                        responder, run)

first, second, bound = [Client(directory) for _ in range(3)]
meta = first.get(directory).json()['meta']
assert not meta.get('externalAccountRequired'), meta
kid, secret = eab('other')
expect(bound.register(kid, b64(b'x' * 32)), 403, 'unauthorized')
expect(bound.register('x' + kid, secret), 403, 'unauthorized')
expect(bound.register(kid, secret), 201)
for client in first, second:
    expect(client.register(), 201)
for client, names in ((first, ['www.other.test']),
                      (bound, ['www.example.test'])):
    expect(client.order(names), 400, 'rejectedIdentifier')
expect(bound.order(['www.other.test']), 201)

made = expect(first.order(['www.example.test']), 201)
first.prove(made.json(), 'http-01', responder())
order = first.wait(made.headers['Location'], ('ready', ))
csr = b64(make_csr(['www.example.test']))
order = expect(first.post(order['finalize'], {'csr': csr}), 200).json()
answer = expect(first.post(order['certificate'], None), 200)
assert answer.links('alternate') == [], answer.headers


# What was proven is good for proof-lifetime, 30 days.
def shift(seconds):
    run('sqlite3', '-cmd', '.timeout 5000', 'store.db', 'UPDATE proof '
        'SET proved_at = proved_at + %d WHERE proved_at > 0' % seconds)


for days, status in (29, 'ready'), (31, 'pending'), (0, 'ready'):
    shift(-days * 86400)
    again = expect(first.order(['www.example.test']), 201).json()
    assert again['status'] == status, (days, again)
    shift(days * 86400)
# Neither has the other's orders and proofs; the account's limits both have.
expect(second.post(order['certificate'], None), 403, 'unauthorized')
again = expect(second.order(['www.example.test']), 201).json()
assert again['status'] == 'pending', again
for client in first, second, first:
    expect(client.order(['www.example.test']), 201)
for client in first, second:
    answer = expect(client.order(['www.example.test']), 429, 'rateLimited')
    assert int(answer.headers['Retry-After']) > 0, answer.headers
expect(bound.order(['www.other.test']), 201)
responder().close()
