"""China Mobile Hebao (和包): orders to scan or to open, and payer codes, over `cmpayService` 2.0.

What an operator needs: a merchant number and the key of the portal's key page (`CMPAY_MERCHANT_ID`, `CMPAY_SIGN_KEY`);
the tables of field orders that came with the contract, compared with `providers/cmpay/messages.py`, and where they
differ `CMPAY_FIELD_ORDERS`; `CMPAY_PAYER_CODE_VERSION` for codes at the counter. A public address must stay short:
China Mobile takes a notification address of at most 100 characters.
"""

from datetime import timedelta

from providers.cmpay.gateway import CmpayGateway
from providers.cmpay.provider import Cmpay
from providers.cmpay.settings import CmpaySettings
from providers.cmpay.wire import CODE_HOST
from providers.sdk.codes.issuers import Issuer
from providers.sdk.contract import KeyStore, Provider, ProviderInfo, ProviderPlugin, Way
from providers.sdk.wallets import Wallet


def build(settings: CmpaySettings, keys: KeyStore) -> Provider:
    """Build the provider of one merchant account. The key is a setting: nothing is fetched or kept."""
    del keys
    return Cmpay(settings)


plugin = ProviderPlugin(
    info=ProviderInfo(
        id="cmpay",
        name_en="China Mobile Hebao",
        name_zh="中国移动和包",
        wallets=frozenset({Wallet.CMPAY}),
        ways=frozenset({Way.MERCHANT_CODE, Way.PAYER_CODE, Way.LINK}),
        currencies=frozenset({"CNY"}),
        min_minor=1,
        max_minor=10**10 - 1,  # amount has ten digits; wallet and contract set the real limits
        expires_after_min_s=60,
        expires_after_max_s=999 * 60,  # period has three digits, in minutes
        refund_window=timedelta(days=365),  # not published; China Mobile refuses what is too late
        hosts=("ipos.10086.cn", "uatipos.10086.cn", "211.138.236.210", "p.10086.cn"),
        code_prefixes=(CODE_HOST,),
        issuer=Issuer.CMPAY,
    ),
    settings=CmpaySettings,
    build=build,
    gateway=CmpayGateway,
)
