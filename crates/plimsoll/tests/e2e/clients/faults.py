"""Clients that misbehave, by bytes alone. Ends with a word if the tap behaved."""

import os
import resource
import select
import socket
import struct
import sys

PATH = f"{os.environ['SERVER_SOCKET']}/.s.PGSQL.6432"


def message(tag, body=b""):
    return tag + struct.pack("!I", len(body) + 4) + body


def connect(application=b"faults"):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(100)
    client.connect(PATH)
    pairs = [b"user", os.environ["PGUSER"].encode(), b"database", os.environ["PGDATABASE"].encode()]
    body = struct.pack("!I", 3 << 16) + b"\0".join(pairs + [b"application_name", application]) + b"\0\0"
    client.sendall(struct.pack("!I", len(body) + 4) + body)
    return client


def received(client, count):
    data = bytearray()
    while len(data) < count:
        piece = client.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def answers(client, until=b"Z"):
    """Kinds and lengths of messages up to one; their bodies are thrown away in pieces."""
    seen = []
    buffer = bytearray(1 << 16)
    while True:
        header = received(client, 5)
        tag, length = header[:1], struct.unpack("!I", header[1:])[0] - 4
        left, first = length, b""
        while left:
            count = client.recv_into(buffer, min(left, len(buffer)))
            if not count:
                raise EOFError
            first = first or bytes(buffer[: min(count, 500)])
            left -= count
        seen.append((tag, length, first))
        if tag == until:
            return seen


def query(text):
    return message(b"Q", text.encode() + b"\0")


def tags(seen):
    return b"".join(tag for tag, _, _ in seen).decode()


def peak():
    """The most memory that the tap's process had, in kilobytes."""
    for line in open(f"/proc/{os.getppid()}/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1])


def until_it_is_ended(client):
    try:
        while True:
            answers(client)
    except (EOFError, ConnectionError):
        pass


def malformed():
    client = connect()
    answers(client)
    client.sendall(query("select 1") + b"Q\0\0\0\3" + query("select 2"))
    until_it_is_ended(client)
    # A kind that there isn't, and a body that is cut short.
    client = connect()
    answers(client)
    client.sendall(message(b"~", b"xyz"))
    until_it_is_ended(client)
    client = connect()
    answers(client)
    client.sendall(message(b"P", b"no end") + message(b"B", b"\xff") + message(b"E") + message(b"S"))
    assert "E" in tags(answers(client))
    client.sendall(query("select 3"))
    assert "D" in tags(answers(client))
    client.sendall(b"Q\0\0\1\0cut")
    client.close()
    for packet in [b"\0\0\0\4", b"\0", b"\x16\3\1\2\0\1", struct.pack("!II", 8, 12345), struct.pack("!II", 9999, 196608)]:
        client = socket.socket(socket.AF_UNIX)
        client.connect(PATH)
        client.sendall(packet)
        client.shutdown(socket.SHUT_WR)
        client.settimeout(100)
        try:
            while client.recv(1000):
                pass
        except ConnectionResetError:
            pass


def huge():
    client = connect()
    answers(client)
    size = (1 << 30) - 100
    client.sendall(query(f"select repeat('x', {size})"))
    seen = answers(client)
    assert (b"D", size + 6) in [(tag, length) for tag, length, _ in seen], [entry[:2] for entry in seen]
    # And in, a row of COPY in pieces of a message each, and in one message.
    client.sendall(query("create temp table t (a text)"))
    answers(client)
    client.sendall(query("copy t from stdin"))
    assert answers(client, b"G")
    piece = message(b"d", b"x" * (1 << 20))
    for _ in range(300):
        client.sendall(piece)
    client.sendall(b"d" + struct.pack("!I", (1 << 28) + 5))
    for _ in range(1 << 8):
        client.sendall(b"y" * (1 << 20))
    client.sendall(b"\n" + message(b"c"))
    assert tags(answers(client)) == "CZ"
    client.sendall(query("select length(a) from t"))
    seen = answers(client)
    assert str(300 * (1 << 20) + (1 << 28)).encode() in [entry[2] for entry in seen if entry[0] == b"D"][0], seen
    print("peak", peak())
    assert peak() < 100 * 1024, peak()


def many():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    clients, refused = [], 0
    for client in [connect(b"one of many") for _ in range(500)]:
        try:
            assert tags(answers(client)).endswith("Z")
            clients.append(client)
        except EOFError:
            refused += 1
    print("refused", refused)
    for client in clients:
        client.sendall(query("select 'many'"))
    for client in clients:
        assert tags(answers(client)) == "TDCZ"
    for client in clients[::2]:
        client.sendall(message(b"X"))
    for client in clients:
        client.close()


def deaf():
    client = connect()
    answers(client)
    client.sendall(query("select repeat('x', 1000) from generate_series(1, 300000)"))
    # Others are served all the while.
    other = connect()
    answers(other)
    other.sendall(query("select 'served'"))
    assert tags(answers(other)) == "TDCZ"
    assert select.select([client], [], [], 100)[0]
    print("peak", peak())
    assert peak() < 100 * 1024, peak()


globals()[sys.argv[1]]()
print("behaved")
