# SPDX-License-Identifier: Apache-2.0
#
# smtp_sink.py FILE: takes each message on loopback, and puts it behind those
# in FILE; those to refused@... it does not take, and those to ...@grey.* not
# yet.  Prints its port.

import socketserver
import sys


class Session(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b'\r\n')

    def handle(self):
        self.say('220 sink')
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b'RCPT' and b'refused@' in line:
                self.say('550 5.1.1 nobody of that name')
            elif verb == b'RCPT' and b'@grey.' in line:
                self.say('451 4.7.1 come again later')
            elif verb == b'DATA':
                self.say('354 go on')
                self.take()
                self.say('250 taken')
            elif verb == b'QUIT':
                self.say('221 bye')
                return
            else:
                self.say('250 sink')

    def take(self):
        with open(sys.argv[1], 'ab') as f:
            for line in self.rfile:
                if line == b'.\r\n':
                    return
                f.write(line)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


with Server(('127.0.0.1', 0), Session) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
