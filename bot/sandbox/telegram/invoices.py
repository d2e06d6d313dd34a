"""Invoices in Telegram Stars: what the Bot API takes for one, and those that are out, as messages and as links.

Only Stars (`XTR`) are paid here. Any other currency needs a payment provider, of which this emulator has none. Where
the name of Telegram's refusal is not public, the refusal is a sentence of ours.
"""

import re
from typing import Final

from pydantic import JsonValue

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.call import read_json
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.journal import Journal
from bot.sandbox.telegram.payment_params import InvoiceParams
from bot.sandbox.telegram.wire import Invoice, Wire
from providers.sdk.clock import Random

STARS: Final = "XTR"
LINK: Final = "https://t.me/$"
TITLE_MAX: Final = 32  # Bot API, createInvoiceLink, as are the next three
DESCRIPTION_MAX: Final = 255
PAYLOAD_BYTES_MAX: Final = 128
SUBSCRIPTION_S: Final = 2_592_000
AMOUNT_MAX: Final = 10_000  # published for subscriptions; what other invoices may cost is not
_SLUG_CHARS: Final = 22
_START = re.compile(r"[A-Za-z0-9_-]{0,64}", re.ASCII)


class Terms(Wire):
    """An invoice with what only the bot knows of it: the payload. `paid` is of a message: a link can be paid again."""

    title: str
    description: str
    payload: str
    amount: int
    start_parameter: str = ""
    subscription_period: int = 0
    paid: bool = False

    def seen(self) -> Invoice:
        """As it stands in a message."""
        return Invoice(
            title=self.title,
            description=self.description,
            start_parameter=self.start_parameter,
            currency=STARS,
            total_amount=self.amount,
        )


class Invoices:
    """Every invoice that can be opened."""

    def __init__(self, journal: Journal, random: Random) -> None:
        self._journal, self._random = journal, random
        self._terms = {key: Terms.model_validate_json(value) for key, value in journal.scan("invoice/")}

    def link(self, terms: Terms) -> str:
        """A new address at which anybody can pay, any number of times."""
        slug = self._random.text(_SLUG_CHARS)
        self._keep(f"invoice/link/{slug}", terms)
        return LINK + slug

    def hang(self, chat_id: int, message_id: int, terms: Terms) -> None:
        """The terms behind a message."""
        self._keep(f"invoice/{chat_id}/{message_id}", terms)

    def at_link(self, link: str) -> Terms | None:
        """The terms behind an address; `t.me/$…` and `t.me/invoice/…` lead to the same."""
        _, found, slug = link.replace("t.me/invoice/", "t.me/$").partition("t.me/$")
        return self._terms.get(f"invoice/link/{slug}") if found else None

    def in_message(self, chat_id: int, message_id: int) -> Terms | None:
        """The terms behind a message's Pay button."""
        return self._terms.get(f"invoice/{chat_id}/{message_id}")

    def clear(self) -> None:
        """A fresh world."""
        self._journal.drop_all("invoice/")
        self._terms.clear()

    def _keep(self, key: str, terms: Terms) -> None:
        self._terms[key] = terms
        self._journal.put(key, terms.json_bytes())


def read_terms(params: InvoiceParams, *, start_parameter: str = "", subscription_period: int = 0) -> Terms:
    """What the bot asks for. Raises what Telegram answers to an invoice it does not take."""
    for name in ("title", "description", "payload", "currency", "prices"):
        if not getattr(params, name):
            raise bad_request(f'Parameter "{name}" is required')
    amounts = _amounts(params.prices)
    if params.currency != STARS:
        raise bad_request(errors.NO_PAYMENT_PROVIDER)
    if len(amounts) != 1 or params.provider_token or params.tips:
        raise bad_request(errors.INVOICE_INVALID)
    if not 1 <= amounts[0] <= AMOUNT_MAX:
        raise bad_request(errors.AMOUNT_INVALID)
    if subscription_period not in {0, SUBSCRIPTION_S}:
        raise bad_request(f"Subscription period must be {SUBSCRIPTION_S} seconds")
    _check_lengths(params, start_parameter)
    return Terms(
        title=params.title,
        description=params.description,
        payload=params.payload,
        amount=amounts[0],
        start_parameter=start_parameter,
        subscription_period=subscription_period,
    )


def _check_lengths(params: InvoiceParams, start_parameter: str) -> None:
    if len(params.title) > TITLE_MAX:
        raise bad_request(f"Invoice title must be 1 to {TITLE_MAX} characters long")
    if len(params.description) > DESCRIPTION_MAX:
        raise bad_request(f"Invoice description must be 1 to {DESCRIPTION_MAX} characters long")
    if len(params.payload.encode()) > PAYLOAD_BYTES_MAX:
        raise bad_request("INVOICE_PAYLOAD_INVALID")
    if not _START.fullmatch(start_parameter):
        raise bad_request("START_PARAM_INVALID")


def _amounts(text: str) -> list[int]:
    try:
        prices = read_json(text)
    except ValueError as error:
        raise bad_request("Can't parse prices JSON object") from error
    if not isinstance(prices, list):
        raise bad_request("Expected an Array of labeled prices")
    if not prices:
        raise bad_request("There must be at least one price")
    return [_amount(price) for price in prices]


def _amount(price: JsonValue) -> int:
    """Of one LabeledPrice."""
    said = "Can't parse labeled price: "
    if not isinstance(price, dict):
        raise bad_request(said + "LabeledPrice must be an Object")
    label, amount = price.get("label"), price.get("amount")
    if not isinstance(label, str):
        raise bad_request(said + 'Can\'t find field "label"')
    if not label:
        raise bad_request(said + "LabeledPrice label must be non-empty")
    number = str(amount) if isinstance(amount, int | str) and not isinstance(amount, bool) else ""
    if not re.fullmatch(r"-?[0-9]{1,18}", number, re.ASCII):
        raise bad_request(said + 'Can\'t find field "amount"')
    return int(number)
