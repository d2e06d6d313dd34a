"""A merchant's stall in front of its institution: what every test of a provider begins with."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from providers.sdk.contract import (
    AttemptRef,
    Call,
    Intent,
    Provider,
    ProviderPlugin,
    ProviderSettings,
    RefundRef,
    RefundRequest,
    Way,
)
from providers.sdk.gateway import Bill, FaultBox, Gateway, GatewayContext, Notification
from providers.sdk.money import Money
from providers.sdk.results import Created, Rejected, Verified
from providers.sdk.testing.fakes import (
    BASE_URL,
    NOON,
    NOTIFY_URL,
    FixedRandom,
    GatewayTransport,
    JsonDrawer,
    ListCourier,
    ManualClock,
    MemoryKeys,
    OpenPurses,
)
from providers.sdk.wallets import Wallet

_cut: dict[tuple[str, datetime], dict[str, str]] = {}  # drawers with keys in them: making keys is slow


class Stall:
    """One merchant account in front of its simulated institution, everything else faked here.

    `overrides` replace fields of the merchant's settings. Attributes are the parts; all may be used and replaced.
    """

    def __init__(
        self,
        plugin: ProviderPlugin,
        *,
        start: datetime = NOON,
        drawer: JsonDrawer | None = None,
        random: FixedRandom | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        self.plugin = plugin
        self.clock = ManualClock(start)
        self.random = random or FixedRandom()
        self.drawer = drawer or JsonDrawer(_cut.get((plugin.info.id, start)))
        self.purses = OpenPurses()
        self.faults = FaultBox()
        self.courier = ListCourier(self.faults)
        self.keys = MemoryKeys()
        self.gateway = self._gateway()
        self.merchant: dict[str, Any] = dict(self.gateway.merchant(BASE_URL))
        if drawer is None:
            _cut.setdefault((plugin.info.id, start), dict(self.drawer.texts))
        self.settings = self.settings_with(**(overrides or {}))
        self.provider = self._provider()
        self.transport = GatewayTransport(self.gateway, self.faults)
        self.call = Call(self.transport, self.clock, self.random)

    def settings_with(self, **overrides: Any) -> ProviderSettings:  # noqa: ANN401  # fields of any settings class
        """The merchant's settings with some fields replaced."""
        return self.plugin.settings(**{**self.merchant, **overrides})

    def restart_gateway(self) -> None:
        """Kill the institution and let a new one take up from the same drawer."""
        self.gateway = self.transport.gateway = self._gateway()

    def intent(
        self,
        amount: Money,
        number: str = "Latte20260701A1",
        *,
        way: Way = Way.MERCHANT_CODE,
        wallet: Wallet | None = None,
        payer_code: str | None = None,
        **more: Any,  # noqa: ANN401  # further fields of Intent
    ) -> Intent:
        """An attempt made now, payable for half an hour."""
        now = self.clock.now()
        fields = {
            "title": "拿铁 Latte",
            "created_at": now,
            "expires_at": now + timedelta(minutes=30),
            "notify_url": NOTIFY_URL,
            "payer_code": None if payer_code is None else SecretStr(payer_code),
        }
        payer = wallet or min(self.plugin.info.wallets)
        return Intent(number=number, amount=amount, way=way, wallet=payer, **{**fields, **more})

    def ref(self, intent: Intent, created: Created | None = None) -> AttemptRef:
        """The attempt as the host remembers it after `create`."""
        return AttemptRef(
            number=intent.number,
            amount=intent.amount,
            created_at=intent.created_at,
            expires_at=intent.expires_at,
            way=intent.way,
            provider_ref=created.provider_ref if created else "",
            memo=dict(created.memo) if created else {},
        )

    def refund(self, attempt: AttemptRef, amount: Money, number: str = "Refund20260701A1") -> RefundRequest:
        """A refund asked for now."""
        return RefundRequest(
            number=number,
            attempt=attempt,
            amount=amount,
            reason="冷了 cold",
            created_at=self.clock.now(),
            notify_url=NOTIFY_URL,
        )

    def refund_ref(self, request: RefundRequest, provider_ref: str = "") -> RefundRef:
        """The refund as the host remembers it."""
        return RefundRef(
            number=request.number,
            attempt=request.attempt,
            amount=request.amount,
            created_at=request.created_at,
            provider_ref=provider_ref,
        )

    def pay(self, code: str | None, wallet: Wallet) -> Bill:
        """The payer scans the code and confirms. Raises what the gateway raises."""
        bill = self.gateway.recognise(code or "")
        if bill is None:
            raise LookupError("The gateway does not know this code.")
        self.gateway.settle(bill.id, wallet)
        return bill

    def read_post(self) -> list[Verified | Rejected]:
        """What the provider makes of every notification in the courier's bag, in order of arrival."""
        return [self.read(notification) for notification in self.courier.take()]

    def read(self, notification: Notification) -> Verified | Rejected:
        """What the provider makes of one notification now."""
        return self.provider.read_notification(notification.request, self.clock.now())

    def _provider(self) -> Provider:
        return self.plugin.build(self.settings, self.keys)

    def _gateway(self) -> Gateway:
        return self.plugin.gateway(
            GatewayContext(
                clock=self.clock,
                random=self.random,
                drawer=self.drawer,
                purses=self.purses,
                courier=self.courier,
                faults=self.faults,
            )
        )
