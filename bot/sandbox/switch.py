"""The clearing switch: whether a wallet's money can reach the owner of a code, and through whom. Pure.

As in life, the merchant has no part in it: the code's owner settles the bill and notifies the merchant as ever, the
payer's own wallet is debited, and a refund goes back to it. What opens the way is the interconnection table on the day
of the sandbox's clock; what is closed, unsure, or not yet is refused in words.
"""

from datetime import date

from providers.sdk.contract import ProviderInfo
from providers.sdk.interconnection import Clearing, connection, objection, payers
from providers.sdk.wallets import Wallet, wallet_name


class NotCleared(Exception):  # noqa: N818  # an answer to the payer, not an error
    """This wallet's money cannot reach that code's owner; the text says whose code it is, why not, and what works."""


def clearing(wallet: Wallet, info: ProviderInfo, on: date) -> Clearing:
    """Through whom the wallet pays a code of that institution on that day. Raises `NotCleared`."""
    if wallet in info.wallets:
        return Clearing.OWN
    why = _why_not(wallet, info, on)
    if why is not None:
        raise NotCleared(
            f"{wallet_name(wallet, 'en')} can't pay this code of {info.name_en}. {why} {_works(info, on)}"
        )
    known = info.issuer and connection(wallet, info.issuer)
    return known.clearing if known else Clearing.UNPUBLISHED


def takers(info: ProviderInfo, on: date) -> tuple[Wallet, ...]:
    """The wallets that can pay a code of that institution on that day: its own first."""
    own = tuple(wallet for wallet in Wallet if wallet in info.wallets)
    connected = payers(info.issuer, on) if info.issuer else ()
    return (*own, *(wallet for wallet in connected if wallet not in own))


def _why_not(wallet: Wallet, info: ProviderInfo, on: date) -> str | None:
    if info.issuer is None:
        return f"No other network is connected to {info.name_en}."
    return objection(wallet, info.issuer, on)


def _works(info: ProviderInfo, on: date) -> str:
    names = ", ".join(wallet_name(wallet, "en") for wallet in takers(info, on))
    return (
        f"What works: {names}; or the order's one code, which leads every wallet to a code that it can pay."
    )
