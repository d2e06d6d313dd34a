"""What a stored transcript must not show."""

import pytest

from tests.providers.alipay.counter import PAYER_CODE


async def test_a_whole_charge_shows_neither_code_nor_payer_nor_signature(either):
    await either.provider.create(either.shown(), either.call)
    [notification] = either.courier.take()
    payer = either.read(notification).fact.payer

    for transcript in (
        either.transport.requests[0].body,
        either.transport.replies[0].body,
        notification.request.body,
    ):
        scrubbed = either.provider.scrub(transcript)
        assert PAYER_CODE.encode() not in scrubbed
        assert payer.encode() not in scrubbed
        assert either.merchant["app_id"].encode() in scrubbed or b"10000" in scrubbed
        assert scrubbed.count(b"***") >= 1


@pytest.mark.parametrize(
    "transcript",
    [
        b'{"auth_code":"SECRET"}',
        b'{"auth_code" : "SEC\\"RET"}',
        b'{"payee_info":{"identity":"SECRET","identity_type":"ALIPAY_LOGON_ID","name":"SECRET"}}',
        b"biz_content=%7B%22auth_code%22%3A%22SECRET%22%2C%22subject%22%3A%22x%22%7D&x=1",
        b"biz_content=%7B%22payee_info%22%3A%7B%22identity%22%3A%22SECRET%22%7D%7D",
        b"a=1&sign=SECRET%2B%3D&b=2",
        b"sign=SECRET",
        b"GET /gateway.do?app_id=1&app_auth_token=SECRET&x=1",
        b"buyer_id=SECRET&total_amount=1",
        b'"buyer_logon_id":"SECRET"',
        b'{"biz_content":"{\\"auth_code\\":\\"SECRET\\",\\"subject\\":\\"x\\"}"}',
        b"-----BEGIN RSA PRIVATE KEY-----\nSECRET\n-----END RSA PRIVATE KEY-----",
        b"https://dwbillcenter.alipay.com/downloadBillFile.resource?fileId=SECRET",
        b'"bill_download_url":"http:\\/\\/dwbillcenter.alipay.com\\/x?fileId=SECRET"',
        b"the payer shows 281234567834567812 today",
    ],
)
def test_secrets_are_masked_wherever_they_stand(stall, transcript):
    scrubbed = stall.provider.scrub(transcript)

    assert b"SECRET" not in scrubbed
    assert b"RET" not in scrubbed
    assert b"281234567834567812" not in scrubbed


@pytest.mark.parametrize(
    "transcript",
    [
        b'{"out_trade_no":"Latte20260701A1","total_amount":"18.00"}',
        b"out_trade_no=Latte20260701A1&trade_no=2026070122001709967875505682&total_amount=18.00",
        b'{"sign_type":"RSA2","store_name":"shop"}',
        b"",
    ],
)
def test_what_an_investigation_needs_stays(stall, transcript):
    assert stall.provider.scrub(transcript) == transcript
