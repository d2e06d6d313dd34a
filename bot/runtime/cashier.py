"""What a payer sees of the money, drawn from the order alone: the same order gives the same screens. Pure.

Nothing here says more than the store knows: an order that may still be paid is never called unpaid.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from unicodedata import east_asian_width

from bot.orders.answers import Why
from bot.orders.order import Attempt, AttemptState, Order, OrderState
from bot.orders.routing import Offer, best_per_wallet
from bot.runtime.picture import qr_png
from bot.runtime.receipts import TITLE_CHARS_MAX, after_screen, moment_text, number_line, title_lines
from bot.runtime.screen import Key, Screen
from bot.runtime.till import till_screen
from bot.texts import plural_translator, translator
from miniprograms.sdk.view import Bold, Text
from providers.sdk.contract import Way
from providers.sdk.wallets import Wallet, wallet_name

ORDERS_SHOWN: Final = 10
_LABEL_CELLS_MAX: Final = 16  # what half a row of a narrow phone shows
_KEY = re.compile(r"p:([0-9A-Za-z]{6,32}):([a-z_]{1,24})", re.ASCII)  # at most 59 of Telegram's 64 bytes
_MARKS: Final = {
    OrderState.CREATED: "⏳",
    OrderState.PENDING: "⏳",
    OrderState.PAID: "✅",
    OrderState.PAID_LATE: "✅",
    OrderState.PARTLY_REFUNDED: "↩️",
    OrderState.REFUNDED: "↩️",
    OrderState.EXPIRED: "⌛",
    OrderState.CANCELLED: "✖️",
    OrderState.FAILED: "✖️",
    OrderState.NEEDS_REVIEW: "🔎",
}


class Verb(StrEnum):
    """What a button of these screens asks for, beside the wallets, whose names are verbs of their own."""

    SHOW = "show"  # the order as it stands
    CHOOSE = "choose"  # the one code and all wallets again
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class PaymentKey:
    """A tapped button of the money side. It names an order, and proves nothing about who taps."""

    order_id: str
    verb: Verb | Wallet


def read_key(data: str) -> PaymentKey | None:
    """The data of one of our buttons, or None: a client can send what it likes (`p:<order>:<verb or wallet>`)."""
    match = _KEY.fullmatch(data)
    if match is None:
        return None
    for verbs in (Verb, Wallet):
        if match[2] in set(verbs):
            return PaymentKey(match[1], verbs(match[2]))
    return None


def write_key(order_id: str, verb: Verb | Wallet) -> str:
    """The data that `read_key` reads."""
    return f"p:{order_id}:{verb.value}"


def order_screen(
    order: Order,
    offers: Sequence[Offer],
    code_text: str | None,
    language: str,
    now: datetime,
    *,
    page_url: str = "",
) -> Screen:
    """The screen an order calls for as it stands: what the cashier message shows after every change.

    Drawing it twice gives the same. `code_text` is the one code; None where no address of ours can be scanned.
    `page_url` is the address of the order's page where the code is another text.
    """
    if order.state not in {OrderState.CREATED, OrderState.PENDING}:
        return after_screen(order, language)
    if order.by_payer_code:
        return till_screen(order, language, write_key(order.id, Verb.CANCEL))
    if order.ending is not None:
        return closing_screen(order, language)
    latest = order.attempts[-1] if order.attempts else None
    if latest is not None and latest.usable(now) and latest.way is not Way.IN_APP:
        return wallet_screen(order, latest, language)
    if latest is not None and latest.state is AttemptState.UNKNOWN and not latest.leaving:
        return checking_screen(order, latest, language)
    return cashier_screen(order, offers, code_text, language, page_url=page_url)


def cashier_screen(
    order: Order, offers: Sequence[Offer], code_text: str | None, language: str, *, page_url: str = ""
) -> Screen:
    """The one code as a picture, a button per wallet that can pay, and a way out."""
    _ = translator(language)
    if all(offer.way is Way.INVOICE for offer in offers):
        code_text = None  # an invoice is opened in the chat; there is nothing for it to scan
    wallets = [offer.wallet for offer in best_per_wallet(offers)]
    names = " · ".join(wallet_name(wallet, language) for wallet in wallets)
    invitation = _how_to_pay(code_text, names, language)
    body = (
        *title_lines(order),
        *_declined_line(order, language),
        Text(f"{invitation}\n{_valid(order, order.expires_at, language)}\n"),
        *number_line(order, language),
    )
    address = page_url or code_text or ""
    page = address if code_text and wallets and address.startswith("https://") else None
    rows = (
        *_grid(
            Key(wallet_name(wallet, language), write_key(order.id, wallet), primary=True)
            for wallet in wallets
        ),
        *(((Key(_("Open the payment page"), url=page),),) if page else ()),
        _cancel_row(order, language),
    )
    return Screen(body, rows, qr_png(code_text) if code_text and wallets else None)


def wallet_screen(order: Order, attempt: Attempt, language: str) -> Screen:
    """After a wallet was chosen: the code or link of the institution that collects for it."""
    _ = translator(language)
    wallet = wallet_name(attempt.wallet, language)
    if attempt.way is Way.INVOICE:
        invitation = _("Pay with {wallet}, with the button below.")
    elif attempt.code:
        invitation = _("Scan this code with {wallet}.")
    else:
        invitation = _("Open {wallet} with the button below.")
    body = (
        *title_lines(order),
        Text(invitation.format(wallet=wallet) + "\n"),
        Text(_valid(order, attempt.usable_until or attempt.expires_at, language) + "\n"),
        Text(_("The receipt appears here by itself once the payment is confirmed.") + "\n"),
        *number_line(order, language),
    )
    label = _("Pay {amount}") if attempt.way is Way.INVOICE else _("Open {wallet}")
    opener = Key(label.format(wallet=wallet, amount=order.amount), url=attempt.link or "", primary=True)
    rows = (*(((opener,),) if _is_web(attempt.link) else ()), *_ways_out(order, language))
    return Screen(body, rows, qr_png(attempt.code) if attempt.code else None)


def checking_screen(order: Order, attempt: Attempt, language: str) -> Screen:
    """The institution's answer is missing: it may or may not hold this order open."""
    _ = translator(language)
    wallet = wallet_name(attempt.wallet, language)
    text = _(
        "{wallet} has not answered yet; we keep asking. If you have already paid, do not pay again: the receipt appears here as soon as the payment is confirmed."
    )
    again = Key(_("Ask again"), write_key(order.id, attempt.wallet), primary=True)
    body = (
        *title_lines(order),
        Text("⏳ " + text.format(wallet=wallet) + "\n"),
        *number_line(order, language),
    )
    return Screen(body, ((again,), *_ways_out(order, language)))


def closing_screen(order: Order, language: str) -> Screen:
    """Being cancelled or expired: its codes are being closed at the institutions, and may win the race."""
    _ = translator(language)
    text = _(
        "This order is being closed. Please do not pay it any more; if you have just paid, the payment counts and the receipt appears here."
    )
    return Screen((*title_lines(order), Text(f"⏳ {text}\n"), *number_line(order, language)))


def orders_screen(orders: Sequence[Order], language: str) -> Screen:
    """The answer to /orders: the newest first, a button each."""
    _ = translator(language)
    if not orders:
        return Screen((Text(_("You have no orders yet. /apps shows what there is.")),))
    shown = orders[:ORDERS_SHOWN]
    lines = [
        f"{_MARKS[order.state]} {order.amount} · {order.title[:TITLE_CHARS_MAX]} · {moment_text(order.created_at, language)}"
        for order in shown
    ]
    rows = tuple(
        (Key(f"{_MARKS[order.state]} {order.amount} {order.title}"[:64], write_key(order.id, Verb.SHOW)),)
        for order in shown
    )
    return Screen((Bold(_("Your orders")), Text("\n\n" + "\n".join(lines))), rows)


def refusal_text(why: Why, language: str) -> str:
    """What a person who taps is told when the till says no: what it means, and what to do. At most 200 characters."""
    _ = translator(language)
    # Somebody else's order and no order sound the same, so that order numbers cannot be tried out.
    unknown = _("This order is not known here. /orders lists yours.")
    return {
        Why.UNKNOWN_ORDER: unknown,
        Why.NOT_YOURS: unknown,
        Why.NOT_IN_REVIEW: unknown,
        Why.ALREADY_PAID: _("This order is already paid. There is nothing more to do."),
        Why.EXPIRED: _("This order has expired. Go back to the shop and order again."),
        Why.CANCELLED: _("This order was cancelled. Go back to the shop and order again."),
        Why.FAILED: _("This order cannot be paid. Go back to the shop and order again."),
        Why.IN_REVIEW: _("A person is looking at this payment. Please do not pay again."),
        Why.NO_OFFER: _("This wallet cannot pay this order. Please choose another one."),
        Why.CHECKING: _("The answer is still on its way. Please try again in a moment."),
        Why.DECLINED: _("The payment was not accepted. Please try another wallet."),
        Why.OUT_OF_ORDER: _("This way to pay is out of order at the moment. Please choose another wallet."),
        Why.OVER_BUDGET: _("That is more than what is left of this payment."),
        Why.TOO_LATE: _("It is too late to refund this payment here. Please ask the shop."),
        Why.NOT_REFUNDABLE: _("This payment cannot be refunded here. Please ask the shop."),
        Why.WRONG_AMOUNT: _("That amount does not fit this order."),
        Why.NOT_CLAIMABLE: _("Somebody has claimed this money already, or it went back to the sender."),
        Why.LIMIT: _("This is more than one person may receive in a day. Try again tomorrow."),
    }[why]


def _how_to_pay(code_text: str | None, names: str, language: str) -> str:
    _ = translator(language)
    if not names:
        return _("No wallet can pay this order at the moment. Please try again later or ask the shop.")
    if code_text is None:
        return _("Choose the wallet you want to pay with:")
    return _("Scan this code with any of these wallets, or tap yours: {wallets}").format(wallets=names)


def _declined_line(order: Order, language: str) -> tuple[Text, ...]:
    latest = order.attempts[-1] if order.attempts else None
    if latest is None or latest.state is not AttemptState.DECLINED:
        return ()
    _ = translator(language)
    text = _("{wallet} did not accept the payment. Another wallet may.")
    return (Text("⚠️ " + text.format(wallet=wallet_name(latest.wallet, language)) + "\n"),)


def _valid(order: Order, until: datetime, language: str) -> str:
    _n = plural_translator(language)
    minutes = max(1, round((until - order.created_at).total_seconds() / 60))
    text = _n(
        "Valid for {minutes} minute, until {moment}.", "Valid for {minutes} minutes, until {moment}.", minutes
    )
    return text.format(minutes=minutes, moment=moment_text(until, language))


def _grid(keys: Iterable[Key]) -> tuple[tuple[Key, ...], ...]:
    """Two short labels to a row, a long one alone."""
    rows: list[tuple[Key, ...]] = []
    for key in keys:
        if rows and len(rows[-1]) == 1 and all(map(_is_short, (rows[-1][0], key))):
            rows[-1] = (*rows[-1], key)
        else:
            rows.append((key,))
    return tuple(rows)


def _is_short(key: Key) -> bool:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in key.label) <= _LABEL_CELLS_MAX


def _is_web(link: str | None) -> bool:
    # Telegram refuses a button to any other scheme (Bot API, InlineKeyboardButton, url).
    return link is not None and link.startswith(("https://", "http://"))


def _ways_out(order: Order, language: str) -> tuple[tuple[Key, ...], ...]:
    _ = translator(language)
    return ((Key(_("Other wallets"), write_key(order.id, Verb.CHOOSE)),), _cancel_row(order, language))


def _cancel_row(order: Order, language: str) -> tuple[Key, ...]:
    _ = translator(language)
    return (Key(_("Cancel"), write_key(order.id, Verb.CANCEL)),)
