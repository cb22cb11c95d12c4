# SPDX-License-Identifier: Apache-2.0
#
# A client that goes on, whatever is away: for acme_away.sh.  Arguments:
# directory, port of http-01, a file with a key for external account binding,
# what to do, and its own arguments.
#
#   take      one order as far as "ready"; its URL and a CSR are kept
#   finalize  asks for its certificate, and prints the status and what
#             the answer says
#   state     prints the order's status

import http.client
import json
import os
import sys
import time

import acme_client
from acme_client import Client, Failed, Key, b64, make_csr

directory, http_port, bound, what = sys.argv[1:]
END = time.monotonic() + 100


def stubborn(ask, good=(200, 201)):
    """Until there is an answer, and something that is no "later"."""
    while True:
        try:
            answer = ask()
            if answer.status in good:
                return answer
            if answer.status != 503 and answer.type() != 'badNonce':
                raise Failed(answer)
        except (OSError, http.client.HTTPException):
            client.close()
        client.nonces.clear()
        assert time.monotonic() < END, 'no answer'
        time.sleep(0.05)


def begin():
    """The account, made once."""
    if os.path.exists('away.json'):
        with open('away.json') as file:
            kept = json.load(file)
        client.key = Key(pem=kept['key'].encode())
        client.kid = kept['kid']
        return kept
    with open(bound) as file:
        kid, secret = [line.split()[1] for line in file]
    assert client.register(kid, secret).status == 201
    return {'key': client.key.pem().decode(), 'kid': client.kid}


def wait(url, states):
    while True:
        state = stubborn(lambda: client.post(url, None)).json()
        if state['status'] in states:
            return state
        assert time.monotonic() < END, state
        time.sleep(0.05)


def ready(name):
    """An order that is, and where it is."""
    answers = acme_client.Responder(int(http_port))
    answer = stubborn(lambda: client.order([name]))
    for url in answer.json()['authorizations']:
        authorization = stubborn(lambda: client.post(url, None)).json()
        if authorization['status'] != 'pending':
            continue
        for challenge in authorization['challenges']:
            if challenge['type'] == 'http-01':
                answers(name, challenge['token'], challenge['token'] + '.' +
                        client.key.thumbprint())
                stubborn(lambda: client.post(challenge['url'], {}))
    order = wait(answer.headers['Location'], ('ready', 'invalid'))
    assert order['status'] == 'ready', order
    answers.close()
    return answer.headers['Location'], order


client = Client(directory, timeout=30)
kept = begin()
if what == 'take':
    kept['order'], order = ready('www.example.test')
    kept['finalize'] = order['finalize']
    kept['csr'] = b64(make_csr(['www.example.test']))
    with open('away.json', 'w') as file:
        json.dump(kept, file)
elif what == 'finalize':
    answer = client.post(kept['finalize'], {'csr': kept['csr']})
    print(answer.status, answer.type() or answer.json()['status'],
          answer.headers.get('Retry-After', '-'))
else:
    print(stubborn(lambda: client.post(kept['order'], None)).json()['status'])
