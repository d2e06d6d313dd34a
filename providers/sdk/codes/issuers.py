"""Whose a code is, and how sure we are of what we say about it."""

from enum import StrEnum
from typing import Final


class Issuer(StrEnum):
    """Networks whose codes people meet in shops; some of them this house does not collect through."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    UNIONPAY = "unionpay"
    CMPAY = "cmpay"
    BESTPAY = "bestpay"
    UNICOMPAY = "unicompay"
    ECNY = "ecny"
    AGGREGATED = "aggregated"  # an acquirer's or operator's code that leads each wallet to its own network
    QQWALLET = "qqwallet"
    JDPAY = "jdpay"


ISSUER_NAMES: Final[dict[Issuer, str]] = {
    Issuer.WECHAT: "WeChat Pay",
    Issuer.ALIPAY: "Alipay",
    Issuer.UNIONPAY: "UnionPay",
    Issuer.CMPAY: "China Mobile Hebao",
    Issuer.BESTPAY: "China Telecom BestPay",
    Issuer.UNICOMPAY: "China Unicom Wo Wallet",
    Issuer.ECNY: "e-CNY",
    Issuer.AGGREGATED: "Aggregated code",
    Issuer.QQWALLET: "QQ Wallet",
    Issuer.JDPAY: "JD Pay",
}

_CHINESE: Final[dict[Issuer, str]] = {
    Issuer.WECHAT: "微信支付",
    Issuer.ALIPAY: "支付宝",
    Issuer.UNIONPAY: "银联",
    Issuer.CMPAY: "中国移动和包",
    Issuer.BESTPAY: "中国电信翼支付",
    Issuer.UNICOMPAY: "中国联通沃钱包",
    Issuer.ECNY: "数字人民币",
    Issuer.AGGREGATED: "聚合码",
    Issuer.QQWALLET: "QQ 钱包",
    Issuer.JDPAY: "京东支付",
}


def issuer_name(issuer: Issuer, language: str) -> str:
    """The network's name in `zh…` languages or in English."""
    return (_CHINESE if language.lower().startswith("zh") else ISSUER_NAMES)[issuer]


class Mark(StrEnum):
    """How much a row of a data table is worth."""

    CONFIRMED = "CONFIRMED"  # read in the source that the row names
    UNSURE = "UNSURE"  # commonly said or seen once; nothing that moves money may rest on it
