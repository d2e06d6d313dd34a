"""China Mobile's hmac, pinned, and a merchant's demo client that knows nothing of this house."""

import hashlib
from urllib.parse import quote_from_bytes, unquote

import pytest

from providers.cmpay import messages, signing
from providers.sdk.errors import SignatureError
from providers.sdk.transport import HttpRequest
from providers.sdk.wallets import Wallet

PAYER_CODE_DATA = (
    "02https://m.example/n88800994111005420240105145046001MD5CloudQuickPay2.0.010020240105O20240105145046702"
    "test goods100498904982440770"
)


@pytest.mark.parametrize(
    ("data", "key", "hmac"),
    [
        ("abc", "testkey", "ee879b578bd9bf59af7f1b4aee030f83"),
        (PAYER_CODE_DATA, "testkey0123456789", "e18578cba006fac89ab34086aa552c2e"),
    ],
)
def test_the_pinned_vectors_of_the_hmac(data, key, hmac):
    assert signing.signature(data, key) == hmac


def test_the_payer_code_vector_is_the_values_in_the_order_of_version_2_0_0():
    values = {
        "characterSet": "02",
        "notifyUrl": "https://m.example/n",
        "merchantId": "888009941110054",
        "requestId": "20240105145046001",
        "signType": "MD5",
        "type": "CloudQuickPay",
        "version": "2.0.0",
        "amount": "1",
        "currency": "00",
        "orderDate": "20240105",
        "orderId": "O20240105145046",
        "period": "7",
        "periodUnit": "02",
        "productName": "test goods",
        "userToken": "100498904982440770",
    }
    order = messages.field_orders("", "2.0.0")[messages.PAYER_CODE]

    assert signing.signed(values, order, "testkey0123456789")["hmac"] == "e18578cba006fac89ab34086aa552c2e"


def test_chinese_is_signed_in_utf_8_and_a_key_longer_than_a_block_is_hashed_first():
    key = "9" * 80

    assert signing.signature("拿铁", key) == demo_hmac(key, demo_hmac("", "拿铁"))


@pytest.mark.parametrize("hmac", [{}, {"hmac": ""}, {"hmac": "00"}, {"hmac": "ü" * 32}])
def test_a_missing_or_wrong_hmac_is_a_signature_error(hmac):
    with pytest.raises(SignatureError):
        signing.check({"a": "1", **hmac}, ("a",), "testkey")


def demo_hmac(key, data):
    """HMAC-MD5 as the demo clients write it out."""
    block = key.encode()
    if len(block) > 64:
        block = hashlib.md5(block).digest()
    block = block.ljust(64, b"\0")
    inner = hashlib.md5(bytes(octet ^ 0x36 for octet in block) + data.encode()).digest()
    return hashlib.md5(bytes(octet ^ 0x5C for octet in block) + inner).hexdigest()


class DemoClient:
    """A merchant's page as China Mobile's demo shows it: GBK on the wire, answers cut by hand, codes before hmac."""

    def __init__(self, stall):
        self.stall, self.key = stall, stall.merchant["sign_key"]
        self.common = {"merchantId": stall.merchant["merchant_id"], "signType": "MD5", "version": "2.0.0"}

    async def send(self, path, order, answer_order, **fields):
        fields = self.common | fields
        data = "".join(fields.get(name, "") for name in order.split())
        fields["hmac"] = demo_hmac(self.key, demo_hmac("", data))
        body = "&".join(f"{name}={quote_from_bytes(value.encode('gbk'))}" for name, value in fields.items())
        request = HttpRequest("POST", f"/{path}/cmpayService", body=body.encode() + b"\r\n")
        reply = await self.stall.gateway.handle(request)
        answer = dict(part.split("=", 1) for part in reply.body.decode("gbk").split("&"))
        assert answer["returnCode"] == "000000"
        texts = ("message", "reserved1", "reserved2")
        told = {name: unquote(value) if name in texts else value for name, value in answer.items()}
        signed = "".join(told.get(name, "") for name in answer_order.split())
        assert demo_hmac(self.key, demo_hmac("", signed)) == answer["hmac"]
        return told


async def test_a_demo_client_orders_asks_and_refunds_unmodified_but_for_the_host(stall):
    client = DemoClient(stall)
    head = "merchantId requestId signType type version"
    seen = "amtItem bankAbbr mobile orderId payDate reserved1 reserved2 status payType orderDate fee"

    order = await client.send(
        "ips",
        f"characterSet callbackUrl notifyUrl ipAddress {head} amount bankAbbr currency orderDate orderId merAcDate"
        " period periodUnit merchantAbbr productDesc productId productName productNum reserved1 reserved2 userToken"
        " showUrl couponsFlag",
        f"{head} returnCode message payUrl",
        type="DirectPayConfirm", characterSet="00", callbackUrl="http://localhost:87/BackUrl",
        notifyUrl="http://localhost:87/NotifyUrl", ipAddress="10.9.26.2", requestId="201103071740065878",
        amount="100", bankAbbr="ICBC", currency="00", orderDate="20260701", orderId="201103071740044998",
        merAcDate="20260701", period="7", periodUnit="02", productName="拿铁", reserved1="保留数据1",
        couponsFlag="00",
    )  # fmt: skip
    parts = dict(part.split("<hi:=>") for part in order["payUrl"].split("<hi:$$>"))
    stall.pay(f"{parts['url']}?sessionId={parts['sessionId']}", Wallet.CMPAY)
    asked = {"orderId": "201103071740044998"}
    found = await client.send(
        "ips", f"{head} orderId", f"merchantId payNo returnCode message signType type version amount {seen}",
        type="OrderQuery", requestId="1", **asked,
    )  # fmt: skip
    returned = await client.send(
        "ips", f"{head} orderId amount",
        "merchantId payNo returnCode message signType type version amount orderId status",
        type="OrderRefund", requestId="2", amount="40", **asked,
    )  # fmt: skip

    assert (found["status"], found["reserved1"], found["amount"]) == ("SUCCESS", "保留数据1", "100")
    assert (returned["status"], returned["amount"]) == ("SUCCESS", "40")
    assert [minor for _, minor, _ in stall.purses.moves] == [-100, 40]
