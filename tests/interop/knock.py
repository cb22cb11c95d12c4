# SPDX-License-Identifier: Apache-2.0
#
# python3 knock.py SOCKET: says hello there as a role does, and prints whether
# it was "answered", "sent away", or kept out by the modes ("closed").

import socket
import struct
import sys

role = b"test"
fields = struct.pack(">HI", 1, len(role)) + role
frame = struct.pack(">IHHQ", 12 + len(fields), 1, 0, 7) + fields

s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
try:
    s.connect(sys.argv[1])
    s.sendall(frame)
    print("answered" if s.recv(64) else "sent away")
except PermissionError:
    print("closed")
except (BrokenPipeError, ConnectionResetError):
    print("sent away")
