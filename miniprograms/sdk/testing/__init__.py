"""The test kit: a purchase in a test reads as it happens, and takes milliseconds.

    def test_a_tip_is_left(chat, wallet):
        chat.open("org.example.tipjar")
        chat.tap("Leave ¥5")

        wallet.approve()

        chat.see("Tips so far: 1")

Everything but the messenger and the institutions is the real house: its runtime, its till, its worker, its schema, and
every installed provider on its own wire against its own simulated institution. There is no network, no thread, no
waiting, and no chance: time passes when a test says so, and the same test draws the same numbers every time.

With the package installed, pytest has the fixtures `world`, `chat`, `wallet` and `wallets`; the protocols here are
their types. What was not as a test says raises `PlayError`, which tells what the screen shows instead.
"""

from miniprograms.sdk.testing.outcomes import CASES, Case, Outcome
from miniprograms.sdk.testing.vocabulary import Chat, OrderLine, PlayError, PlayWallet, PlayWallets, World

__all__ = [
    "CASES",
    "Case",
    "Chat",
    "OrderLine",
    "Outcome",
    "PlayError",
    "PlayWallet",
    "PlayWallets",
    "World",
]

# The fixtures stand apart, so that a test run of a project that never plays loads next to nothing of this package.
pytest_plugins = ["miniprograms.pytest_plugin"]
