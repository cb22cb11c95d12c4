# SPDX-License-Identifier: Apache-2.0
#
# One case of tests/data/api_matrix by ACME, for api_matrix.sh: prints the
# verdict.  Arguments: directory, port of http-01, port of the DNS, caller,
# profile, CSR, days.  hosts.json has the names; CALLER.acme a key for external
# account binding, CALLER.account what was made of it.

import base64
import datetime
import json
import os
import re
import subprocess
import sys

import acme_client
from acme_client import Client, Key, b64, make_csr
from cryptography.hazmat.primitives import serialization

directory, http_port, dns_port, caller, profile, csr, days = sys.argv[1:]
answers = acme_client.Responder(int(http_port))


def verdict(answer):
    """The rule stands at the end of what is said."""
    problem = answer.json()
    rule = re.search(r'\(([a-z0-9-]+)\)$', problem['detail'])
    if rule is not None:
        print(rule.group(1))
    elif answer.type() == 'unauthorized':
        print('authentication')
    else:
        print('error: %s' % answer)
    sys.exit(0)


def dns_01(name, _, text):
    value = b64(acme_client.hashlib.sha256(text.encode()).digest())
    zone = name.split('.')[-1]
    lines = ['server 127.0.0.1 ' + dns_port, 'zone %s.' % zone,
             'add _acme-challenge.%s. 1 TXT %s' % (name, value), 'send',
             'quit', '']
    subprocess.run(['knsupdate', '-v'], input='\n'.join(lines), text=True,
                   check=True, stdout=subprocess.DEVNULL)


def account():
    file = caller + '.account'
    if os.path.exists(file):
        with open(file) as state:
            kept = json.load(state)
        client = Client(directory, Key(pem=kept['key'].encode()))
        client.kid = kept['kid']
        return client
    client = Client(directory)
    with open(caller + '.acme') as bound:
        kid, secret = [line.split()[1] for line in bound]
    answer = client.register(kid, secret)
    if answer.status != 201:
        verdict(answer)
    with open(file, 'w') as state:
        json.dump({'key': client.key.pem().decode(), 'kid': client.kid},
                  state)
    return client


def prove(client, order):
    pending = []
    for url in order['authorizations']:
        authorization = client.good(url).json()
        if authorization['status'] == 'pending':
            is_wild = authorization.get('wildcard')
            client.begin(authorization, 'dns-01' if is_wild else 'http-01',
                         dns_01 if is_wild else answers)
            pending.append(url)
    for url in pending:
        authorization = client.wait(url, ('valid', 'invalid'))
        if authorization['status'] != 'valid':
            print('error: %s' % authorization)
            sys.exit(0)


def request(order):
    """DER, as far as the file is any."""
    if csr == 'ec':
        with open('p256.key', 'rb') as file:
            key = serialization.load_pem_private_key(file.read(), None)
        return make_csr([i['value'] for i in order['identifiers']], key)
    with open(csr + '.csr', 'rb') as file:
        text = file.read()
    lines = re.search(b'-----BEGIN[^-]*-----(.*)-----END', text, re.DOTALL)
    return text if lines is None else base64.b64decode(lines.group(1))


more = {'profile': profile}
if days != '-':
    begin = datetime.datetime.now(datetime.timezone.utc)
    end = begin + datetime.timedelta(days=int(days))
    more['notBefore'] = begin.strftime('%Y-%m-%dT%H:%M:%SZ')
    more['notAfter'] = end.strftime('%Y-%m-%dT%H:%M:%SZ')
with open('hosts.json') as file:
    hosts = json.load(file)
client = account()
answer = client.order(hosts, **more)
if answer.status != 201:
    verdict(answer)
order, location = answer.json(), answer.headers['Location']
prove(client, order)
order = client.wait(location, ('ready',))
answer = client.post(order['finalize'], {'csr': b64(request(order))})
if answer.status != 200:
    verdict(answer)
order = client.wait(location, ('valid', 'invalid'))
pem = client.good(order['certificate']).body
print('issued' if pem.count(b'BEGIN CERTIFICATE') >= 2 else 'no chain')
