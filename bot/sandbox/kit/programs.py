"""Mini programs with an ear on what they are told of money: the same pages, and a note of what each of them heard."""

import copy
from collections.abc import Callable
from typing import Any

from miniprograms.sdk.app import App
from miniprograms.sdk.page import Page
from miniprograms.sdk.payment import PaymentResult
from miniprograms.sdk.payout import PayoutResult
from miniprograms.sdk.refund import RefundResult

Hear = Callable[[PaymentResult | RefundResult | PayoutResult], None]


def overheard(app: App, hear: Hear) -> App:
    """A twin of the app; the author's own object and classes stay as they are."""
    twin = copy.copy(app)
    twin.pages = {route: _listening(page, hear) for route, page in app.pages.items()}
    twin.__class__ = _listening(type(app), hear)
    return twin


def _listening(kind: type[Any], hear: Hear) -> type[Any]:
    """A subclass that notes what its three hooks hear once those have returned."""

    async def on_payment(self: App | Page, result: PaymentResult) -> None:
        await kind.on_payment(self, result)
        hear(result)

    async def on_refund(self: App | Page, result: RefundResult) -> None:
        await kind.on_refund(self, result)
        hear(result)

    async def on_payout(self: App | Page, result: PayoutResult) -> None:
        await kind.on_payout(self, result)
        hear(result)

    hooks = {"on_payment": on_payment, "on_refund": on_refund, "on_payout": on_payout}
    body = {**hooks, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (kind,), body)
