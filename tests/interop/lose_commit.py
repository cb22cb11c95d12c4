#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lose_commit.py DOOR SERVER PLAN

A door before a server of PostgreSQL (paths of sockets) that loses the answer
to a commit.  PLAN is a file: "N MODE": the Nth COMMIT since it was written.
MODE before: the connection is cut before the server has it; after: when it
has answered; gone: the same, and the door is shut for good.  Then PLAN.done
is there.
"""
import os
import socket
import struct
import sys
import threading

DOOR, SERVER, PLAN = sys.argv[1:4]
READY = b"Z\0\0\0\5"
lock = threading.Lock()
seen = {"plan": "", "commits": 0}


def how_lost():
    """Of this COMMIT: before, after, gone, or None."""
    with lock:
        try:
            with open(PLAN, encoding="ascii") as file:
                plan = file.read()
        except FileNotFoundError:
            return None
        if plan != seen["plan"]:
            seen.update(plan=plan, commits=0)
        seen["commits"] += 1
        words = plan.split()
        return words[1] if seen["commits"] == int(words[0]) else None


class Session(threading.Thread):
    def __init__(self, client):
        super().__init__(daemon=True)
        self.client = client
        self.server = socket.socket(socket.AF_UNIX)
        self.server.connect(SERVER)
        self.is_held = False
        self.held = b""
        self.has_answered = threading.Event()

    def back(self):
        """What the server says."""
        try:
            while data := self.server.recv(65536):
                if self.is_held:
                    self.held += data
                    if READY in self.held:
                        self.has_answered.set()
                else:
                    self.client.sendall(data)
        except OSError:
            pass
        self.close()

    def close(self):
        for end in self.client, self.server:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def take(self, length):
        data = b""
        while len(data) < length:
            part = self.client.recv(length - len(data))
            if not part:
                raise OSError
            data += part
        return data

    def message(self, has_type):
        kind = self.take(1) if has_type else b""
        head = self.take(4)
        return kind + head + self.take(struct.unpack("!I", head)[0] - 4)

    def lose(self, how, message):
        self.is_held = True
        if how in ("after", "gone"):
            self.server.sendall(message)
            self.has_answered.wait(20)
        if how == "gone":
            os.unlink(DOOR)
        with open(PLAN + ".done", "w", encoding="ascii"):
            pass
        self.close()

    def run(self):
        threading.Thread(target=self.back, daemon=True).start()
        try:
            self.server.sendall(self.message(False))
            while True:
                message = self.message(True)
                is_commit = message[:1] == b"Q" and \
                    message[5:] == b"COMMIT\0"
                how = how_lost() if is_commit else None
                if how is not None:
                    self.lose(how, message)
                    return
                self.server.sendall(message)
        except OSError:
            self.close()


def main():
    door = socket.socket(socket.AF_UNIX)
    door.bind(DOOR)
    os.chmod(DOOR, 0o777)
    door.listen(64)
    while True:
        Session(door.accept()[0]).start()


main()
