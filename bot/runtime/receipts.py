"""What a payer sees once an order is no longer waiting: the receipt, and the ends that are not one. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from bot.orders.order import (
    LATE,
    PAYOUT_IS_CLAIMED,
    REFUND_IS_OPEN,
    Attempt,
    AttemptState,
    Order,
    OrderState,
    PayoutState,
    Refund,
    RefundState,
)
from bot.runtime.screen import Key, Screen
from bot.texts import spoken, translator
from miniprograms.sdk.view import Bold, Code, Text
from providers.sdk.clock import beijing
from providers.sdk.money import Money
from providers.sdk.wallets import wallet_name

TITLE_CHARS_MAX: Final = 120  # an author's title must leave room in a caption of 1024


def after_screen(order: Order, language: str) -> Screen:
    """The screen of an order that is paid or has ended."""
    return receipt_screen(order, language) if order.paid else ended_screen(order, language)


def receipt_screen(order: Order, language: str) -> Screen:
    """Paid, late or refunded: what, how much, with which wallet, when, and what has gone back."""
    _ = translator(language)
    paid = next((attempt for attempt in order.attempts if attempt.state is AttemptState.PAID), None)
    body = (
        Bold(_headline(order, language)),
        Text("\n" + order.title[:TITLE_CHARS_MAX] + "\n"),
        *((Text(_paid_line(paid, order.paid_at, language)),) if paid else ()),
        *_late_lines(order, language),
        *(Text(_refund_line(order, refund, language) + "\n") for refund in order.refunds),
        *(Text(line + "\n") for line in _payout_lines(order, language)),
        *number_line(order, language),
    )
    return Screen(body, ((Key(_("Copy the order number"), copy=order.id),),))


def ended_screen(order: Order, language: str) -> Screen:
    """Expired, cancelled, failed or in doubt: what it means and what to do next."""
    _ = translator(language)
    counts = _("If you have paid all the same, the payment counts: it appears here once it is confirmed.")
    text = {
        OrderState.EXPIRED: "⌛ " + _("This order has expired. To pay, go back to the shop and order again."),
        OrderState.CANCELLED: "✖️ " + _("This order was cancelled."),
        OrderState.FAILED: "✖️ " + _("This order cannot be paid. Go back to the shop and order again."),
        OrderState.NEEDS_REVIEW: "🔎 "
        + _(
            "Something about this payment does not match. A person is looking at it; please do not pay again."
        ),
    }.get(order.state, "⏳ " + _("This order is being prepared."))
    if order.by_payer_code and order.state in {OrderState.EXPIRED, OrderState.FAILED}:
        text = "⌛ " + _("This charge has ended without a payment.")
        counts = _("If the customer has paid all the same, the payment counts and appears here.")
    last = () if order.state is OrderState.NEEDS_REVIEW else (Text(f"{counts}\n"),)
    return Screen((*title_lines(order), Text(f"{text}\n"), *last, *number_line(order, language)))


def title_lines(order: Order) -> tuple[Text, ...]:
    """What is bought and what it costs."""
    return (Bold(order.title[:TITLE_CHARS_MAX]), Text("\n"), Bold(str(order.amount)), Text("\n\n"))


def number_line(order: Order, language: str) -> tuple[Text, ...]:
    """The order number, to be copied by a tap."""
    _ = translator(language)
    return (Text(_("Order number") + " "), Code(order.id))


def moment_text(moment: datetime, language: str) -> str:
    """A moment with its zone: Beijing time for Chinese readers, UTC for all others."""
    _ = translator(language)
    if spoken(language) == "zh":
        return _("{moment} Beijing time").format(moment=beijing(moment, "%Y-%m-%d %H:%M"))
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _headline(order: Order, language: str) -> str:
    _ = translator(language)
    back = Money(
        sum(refund.amount.minor for refund in _settling(order) if refund.state is RefundState.DONE),
        order.amount.currency,
    )
    headlines = {
        OrderState.PARTLY_REFUNDED: "↩️ " + _("Paid {amount}, {back} refunded"),
        OrderState.REFUNDED: "↩️ " + _("Refunded {back}"),
    }
    return headlines.get(order.state, "✅ " + _("Paid {amount}")).format(amount=order.amount, back=back)


def _settling(order: Order) -> tuple[Refund, ...]:
    """The refunds of the payment that settled the order; a second payment and its return are told apart."""
    settled = {attempt.number for attempt in order.attempts if attempt.state is AttemptState.PAID}
    return tuple(refund for refund in order.refunds if refund.attempt_number in settled)


def _paid_line(attempt: Attempt, paid_at: datetime | None, language: str) -> str:
    wallet = _paid_with(attempt, language)
    moment = attempt.paid_at or paid_at
    return f"{wallet} · {moment_text(moment, language)}\n" if moment else f"{wallet}\n"


def _paid_with(attempt: Attempt, language: str) -> str:
    """The wallet that paid. Where the institution names none, and others pay its codes too: whose code it was."""
    if attempt.paid_wallet is not None:
        return wallet_name(attempt.paid_wallet, language)
    _ = translator(language)
    return _("With a code of {wallet}").format(wallet=wallet_name(attempt.wallet, language))


def _late_lines(order: Order, language: str) -> tuple[Text, ...]:
    _ = translator(language)
    lines = []
    if any(refund.refund_key.startswith(LATE) for refund in order.refunds):
        lines.append(_("The payment arrived after the order had ended, so it goes back to you."))
    elif order.state is OrderState.PAID_LATE:
        lines.append(
            _(
                "The payment arrived after the order had ended. The shop has been told, and delivers or refunds."
            )
        )
    lines.extend(
        _("A second payment of {amount} arrived for this order. It is not needed.").format(
            amount=attempt.amount
        )
        for attempt in order.attempts
        if attempt.state is AttemptState.OVERPAID
    )
    return tuple(Text(f"{line}\n") for line in lines)


def _refund_line(order: Order, refund: Refund, language: str) -> str:
    _ = translator(language)
    if refund.state in REFUND_IS_OPEN:
        return _("A refund of {amount} is on its way.").format(amount=refund.amount)
    if refund.state is RefundState.FAILED:
        return _("A refund of {amount} did not go through. A person is looking at it.").format(
            amount=refund.amount
        )
    moment = moment_text(refund.done_at or order.created_at, language)
    return _("{amount} refunded · {moment}").format(amount=refund.amount, moment=moment)


def _payout_lines(order: Order, language: str) -> Iterator[str]:
    """What is offered of it, and who has it now; what failed or was taken back stands as an offer or a refund."""
    _ = translator(language)
    for payout in order.payouts:
        if payout.state is PayoutState.OFFERED:
            until = moment_text(payout.claim_until, language)
            yield _("{amount} waits to be claimed until {moment}.").format(amount=payout.amount, moment=until)
        elif payout.state in PAYOUT_IS_CLAIMED:
            yield _("{amount} was claimed and is on its way.").format(amount=payout.amount)
        elif payout.state is PayoutState.DONE and payout.payee is not None:
            wallet = wallet_name(payout.payee.wallet, language)
            yield _("{amount} was received with {wallet}.").format(amount=payout.amount, wallet=wallet)
