"""The simulated institution refuses what WeChat Pay refuses, on the raw wire."""

import json

import pytest

from providers.sdk.transport import Headers, HttpRequest
from providers.sdk.wallets import Wallet
from providers.wechatpay import signing

NATIVE = "/v3/pay/transactions/native"


@pytest.fixture
def wire(stall):
    """Send any JSON as the merchant, or as someone who signs something else."""

    async def send(method: str, target: str, fields: object = None, *, spoil=None, **headers: str):
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode() if fields else b""
        signed = signing.SignedRequest(
            method=method,
            target=target,
            timestamp=str(int(stall.clock.now().timestamp())),
            nonce="5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
            body=body,
        )
        key = signing.private_key(stall.merchant["private_key"].encode(), "private_key")
        authorization = signing.authorization(
            key, stall.merchant["mchid"], stall.merchant["serial_no"], signed
        )
        lines = {
            "Accept": "application/json",
            "User-Agent": "test",
            "Authorization": authorization,
            **headers,
        }
        request = HttpRequest(method, target, Headers.of(lines), body)
        return await stall.gateway.handle(spoil(request) if spoil else request)

    return send


@pytest.fixture
def order(stall):
    """A good native order, some fields replaced or (with None) left out."""

    def make(**changes):
        fields = {
            "appid": stall.merchant["appid"],
            "mchid": stall.merchant["mchid"],
            "description": "Latte",
            "out_trade_no": "Latte20260701A1",
            "notify_url": "https://shop.example/notify",
            "amount": {"total": 1800, "currency": "CNY"},
        }
        return {name: value for name, value in {**fields, **changes}.items() if value is not None}

    return make


async def test_a_published_sdks_body_is_served(wire, order) -> None:
    reply = await wire("POST", NATIVE, order())

    assert reply.status == 200
    assert json.loads(reply.body)["code_url"].startswith("weixin://wxpay/bizpayurl?pr=")
    assert reply.headers.get("Content-Type").startswith("application/json")
    assert reply.headers.get("Request-ID")


@pytest.mark.parametrize(
    "change",
    [
        {"description": ""},
        {"description": "x" * 128},
        {"description": None},
        {"out_trade_no": "12345"},
        {"out_trade_no": "x" * 33},
        {"out_trade_no": "has space"},
        {"out_trade_no": None},
        {"notify_url": "http://shop.example/notify"},
        {"notify_url": "https://shop.example/notify?a=1"},
        {"notify_url": None},
        {"attach": "x" * 129},
        {"amount": {"total": 0}},
        {"amount": {"total": 1800.0}},
        {"amount": {"total": "1800"}},
        {"amount": {"total": True}},
        {"amount": {"total": 1800, "currency": "USD"}},
        {"amount": None},
        {"time_expire": "2026-07-01T13:00:00"},
        {"time_expire": "soon"},
        {"time_expire": "2026-07-01T12:00:59+08:00"},
    ],
)
async def test_a_wrong_field_is_a_param_error_that_names_it(stall, wire, order, change) -> None:
    reply = await wire("POST", NATIVE, order(**change))

    refusal = json.loads(reply.body)
    assert (reply.status, refusal["code"]) == (400, "PARAM_ERROR")
    assert refusal["detail"]["field"].startswith(f"/body/{next(iter(change))}")
    assert stall.gateway._ledger.trade("Latte20260701A1") is None


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff"])
async def test_a_body_that_is_no_json_object_is_a_param_error(wire, body) -> None:
    reply = await wire("POST", NATIVE, body)

    assert (reply.status, json.loads(reply.body)["code"]) == (400, "PARAM_ERROR")


def respelt(name: str, old: str, new: str):
    def spoil(request: HttpRequest) -> HttpRequest:
        lines = [
            (line, value.replace(old, new) if line == name else value)
            for line, value in request.headers.lines
        ]
        return HttpRequest(request.method, request.url, Headers.of(lines), request.body)

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda request: HttpRequest(request.method, request.url, Headers(), request.body),
        lambda request: HttpRequest(request.method, request.url, request.headers, request.body + b" "),
        lambda request: HttpRequest(request.method, request.url + "?x=1", request.headers, request.body),
        lambda request: HttpRequest("PUT", request.url, request.headers, request.body),
        respelt("Authorization", "WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3"),
        respelt("Authorization", 'nonce_str="5', 'nonce_str="6'),
        respelt("Authorization", 'timestamp="17', 'timestamp="18'),
        respelt("Authorization", 'mchid="19', 'mchid="18'),
    ],
)
async def test_a_signature_that_does_not_hold_is_an_unsigned_401(wire, order, spoil) -> None:
    reply = await wire("POST", NATIVE, order(), spoil=spoil)

    assert reply.status == 401
    assert json.loads(reply.body)["code"] == "SIGN_ERROR"
    assert reply.headers.get("Wechatpay-Signature") is None


async def test_the_merchant_chooses_the_key_that_answers(stall, wire, order) -> None:
    [certificate] = stall.gateway._institution.certificates
    public = stall.merchant["public_key_id"]

    default = await wire("POST", NATIVE, order())
    chosen = await wire("POST", NATIVE, order(), **{"Wechatpay-Serial": public})
    strange = await wire("POST", NATIVE, order(), **{"Wechatpay-Serial": "PUB_KEY_ID_0"})

    names = [reply.headers.get("Wechatpay-Serial") for reply in (default, chosen, strange)]
    assert names == [certificate.serial_no, public, certificate.serial_no]


async def test_a_request_without_user_agent_is_refused(wire, order) -> None:
    reply = await wire("POST", NATIVE, order(), **{"User-Agent": ""})

    assert json.loads(reply.body)["code"] == "PARAM_ERROR"


async def test_an_unknown_path_or_method_is_not_found(wire) -> None:
    assert (await wire("GET", NATIVE)).status == 404
    assert (await wire("GET", "/v3/nothing")).status == 404


async def test_an_order_without_an_end_is_payable_for_seven_days_its_code_for_two_hours(
    stall, wire, order
) -> None:
    code = json.loads((await wire("POST", NATIVE, order())).body)["code_url"]
    stall.clock.advance(2 * 3600 - 1)
    assert stall.gateway.recognise(code)
    stall.clock.advance(1)

    with pytest.raises(Exception, match="expired"):
        stall.gateway.recognise(code)
    stall.clock.advance(6 * 24 * 3600)
    fresh = json.loads((await wire("POST", NATIVE, order())).body)["code_url"]
    assert stall.gateway.recognise(fresh)
    stall.clock.advance(24 * 3600)
    assert (await wire("POST", NATIVE, order())).status == 400


async def test_a_transaction_is_found_by_wechat_pays_own_number(stall, wire, order) -> None:
    code = json.loads((await wire("POST", NATIVE, order(attach="table 7"))).body)["code_url"]
    stall.pay(code, Wallet.WECHAT)
    mchid = stall.merchant["mchid"]
    paid = json.loads(
        (await wire("GET", f"/v3/pay/transactions/out-trade-no/Latte20260701A1?mchid={mchid}")).body
    )

    same = json.loads(
        (await wire("GET", f"/v3/pay/transactions/id/{paid['transaction_id']}?mchid={mchid}")).body
    )
    refund = await wire(
        "POST",
        "/v3/refund/domestic/refunds",
        {
            "transaction_id": paid["transaction_id"],
            "out_refund_no": "R1",
            "amount": {"refund": 1, "total": 1800, "currency": "CNY"},
        },
    )

    assert same == paid
    assert paid["attach"] == "table 7"
    assert paid["amount"] == {"total": 1800, "currency": "CNY", "payer_total": 1800, "payer_currency": "CNY"}
    assert refund.status == 200


async def test_a_query_for_another_merchant_is_refused(wire) -> None:
    reply = await wire("GET", "/v3/pay/transactions/out-trade-no/Latte20260701A1?mchid=1900000109")

    assert json.loads(reply.body)["code"] == "MCH_NOT_EXISTS"


async def test_a_payment_code_order_is_reversed_not_closed(stall, wire, order) -> None:
    stall.purses.show("134567890123456789", Wallet.WECHAT)
    scene = {"store_info": {"id": "0001"}}
    body = order(notify_url=None, payer={"auth_code": "134567890123456789"}, scene_info=scene)
    assert (await wire("POST", "/v3/pay/transactions/codepay", body)).status == 200
    path, mchid, appid = (
        "/v3/pay/transactions/out-trade-no/Latte20260701A1",
        stall.merchant["mchid"],
        stall.merchant["appid"],
    )

    closed = await wire("POST", f"{path}/close", {"mchid": mchid})
    reversed_ = await wire("POST", f"{path}/reverse", {"mchid": mchid, "appid": appid})

    assert closed.status == 400
    assert json.loads(reversed_.body) == {"appid": appid, "mchid": mchid, "out_trade_no": "Latte20260701A1"}
    assert [minor for _, minor, _ in stall.purses.moves] == [-1800, 1800]


async def test_a_transfer_nobody_confirmed_can_be_called_back(stall, wire) -> None:
    body = {
        "appid": stall.merchant["appid"],
        "out_bill_no": "plfk2020042013",
        "transfer_scene_id": "1000",
        "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
        "transfer_amount": 2000,
        "transfer_remark": "remark",
    }
    path = "/v3/fund-app/mch-transfer/transfer-bills"
    assert json.loads((await wire("POST", path, body)).body)["state"] == "WAIT_USER_CONFIRM"

    cancelled = await wire("POST", f"{path}/out-bill-no/plfk2020042013/cancel")

    assert json.loads(cancelled.body)["state"] == "CANCELLED"
    assert (
        await wire("POST", path, {**body, "user_name": "not encrypted", "out_bill_no": "b2"})
    ).status == 400


async def test_keys_are_made_once_and_kept(stall) -> None:
    papers = stall.gateway._institution.papers

    stall.restart_gateway()

    assert stall.gateway._institution.papers == papers
    assert "BEGIN" not in repr(papers)
