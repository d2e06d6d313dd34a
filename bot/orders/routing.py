"""Which wallet can pay an order through which account: ranked offers, and refusals, each with its reason. Pure.

A wallet pays an account's code because the account takes it, or because a clearing house carries its money to the
code's owner: the interconnection table says which wallets, since when. The best way comes first:

1. an account that is well before one that has only just rested;
2. direct before cleared;
3. cheaper before dearer, where the fees are known;
4. an institution that serves few wallets before one that clears for many: it is nearer to each of them;
5. a code that the payer scans before a link.

What is equal in all of this is ranked by name, so that the same accounts give the same answer in any order.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from providers.sdk import interconnection
from providers.sdk.contract import ProviderInfo, Way
from providers.sdk.interconnection import CLEARING_NAMES, Clearing
from providers.sdk.money import Money
from providers.sdk.wallets import WALLET_NAMES, Wallet

# What a chat can show. A payer code is shown by the payer, so it is never an offer of ours.
WAYS_IN_CHAT: Final = (Way.MERCHANT_CODE, Way.LINK, Way.INVOICE)
# What a till does: it reads the code that the payer shows.
WAYS_AT_TILL: Final = (Way.PAYER_CODE,)


@dataclass(frozen=True, slots=True)
class Route:
    """One configured account, as far as routing must know it. Amounts are minor units of what it collects."""

    provider: str
    account: str
    info: ProviderInfo
    down: str = ""  # why it takes nothing at present; empty when it does
    ailing: bool = False  # it was down, and nobody has succeeded since
    fee_bp: int = 0  # hundredths of a percent; 0: unknown
    single_max_minor: int = 0  # of the contract; 0: the institution's own limit only
    daily_left_minor: int | None = None  # None: no limit
    on: date | None = None  # the day, for the interconnection table; None: own wallets only


@dataclass(frozen=True, slots=True)
class Offer:
    """This wallet can pay through this account. `reason` is for logs and operators, in English."""

    wallet: Wallet
    provider: str
    account: str
    way: Way
    reason: str
    clearing: Clearing = Clearing.OWN


@dataclass(frozen=True, slots=True)
class Refusal:
    """This account, or this wallet when one is named, cannot be used, and why. `passing`: later it may."""

    reason: str
    provider: str = ""
    account: str = ""
    wallet: Wallet | None = None
    passing: bool = False


def offers(
    amount: Money,
    routes: Iterable[Route],
    *,
    wallet: Wallet | None = None,
    ways: Collection[Way] = WAYS_IN_CHAT,
) -> tuple[Offer, ...]:
    """All ways to pay, best first; of one wallet when it is named."""
    found = [
        ranked
        for route in routes
        if objection(amount, route) is None
        for ranked in _through(route, ways, list(Wallet) if wallet is None else [wallet])
    ]
    return tuple(offer for _, offer in sorted(found, key=lambda pair: pair[0]))


def refusals(
    amount: Money,
    routes: Iterable[Route],
    *,
    wallet: Wallet | None = None,
    ways: Collection[Way] = WAYS_IN_CHAT,
) -> tuple[Refusal, ...]:
    """Why what is not offered is not offered: the accounts that cannot take this, then the wallets that nobody takes."""
    known = tuple(routes)
    served = {offer.wallet for offer in offers(amount, known, wallet=wallet, ways=ways)}
    wanted = list(Wallet) if wallet is None else [wallet]
    return (
        *(refusal for route in known if (refusal := _account_refusal(amount, route, ways)) is not None),
        *(_wallet_refusal(amount, known, ways, one) for one in wanted if one not in served),
    )


def best_per_wallet(ranked: Iterable[Offer]) -> tuple[Offer, ...]:
    """The first offer of each wallet, in the order of the ranking: one button each."""
    seen: dict[Wallet, Offer] = {}
    for offer in ranked:
        seen.setdefault(offer.wallet, offer)
    return tuple(seen.values())


def objection(amount: Money, route: Route) -> str | None:
    """Why this account cannot take this amount at all; None when it can."""
    return _lasting(amount, route) or _passing(amount, route)


def _lasting(amount: Money, route: Route) -> str | None:
    info = route.info
    if amount.currency not in info.currencies:
        return f"{info.name_en} does not take {amount.currency}."
    if amount.minor < info.min_minor:
        return f"{amount} is below the {info.min_minor} minor units {info.name_en} starts at."
    if amount.minor > info.max_minor:
        return f"{amount} is above the {info.max_minor} minor units {info.name_en} ends at."
    if 0 < route.single_max_minor < amount.minor:
        single = Money(route.single_max_minor, amount.currency)
        return f"{amount} is above the {single} that this account of {info.name_en} may take at once."
    return None


def _passing(amount: Money, route: Route) -> str | None:
    if route.down:
        return route.down
    if route.daily_left_minor is not None and amount.minor > route.daily_left_minor:
        left = Money(max(route.daily_left_minor, 0), amount.currency)
        return f"{amount} is above the {left} that this account of {route.info.name_en} may still take today."
    return None


_Rank = tuple[bool, bool, int, int, int, int, str, str]


def _through(
    route: Route, ways: Collection[Way], wallets: Collection[Wallet]
) -> Iterator[tuple[_Rank, Offer]]:
    for wallet in wallets:
        for way in route.info.ways & set(ways):
            clearing = _clearing(route, wallet, way)
            if clearing is None:
                continue
            rank = (
                route.ailing,
                clearing is not Clearing.OWN,
                route.fee_bp,
                len(route.info.wallets),
                list(Wallet).index(wallet),
                list(Way).index(way),
                route.provider,
                route.account,
            )
            reason = _reason(route, wallet, way, clearing)
            yield rank, Offer(wallet, route.provider, route.account, way, reason, clearing)


def _clearing(route: Route, wallet: Wallet, way: Way) -> Clearing | None:
    """Through whom; None when this wallet cannot pay there by this way. What is cleared is a code that is scanned."""
    if wallet in route.info.wallets:
        return Clearing.OWN
    issuer = route.info.issuer
    if way is not Way.MERCHANT_CODE or issuer is None or route.on is None:
        return None
    known = interconnection.connection(wallet, issuer)
    return known.clearing if known is not None and known.may_pay(route.on) else None


def _reason(route: Route, wallet: Wallet, way: Way, clearing: Clearing) -> str:
    name, payer = route.info.name_en, WALLET_NAMES[wallet][0]
    if clearing is Clearing.OWN:
        said = f"{name} takes {payer} by {way.value.replace('_', ' ')}"
    else:
        said = f"{payer} pays {name} codes through {CLEARING_NAMES[clearing]}"
    fee = f", for {route.fee_bp} bp" if route.fee_bp else ""
    return f"{said}{fee}{', after a rest' if route.ailing else ''}."


def _account_refusal(amount: Money, route: Route, ways: Collection[Way]) -> Refusal | None:
    passing = _lasting(amount, route) is None
    reason = objection(amount, route)
    if reason is None and not route.info.ways & set(ways):
        reason, passing = f"{route.info.name_en} has no way to pay that fits here.", False
    return None if reason is None else Refusal(reason, route.provider, route.account, passing=passing)


def _wallet_refusal(
    amount: Money, routes: tuple[Route, ...], ways: Collection[Way], wallet: Wallet
) -> Refusal:
    near = [
        (route, list(_through(route, ways, [wallet]))) for route in routes
    ]  # with its limits left aside: would it take this wallet?
    blocked = [route for route, found in near if found]
    if blocked:
        reasons = " ".join(objection(amount, route) or "" for route in blocked)
        passing = any(_lasting(amount, route) is None for route in blocked)
        return Refusal(reasons, wallet=wallet, passing=passing)
    walls = dict.fromkeys(word for route, _ in near if (word := _wall(route, wallet)))
    return Refusal(
        " ".join((f"No configured account takes {WALLET_NAMES[wallet][0]}.", *walls)), wallet=wallet
    )


def _wall(route: Route, wallet: Wallet) -> str | None:
    """What the table says of this wallet on that account's codes, where the account's codes have an owner there."""
    issuer = route.info.issuer
    if issuer is None or route.on is None or wallet in route.info.wallets:
        return None
    unheard = interconnection.connection(wallet, issuer) is None
    return None if unheard else interconnection.objection(wallet, issuer, route.on)
