"""One signed POST: to the address that was looked up and no other, in a given time, following nothing."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import datetime

from regatta.webhooks.addresses import Target, resolved

SECONDS = 10.0
"""For all of it: connecting, sending, and the answer."""
MAX_ANSWER = 4_096


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 of `timestamp.body`, in hex."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def headers(secret: str, *, event: str, name: str, body: bytes, now: datetime) -> dict[str, str]:
    """What a receiver needs to know whence a body comes, how old it is, and whether it had it before."""
    timestamp = str(int(now.timestamp()))
    return {
        "Content-Type": "application/json", "User-Agent": "Regatta-Webhook/1", "X-Regatta-Event": event,
        "X-Regatta-Delivery": name, "X-Regatta-Timestamp": timestamp,
        "X-Regatta-Signature": f"sha256={signature(secret, timestamp, body)}",
    }  # fmt: skip


def post(target: Target, body: bytes, head: dict[str, str], *, seconds: float = SECONDS) -> Answer:
    """Send the body and read the beginning of the answer. Raises BadInput (a private address) and OSError."""
    ends_at = time.monotonic() + seconds
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.authority}", *(f"{k}: {v}" for k, v in head.items())]
    request = "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""]).encode() + body
    plain = socket.create_connection((resolved(target), target.port), timeout=_left(ends_at))
    with plain, _encrypted(plain, target, ends_at) as stream:
        stream.settimeout(_left(ends_at))
        stream.sendall(request)
        return _answer(_read(stream, ends_at))


def in_words(error: OSError | UnicodeError) -> str:
    """Why no answer came, as the owner of the address reads it."""
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens at this address"
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:g} s"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "there is no host of this name"
    if isinstance(error, ssl.SSLError):
        return f"its certificate was not accepted: {getattr(error, 'verify_message', error)}"
    return f"the connection broke: {error}"


def _encrypted(plain: socket.socket, target: Target, ends_at: float) -> socket.socket:
    """The connection under TLS, with the certificate held against the name, not the number."""
    if target.scheme != "https":
        return plain
    plain.settimeout(_left(ends_at))
    return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)


def _read(stream: socket.socket, ends_at: float) -> bytes:
    """What comes until the other side closes, enough has come, or the time is over."""
    data = b""
    while len(data) < MAX_ANSWER:
        try:
            stream.settimeout(_left(ends_at))
            part = stream.recv(MAX_ANSWER)
        except TimeoutError:
            if b"\r\n\r\n" in data:  # the head is all that counts
                break
            raise
        if not part:
            break
        data += part
    return data


def _answer(data: bytes) -> Answer:
    head, _, text = data.partition(b"\r\n\r\n")
    words = head.split(b"\r\n")[0].split(b" ")
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit() or len(words[1]) != 3:
        raise ConnectionError("the answer is no HTTP")
    return Answer(int(words[1]), text.decode("utf-8", "replace"))


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left
