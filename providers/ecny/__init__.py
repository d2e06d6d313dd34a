"""The digital yuan (e-CNY, 数字人民币): merchant codes and payer codes, through Huifu (汇付斗拱).

There is no central merchant API. A merchant signs with an institution; the built one is Huifu, an acquirer whose
`D_NATIVE` and `D_MICROPAY` are e-CNY. Another one is another `channel.Channel`. What an operator must know:
- an account needs the Huifu id, the product number and two keys, which Huifu's console shows as base64 text;
- the notification address may carry no query, and no port but 80, 443 or 8000 to 9005: Huifu does not call others;
- an order may have to live until it expires: Huifu closes none in its first minute, and may close none of e-CNY at all;
- what a wallet may pay depends on its class (I to IV, see `classes`); its own institution refuses what is too much.
"""

from datetime import timedelta
from typing import Final

from providers.ecny.channel import Channel
from providers.ecny.gateway import EcnyGateway
from providers.ecny.huifu import Huifu
from providers.ecny.provider import Ecny
from providers.ecny.settings import EcnySettings
from providers.sdk.codes.issuers import Issuer
from providers.sdk.contract import KeyStore, Provider, ProviderInfo, ProviderPlugin, Way
from providers.sdk.wallets import Wallet

CHANNELS: Final[dict[str, type[Huifu]]] = {"huifu": Huifu}


def build(settings: EcnySettings, keys: KeyStore) -> Provider:
    """Build the provider of one merchant account. Huifu's keys are settings: nothing is fetched or kept."""
    del keys
    channel: Channel = CHANNELS[settings.channel](settings)
    return Ecny(channel, settings)


plugin = ProviderPlugin(
    info=ProviderInfo(
        id="ecny",
        name_en="e-CNY",
        name_zh="数字人民币",
        wallets=frozenset({Wallet.ECNY}),
        ways=frozenset({Way.MERCHANT_CODE, Way.PAYER_CODE}),
        currencies=frozenset({"CNY"}),
        min_minor=1,
        max_minor=10**10,  # Huifu's field is longer; the payer's wallet class sets the real limits
        expires_after_min_s=60,
        expires_after_max_s=24 * 3600,
        refund_window=timedelta(days=360),  # what Huifu publishes for other wallets; e-CNY is not named
        hosts=("api.huifu.com", "spin-test.cloudpnr.com"),
        acknowledge_within_s=5,
        issuer=Issuer.ECNY,
    ),
    settings=EcnySettings,
    build=build,
    gateway=EcnyGateway,
)
