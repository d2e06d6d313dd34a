"""Which wallet can pay an order through which account: ranked offers, and refusals, each with its reason. Pure.

A direct way comes first: an institution that serves few wallets is nearer to each of them than one that clears for
many. Among the ways of one account, a code that the payer scans is offered before a link.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from providers.sdk.contract import ProviderInfo, Way
from providers.sdk.money import Money
from providers.sdk.wallets import WALLET_NAMES, Wallet

# What a chat can show. A payer code is shown by the payer, so it is never an offer of ours.
WAYS_IN_CHAT: Final = (Way.MERCHANT_CODE, Way.LINK, Way.INVOICE)
# What a till does: it reads the code that the payer shows.
WAYS_AT_TILL: Final = (Way.PAYER_CODE,)


@dataclass(frozen=True, slots=True)
class Route:
    """One configured account, as far as routing must know it."""

    provider: str
    account: str
    info: ProviderInfo
    down: str = ""  # why it takes nothing at present; empty when it does


@dataclass(frozen=True, slots=True)
class Offer:
    """This wallet can pay through this account. `reason` is for logs and operators, in English."""

    wallet: Wallet
    provider: str
    account: str
    way: Way
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """This account, or this wallet when no account is named, cannot be used, and why."""

    reason: str
    provider: str = ""
    account: str = ""
    wallet: Wallet | None = None


def offers(
    amount: Money,
    routes: Iterable[Route],
    *,
    wallet: Wallet | None = None,
    ways: Collection[Way] = WAYS_IN_CHAT,
) -> tuple[Offer, ...]:
    """All ways to pay, best first; of one wallet when it is named."""
    found = [
        offer
        for route in routes
        if objection(amount, route) is None
        for offer in _through(route, ways)
        if wallet in {None, offer[1].wallet}
    ]
    return tuple(offer for _, offer in sorted(found, key=lambda pair: pair[0]))


def refusals(
    amount: Money,
    routes: Iterable[Route],
    *,
    wallet: Wallet | None = None,
    ways: Collection[Way] = WAYS_IN_CHAT,
) -> tuple[Refusal, ...]:
    """Why what is not offered is not offered."""
    return tuple(_objections(amount, tuple(routes), wallet, ways))


def best_per_wallet(ranked: Iterable[Offer]) -> tuple[Offer, ...]:
    """The first offer of each wallet, in the order of the ranking: one button each."""
    seen: dict[Wallet, Offer] = {}
    for offer in ranked:
        seen.setdefault(offer.wallet, offer)
    return tuple(seen.values())


def objection(amount: Money, route: Route) -> str | None:
    """Why this account cannot take this amount at all; None when it can."""
    info = route.info
    if route.down:
        return route.down
    if amount.currency not in info.currencies:
        return f"{info.name_en} does not take {amount.currency}."
    if amount.minor < info.min_minor:
        return f"{amount} is below the {info.min_minor} minor units {info.name_en} starts at."
    if amount.minor > info.max_minor:
        return f"{amount} is above the {info.max_minor} minor units {info.name_en} ends at."
    return None


_Rank = tuple[int, int, int, str, str]


def _through(route: Route, ways: Collection[Way]) -> Iterator[tuple[_Rank, Offer]]:
    info = route.info
    for wallet in info.wallets:
        for way in info.ways & set(ways):
            rank = (
                len(info.wallets),
                list(Wallet).index(wallet),
                list(Way).index(way),
                route.provider,
                route.account,
            )
            reason = f"{info.name_en} takes {WALLET_NAMES[wallet][0]} by {way.value.replace('_', ' ')}."
            yield rank, Offer(wallet, route.provider, route.account, way, reason)


def _objections(
    amount: Money, routes: tuple[Route, ...], wallet: Wallet | None, ways: Collection[Way]
) -> Iterator[Refusal]:
    for route in routes:
        reason = objection(amount, route)
        if reason is None and not route.info.ways & set(ways):
            reason = f"{route.info.name_en} has no way to pay that fits here."
        if reason is None and wallet is not None and wallet not in route.info.wallets:
            reason = f"{route.info.name_en} does not take {WALLET_NAMES[wallet][0]}."
        if reason is not None:
            yield Refusal(reason, route.provider, route.account)
    served = {found for route in routes for found in route.info.wallets}
    for missing in [wallet] if wallet is not None else list(Wallet):
        if missing not in served:
            yield Refusal(f"No configured account takes {WALLET_NAMES[missing][0]}.", wallet=missing)
