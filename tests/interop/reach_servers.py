# SPDX-License-Identifier: Apache-2.0
#
# Servers on ports that the kernel picks; "NAME PORT" of each is in the file
# "ports" once all listen.  exim is started for each connection, as inetd
# would; the others are none that anybody would want.

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time

EXIM = ["exim4", "-C", os.path.abspath("exim.conf"), "-bs"]


def exim(*options):
    def serve(conn):
        subprocess.run(EXIM + list(options), stdin=conn, stdout=conn,
                       stderr=subprocess.DEVNULL, timeout=120)
    return serve


def lines(conn):
    with conn.makefile("rb") as f:
        yield from f


# Takes everything; what it says to a word may be another thing, or nothing.
def smtp(**other):
    def serve(conn):
        conn.sendall(b"220 scripted\r\n")
        is_data = False
        for line in lines(conn):
            word = line[:4].upper().decode("latin-1").strip()
            if is_data:
                if line != b".\r\n":
                    continue
                is_data, word = False, "END"
            says = other.get(word, "354 go on" if word == "DATA" else
                             "250 fine")
            is_data = word == "DATA"
            if says is None:
                time.sleep(100)
            conn.sendall(says.encode() + b"\r\n")
    return serve


def slow_smtp(conn):
    for octet in b"220 scripted, and slow\r\n" * 100:
        conn.sendall(bytes([octet]))
        time.sleep(0.2)


def whois(conn):
    name = next(lines(conn)).strip().decode()
    conn.sendall(f"Domain Name: {name.upper()}\r\n"
                 "Registrar Abuse Contact Email: abuse@registrar.test\r\n"
                 "Registrant Email: owner@reach.test\r\n"
                 "Admin Email: REDACTED FOR PRIVACY\r\n"
                 "Tech Email: tech@reach.test\r\n"
                 ">>> Last update: now <<<\r\n".encode())


def rdap(conn):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain("mail.pem", "mail.key")
    with tls.wrap_socket(conn, server_side=True) as s:
        target = next(lines(s)).decode().split()[1]
        name = target.rsplit("/", 1)[1]
        body = json.dumps({
            "objectClassName": "domain", "ldhName": name,
            "rdapConformance": ["rdap_level_0"],
            "entities": [{
                "objectClassName": "entity", "roles": ["registrant"],
                "vcardArray": ["vcard", [
                    ["version", {}, "text", "4.0"],
                    ["email", {}, "text", "holder@reach.test"]]]}]})
        s.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: "
                  b"application/rdap+json\r\n\r\n" + body.encode())


def quietly(serve, conn):
    with conn:
        try:
            serve(conn)
        except (OSError, StopIteration, subprocess.TimeoutExpired):
            pass


def accept(listener, serve):
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=quietly, args=(serve, conn),
                         daemon=True).start()


servers = {
    "smtp": exim(),
    "smtps": exim("-tls-on-connect"),
    "notls": smtp(),
    "quit": smtp(QUIT=None),
    "tlshang": smtp(EHLO="250-scripted\r\n250 STARTTLS", STAR=None),
    "tlslie": smtp(EHLO="250-scripted\r\n250 STARTTLS",
                   STAR="220 go on\r\n250 in plain"),
    "tlsno": smtp(EHLO="250-scripted\r\n250 STARTTLS", STAR="454 not now"),
    "slow": slow_smtp,
    "whois": whois,
    "rdap": rdap,
}
with open("ports.new", "w") as ports:
    for name, serve in servers.items():
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        threading.Thread(target=accept, args=(listener, serve),
                         daemon=True).start()
        print(name, listener.getsockname()[1], file=ports)
os.rename("ports.new", "ports")
sys.stdin.read()
