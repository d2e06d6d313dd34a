"""China Telecom's BestPay (翼支付): codes and links over MAPI, payer codes over the older payer-code gateway.

What an operator must know:
- The contract has two halves with keys of their own; one is enough. MAPI wants the merchant's private key and BestPay's
  certificate from the merchant portal; payer codes want the data key, a store number and, to refund, the trade key.
- BestPay answers refunds and reversals of payer codes only to addresses that it has on its list: give it yours.
- A payer code's order is known to BestPay under our number with 1 or 00 behind it (its numbers must have an even
  length to be refundable). Statements and the merchant portal show it so.
- A code of product 1006 is an aggregate one: other wallets than BestPay's may read it too. It is offered here for
  BestPay, and what BestPay says about the wallet that paid is kept.
- An order of MAPI is sent without an expiry unless `expiry_field` names one; it is closed by a call when its time is over.
"""

from datetime import timedelta

from providers.bestpay.gateway import BestPayGateway
from providers.bestpay.provider import BestPay
from providers.bestpay.settings import BestPaySettings
from providers.sdk.codes.issuers import Issuer
from providers.sdk.contract import KeyStore, Provider, ProviderInfo, ProviderPlugin, Way
from providers.sdk.wallets import Wallet


def build(settings: BestPaySettings, keys: KeyStore) -> Provider:
    """Build the provider of one merchant account. BestPay's key is a setting: nothing is fetched or kept."""
    del keys
    return BestPay(settings)


plugin = ProviderPlugin(
    info=ProviderInfo(
        id="bestpay",
        name_en="BestPay",
        name_zh="翼支付",
        wallets=frozenset({Wallet.BESTPAY}),
        ways=frozenset({Way.MERCHANT_CODE, Way.PAYER_CODE, Way.LINK}),
        currencies=frozenset({"CNY"}),
        min_minor=1,
        max_minor=10**10 - 1,  # ten digits on the payer-code gateway; the contract sets the real limit
        expires_after_min_s=60,
        expires_after_max_s=24 * 3600,
        refund_window=timedelta(days=90),  # not published; BestPay itself answers BE110078 when it is over
        hosts=("mapi.bestpay.com.cn", "mapi.test.bestpay.net", "webpaywg.bestpay.com.cn"),
        acknowledge_within_s=5,  # 60 on the payer-code gateway; MAPI's limit is not published
        issuer=Issuer.BESTPAY,
    ),
    settings=BestPaySettings,
    build=build,
    gateway=BestPayGateway,
)
