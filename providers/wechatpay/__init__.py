"""WeChat Pay, over APIv3, for a direct merchant."""

from datetime import timedelta

from providers.sdk.codes.issuers import Issuer
from providers.sdk.contract import KeyStore, Provider, ProviderInfo, ProviderPlugin, Way
from providers.sdk.wallets import Wallet
from providers.wechatpay.doctor import WeChatPayDoctor
from providers.wechatpay.gateway import WeChatPayGateway
from providers.wechatpay.provider import WeChatPay
from providers.wechatpay.settings import WeChatPaySettings
from providers.wechatpay.wire import CODE_PREFIX, NAMED_PAYOUT_MINOR


def build(settings: WeChatPaySettings, keys: KeyStore) -> Provider:
    """Build the provider of one merchant account. Raises `ConfigurationError` naming a wrong setting."""
    return WeChatPay(settings, keys)


plugin = ProviderPlugin(
    info=ProviderInfo(
        id="wechatpay",
        name_en="WeChat Pay",
        name_zh="微信支付",
        wallets=frozenset({Wallet.WECHAT}),
        ways=frozenset({Way.MERCHANT_CODE, Way.PAYER_CODE, Way.IN_APP}),
        payer_code_within_s=45,  # "Payment code": ask every 5 to 10 s for 45 s, then reverse
        currencies=frozenset({"CNY"}),
        min_minor=1,
        max_minor=10**10,  # the field is longer; contract and wallet set the real limits
        expires_after_min_s=60,
        expires_after_max_s=90 * 24 * 3600,
        refund_window=timedelta(days=365),
        refunds_max=50,
        can_payout=True,
        payout_min_minor=10,
        payout_max_minor=NAMED_PAYOUT_MINOR - 1,
        identifies=True,
        has_statement=True,
        hosts=(
            "api.mch.weixin.qq.com",
            "api2.mch.weixin.qq.com",
            "api.weixin.qq.com",
            "open.weixin.qq.com",  # where a payee's own web view is sent; the host calls nothing there
        ),
        code_prefixes=(CODE_PREFIX,),
        acknowledge_within_s=5,
        issuer=Issuer.WECHAT,
    ),
    settings=WeChatPaySettings,
    build=build,
    gateway=WeChatPayGateway,
    doctor=WeChatPayDoctor(),
)
