"""What the operator of a till sees while a customer's code is charged, drawn from the order alone. Pure."""

from collections.abc import Mapping

from bot.orders.answers import Why
from bot.orders.order import Attempt, AttemptState, Order
from bot.runtime.receipts import number_line, title_lines
from bot.runtime.screen import Key, Screen
from bot.texts import Translate, translator
from miniprograms.sdk.view import Text
from providers.sdk.wallets import wallet_name


def till_screen(order: Order, language: str, cancel: str) -> Screen:
    """An order that waits for a customer's code, or for what becomes of one. `cancel` is what its button asks for."""
    _ = translator(language)
    latest = order.attempts[-1]
    text = _standing(order, latest, _).format(wallet=wallet_name(latest.wallet, language))
    body = (*title_lines(order), Text(text + "\n"), *number_line(order, language))
    if order.ending is not None:
        return Screen(body)
    sent = latest.open and latest.called_at is not None
    label = _("Cancel and reverse") if sent else _("Cancel")
    return Screen(body, ((Key(label, cancel),),))


def charge_refusal_text(why: Why, language: str) -> str:
    """What the operator is told when a code was not charged: what it means, and what to do. At most 200 characters."""
    _ = translator(language)
    return {
        Why.ALREADY_PAID: _("This order is already paid. The new code was not charged."),
        Why.NO_OFFER: _("No account here takes codes of that wallet."),
        Why.CHECKING: _("The earlier charge is still being reversed. Wait for that, then take a fresh code."),
        Why.DECLINED: _("The charge was not accepted. Ask for a fresh code, or for another wallet."),
        Why.OUT_OF_ORDER: _("The institution could not be reached. Nothing was charged; take a fresh code."),
    }.get(why, _("This order is over. The new code was not charged."))


def _standing(order: Order, latest: Attempt, _: Translate) -> str:
    if order.ending is not None:
        return "⏳ " + _(
            "The charge is being reversed. If the customer's money was faster, the payment counts."
        )
    if latest.state is AttemptState.UNKNOWN and latest.leaving:
        return "⏳ " + _("The charge is being reversed. Take no other code until that is done.")
    if latest.leaving and latest.state in {AttemptState.CLOSED, AttemptState.DECLINED}:
        return "↩️ " + _("The charge was reversed. Take a fresh code to try again.")
    if latest.entering_password:
        return "🔐 " + _("The customer is entering the password in {wallet}.")
    texts: Mapping[AttemptState, str] = {
        AttemptState.UNKNOWN: "⏳ "
        + _("{wallet} is being asked. The customer may have to confirm on the telephone."),
        AttemptState.DECLINED: "⚠️ "
        + _("{wallet} did not accept the charge. Ask for a fresh code, or for another wallet."),
    }
    return texts.get(latest.state, "📷 " + _("Waiting for the customer's code."))
