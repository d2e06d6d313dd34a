"""Who opens the one-code page: told from the `User-Agent` alone, so a hint and never a proof.

Not here, because nobody has published what they say: Unicom's Wo Wallet and the e-CNY app. They see the page with all
ways to pay. Alipay HK (`AlipayClientHK`) is another wallet and sees it too.
"""

import re
from typing import Final, NamedTuple

from providers.sdk.wallets import Wallet


class Visitor(NamedTuple):
    """A row of the table: what a wallet's web view says of itself, and where that was seen."""

    wallet: Wallet
    says: re.Pattern[str]
    example: str
    source: str


VISITORS: Final = (
    Visitor(
        Wallet.QUICKPASS,
        re.compile(r"\bUnionPay/[\d.]+ CloudPay\b"),
        "UnionPay/1.0 CloudPay",
        "UnionPay, QR code payment, user authorisation: app_up_identifier; code of several acquirers",
    ),
    Visitor(
        Wallet.BANK,
        re.compile(r"\bUnionPay/[\d.]+ \w+"),
        "UnionPay/1.0 CCBLoongPay",
        "the same, with a member's own AppId: CCBLoongPay, BoComMDB, PSBC and others",
    ),
    Visitor(
        Wallet.ALIPAY,
        re.compile(r"\bAlipayClient/"),
        "AliApp(AP/10.5.96.8000) AlipayClient/10.5.96.8000 Language/zh-Hans",
        "Alipay's web view, as published by several device tables",
    ),
    Visitor(
        Wallet.WECHAT,
        re.compile(r"\bMicroMessenger/"),
        "MicroMessenger/8.0.49.2600(0x28003133) NetType/WIFI Language/zh_CN",
        "WeChat's web view, developers.weixin.qq.com, WebView",
    ),
    Visitor(
        Wallet.BESTPAY,
        re.compile(r"\bBestpay\b", re.IGNORECASE),
        "Bestpay/10.50.0",
        "aggregated-code pages of several acquirers; a ShopXO plugin",
    ),
    Visitor(
        Wallet.CMPAY,
        re.compile(r"\bHebao/|\bcom\.cmpay\."),
        "Hebao/9.15.42/com.cmpay.CMPayClient",
        "an aggregated-code page",
    ),
)
# The wallets of the sandbox, where the real app's own words are not published.
_SANDBOX: Final = re.compile(r"\bMoongateWallet/[\d.]+ (\w+)")

# Programs that look at a link somebody sent, WhatsApp's and Telegram's own included.
_PREVIEW: Final = re.compile(
    r"bot\b|bot/|spider|crawl|preview|slurp|facebookexternalhit|whatsapp|telegram|embedly|vkshare|skypeuripreview"
    r"|curl/|wget/|python-|go-http-client|okhttp|headless",
    re.IGNORECASE,
)
_USER_AGENT_CHARS_MAX: Final = 1024

# Codes that are web addresses, which the wallet's own web view turns into its pay sheet.
_OPENS_IN: Final = {
    Wallet.ALIPAY: ("https://qr.alipay.com/",),
    Wallet.QUICKPASS: ("https://qr.95516.com/",),
    Wallet.BANK: ("https://qr.95516.com/",),
    Wallet.CMPAY: ("https://p.10086.cn/",),
}


def wallet_of(user_agent: str, *, prefetch: bool = False) -> Wallet | None:
    """The wallet whose web view this is; None for everybody else, previewers under a wallet's name included."""
    text = user_agent[:_USER_AGENT_CHARS_MAX]
    if prefetch or _PREVIEW.search(text):
        return None
    if (match := _SANDBOX.search(text)) and match[1] in list(Wallet):
        return Wallet(match[1])
    return next((row.wallet for row in VISITORS if row.says.search(text)), None)


def opens_directly(wallet: Wallet, code: str) -> bool:
    """Whether the wallet's web view understands this code as an address to go to."""
    return code.startswith(_OPENS_IN.get(wallet, ()))
