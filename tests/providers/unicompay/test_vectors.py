"""China Unicom's signature, pinned, and a merchant's code that knows nothing of this house."""

import hashlib
from urllib.parse import urlencode

import pytest

from providers.sdk.errors import SignatureError
from providers.sdk.transport import HttpRequest
from providers.sdk.wallets import Wallet
from providers.unicompay import signing

ORDER = {
    "amount": "1",
    "callbackUrl": "https://m.example/c",
    "charSet": "UTF-8",
    "goodsName": "test",
    "interfaceVersion": "1.0.0.0",
    "merNo": "301100710007122",
    "orderDate": "20240105",
    "orderNo": "O1",
    "reqTime": "20240105145046",
    "respMode": "1",
    "serverCallUrl": "https://m.example/n",
    "signType": "MD5",
    "tradeMode": "0001",
    "tranType": "20101",
}


def test_the_pinned_vector():
    assert signing.signed(ORDER, "testkey", "MD5")["signMsg"] == "efb2c54377f79a6ec46a13c3423edb61"


def test_empty_fields_and_the_signature_s_own_are_left_out():
    more = ORDER | {"merExtend": "", "cert": "x", "hmac": "y", "signMsg": "z"}

    assert signing.source_text(more) == signing.source_text(ORDER)
    assert "merExtend" not in signing.signed(more, "testkey", "MD5")


def test_sha_1_is_the_other_way():
    text = signing.source_text(ORDER | {"signType": "SHA-1"}) + "|key=testkey"

    assert (
        signing.signed(ORDER, "testkey", "SHA-1")["signMsg"]
        == hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    )


def test_either_case_of_the_hex_verifies():
    signed = signing.signed(ORDER, "testkey", "MD5")

    signing.check(signed | {"signMsg": signed["signMsg"].upper()}, "testkey", "MD5")


@pytest.mark.parametrize(
    "change",
    [
        {"signMsg": ""},
        {"signMsg": "00"},
        {"signMsg": "ü" * 32},
        {"amount": "2"},
        {"signType": "SHA-1"},
        {"x": "1"},
    ],
)
def test_anything_else_is_a_signature_error(change):
    with pytest.raises(SignatureError):
        signing.check(signing.signed(ORDER, "testkey", "MD5") | change, "testkey", "MD5")


def demo_signature(params, key):
    names = sorted(
        name for name in params if params[name] and name.lower() not in {"hmac", "signmsg", "cert"}
    )
    text = "|".join(f"{name}={params[name]}" for name in names) + f"|key={key}"
    return hashlib.md5(text.encode()).hexdigest()


async def test_a_merchant_s_own_code_orders_asks_and_refunds_unmodified_but_for_the_host(stall):
    key, mer_no = stall.merchant["sign_key"], stall.merchant["mer_no"]

    async def post(path, **params):
        body = urlencode(params | {"signMsg": demo_signature(params, key)}).encode()
        reply = await stall.gateway.handle(HttpRequest("POST", path, body=body))
        return reply.body.decode()

    def lines(text):
        answer = dict(line.split("=", 1) for line in text.split("\n"))
        assert answer["signMsg"] == demo_signature(answer, key)
        return answer

    page = await post(
        "/pay/servlet/MerOrderPayReqServlte.htm?reqCharSet=UTF-8",
        interfaceVersion="1.0.0.0", tranType="20101", bankCode="", merNo=mer_no, goodsName="测试",
        orderDate="20260701", orderNo="TD20260701", merExtend="TD-2026", amount="101", charSet="UTF-8",
        tradeMode="0001", reqTime="20260701120000", respMode="1", callbackUrl="http://m.example/f",
        serverCallUrl="http://m.example/n", signType="MD5",
    )  # fmt: skip
    stall.gateway.settle("TD20260701", Wallet.UNICOMPAY)
    order = {"merNo": mer_no, "orderNo": "TD20260701", "orderDate": "20260701", "signType": "MD5"}
    found = lines(await post("/pay/query/order.htm?reqCharSet=UTF-8", charSet="UTF-8", **order))
    returned = lines(
        await post(
            "/pay/refund/order.htm", refundReqJournl="R1", payJournl=found["payJournl"], amount="40",
            merReqTime="20260701120500", reason="购买错误", **order,
        )
    )  # fmt: skip

    assert "测试 ¥1.01" in page
    assert (found["queryResult"], found["orderState"], found["payAmount"]) == ("SUCCESS", "1", "101")
    assert (returned["refundResult"], returned["amount"]) == ("SUCCESS", "40")
    assert [minor for _, minor, _ in stall.purses.moves] == [-101, 40]
