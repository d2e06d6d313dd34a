"""Calls to an institution, guarded: whatever a provider plugin does, an answer of the contract comes back.

Every call is told to the account's pulse. Nothing here touches the book. What must be stored before a call is stored by the caller, before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar, cast

from pydantic import SecretStr

from bot.orders import health
from bot.orders.order import Attempt, Order, Payout, Refund
from bot.orders.patience import Ear
from bot.orders.ports import Account
from providers.sdk.contract import (
    AttemptRef,
    Call,
    Identifying,
    Intent,
    PayoutRequest,
    RefundRef,
    RefundRequest,
    settled,
)
from providers.sdk.results import (
    AlreadyPaid,
    Closed,
    Created,
    Declined,
    Identified,
    NotFound,
    NotSent,
    PayoutSnapshot,
    RefundSnapshot,
    Snapshot,
    Unknown,
)

T = TypeVar("T")

_SECOND: Final = timedelta(seconds=1)


async def create(
    account: Account,
    order: Order,
    attempt: Attempt,
    payer_code: SecretStr | None = None,
    payer_id: str = "",
) -> Created | Snapshot | Declined | NotSent | Unknown:
    """Open the attempt there. Everything sent is stored with it, so that a repeat sends the same.

    All but the payer's code or id, which nobody keeps: an attempt by payer code or in an app is never repeated.
    """
    intent = Intent(
        number=attempt.number,
        amount=attempt.amount,
        title=order.title,
        way=attempt.way,
        wallet=attempt.wallet,
        created_at=attempt.created_at,
        expires_at=attempt.expires_at,
        notify_url=account.notify_url,
        return_url=account.return_url,
        payer_code=payer_code,
        payer_id=payer_id,
    )
    account.pulse.begin(account.call().clock.now())
    verb = settled(account.provider.create)
    return await _asked(account, lambda call: verb(intent, call), opening=True)


async def query(account: Account, attempt: Attempt) -> Snapshot | NotFound | NotSent | Unknown:
    """Ask about the attempt. An answer about another number is no answer."""
    verb = settled(account.provider.query)
    answer = await _asked(account, lambda call: verb(_ref(attempt), call))
    if isinstance(answer, Snapshot) and answer.number != attempt.number:
        return Unknown("The answer was about another number.")
    return answer


async def close(account: Account, attempt: Attempt) -> Closed | AlreadyPaid | NotSent | Unknown:
    """Make it unpayable there, where the institution can."""
    if not account.info.can_close:
        return Unknown(f"{account.info.name_en} closes by time only.")
    verb = settled(account.provider.close)
    return await _asked(account, lambda call: verb(_ref(attempt), call))


async def refund(
    account: Account, refund: Refund, attempt: Attempt
) -> RefundSnapshot | Declined | NotSent | Unknown:
    """Send the refund; the same number again is the same refund."""
    request = RefundRequest(
        number=refund.number,
        attempt=_ref(attempt),
        amount=refund.amount,
        reason=refund.reason,
        created_at=refund.created_at,
        notify_url=account.notify_url,
    )
    verb = settled(account.provider.refund)
    return await _asked(account, lambda call: verb(request, call))


async def query_refund(
    account: Account, refund: Refund, attempt: Attempt
) -> RefundSnapshot | NotFound | NotSent | Unknown:
    """Ask about the refund."""
    ref = RefundRef(
        number=refund.number_there,
        attempt=_ref(attempt),
        amount=refund.amount,
        created_at=refund.created_at,
        provider_ref=refund.provider_ref,
    )
    verb = settled(account.provider.query_refund)
    return await _asked(account, lambda call: verb(ref, call))


async def payout(account: Account, payout: Payout) -> PayoutSnapshot | Declined | NotSent | Unknown:
    """Send the payout; the same number again is the same payout."""
    request = _payout_request(account, payout)
    verb = settled(account.provider.payout)
    return await _asked(account, lambda call: verb(request, call))


async def query_payout(account: Account, payout: Payout) -> PayoutSnapshot | NotFound | NotSent | Unknown:
    """Ask about the payout. An answer about another number is no answer."""
    request = _payout_request(account, payout)
    verb = settled(account.provider.query_payout)
    answer = await _asked(account, lambda call: verb(request, call))
    if isinstance(answer, PayoutSnapshot) and answer.number != payout.number:
        return Unknown("The answer was about another number.")
    return answer


def authorize_url(account: Account, state: str, redirect_url: str) -> str:
    """Where the payee's wallet is sent, for an account that identifies; empty when it is not set up for it."""
    return cast("Identifying", account.provider).authorize_url(state, redirect_url)


async def identify(account: Account, answer: Mapping[str, str]) -> Identified | Declined | NotSent | Unknown:
    """Who came back from there."""
    verb = settled(cast("Identifying", account.provider).identify)
    return await _asked(account, lambda call: verb(answer, call))


def attempt_expiry(account: Account, order: Order, now: datetime) -> datetime:
    """The order's own end, moved into what the institution allows; the order still ends when it ends."""
    seconds = (order.expires_at - now) // _SECOND
    bounded = min(max(seconds, account.info.expires_after_min_s), account.info.expires_after_max_s)
    return now + bounded * _SECOND


async def _asked(
    account: Account, verb: Callable[[Call], Awaitable[T]], *, opening: bool = False
) -> T | Unknown:
    """Call, and tell the account's pulse how it went."""
    call = account.call()
    ear = Ear(call.transport, call.clock)
    answer = await _in_time(account, verb(Call(ear, call.clock, call.random)))
    reading = health.read(answer, opening=opening, patience_s=ear.patience_s)
    account.pulse.hear(reading, call.clock.now())
    return answer


async def _in_time(account: Account, verb: Awaitable[T]) -> T | Unknown:
    """The transport has its own deadline; this one is for a plugin that hangs elsewhere."""
    try:
        async with asyncio.timeout(account.call_within_s):
            return await verb
    except TimeoutError:
        return Unknown(f"{account.info.name_en} did not answer within {account.call_within_s} s.")


def _ref(attempt: Attempt) -> AttemptRef:
    return AttemptRef(
        number=attempt.number,
        amount=attempt.amount,
        created_at=attempt.created_at,
        expires_at=attempt.expires_at,
        way=attempt.way,
        provider_ref=attempt.provider_ref,
        memo=attempt.memo,
    )


def _payout_request(account: Account, payout: Payout) -> PayoutRequest:
    """Made from what is stored alone, so that a repeat sends the same."""
    return PayoutRequest(
        number=payout.number,
        amount=payout.amount,
        payee=payout.payee.id if payout.payee else "",
        title=payout.title,
        created_at=payout.created_at,
        notify_url=account.notify_url,
    )
