"""The one place where real things are built and joined: stores, accounts, the till, the runtime, Telegram, the web.

What is opened is closed in the opposite order, also when something in the middle does not open.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import structlog
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bot.catalogue import Catalogue
from bot.errors import NotReadyError, PortTakenError
from bot.orders.abandoned import abandoned
from bot.orders.approving import Approving
from bot.orders.book import Book, open_book
from bot.orders.checkout import Checkout
from bot.orders.fitness import book_findings
from bot.orders.migrations import SchemaError
from bot.orders.payouting import PayoutLimits
from bot.orders.ports import Account, Terms
from bot.orders.recovery import Recovery
from bot.orders.rotation import keep_keys_fresh
from bot.orders.sealing import Seal
from bot.orders.tide import Marks
from bot.orders.worker import Worker
from bot.runtime.events import Event
from bot.runtime.runtime import Runtime
from bot.runtime.signboard import Signboard
from bot.runtime.store import SessionStore
from bot.settings import AccountName, Settings, keep_host_secret
from bot.stores import StoreError, database_url, open_redis, prepare_data_dir, redis_findings
from bot.stores.keys import KeyFolder
from bot.stores.watch import keep_watch
from bot.telegram.errors import SilentError
from bot.telegram.front import Telegram
from bot.telegram.intake import TRANSIENT
from bot.telegram.invoices import Collector
from bot.telegram.webhook import WebhookAddress
from bot.transport import PinnedTransport, close_client, open_client
from bot.web import Check, Tally, build_metrics, build_web, listen
from bot.web.claim import Claims
from bot.web.passes import Passes
from providers.sdk.clock import Clock, Random
from providers.sdk.contract import Call, ProviderPlugin, ProviderSettings, Way

WEBHOOK_PATH: Final = "/telegram"
_DRAIN_WITHIN_S: Final = 10.0
_SLACK_S: Final = 5  # the transport's own deadline comes first
_READ_ONLY: Final = "25006"  # read_only_sql_transaction (PostgreSQL, appendix A)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What a house in the sandbox has of its own and one in the street takes from the machine."""

    clock: Clock
    random: Random
    merchants: Mapping[AccountName, ProviderSettings]
    play_money: bool = False


@dataclass(slots=True, kw_only=True)
class Host:
    """An open house. `run()` until it is cancelled."""

    redis: Redis
    book: Book
    marks: Marks
    checkout: Checkout
    telegram: Telegram
    loops: tuple[Callable[[], Coroutine[None, None, None]], ...]

    async def run(self) -> None:
        """Take updates and work, until cancelled; then take no more and finish what has begun."""
        async with asyncio.TaskGroup() as group:
            loops = [group.create_task(loop()) for loop in self.loops]
            updates = group.create_task(self.telegram.run())
            try:
                await asyncio.shield(updates)
            finally:
                await self.telegram.stop()
                await asyncio.wait({updates}, timeout=_DRAIN_WITHIN_S)
                updates.cancel()
                for loop in loops:
                    loop.cancel()


@asynccontextmanager
async def open_host(settings: Settings, catalogue: Catalogue, outside: Outside) -> AsyncIterator[Host]:
    """Build and start everything but the loops. Raises `NotReadyError`, or an SDK's error with one clear sentence."""
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(open_redis(settings))
        judge = partial(_refuse_unsafe, outside)
        await _judge_now(redis, judge)
        book = await _open_book(settings)
        stack.push_async_callback(book.close)
        judge(await book_findings(book))
        client = open_client()
        stack.push_async_callback(close_client, client)
        tally = Tally()
        accounts = build_accounts(settings, catalogue.plugins, outside, client)
        await _refuse_to_abandon(book, accounts, outside)
        checkout = Checkout(
            book,
            accounts,
            clock=outside.clock,
            random=outside.random,
            watch=tally,
            if_late=settings.late_payments,
            limits=_limits(settings),
            seal=Seal(keep_host_secret(settings, outside.random), outside.random),
            keeps=timedelta(days=settings.inbox_keeps_days),
        )
        marks = Marks(prepare_data_dir(settings), redis)
        recovery = Recovery(checkout, marks)
        await recovery.begin()
        telegram, runtime = _join_chat(settings, catalogue, outside, checkout, redis)
        stack.push_async_callback(telegram.close)
        stack.push_async_callback(runtime.close)
        checks: dict[str, Check] = {"redis": partial(_ask_redis, redis), "sql": book.check}
        checks["payments"] = partial(_ask_till, checkout)
        passes = Passes(keep_host_secret(settings, outside.random), outside.clock, outside.random)
        app = build_web(
            checkout,
            outside.clock,
            checks=checks,
            signboard=_signboard(settings),
            passes=passes,
            metrics=None if settings.metrics_port else tally.registry,
            routes=_more_routes(settings, outside, checkout, telegram, passes),
        )
        await stack.enter_async_context(_open_web(settings, app, tally))
        await _greet(telegram)
        _log.info(
            "house_open", programs=len(catalogue.programs), accounts=[str(name) for name in outside.merchants]
        )
        yield Host(
            redis=redis,
            book=book,
            marks=marks,
            checkout=checkout,
            telegram=telegram,
            loops=(
                Worker(checkout, runtime).run,
                recovery.run,
                partial(keep_keys_fresh, accounts, outside.clock, tally),
                partial(keep_watch, redis, outside.clock, judge=judge, alert=tally.alert),
            ),
        )


def _more_routes(
    settings: Settings, outside: Outside, checkout: Checkout, telegram: Telegram, passes: Passes
) -> list[web.RouteDef]:
    """The claim pages, and the messenger's own."""
    claims = Claims(checkout, outside.clock, passes, settings.web_url)
    webhook = [web.post(WEBHOOK_PATH, telegram.receive)] if settings.updates == "webhook" else []
    return [*claims.routes(), *webhook]


def _limits(settings: Settings) -> PayoutLimits:
    return PayoutLimits(each_minor=settings.payout_limit_minor, day_minor=settings.payout_day_limit_minor)


class _Bell:
    """Telegram rings here; the runtime, which draws on Telegram's surface and so is built after it, answers."""

    answer: Callable[[Event], Awaitable[None]]

    async def ring(self, event: Event) -> None:
        await self.answer(event)


def _join_chat(
    settings: Settings, catalogue: Catalogue, outside: Outside, checkout: Checkout, redis: Redis
) -> tuple[Telegram, Runtime]:
    bell = _Bell()
    collector = _collector(settings, catalogue, outside, checkout)
    telegram = Telegram(
        token=settings.telegram_bot_token,
        api_base=settings.telegram_api_base,
        handle=bell.ring,
        clock=outside.clock,
        webhook=_webhook(settings),
        transient=(*TRANSIENT, SQLAlchemyError),
        collector=collector,
    )
    runtime = Runtime(
        catalogue.apps.values(),
        SessionStore(redis, outside.random),
        checkout,
        telegram.surface,
        clock=outside.clock,
        random=outside.random,
        secret=keep_host_secret(settings, outside.random),
        web_url=settings.web_url,
        username=lambda: telegram.username,
        signboard=_signboard(settings),
        handler_within_s=settings.handler_deadline_s,
        taps_per_minute=settings.taps_per_minute,
    )
    bell.answer = runtime.handle
    return telegram, runtime


def _signboard(settings: Settings) -> Signboard:
    return Signboard(
        base_url=settings.web_url,
        form=settings.one_code,
        name=settings.shop_name,
        city=settings.shop_city,
    )


def _collector(
    settings: Settings, catalogue: Catalogue, outside: Outside, checkout: Checkout
) -> Collector | None:
    """The account whose invoices Telegram collects for us: one at most, and it is this bot's own."""
    found = [name for name in outside.merchants if Way.INVOICE in catalogue.plugins[name.provider].info.ways]
    if not found:
        return None
    bot_id = settings.telegram_bot_token.get_secret_value().partition(":")[0]
    [name, *others] = found
    if others or outside.merchants[name].merchant != bot_id:
        raise NotReadyError(
            f"Invoices in the chat are paid to the bot that makes them: configure {name.provider} once, with the "
            "token of TELEGRAM_BOT_TOKEN."
        )
    return Collector(
        provider_id=name.provider,
        account=name.account,
        approver=Approving(checkout.till),
        receiver=checkout,
    )


@asynccontextmanager
async def _open_web(settings: Settings, app: web.Application, tally: Tally) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_serve(app, settings.bind_host, settings.web_port, "WEB_PORT"))
        if settings.metrics_port:
            metrics = build_metrics(tally.registry)
            await stack.enter_async_context(
                _serve(metrics, "127.0.0.1", settings.metrics_port, "METRICS_PORT")
            )
        yield


def build_accounts(
    settings: Settings,
    plugins: Mapping[str, ProviderPlugin],
    outside: Outside,
    client: aiohttp.ClientSession,
) -> list[Account]:
    """Every configured merchant account, with its own pinned network. Raises `ConfigurationError`."""
    folder = prepare_data_dir(settings) / "keys"
    deadline_s = settings.provider_deadline_s
    accounts = []
    for name, merchant in outside.merchants.items():
        plugin = plugins[name.provider]
        transport = PinnedTransport(
            client, frozenset(hosts_of(plugin.info.hosts, merchant)), deadline_s=deadline_s
        )
        call = Call(transport, outside.clock, outside.random)
        accounts.append(
            Account(
                provider_id=name.provider,
                name=name.account,
                merchant=merchant.merchant,
                info=plugin.info,
                provider=plugin.build(merchant, KeyFolder(folder / name.provider / name.account)),
                call=partial(_same, call),
                notify_url=f"{settings.web_url}/notify/{name.provider}/{name.account}",
                call_within_s=deadline_s + _SLACK_S,
                terms=Terms(
                    fee_bp=merchant.fee_bp,
                    single_max_minor=merchant.single_max_minor,
                    daily_max_minor=merchant.daily_max_minor,
                ),
            )
        )
    return accounts


def _same(call: Call) -> Call:
    return call


def hosts_of(published: Iterable[str], merchant: ProviderSettings) -> Iterable[str]:
    """The institution's own hosts, and the host of every address among the account's settings."""
    yield from published
    for value in merchant.model_dump().values():
        if isinstance(value, str) and value.startswith(("https://", "http://")):
            yield urlsplit(value).hostname or ""


def _webhook(settings: Settings) -> WebhookAddress | None:
    if settings.updates != "webhook":
        return None
    return WebhookAddress(url=settings.web_url + WEBHOOK_PATH, secret=settings.telegram_webhook_secret)


async def _greet(telegram: Telegram) -> None:
    try:
        await telegram.start()
    except SilentError as error:
        _log.warning("telegram_away", cause=str(error), advice="Payments are taken meanwhile; chats follow.")


async def _judge_now(redis: Redis, judge: Callable[[tuple[str, ...]], None]) -> None:
    """Or leave it to the watch, when Redis is away."""
    with suppress(RedisError, OSError):
        judge(await redis_findings(redis))


def _refuse_unsafe(outside: Outside, findings: tuple[str, ...]) -> None:
    if outside.play_money or not outside.merchants:
        for finding in findings:
            _log.warning("store_unsafe", finding=finding)
    elif findings:
        raise NotReadyError("Live payments are refused. " + " ".join(findings))


async def _refuse_to_abandon(book: Book, accounts: list[Account], outside: Outside) -> None:
    missing = await abandoned(book, accounts)
    if missing and not outside.play_money:
        raise NotReadyError(
            f"The book has money under way with accounts that are not configured ({', '.join(missing)}). Put them back "
            "into PROVIDERS until `moongate orders list` shows nothing of theirs that is open."
        )
    for line in missing:
        _log.warning("account_abandoned", left=line)


async def _open_book(settings: Settings) -> Book:
    try:
        return await open_book(database_url(settings))
    except SchemaError as error:
        raise NotReadyError(str(error)) from error
    except (SQLAlchemyError, OSError) as error:
        if getattr(getattr(error, "orig", None), "sqlstate", "") == _READ_ONLY:
            raise StoreError(
                "The order book's PostgreSQL only reads (a standby?): name the primary in DATABASE_URL."
            ) from error
        raise StoreError(
            f"The order book does not open ({type(error).__name__}): check DATABASE_URL and that the server runs."
        ) from error


async def _ask_redis(redis: Redis) -> None:
    await redis.ping()


async def _ask_till(checkout: Checkout) -> None:
    if checkout.till.closed:
        raise NotReadyError(checkout.till.closed)


@asynccontextmanager
async def _serve(app: web.Application, host: str, port: int, setting: str) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(listen(app, host, port))
        except OSError as error:
            raise PortTakenError(host, port, setting, error) from error
        yield
