"""Closed-loop HTTP clients with keep-alive in one thread: each sends its next request when the last is answered.

Bare sockets and an event loop, so that the driver leaves the cores to the servers; it reports how busy it was itself.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bench.environment import HOST


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: dict[str, str]


@dataclass
class Outcome:
    """What a round of requests came to."""

    seconds: float = 0.0
    driver_share: float = 0.0
    latencies: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def done(self) -> int:
        return len(self.latencies)

    @property
    def rate(self) -> float:
        return self.done / self.seconds


def get(path: str, cookies: dict[str, str] | None = None) -> bytes:
    return _head("GET", path, cookies) + b"\r\n"


def post(path: str, data: dict, cookies: dict[str, str] | None = None) -> bytes:
    body = urlencode(data).encode()
    extra = (
        f"Origin: https://{HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    )
    return _head("POST", path, cookies) + extra.encode() + b"\r\n" + body


def _head(method: str, path: str, cookies: dict[str, str] | None) -> bytes:
    # As a browser behind the clinic's proxy asks.
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {HOST}",
        "X-Forwarded-Proto: https",
        "X-Forwarded-For: 127.0.0.1",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) bench",
        "Accept: text/html,application/xhtml+xml",
        "Accept-Language: en",
        "Accept-Encoding: gzip, br",
        "Sec-Fetch-Mode: navigate",
    ]
    if cookies:
        lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()))
    return ("\r\n".join(lines) + "\r\n").encode()


class _Client:
    """One connection and what has been read of the present answer."""

    def __init__(self, port: int, number: int) -> None:
        self.port, self.number = port, number
        self.socket = self._open()
        self.request, self.began, self.read = b"", 0.0, bytearray()

    def _open(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def send(self, request: bytes) -> None:
        self.request, self.began, self.read = request, time.perf_counter(), bytearray()
        try:
            self.socket.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            self.reopen()

    def reopen(self) -> None:
        """The server closed an idle connection: the request goes out again on a new one."""
        self.socket.close()
        self.socket = self._open()
        self.socket.sendall(self.request)

    def receive(self) -> Answer | None:
        """The whole answer, or None while it is not there yet."""
        try:
            part = self.socket.recv(262_144)
        except ConnectionResetError:
            part = b""
        if not part and self.read:
            raise ConnectionError("The server closed the connection in the middle of an answer.")
        self.read += part
        end = self.read.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.read[:end].decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        cookies: dict[str, str] = {}
        for line in head[1:]:
            name, _colon, value = line.partition(": ")
            if name.lower() == "set-cookie":
                cookie, _equals, rest = value.partition("=")
                cookies[cookie] = rest.partition(";")[0]
            headers[name.lower()] = value
        body = _body(self.read, end + 4, headers)
        return None if body is None else Answer(int(head[0].split(" ")[1]), headers, body, cookies)


def _body(read: bytearray, start: int, headers: dict[str, str]) -> bytes | None:
    if "content-length" in headers:
        end = start + int(headers["content-length"])
        return bytes(read[start:end]) if len(read) >= end else None
    if not read.endswith(b"0\r\n\r\n"):
        return None
    parts, at = [], start
    while True:
        line = read.find(b"\r\n", at)
        size = int(read[at:line], 16)
        if not size:
            return b"".join(parts)
        parts.append(bytes(read[line + 2 : line + 2 + size]))
        at = line + 2 + size + 2


class Single:
    """One client that asks and waits."""

    def __init__(self, port: int) -> None:
        self._client = _Client(port, 0)

    def ask(self, request: bytes) -> Answer:
        self._client.send(request)
        while True:
            answer = self._client.receive()
            if answer is not None:
                return answer
            if not self._client.read:
                self._client.reopen()

    def close(self) -> None:
        self._client.socket.close()


def ask(port: int, request: bytes) -> Answer:
    single = Single(port)
    try:
        return single.ask(request)
    finally:
        single.close()


def drive(
    port: int,
    clients: int,
    requests: Callable[[int], Iterator[bytes]],
    *,
    seconds: float | None = None,
) -> Outcome:
    """Let `clients` send their requests until these end or the time is over; what was begun is waited for."""
    outcome = Outcome()
    everybody = [_Client(port, number) for number in range(clients)]
    wishes = {client: requests(client.number) for client in everybody}
    began, busy = time.perf_counter(), time.process_time()
    with selectors.DefaultSelector() as selector:
        waiting = 0
        for client in everybody:
            request = next(wishes[client], None)
            if request is not None:
                selector.register(client.socket, selectors.EVENT_READ, client)
                client.send(request)
                waiting += 1
        while waiting:
            found = selector.select(timeout=60)
            if not found:
                raise TimeoutError("The server has not answered for a minute.")
            for key, _mask in found:
                client = key.data
                before = client.socket
                answer = client.receive()
                if answer is None:
                    if not client.read:
                        client.reopen()
                        selector.unregister(before)
                        selector.register(client.socket, selectors.EVENT_READ, client)
                    continue
                now = time.perf_counter()
                outcome.latencies.append(now - client.began)
                outcome.answers.append(answer)
                over = seconds is not None and now - began >= seconds
                request = None if over else next(wishes[client], None)
                if request is None:
                    selector.unregister(client.socket)
                    waiting -= 1
                else:
                    client.send(request)
    outcome.seconds = time.perf_counter() - began
    outcome.driver_share = (time.process_time() - busy) / outcome.seconds
    for client in everybody:
        client.socket.close()
    return outcome
