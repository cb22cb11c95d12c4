# SPDX-License-Identifier: Apache-2.0
#
# "acme_accounts.py DIRECTORY CA-FILE FOLDER NUMBER HTTP-PORT": so many
# accounts for acme_load, each with a name that it has proven.  CA-FILE is "-"
# without TLS; HTTP-PORT is where the proofs are asked for, 0: nobody asks.

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'interop'))

from acme_client import Client, Responder, b64, make_csr  # noqa: E402


def main(directory, cafile, folder, number, port):
    os.makedirs(folder)
    answers = Responder(int(port)) if int(port) else lambda *_: None
    for n in range(int(number)):
        client = Client(directory, cafile=None if cafile == '-' else cafile)
        answer = client.register()
        if answer.status != 201:
            sys.exit(str(answer))
        names = ['load%d.example.test' % n]
        csr = make_csr(names)
        client.obtain(names, 'http-01', answers, csr)
        with open('%s/%d.pem' % (folder, n), 'wb') as out:
            out.write(client.key.pem())
        with open('%s/%d.json' % (folder, n), 'w') as out:
            json.dump({
                'newOrder': client.at('newOrder'),
                'newNonce': client.at('newNonce'), 'kid': client.kid,
                'order': json.dumps({'identifiers': [
                    {'type': 'dns', 'value': names[0]}]}),
                'finalize': json.dumps({'csr': b64(csr)})}, out)
    if int(port):
        answers.close()


if __name__ == '__main__':
    main(*sys.argv[1:])
