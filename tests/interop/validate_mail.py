# SPDX-License-Identifier: Apache-2.0
#
# python3 validate_mail.py MAILS: a mail server that writes what it takes to
# the file MAILS, and a WHOIS server; prints the port of each.

import socketserver
import sys
import threading

mails = sys.argv[1]


class Mail(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def take(self):
        self.say("354 go on")
        with open(mails, "ab") as out:
            for line in self.rfile:
                if line == b".\r\n":
                    break
                out.write(line)
        self.say("250 taken")

    def handle(self):
        self.say("220 here")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.take()
            elif word == b"QUIT":
                self.say("221 end")
                return
            else:
                self.say("250 well")


class Whois(socketserver.StreamRequestHandler):
    def handle(self):
        name = self.rfile.readline().strip()
        self.wfile.write(b"Domain Name: " + name + b"\r\n"
                         b"Registrant Email: owner@" + name + b"\r\n")


for handler in Mail, Whois:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever).start()
