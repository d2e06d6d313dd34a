"""Wallets: what the payer holds."""

from enum import StrEnum
from typing import Final


class Wallet(StrEnum):
    """The wallets this house knows; the value is the stable name in stores, settings and URLs."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    QUICKPASS = "quickpass"
    CMPAY = "cmpay"
    BESTPAY = "bestpay"
    UNICOMPAY = "unicompay"
    ECNY = "ecny"
    BANK = "bank"
    TELEGRAM = "telegram"


# (English, Chinese) as the institutions write them.
WALLET_NAMES: Final[dict[Wallet, tuple[str, str]]] = {
    Wallet.WECHAT: ("WeChat Pay", "微信支付"),
    Wallet.ALIPAY: ("Alipay", "支付宝"),
    Wallet.QUICKPASS: ("Cloud QuickPass", "云闪付"),
    Wallet.CMPAY: ("China Mobile Hebao", "中国移动和包"),
    Wallet.BESTPAY: ("China Telecom BestPay", "中国电信翼支付"),
    Wallet.UNICOMPAY: ("China Unicom Wo Wallet", "中国联通沃钱包"),
    Wallet.ECNY: ("e-CNY", "数字人民币"),
    Wallet.BANK: ("Bank app", "银行 App"),
    Wallet.TELEGRAM: ("Telegram Stars", "Telegram 星星"),
}


def wallet_name(wallet: Wallet, language: str) -> str:
    """The wallet's name in `zh…` languages or in English."""
    english, chinese = WALLET_NAMES[wallet]
    return chinese if language.lower().startswith("zh") else english
