#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Web servers as they must not be, one thread a connection; the path says
which.  "http PORT", "tls PORT" (a certificate that nobody signed), "untls PORT"
(no TLS), "other PORT" lines on standard output say where.  Arguments:
certificate, key."""
import itertools
import socket
import ssl
import sys
import threading
import time

BOUND_S = 60            # nothing here goes on for longer


def head(status, *fields, length=None):
    lines = [f"HTTP/1.1 {status}", "Connection: close", *fields]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def page(body, kind="text/plain", status="200 OK"):
    return head(status, f"Content-Type: {kind}", length=len(body)) + body


def redirect(to, status="302 Found"):
    return head(status, f"Location: {to}", length=0)


def drip(sock):
    sock.sendall(head("200 OK", "Content-Type: text/html", length=4000))
    for _ in range(BOUND_S * 2):
        sock.sendall(b" ")
        time.sleep(0.5)


def drip_head(sock):
    sock.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(BOUND_S * 2):
        sock.sendall(b"x")
        time.sleep(0.5)


def endless(sock, status="200 OK"):
    """Ten gigabytes, as long as anybody reads them."""
    sock.sendall(head(status, "Content-Type: text/html", length=10 ** 10))
    end = time.monotonic() + BOUND_S
    while time.monotonic() < end:
        sock.sendall(b"\0" * 65536)


def endless_gone(sock):
    endless(sock, "404 Not Found")


def endless_head(sock):
    sock.sendall(b"HTTP/1.1 200 OK\r\n")
    for i in itertools.count():
        sock.sendall(b"X-%d: %s\r\n" % (i, b"y" * 500))


def endless_interim(sock):
    while True:
        sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")


def silent(sock):
    sock.settimeout(BOUND_S)
    sock.recv(1)


def answer(path, query, port):
    """Octets, or a function that has the socket."""
    here = f"http://127.0.0.1:{port['http']}"
    name = f"http://www.plain.example:{port['http']}"
    well = "/.well-known/"
    fixed = {
        well + "good": page(b"token\r\n"),
        well + "wrong": page(b"<html>no \x00\x1b[31m\"token\"</html>\r\n"),
        well + "nul": page(b"token\0"),
        well + "long": page(b"token" + b" " * 5000),
        well + "gone": page(b"not here", status="404 Not Found"),
        well + "broken": page(b"wait", status="503 Wait"),
        well + "drip": drip, well + "drip-head": drip_head,
        well + "endless": endless, well + "endless-head": endless_head,
        well + "endless-gone": endless_gone,
        well + "endless-interim": endless_interim, well + "silent": silent,
        well + "old": b"token",
        well + "nothing": b"",
        well + "chunked": head("200 OK", "Transfer-Encoding: chunked") +
            b"2\r\nto\r\n3\r\nken\r\n0\r\n\r\n",
        well + "zip": head("200 OK", "Content-Encoding: gzip", length=5) +
            b"token",
        well + "to-self": redirect(well + "to-self"),
        well + "to-good": redirect(well + "good", "301 Moved"),
        well + "to-name": redirect(name + well + "good", "308 Moved"),
        well + "to-address": redirect(here + well + "good"),
        well + "to-metadata": redirect("http://169.254.169.254/latest/"),
        well + "to-number": redirect("http://2130706433/"),
        well + "to-private": redirect(
            f"http://private.plain.example:{port['http']}/"),
        well + "to-port": redirect(
            f"http://www.plain.example:{port['other']}/"),
        well + "to-file": redirect("file:///etc/passwd"),
        well + "to-gopher": redirect("gopher://www.plain.example/"),
        well + "to-user": redirect(name.replace("://", "://me:you@")),
        well + "to-nowhere": head("302 Found", length=0),
        well + "to-two": head("302 Found", "Location: " + well + "good",
            "Location: " + well + "wrong", length=0),
        well + "to-tls": redirect(
            f"https://www.plain.example:{port['tls']}{well}good"),
        well + "to-untls": redirect(
            f"https://www.plain.example:{port['untls']}{well}good"),
    }
    if path in fixed:
        return fixed[path]
    if path.startswith(well + "hops-"):
        left = int(path.rsplit("-", 1)[1])
        return redirect(f"{well}hops-{left - 1}" if left > 1 else
                        well + "good")
    return None


META = b'<meta name="ocsign-verification" content="token">'
PAGES = {
    "meta": page(b"<!doctype html><html><head><title>x</title>" + META +
                 b"</head><body>hello</body>", "text/html; charset=utf-8"),
    "body": page(b"<html><head></head><body>" + META, "text/html"),
    "comment": page(b"<html><head><!-- " + META + b" -->", "text/html"),
    "plaintext": page(b"<html><head>" + META, "text/plain"),
    "xhtml": page(b"<html><head><title><![CDATA[</title>" + META +
                  b"]]></title>", "application/xhtml+xml"),
    "binary": page(bytes(range(256)) * 40, "text/html"),
    "large": page(b"<html><head>" + META + b"</head>" + b"x" * 500000,
                  "text/html"),
    "late": page(b"<html><head>" + b" " * 70000 + META, "text/html"),
}


def serve(sock, port, plain):
    try:
        sock.settimeout(BOUND_S)
        request = b""
        if plain:               # whatever it is that was said
            sock.recv(1)
            sock.sendall(page(b"no TLS", status="400 Bad Request"))
            return
        while b"\r\n\r\n" not in request:
            some = sock.recv(4096)
            if not some:
                return
            request += some
        lines = request.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        host = next(v for v in lines if v.lower().startswith("host:"))
        said = answer(path, lines, port)
        if said is None:
            said = PAGES.get(host.split(":")[1].strip().split(".")[0],
                             page(b"no", status="404 Not Found"))
        if callable(said):
            said(sock)
        else:
            sock.sendall(said)
            sock.shutdown(socket.SHUT_WR)
            sock.recv(1)
    except (OSError, IndexError, StopIteration):
        pass
    finally:
        sock.close()


def accept(listener, port, context, plain):
    while True:
        sock, _ = listener.accept()
        if context:
            try:
                sock.settimeout(BOUND_S)
                sock = context.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                continue
        threading.Thread(target=serve, args=(sock, port, plain),
                         daemon=True).start()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    listeners, port = {}, {}
    for name in ("http", "tls", "untls", "other"):
        listeners[name] = socket.create_server(("127.0.0.1", 0), backlog=512)
        port[name] = listeners[name].getsockname()[1]
        print(name, port[name])
    print("end 0", flush=True)
    sys.stdout.close()
    for name, listener in listeners.items():
        threading.Thread(target=accept, args=(
            listener, port, context if name == "tls" else None,
            name == "untls")).start()


main()
