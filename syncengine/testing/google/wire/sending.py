"""How an answer goes out: framing, bandwidth, and bodies that faults spoil."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from syncengine.testing.google.content.bytes import BytesContent, chunks
from syncengine.testing.google.control.effects import (
    Corrupt,
    Cut,
    Effect,
    Garbage,
    Meanwhile,
    OtherEtag,
    TooLong,
    TooShort,
    WrongLength,
)
from syncengine.testing.google.wire.message import Answer


class BodyEndsError(Exception):
    """The body ends here, and the connection with it."""


@dataclass
class Delivery:
    """How a body is sent.

    Args:
        answer: what.
        declared: the ``Content-Length``.
        extra: zero bytes behind the body.
        cut: where it breaks off.
        corrupt: which byte is turned over; ``None`` means none.
        meanwhile: what happens on the way.
        bandwidth: bytes per second.
    """

    answer: Answer
    declared: int
    extra: int = 0
    cut: Cut | None = None
    corrupt: int | None = None
    meanwhile: Meanwhile | None = None
    bandwidth: float | None = None

    @property
    def closes(self) -> bool:
        """Whether the connection cannot be used afterwards."""
        return self.cut is not None or self.declared != self.answer.body_length + self.extra

    @property
    def total(self) -> int:
        """How many bytes of body go out."""
        whole = self.answer.body_length + self.extra
        return whole if self.cut is None else min(whole, self.cut.after)

    def pieces(self) -> Iterator[bytes]:
        """The body as it goes out.

        Raises:
            BodyEndsError: it breaks off here.
        """
        sent, started = 0, time.monotonic()
        for piece in self._whole():
            cut_here = self.cut is not None and sent + len(piece) >= self.cut.after
            kept = piece[: self.cut.after - sent] if self.cut is not None else piece
            if self.bandwidth:
                time.sleep(max(0.0, started + (sent + len(kept)) / self.bandwidth - time.monotonic()))
            yield self._corrupted(kept, sent)
            sent += len(piece)
            self._act(sent)
            if cut_here:
                raise BodyEndsError

    def _whole(self) -> Iterator[bytes]:
        """The body and what follows it, split where something happens."""
        self._act(0)
        answer = self.answer
        first = min(self.meanwhile.after, answer.body_length) if self.meanwhile else 0
        yield from chunks(answer.content, answer.start, first)
        yield from chunks(answer.content, answer.start + first, answer.body_length - first)
        if self.extra:
            yield b"\0" * self.extra

    def _act(self, sent: int) -> None:
        """Do what is to be done meanwhile, once."""
        if self.meanwhile is not None and sent >= self.meanwhile.after:
            action, self.meanwhile = self.meanwhile.action, None
            action()

    def _corrupted(self, piece: bytes, sent: int) -> bytes:
        """A piece, one byte of it turned over when that lies in it."""
        if self.corrupt is None or not sent <= self.corrupt < sent + len(piece):
            return piece
        spoiled = bytearray(piece)
        spoiled[self.corrupt - sent] ^= 0xFF
        return bytes(spoiled)


def deliver(answer: Answer, effects: list[Effect], bandwidth: float | None) -> Delivery:
    """Plan how an answer is sent.

    Args:
        answer: what is sent.
        effects: faults that are due.
        bandwidth: bytes per second; ``None`` means as fast as it goes.
    """
    delivery = Delivery(answer, answer.body_length, bandwidth=bandwidth)
    for effect in effects:
        _PLANS.get(type(effect), _nothing)(delivery, effect)
    return delivery


def _nothing(_delivery: Delivery, _effect: Effect) -> None:
    """Other effects happen before the answer is there."""


def _cut(delivery: Delivery, effect: Effect) -> None:
    if isinstance(effect, Cut):
        delivery.cut = effect


def _corrupt(delivery: Delivery, effect: Effect) -> None:
    if isinstance(effect, Corrupt):
        delivery.corrupt = effect.at


def _meanwhile(delivery: Delivery, effect: Effect) -> None:
    if isinstance(effect, Meanwhile):
        delivery.meanwhile = effect


def _too_long(delivery: Delivery, effect: Effect) -> None:
    if isinstance(effect, TooLong):
        delivery.extra += effect.extra
        delivery.declared += effect.extra


def _too_short(delivery: Delivery, effect: Effect) -> None:
    if isinstance(effect, TooShort):
        length = max(delivery.answer.body_length - effect.missing, 0)
        delivery.answer = replace(delivery.answer, length=length)
        delivery.declared = length


def _wrong_length(delivery: Delivery, effect: Effect) -> None:
    if isinstance(effect, WrongLength):
        delivery.declared = max(delivery.declared + effect.by, 0)


def _other_etag(delivery: Delivery, effect: Effect) -> None:
    if isinstance(effect, OtherEtag):
        delivery.answer.headers["ETag"] = effect.value


def _garbage(delivery: Delivery, effect: Effect) -> None:
    if isinstance(effect, Garbage):
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        delivery.answer = Answer(200, headers, BytesContent(effect.text.encode()))
        delivery.declared = delivery.answer.body_length


_PLANS: dict[type, Callable[[Delivery, Effect], None]] = {
    Cut: _cut,
    Corrupt: _corrupt,
    Meanwhile: _meanwhile,
    TooLong: _too_long,
    TooShort: _too_short,
    WrongLength: _wrong_length,
    OtherEtag: _other_etag,
    Garbage: _garbage,
}


def reset_on_close(connection: socket.socket) -> None:
    """Make the close of a connection a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
