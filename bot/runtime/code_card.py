"""What a code is, said to the person who sent it: whose it is, who is paid, and which wallets can pay it. Pure.

A payer code is money for a minute, and a card code carries card numbers: nothing of either is ever said back.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from bot.orders.order import Order
from bot.runtime.receipts import title_lines
from bot.runtime.screen import Key, Screen
from bot.texts import Translate, spoken, translator
from miniprograms.sdk.view import Bold, Text
from providers.sdk.codes import (
    CodeError,
    CodeKind,
    EmvConsumer,
    EmvMerchant,
    Flaw,
    Issuer,
    Mark,
    MerchantCode,
    PayerCode,
    issuer_name,
)
from providers.sdk.interconnection import Clearing, Connection, Verdict, connection
from providers.sdk.wallets import Wallet, wallet_name

# An address of any kind, EMVCo's two beginnings, the digits of a payer code, or Alipay's face payment.
_CODE: Final = re.compile(
    r"\S{1,64}://\S*|000201.*|hQVDUFY\S*|[0-9](?:[0-9 ]{14,38})[0-9]|fp[0-9A-Za-z]{33}", re.DOTALL
)
_PAYERS: Final = tuple(wallet for wallet in Wallet if wallet is not Wallet.TELEGRAM)
_NAME_CHARS_MAX: Final = 99
# EMVCo MPM 1.1, table 3.3: the payment systems that have account ids of their own.
_SCHEMES: Final = {
    2: "Visa", 4: "Mastercard", 9: "Discover", 11: "American Express", 13: "JCB", 15: "UnionPay",
}  # fmt: skip
_UNIONPAY_IDS: Final = frozenset({"15", "16"})


def looks_like_code(text: str) -> bool:
    """Whether a line that somebody wrote is meant as a code; everything else is talk."""
    return _CODE.fullmatch(text.strip()) is not None


def code_screen(
    code: MerchantCode | PayerCode | EmvMerchant | EmvConsumer, language: str, on: date
) -> Screen:
    """The card of a code that is not ours, by the table of who may pay whose code on that day."""
    match code:
        case PayerCode():
            return Screen((Text(_payer_words(code, language)),))
        case EmvConsumer():
            _ = translator(language)
            words = _(
                "⚠️ This is a card's payment code: it holds card numbers, and whoever has it can take money. Do not send it to anybody, this chat included; delete it here. Show it at a till only."
            )
            return Screen((Text(words),))
        case EmvMerchant():
            return Screen(tuple(_emv_lines(code, language, on)))
        case MerchantCode():
            return Screen(tuple(_merchant_lines(code, language, on)))


def refused_screen(error: CodeError, language: str) -> Screen:
    """Why a code is no code to pay. The text itself is not repeated: it may be a stranger's trap."""
    return Screen((Text("🚫 " + _refusal(error.flaw, translator(language))),))


def shared_order_screen(order: Order, link: str, language: str) -> Screen:
    """Somebody's order of this house, as far as whoever holds its link may know it, and the way to its page."""
    _ = translator(language)
    if order.paid:
        return Screen(
            (*title_lines(order), Text(_("This order is already paid. There is nothing more to do.")))
        )
    if not order.payable:
        return Screen((*title_lines(order), Text(_("This order can no longer be paid."))))
    said = _("A payment link of this house. Whoever has it may pay this order, with any wallet.")
    if link.startswith("https://"):
        return Screen(
            (*title_lines(order), Text(said)), ((Key(_("Open the payment page"), url=link, primary=True),),)
        )
    return Screen((*title_lines(order), Text(f"{said}\n{link}")))  # Telegram refuses a button to it


def house_link_screen(link: str, language: str) -> Screen:
    """Another link of this house than an order's: a standing code, or money to be claimed."""
    _ = translator(language)
    said = _("A link of this house. Open it with the wallet you want to use.")
    if link.startswith("https://"):
        return Screen((Text(said),), ((Key(_("Open the page"), url=link, primary=True),),))
    return Screen((Text(f"{said}\n{link}"),))


def _merchant_lines(code: MerchantCode, language: str, on: date) -> Iterator[Text]:
    _ = translator(language)
    yield Bold("🔎 " + issuer_name(code.issuer, language))
    yield Text("\n" + _kind(code.kind, _) + "\n")
    if code.inner is not None:
        carried = _("It carries a code of {network}.").format(
            network=issuer_name(code.inner.issuer, language)
        )
        yield Text(carried + "\n")
    if code.mark is Mark.UNSURE:
        yield Text(_("The network has not published this form; look twice before you pay.") + "\n")
    yield Text(_("It does not say who is paid: your wallet shows that before you confirm.") + "\n")
    yield from _payer_lines((code.issuer, *((code.inner.issuer,) if code.inner else ())), language, on)


def _emv_lines(code: EmvMerchant, language: str, on: date) -> Iterator[Text]:
    _ = translator(language)
    yield Bold("🔎 " + _("EMVCo merchant code"))
    yield Text("\n" + (_("For one payment.") if code.dynamic else _("To be used again and again.")) + "\n")
    yield Text(_("Paid to: {merchant}").format(merchant=_merchant(code, language)) + "\n")
    yield Text(_("Amount: {amount}").format(amount=_amount(code, _)) + "\n")
    schemes = ", ".join(dict.fromkeys(_scheme(account.id, account.part("00")) for account in code.accounts))
    if schemes:
        yield Text(_("Networks named in it: {networks}").format(networks=schemes) + "\n")
    through_unionpay = any(account.id in _UNIONPAY_IDS for account in code.accounts)
    yield from _payer_lines((Issuer.UNIONPAY,) if through_unionpay else (), language, on)


def _merchant(code: EmvMerchant, language: str) -> str:
    own = code.template("64")
    local = (own.part("01") if own else None) or ""
    names = [code.name, local] if spoken(language) != "zh" else [local, code.name]
    place = " ".join(filter(None, (code.value("60"), code.value("58"))))
    return " · ".join(part[:_NAME_CHARS_MAX] for part in dict.fromkeys((*names, place)) if part) or "?"


def _amount(code: EmvMerchant, _: Translate) -> str:
    try:
        amount = code.amount()
    except CodeError:
        return _("in a currency that is not known here")
    return _("the payer enters it") if amount is None else str(amount)


def _scheme(account_id: str, name: str | None) -> str:
    """The payment system of an account: by its id, or by the name that a template begins with."""
    if name:
        return name[:32]
    return next(
        (scheme for first, scheme in _SCHEMES.items() if int(account_id) - first in {0, 1}), account_id
    )


def _payer_lines(issuers: tuple[Issuer, ...], language: str, on: date) -> Iterator[Text]:
    """Who can pay today and through whom, who cannot and why, and of whom nothing is known."""
    _ = translator(language)
    rows = {wallet: _known(wallet, issuers) for wallet in _PAYERS}
    can = {wallet: row for wallet, row in rows.items() if row is not None and row.may_pay(on)}
    lines = [f"{wallet_name(wallet, language)} ({_through(row, _)})" for wallet, row in can.items()]
    yield Bold("\n" + _("Can be paid today with") + "\n")
    yield from _bullets(lines or [_("none of the wallets known here, as far as is confirmed")])
    walls = [
        _("{wallet}: a wall; neither side lets it through").format(wallet=wallet_name(wallet, language))
        for wallet, row in rows.items()
        if row is not None and row.verdict is Verdict.CLOSED
    ]
    later = [
        _("{wallet}: not before {date}").format(wallet=wallet_name(wallet, language), date=row.since)
        for wallet, row in rows.items()
        if row is not None
        and row.verdict is Verdict.OPEN
        and row.mark is Mark.CONFIRMED
        and wallet not in can
    ]
    if walls or later:
        yield Bold("\n" + _("Cannot") + "\n")
        yield from _bullets([*walls, *later])
    unsure = [wallet for wallet, row in rows.items() if _is_unsure(row)]
    if unsure and can:
        names = ", ".join(wallet_name(wallet, language) for wallet in unsure)
        yield Text("\n" + _("Not confirmed by anybody: {wallets}").format(wallets=names))


def _known(wallet: Wallet, issuers: tuple[Issuer, ...]) -> Connection | None:
    """What is known of this wallet on a code, and on the code inside it where there is one: the weaker of the two."""
    rows = [connection(wallet, issuer) for issuer in issuers]
    weaker = [row for row in rows if row is None or row.verdict is not Verdict.OPEN]
    return weaker[0] if weaker else next(iter(rows), None)


def _is_unsure(row: Connection | None) -> bool:
    if row is None or row.verdict is Verdict.UNKNOWN:
        return True
    return row.verdict is Verdict.OPEN and row.mark is Mark.UNSURE


def _through(row: Connection, _: Translate) -> str:
    return {
        Clearing.OWN: _("its own network"),
        Clearing.UNIONPAY: _("through UnionPay"),
        Clearing.NETSUNION: _("through NetsUnion"),
        Clearing.DIRECT: _("the code leads each wallet home"),
        Clearing.UNPUBLISHED: _("connected; through whom is not published"),
    }[row.clearing]


def _bullets(lines: Iterable[str]) -> Iterator[Text]:
    return (Text(f"• {line}\n") for line in lines)


def _payer_words(code: PayerCode, language: str) -> str:
    _ = translator(language)
    names = _(" or ").join(issuer_name(issuer, language) for issuer in code.issuers)
    return _(
        "⚠️ This is a payer code ({networks}). For about a minute, whoever has it can take money from its wallet. Do not send it to anybody, this chat included; delete it here. Show it at a till only. To pay in this chat, scan the shop's code with your wallet instead."
    ).format(networks=names)


def _kind(kind: CodeKind, _: Translate) -> str:
    return {
        CodeKind.ORDER: _("A code for one payment."),
        CodeKind.PERSONAL: _("A person's collection code."),
        CodeKind.BUSINESS: _("A shop's collection code."),
        CodeKind.LINK: _("A link that opens the app; a camera cannot pay it."),
        CodeKind.WRAPPER: _("Another network's code, as UnionPay's apps wrap it."),
        CodeKind.OTHER: _("A code of this network; what for is not published."),
    }[kind]


def _refusal(flaw: Flaw, _: Translate) -> str:
    return {
        Flaw.EMPTY: _("There is no text in this code. Please scan it again."),
        Flaw.TOO_LONG: _("This is longer than any payment code. It was not looked at any further."),
        Flaw.HIDDEN: _(
            "There are invisible characters in this text, which no payment code has. Do not pay it."
        ),
        Flaw.LOOK_ALIKE: _(
            "Letters of this address only look like those of a known one. Do not open it and do not pay it."
        ),
        Flaw.UNKNOWN: _("This is no payment code of a network known here. It was not opened."),
        Flaw.DAMAGED: _("This code is damaged, or was changed. Please scan it again, or ask for a new one."),
        Flaw.IRREGULAR: _(
            "This code breaks its own standard, so that nobody can tell what it means. Do not pay it."
        ),
    }[flaw]
