"""Keys that institutions change: fetched at start and twice a day, so that no change finds the house asleep."""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from bot.orders.ports import Account, Watch
from providers.sdk.clock import Clock
from providers.sdk.contract import Rotating
from providers.sdk.errors import ProviderError

# WeChat Pay asks for a download every 12 hours at least; a new certificate appears ten days before its use.
FETCH_EVERY_S: Final = 12 * 3600
_TRY_AGAIN_S: Final = 300

_log: Final = structlog.get_logger("moongate.orders")


async def keep_keys_fresh(accounts: Iterable[Account], clock: Clock, watch: Watch) -> None:
    """Run until cancelled. A failed fetch is tried again soon, is counted, and changes nothing."""
    async with asyncio.TaskGroup() as group:
        for account in accounts:
            if isinstance(account.provider, Rotating):
                group.create_task(_keep(account, account.provider, clock, watch))


async def _keep(account: Account, provider: Rotating, clock: Clock, watch: Watch) -> None:
    while True:
        await clock.sleep(FETCH_EVERY_S if await _fetch(account, provider, watch) else _TRY_AGAIN_S)


async def _fetch(account: Account, provider: Rotating, watch: Watch) -> bool:
    try:
        async with asyncio.timeout(account.call_within_s):
            await provider.refresh(account.call())
    except (ProviderError, TimeoutError) as error:
        watch.count("keys_not_fetched", account.provider_id)
        _log.warning(
            "keys_not_fetched", provider=account.provider_id, account=account.name, reason=str(error)
        )
        return False
    return True
