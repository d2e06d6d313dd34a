"""PlainPay: one shared key, JSON, and nothing else. A third party's provider, and the one to read first."""

from datetime import timedelta

from plainpay.gateway import PlainGateway
from plainpay.provider import PlainPay, PlainPaySettings
from plainpay.wire import CODE_PREFIX
from providers.sdk.contract import KeyStore, Provider, ProviderInfo, ProviderPlugin, Way
from providers.sdk.wallets import Wallet


def build(settings: PlainPaySettings, keys: KeyStore) -> Provider:
    """One merchant account. Its only key is a setting, so nothing is kept."""
    del keys
    return PlainPay(settings)


plugin = ProviderPlugin(
    info=ProviderInfo(
        id="plainpay",
        name_en="PlainPay",
        name_zh="白付",
        wallets=frozenset({Wallet.BANK}),
        ways=frozenset({Way.MERCHANT_CODE}),
        currencies=frozenset({"CNY"}),
        min_minor=1,
        max_minor=500_000,
        expires_after_min_s=60,
        expires_after_max_s=7200,
        refund_window=timedelta(days=30),
        hosts=("api.plainpay.example",),
        code_prefixes=(CODE_PREFIX,),
    ),
    settings=PlainPaySettings,
    build=build,
    gateway=PlainGateway,
)
