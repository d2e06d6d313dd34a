"""What institutions are up to now and then: a merchant's balance that is too low, post that was tampered with."""

from typing import Any

from providers.sdk.gateway import Notification
from providers.sdk.results import Declined, DeclineReason
from providers.sdk.testing import Stall
from providers.sdk.transport import HttpRequest
from tests.proof.simulation.world import World


class MoodyWorld(World):
    """Where the merchant's balance at the institutions may be low."""

    low_balance = False

    def provider(self, institution: str, stall: Stall) -> Any:
        return _Moody(self, stall.provider)


class _Moody:
    def __init__(self, world: MoodyWorld, provider: Any) -> None:
        self._world, self._provider = world, provider

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    async def refund(self, request: Any, call: Any) -> Any:
        if self._world.low_balance:
            return Declined(DeclineReason.BALANCE, "NOTENOUGH", "Top up.")
        return await self._provider.refund(request, call)


def tampered(genuine: Notification, octet: int) -> Notification:
    request = genuine.request
    place = octet % len(request.body)
    body = bytearray(request.body)
    body[place] ^= 1
    forged = HttpRequest(request.method, request.url, request.headers, bytes(body))
    return Notification(request=forged, retry_after_s=(), key=genuine.key)
