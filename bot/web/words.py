"""The fixed words of the one-code page, in the visitor's language."""

from dataclasses import dataclass

from bot.orders.answers import Why
from bot.texts import Translate, spoken, translator


@dataclass(frozen=True, slots=True)
class Words:
    """What the template prints around an order."""

    choose: str
    scan: str
    hold: str
    open_app: str
    other: str
    left: str
    again: str
    lacking: str
    elsewhere: str
    sign: str
    emvco: str
    emvco_hint: str
    other_language: str
    safe: str
    any_wallet: str
    pay_with: str
    by_code: str
    none: str


def words(_: Translate) -> Words:
    """Said once per page."""
    return Words(
        choose=_("Choose how to pay"),
        scan=_("Scan with {wallet}"),
        hold=_("Press and hold the picture to pay"),
        open_app=_("Open {wallet}"),
        other=_("Another way to pay"),
        left=_("Time left"),
        again=_("Look again"),
        lacking=_("Cannot pay this order at the moment"),
        elsewhere=_("Paying with another phone?"),
        sign=_("Show the code to scan"),
        emvco=_("EMVCo code"),
        emvco_hint=_("For apps that read EMVCo codes and know this shop"),
        other_language=_("中文"),
        safe=_("Your wallet shows the payee and the amount before you confirm."),
        any_wallet=_("Scan with any wallet"),
        pay_with=_("Pay with {wallet}"),
        by_code=_("Show a code instead"),
        none=_("No wallet can pay this order on this page. Please go back to the chat."),
    )


def gone(_: Translate) -> str:
    """For a link that leads nowhere; the same for every reason."""
    return _("This link leads to no order.")


def notice(why: Why, _: Translate) -> str:
    """Why the chosen wallet cannot be used now, with the way on. Empty where the order's own state says it."""
    match why:
        case Why.CHECKING:
            return _("Still checking. Please do not pay again; look again in a moment.")
        case Why.NO_OFFER:
            return _("This wallet cannot pay this order. Please choose another one.")
        case Why.DECLINED | Why.OUT_OF_ORDER:
            return _("This wallet does not work at present. Please choose another one.")
        case _:
            return ""


def language_of(accepted: str, otherwise: str) -> str:
    """The house language for an `Accept-Language` header: its first tag, which browsers put the dearest in."""
    first = accepted.split(",", 1)[0].partition(";")[0].strip()
    return spoken(first or otherwise)


def translate(language: str) -> Translate:
    """The texts in that language."""
    return translator(language)
