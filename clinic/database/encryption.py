"""Files that are encrypted as they are written, and checked as they are read. What is in them: backup.py.

AES-256-GCM over pieces of a megabyte, each bound to its place and the last one marked, so that nothing can be
changed, swapped or cut off unnoticed (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

from __future__ import annotations

import io
import os
import struct
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"CAMERINO-BACKUP-1\n"
SALT = 16
PREFIX = 7
PIECE = 1 << 20
TAG = 16
SHORTEST_KEY = 20


class UnreadableError(Exception):
    """The key does not fit, or the file is not what was written."""


class Writer:
    """Encrypts what is written into `file`. Without `close` the file stays unreadable, as it should after an error."""

    def __init__(self, file: IO[bytes], key: str) -> None:
        self._file = file
        head = MAGIC + os.urandom(SALT + PREFIX)
        self._cipher = _Cipher(key, head)
        self._pending = bytearray()
        file.write(head)

    def write(self, data: bytes) -> int:
        self._pending += data
        # One piece is kept back: only at the end is it known which is the last.
        while len(self._pending) > PIECE:
            self._file.write(self._cipher.encrypt(bytes(self._pending[:PIECE]), last=False))
            del self._pending[:PIECE]
        return len(data)

    def close(self) -> None:
        self._file.write(self._cipher.encrypt(bytes(self._pending), last=True))


class Reader(io.RawIOBase):
    """Decrypts `file`, whose magic has been recognised. Every byte it hands out was written by a holder of the key."""

    def __init__(self, file: IO[bytes], key: str) -> None:
        self._file = file
        self._cipher = _Cipher(key, file.read(len(MAGIC) + SALT + PREFIX))
        self._next = file.read(PIECE + TAG)
        self._clear = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not self._clear and self._next:
            piece, self._next = self._next, self._file.read(PIECE + TAG)
            self._clear = memoryview(self._cipher.decrypt(piece, last=not self._next))
        count = min(len(buffer), len(self._clear))
        buffer[:count] = self._clear[:count]
        self._clear = self._clear[count:]
        return count


class _Cipher:
    def __init__(self, key: str, head: bytes) -> None:
        salt = head[len(MAGIC) : len(MAGIC) + SALT]
        self._head = head
        self._prefix = head[len(MAGIC) + SALT :]
        self._aes = AESGCM(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(key.encode()))
        self._count = 0

    def encrypt(self, piece: bytes, *, last: bool) -> bytes:
        return self._aes.encrypt(self._nonce(last), piece, self._head)

    def decrypt(self, piece: bytes, *, last: bool) -> bytes:
        try:
            return self._aes.decrypt(self._nonce(last), piece, self._head)
        except InvalidTag:
            raise UnreadableError("BACKUP_KEY does not fit this file, or the file was changed or cut off.") from None

    def _nonce(self, last: bool) -> bytes:
        nonce = self._prefix + struct.pack(">IB", self._count, last)
        self._count += 1
        return nonce
