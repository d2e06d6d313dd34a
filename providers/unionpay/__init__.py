"""UnionPay: Cloud QuickPass and bank apps, over ACP 5.1.0 or the QRA gateway."""

from datetime import timedelta

from providers.sdk.codes.issuers import Issuer
from providers.sdk.contract import KeyStore, Provider, ProviderInfo, ProviderPlugin, Way
from providers.sdk.wallets import Wallet
from providers.unionpay.doctor import UnionPayDoctor
from providers.unionpay.gateway import UnionPayGateway
from providers.unionpay.provider import UnionPay
from providers.unionpay.qra_provider import UnionPayQra
from providers.unionpay.settings import UnionPaySettings
from providers.unionpay.wire import CODE_PREFIX


def build(settings: UnionPaySettings, keys: KeyStore) -> Provider:
    """Build the provider of one merchant account. Certificates travel in ACP's messages: nothing is fetched or kept."""
    del keys
    return UnionPay(settings) if settings.mode == "acp" else UnionPayQra(settings)


plugin = ProviderPlugin(
    info=ProviderInfo(
        id="unionpay",
        name_en="UnionPay",
        name_zh="银联",
        wallets=frozenset({Wallet.QUICKPASS, Wallet.BANK}),
        ways=frozenset({Way.MERCHANT_CODE, Way.PAYER_CODE}),
        currencies=frozenset({"CNY"}),
        min_minor=1,
        max_minor=10**10,  # ACP's field is longer; card and contract set the real limits
        expires_after_min_s=60,
        expires_after_max_s=24 * 3600,
        refund_window=timedelta(days=30),  # what UnionPay promises for QR codes; later ones may pass
        has_statement=True,
        hosts=(
            "gateway.95516.com",
            "gateway.test.95516.com",
            "filedownload.95516.com",
            "filedownload.test.95516.com",
            "qra.95516.com",
        ),
        code_prefixes=(CODE_PREFIX,),
        acknowledge_within_s=10,
        issuer=Issuer.UNIONPAY,
    ),
    settings=UnionPaySettings,
    build=build,
    gateway=UnionPayGateway,
    doctor=UnionPayDoctor(),
)
