"""What a provider's tests stand on: an institution in process, a clock to turn, purses to open, post to read.

`Stall` joins a plugin to its own gateway. A test then reads like the counter of a shop:

    stall = Stall(plugin)
    intent = stall.intent(Money.cny("18.00"))
    opened = await stall.provider.create(intent, stall.call)
    stall.pay(opened.code, Wallet.WECHAT)
    [verdict] = stall.read_post()

Nothing here opens a socket, reads the machine's clock or draws real randomness.
"""

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
from providers.sdk.testing.stall import Stall

__all__ = [
    "BASE_URL",
    "NOON",
    "NOTIFY_URL",
    "FixedRandom",
    "GatewayTransport",
    "JsonDrawer",
    "ListCourier",
    "ManualClock",
    "MemoryKeys",
    "OpenPurses",
    "Stall",
]
