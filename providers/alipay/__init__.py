"""Alipay, over the classic gateway with RSA2: face-to-face codes, refunds, statements and transfers.

What an operator must know:
- An application works in one of two modes. Public-key mode needs `alipay_public_key`. Certificate mode needs the three
  certificate files, and is the only one that pays out. When Alipay changes its certificate the new one is fetched,
  checked against `root_cert` and kept; nothing is to be done.
- A code that nobody has scanned cannot be closed at Alipay; it lives until its order ends, two hours at most. A payer
  who cancels before scanning is told that the closing is not confirmed yet. `cancel_unscanned` changes that.
- Statements lie on another host, `dwbillcenter.alipay.com`. The network reaches exact hosts only, so should Alipay
  name another one (it would be in `*.alipay.com`), the statement is refused by name and `bill_url` is to be set.
- Face-to-face contracts set the limits per payment, per day, and how long a payment can be refunded.
"""

from datetime import timedelta

from providers.alipay.doctor import AlipayDoctor
from providers.alipay.gateway import AlipayGateway
from providers.alipay.provider import PAYOUT_MIN_MINOR, Alipay
from providers.alipay.settings import AlipaySettings
from providers.alipay.wire import CODE_PREFIX, CODE_USABLE_S
from providers.sdk.codes.issuers import Issuer
from providers.sdk.contract import KeyStore, Provider, ProviderInfo, ProviderPlugin, Way
from providers.sdk.wallets import Wallet


def build(settings: AlipaySettings, keys: KeyStore) -> Provider:
    """Build the provider of one application. Raises `ConfigurationError` naming a wrong setting."""
    return Alipay(settings, keys)


plugin = ProviderPlugin(
    info=ProviderInfo(
        id="alipay",
        name_en="Alipay",
        name_zh="支付宝",
        wallets=frozenset({Wallet.ALIPAY}),
        ways=frozenset({Way.MERCHANT_CODE, Way.PAYER_CODE}),
        currencies=frozenset({"CNY"}),
        min_minor=1,
        max_minor=10**10,
        expires_after_min_s=60,
        expires_after_max_s=CODE_USABLE_S,
        refund_window=timedelta(days=365),  # the longest contract; a shorter one refuses earlier
        can_payout=True,
        payout_min_minor=PAYOUT_MIN_MINOR,
        identifies=True,
        has_statement=True,
        hosts=(
            "openapi.alipay.com",
            "openapi-sandbox.dl.alipaydev.com",
            "openapi.alipaydev.com",
            "dwbillcenter.alipay.com",
            "dwbillcenter.alipaydev.com",
            "openauth.alipay.com",  # where a payee's own web view is sent; the host calls nothing there
        ),
        code_prefixes=(CODE_PREFIX,),
        acknowledge_within_s=5,
        issuer=Issuer.ALIPAY,
    ),
    settings=AlipaySettings,
    build=build,
    gateway=AlipayGateway,
    doctor=AlipayDoctor(),
)
