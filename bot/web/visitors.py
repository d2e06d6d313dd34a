"""Who opens the one-code page: told from the `User-Agent` alone, so a hint and never a proof.

| wallet | in its User-Agent | seen in |
|---|---|---|
| WeChat | `MicroMessenger/8.0.49` | WeChat's web view, developers.weixin.qq.com "WebView" |
| Alipay | `AlipayClient/10.5.96` | Alipay's web view |
| Cloud QuickPass | `UnionPay/1.0 CloudPay` | UnionPay "QR code payment, user authorisation": app_up_identifier |
| a bank's app | `UnionPay/1.0 CCBLoongPay` … | the same, with the member's own AppId |
| BestPay | `Bestpay/…` | aggregated-code pages of several acquirers |
| Hebao | `Hebao/9.15.42/com.cmpay.CMPayClient` | likewise |
| any | `MoongateWallet/1 ecny` | the wallets of the sandbox, where the real app's name is not published |
"""

import re
from typing import Final

from providers.sdk.wallets import Wallet

_WALLETS: Final[tuple[tuple[re.Pattern[str], Wallet], ...]] = (
    (re.compile(r"\bUnionPay/[\d.]+ CloudPay\b"), Wallet.QUICKPASS),
    (re.compile(r"\bUnionPay/[\d.]+ \w+"), Wallet.BANK),
    (re.compile(r"\bAlipayClient/"), Wallet.ALIPAY),
    (re.compile(r"\bMicroMessenger/"), Wallet.WECHAT),
    (re.compile(r"\bBestpay\b", re.IGNORECASE), Wallet.BESTPAY),
    (re.compile(r"\bHebao/|\bcom\.cmpay\."), Wallet.CMPAY),
)
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
    return next((wallet for pattern, wallet in _WALLETS if pattern.search(text)), None)


def opens_directly(wallet: Wallet, code: str) -> bool:
    """Whether the wallet's web view understands this code as an address to go to."""
    return code.startswith(_OPENS_IN.get(wallet, ()))
