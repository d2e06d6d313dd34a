"""One thing a doctor has seen, and what a provider's own doctor is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from providers.sdk.transport import HttpReply, HttpRequest


class Weight(StrEnum):
    """How much it matters."""

    FINE = "ok"
    NOTE = "note"
    WRONG = "no"


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` names a setting or a subject; `text` says what is so and, unless it is fine, what to do. Never a secret."""

    weight: Weight
    about: str
    text: str


class Doctor(Protocol):
    """A provider's own. Pure: it reads settings and files of keys, and calls nobody."""

    def examine(self, settings: Any, now: datetime) -> Sequence[Finding]:  # noqa: ANN401  # the provider's settings class
        """Keys, serials and certificates of one account. Must not raise for settings that are wrong."""
        ...

    def signed_text(self, request: HttpRequest) -> bytes:
        """The very bytes that the merchant's signature in this request is over. Empty when it bears none."""
        ...

    def explain(self, settings: Any, reply: HttpReply) -> Sequence[Finding]:  # noqa: ANN401  # as above
        """What a refusal, or an answer that did not verify, says about the account."""
        ...


def fine(about: str, text: str) -> Finding:
    """As it should be."""
    return Finding(Weight.FINE, about, text)


def note(about: str, text: str) -> Finding:
    """Works, and is worth knowing."""
    return Finding(Weight.NOTE, about, text)


def wrong(about: str, text: str) -> Finding:
    """Does not work; the text ends with the cure."""
    return Finding(Weight.WRONG, about, text)
