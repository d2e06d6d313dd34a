"""The sandbox and a real host on it, joined: what `moongate sandbox` runs.

Play money stays apart from real money: whatever `REDIS_URL`, `DATABASE_URL` and `TELEGRAM_BOT_TOKEN` say, this house
keeps its own stores in a folder of its own, and a reset may throw them away.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.app import Host, Outside, open_host
from bot.catalogue import Catalogue
from bot.orders.columns import metadata
from bot.orders.migrations import migrate
from bot.orders.order import Order, Refund
from bot.orders.tide import Mark
from bot.sandbox.sandbox import Sandbox
from bot.settings import AccountName, Settings
from bot.stores import prepare_data_dir
from providers.sdk.contract import ProviderPlugin, ProviderSettings
from providers.sdk.money import Money

_ORDERS_MAX: Final = 1000


@asynccontextmanager
async def open_sandbox(settings: Settings, catalogue: Catalogue) -> AsyncIterator[tuple[Host, str]]:
    """The world first, then the host in it; the address is the page's."""
    settings = _apart(settings)
    sandbox = Sandbox(
        list(catalogue.plugins.values()),
        prepare_data_dir(settings),
        port=settings.sandbox_port,
        host_url=settings.web_url,
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(sandbox.close)
        await sandbox.start()
        outside = Outside(
            clock=sandbox.clock,
            random=sandbox.random,
            merchants=_merchants(sandbox, catalogue.plugins),
            play_money=True,
        )
        host = await stack.enter_async_context(open_host(_in_sandbox(settings, sandbox), catalogue, outside))
        _join(sandbox, host)
        yield host, sandbox.url


def _apart(settings: Settings) -> Settings:
    own = {
        "data_dir": settings.data_dir / "sandbox",
        "redis_url": SecretStr(""),
        "database_url": SecretStr(""),
    }
    return settings.model_copy(update=own)


def _in_sandbox(settings: Settings, sandbox: Sandbox) -> Settings:
    return settings.model_copy(
        update={
            "telegram_bot_token": SecretStr(sandbox.bot_token),
            "telegram_api_base": sandbox.url,
            "updates": "polling",
        }
    )


def _merchants(
    sandbox: Sandbox, plugins: Mapping[str, ProviderPlugin]
) -> dict[AccountName, ProviderSettings]:
    return {
        AccountName(provider): plugins[provider].settings.model_validate(merchant)
        for provider, merchant in sandbox.merchants.items()
    }


def _join(sandbox: Sandbox, host: Host) -> None:
    async def all_orders(limit: int) -> tuple[Order, ...]:
        newest_first = await host.checkout.orders_of(None, min(limit, _ORDERS_MAX))
        return tuple(reversed(newest_first))

    async def forget() -> None:
        await host.redis.flushdb()
        await host.book.write(_begin_again)
        await host.marks.write(Mark())  # the book is new, and not set back

    async def give_back(order_id: str, amount_minor: int, reason: str) -> Refund | str:
        order = await host.checkout.find(order_id)
        if order is None:
            return f"There is no order {order_id}."
        amount = Money(amount_minor, order.amount.currency)
        answer = await host.checkout.refund(order_id, amount, reason or "Refund", "operator:sandbox")
        return answer if isinstance(answer, Refund) else answer.detail or answer.why

    sandbox.join(all_orders, forget, give_back)


async def _begin_again(connection: AsyncConnection) -> None:
    await connection.run_sync(metadata.drop_all)
    await connection.execute(text("DROP TABLE alembic_version"))
    await connection.run_sync(migrate)
