"""The Bot API's objects for Stars (core.telegram.org/bots/api, "Payments"), read strictly.

An answer is `{"ok": true, "result"}` or `{"ok": false, "error_code", "description"}`; only these two are answers.
Amounts are whole Stars. Field names are Telegram's.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from providers.sdk.contract import Intent
from providers.sdk.errors import ReplyError
from providers.sdk.money import Money, wire_minor
from providers.sdk.transport import HttpReply

STARS: Final = "XTR"
LINKS: Final = ("https://t.me/$", "https://t.me/invoice/")
TITLE_MAX: Final = 32  # createInvoiceLink, as are the next two
DESCRIPTION_MAX: Final = 255
AMOUNT_MAX: Final = 10_000  # published for subscriptions; what other invoices may ask for is not
SUBSCRIPTION_S: Final = 2_592_000
PAGE: Final = 100  # getStarTransactions, limit
_SECRETS: Final = (
    (re.compile(rb"/bot[0-9]{1,20}:[A-Za-z0-9_-]+"), b"/bot***"),
    (re.compile(rb"(?<![0-9])[0-9]{5,20}:[A-Za-z0-9_-]{20,}"), b"***"),
    (re.compile(rb'("(?:first_name|last_name|username)"\s*:\s*)"(?:[^"\\]|\\.)*"'), rb'\1"***"'),
    (re.compile(rb'("user_id"\s*:\s*)"?[0-9]+"?'), rb'\1"***"'),
    (re.compile(rb'("(?:from|user|chat)"\s*:\s*\{\s*"id"\s*:\s*)-?[0-9]+'), rb'\1"***"'),
    (re.compile(rb"(?i)(X-Moongate-Seal:\s*)[0-9a-f]+"), rb"\1***"),
)

Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Telegram's clear no."""

    code: int
    description: str

    def says(self, word: str) -> bool:
        """Whether Telegram's own constant stands in it."""
        return word in self.description


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One line of the bot's ledger with a payer's invoice in it. A refund has the charge of its payment."""

    charge: str
    amount: Money
    at: datetime
    number: str
    payer: str = field(repr=False)
    incoming: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A `successful_payment` or `refunded_payment`, with the message around it."""

    charge: str
    amount: Money
    at: datetime
    number: str
    payer: str = field(repr=False)
    refunded: bool
    renewal: bool


def invoice(intent: Intent) -> dict[str, object]:
    """What an invoice says. The payload, which the payer never sees, is our number and nothing else."""
    title = " ".join(intent.title.split()) or intent.number
    return {
        "title": _cut(title, TITLE_MAX),
        "description": _cut(title, DESCRIPTION_MAX),
        "payload": intent.number,
        "provider_token": "",
        "currency": STARS,
        "prices": [{"label": _cut(title, TITLE_MAX), "amount": intent.amount.minor}],
    }


def encode(fields: Fields) -> bytes:
    """The body of a call."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def decode(body: bytes) -> dict[str, object]:
    """One JSON object without floats. Raises `ReplyError`."""
    try:
        value = json.loads(body, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        raise ReplyError("Telegram's message is not JSON.") from error
    if not isinstance(value, dict):
        raise ReplyError("Telegram's message is not an object.")
    return value


def answer(reply: HttpReply) -> object | Refusal:
    """The result, or the refusal. Raises `ReplyError` for anything else, and for trouble on Telegram's side."""
    fields = decode(reply.body)
    ok, result = fields.get("ok"), fields.get("result")
    if ok is True and reply.status == 200 and result is not None:  # noqa: PLR2004  # HTTP: OK
        return result
    code, description = fields.get("error_code"), fields.get("description")
    if ok is not False or type(code) is not int or not isinstance(description, str) or reply.status != code:
        raise ReplyError(f"Telegram's answer, with status {reply.status}, is none of the Bot API.")
    if code >= 500:  # noqa: PLR2004  # HTTP: server errors
        raise ReplyError(f"Telegram has trouble of its own: {code}.")
    return Refusal(code, description)


def link(result: object) -> str:
    """The address of an invoice. Raises `ReplyError` when it leads elsewhere."""
    if not isinstance(result, str) or not result.startswith(LINKS):
        raise ReplyError("Telegram gave no invoice link.")
    return result


def page(result: object) -> tuple[int, tuple[Transaction, ...], tuple[datetime, ...]]:
    """Of one page: how many lines, those with an invoice in them, and the moment of each line, oldest first."""
    lines = result.get("transactions") if isinstance(result, dict) else None
    if not isinstance(lines, list):
        raise ReplyError("Telegram gave no list of transactions.")
    moments = tuple(_moment(_object(line), "date") for line in lines)
    found = tuple(filter(None, (_transaction(_object(line)) for line in lines)))
    return len(lines), found, moments


def told(update: Fields) -> Told | None:
    """What an update says about Stars; None for a payment in another currency. Raises `ReplyError`."""
    message = _object(update.get("message"))
    paid, refunded = message.get("successful_payment"), message.get("refunded_payment")
    payment = _object(refunded if paid is None else paid)
    if payment.get("currency") != STARS:
        return None
    # In a private chat the chat is the payer; `from` of a refund may be the bot.
    person = _object(message.get("chat" if paid is None else "from"))
    return Told(
        charge=_text(payment, "telegram_payment_charge_id"),
        amount=wire_minor(payment.get("total_amount"), STARS),
        at=_moment(message, "date"),
        number=_text(payment, "invoice_payload"),
        payer=_id(person),
        refunded=paid is None,
        renewal=payment.get("is_recurring") is True and payment.get("is_first_recurring") is not True,
    )


def scrub(transcript: bytes) -> bytes:
    """Without the token, and without who paid."""
    for pattern, instead in _SECRETS:
        transcript = pattern.sub(instead, transcript)
    return transcript


def _transaction(line: Fields) -> Transaction | None:
    """None for what is no invoice: withdrawals, gifts, advertisements."""
    incoming = line.get("source") is not None
    partner = line.get("source") if incoming else line.get("receiver")
    if not isinstance(partner, dict) or partner.get("transaction_type") != "invoice_payment":
        return None
    if line.get("nanostar_amount"):
        raise ReplyError("Telegram tells of a part of a Star, which no invoice asks for.")
    return Transaction(
        charge=_text(line, "id"),
        amount=wire_minor(line.get("amount"), STARS),
        at=_moment(line, "date"),
        number=str(partner.get("invoice_payload") or ""),
        payer=_id(_object(partner.get("user"))),
        incoming=incoming,
    )


def _object(value: object) -> Fields:
    if not isinstance(value, dict):
        raise ReplyError("Telegram's message lacks a part.")
    return value


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ReplyError(f"Telegram's message has no {name}.")
    return value


def _id(person: Fields) -> str:
    value = person.get("id")
    if type(value) is not int:
        raise ReplyError("Telegram's message names nobody.")
    return str(value)


def _moment(fields: Fields, name: str) -> datetime:
    value = fields.get(name)
    if type(value) is not int or not 0 < value < 2**33:
        raise ReplyError(f"Telegram's message has no {name}.")
    return datetime.fromtimestamp(value, UTC)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _no_float(text: str) -> object:
    raise ValueError(f"{text} is no amount")
