"""Telegram Stars: Telegram's own currency, for what is used inside Telegram.

What an operator must know. Digital goods and services that are sold in Telegram are sold for Stars (`XTR`) and for
nothing else: Telegram's terms, and Apple's and Google's behind them, leave no choice. Physical goods and services of
the outside world are not sold for Stars: that is what the other providers are for. So a mini program names its price
in `XTR` or in a currency, and nothing converts one into the other. A bot that is paid is expected to answer
`/paysupport` and to have terms.

The institution is the Bot API itself, and the account is the host's own bot: `TELEGRAMSTARS_BOT_TOKEN` is
`TELEGRAM_BOT_TOKEN`. There is nothing to sign up for, and no notification address to tell: payments come among the
bot's updates. The payer is the person who ordered, nobody else; a refund is whole, and goes back to them.

What is left open by Telegram's documents: whether an invoice may ask for more than ten thousand Stars, and for how
long a payment can be given back. Stars that were withdrawn through Fragment can no longer be refunded.
"""

from datetime import timedelta

from providers.sdk.contract import KeyStore, Provider, ProviderInfo, ProviderPlugin, Way
from providers.sdk.wallets import Wallet
from providers.telegramstars.gateway import TelegramStarsGateway
from providers.telegramstars.provider import TelegramStars
from providers.telegramstars.settings import TelegramStarsSettings
from providers.telegramstars.wire import AMOUNT_MAX, LINKS, STARS


def build(settings: TelegramStarsSettings, keys: KeyStore) -> Provider:
    """Build the provider of one bot. Its only key is its token, so nothing is kept."""
    del keys
    return TelegramStars(settings)


plugin = ProviderPlugin(
    info=ProviderInfo(
        id="telegramstars",
        name_en="Telegram Stars",
        name_zh="Telegram 星星",
        wallets=frozenset({Wallet.TELEGRAM}),
        ways=frozenset({Way.INVOICE}),
        currencies=frozenset({STARS}),
        min_minor=1,
        max_minor=AMOUNT_MAX,
        expires_after_min_s=60,
        expires_after_max_s=7 * 86_400,  # ours to choose: the host says no afterwards
        refund_window=timedelta(days=365),
        refunds_max=1,
        partial_refunds=False,
        has_statement=True,
        hosts=("api.telegram.org",),
        code_prefixes=LINKS,
        acknowledge_within_s=10,
    ),
    settings=TelegramStarsSettings,
    build=build,
    gateway=TelegramStarsGateway,
)
