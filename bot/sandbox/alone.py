"""One institution by itself, for whoever writes or tests payment software with something else than this house.

It listens at an address of its own, as its real host would. Beside it, at a second address, stands the payer: paying a
code, misbehaving and letting time pass are no part of any institution's wire.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from pydantic import Field

from bot.errors import NotReadyError
from bot.sandbox.clock import MachineRandom, SandboxClock
from bot.sandbox.courier import PostOffice
from bot.sandbox.institutions import HERE, Institution, Institutions
from bot.sandbox.pages import only_this_page
from bot.sandbox.purses import SandboxPurses
from bot.sandbox.records import SandboxRecords
from bot.sandbox.route import Ask, Route
from bot.sandbox.shapes import CODE_CHARS_MAX, Asked, ClockAsked, ClockSeen, Told
from bot.sandbox.wallet_app import WalletApps
from providers.sdk.contract import ProviderPlugin
from providers.sdk.gateway import Fault
from providers.sdk.wallets import Wallet

_FILE = "institution.db"


@dataclass(frozen=True, slots=True)
class Alone:
    """An institution that serves. `payer_url` is where a person pays; see `moongate gateway --help`."""

    institution: Institution
    payer_url: str


class PayCode(Asked):
    """Scan a code with a wallet and confirm at once. Without a wallet, the first that this institution takes."""

    code: str = Field(min_length=1, max_length=CODE_CHARS_MAX)
    wallet: Wallet | None = None
    faults: list[Fault] = Field(default_factory=list, max_length=len(Fault))


class CodePaid(Told):
    """What was paid."""

    status: str
    wallet: str
    number: str
    amount_minor: int
    currency: str


class ArmFaults(Asked):
    """Faults for the next calls and notifications, each spent once."""

    faults: list[Fault] = Field(default_factory=list, max_length=len(Fault))


class Armed(Told):
    """The faults that were armed by this call."""

    faults: list[str]


class Shown(Told):
    """One wallet with the payer code that it shows now."""

    id: str
    balance_minor: int
    payer_code: str


class ShownWallets(Told):
    """Every wallet that can pay here."""

    wallets: list[Shown]


class PayerSide:
    """What the second address answers: JSON in and out, `{"error": "…"}` with 400 or 422."""

    def __init__(
        self, institution: Institution, wallets: WalletApps, purses: SandboxPurses, clock: SandboxClock
    ) -> None:
        self._institution, self._wallets, self._purses, self._clock = institution, wallets, purses, clock

    def mount(self, app: web.Application) -> None:
        """The four routes."""
        for route in (
            Route("POST", "/pay", "A wallet pays a code.", self.pay, PayCode, CodePaid),
            Route("GET", "/wallets", "Balances and payer codes.", self.see_wallets, None, ShownWallets),
            Route("POST", "/faults", "Misbehave.", self.arm, ArmFaults, Armed),
            Route("POST", "/clock", "Let time pass.", self.advance, ClockAsked, ClockSeen),
        ):
            app.router.add_route(route.method, route.path, route.serve)

    async def pay(self, ask: Ask) -> CodePaid:
        asked = ask.body_as(PayCode)
        wallet = asked.wallet or self._wallets.takers()[0]
        scanned = await self._wallets.scan(wallet, asked.code)
        self._wallets.pay(wallet, scanned.key, asked.faults)
        bill = scanned.bill
        return CodePaid(
            status="paid",
            wallet=wallet.value,
            number=bill.number,
            amount_minor=bill.amount.minor,
            currency=bill.amount.currency,
        )

    async def see_wallets(self, _: Ask) -> ShownWallets:
        return ShownWallets(
            wallets=[
                Shown(id=purse.wallet.value, balance_minor=purse.balance_minor, payer_code=purse.payer_code)
                for purse in self._purses.show(self._wallets.takers())
            ]
        )

    async def arm(self, ask: Ask) -> Armed:
        faults = ask.body_as(ArmFaults).faults
        for fault in faults:
            self._institution.faults.arm(fault)
        return Armed(faults=[fault.value for fault in faults])

    async def advance(self, ask: Ask) -> ClockSeen:
        self._clock.advance(ask.body_as(ClockAsked).advance_s)
        return ClockSeen(now=self._clock.now().isoformat(timespec="seconds"), ahead_s=self._clock.offset_s)


@asynccontextmanager
async def open_alone(
    plugin: ProviderPlugin,
    data_dir: Path,
    *,
    port: int = 0,
    payer_port: int = 0,
    faults: Iterable[Fault] = (),
) -> AsyncIterator[Alone]:
    """Serve until left; what `data_dir` holds goes on. Port 0 is that of the last run if it is free, or any.

    Raises `NotReadyError` when a port that was asked for is taken.
    """
    clock, random = SandboxClock(), MachineRandom()
    async with AsyncExitStack() as stack:
        records = stack.enter_context(SandboxRecords(data_dir / _FILE))
        purses = SandboxPurses(records.drawer("purses"), clock, random)
        office = PostOffice(records.room("post"), clock)
        institutions = Institutions([plugin], records, office, purses=purses, clock=clock, random=random)
        stack.push_async_callback(institutions.close)
        institution = await _opened(institutions, records, plugin, port)
        for fault in faults:
            institution.faults.arm(fault)
        stack.push_async_callback(office.close)
        await office.open()
        wallets = WalletApps(institutions, records, lambda: institution.base_url, lambda: None, clock)
        side = PayerSide(institution, wallets, purses, clock)
        yield Alone(institution, await _listen(side, payer_port, stack))


async def _opened(
    institutions: Institutions, records: SandboxRecords, plugin: ProviderPlugin, port: int
) -> Institution:
    if port:
        records.drawer("ports").put(plugin.info.id, {"port": port})
    await institutions.open()
    [institution] = institutions
    if port and institution.base_url != f"http://{HERE}:{port}":
        raise _taken(port)
    return institution


async def _listen(side: PayerSide, port: int, stack: AsyncExitStack) -> str:
    app = web.Application(middlewares=[only_this_page])
    side.mount(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    try:
        await web.TCPSite(runner, HERE, port).start()
    except OSError as error:
        raise _taken(port) from error
    return f"http://{HERE}:{runner.addresses[0][1]}"


def _taken(port: int) -> NotReadyError:
    return NotReadyError(f"Port {port} on {HERE} is in use: stop what listens there, or choose another.")
