"""What an operator sets, what the plugin declares, and what may be kept of a transcript."""

import json

import pytest
from pydantic import ValidationError

from providers.ecny import plugin
from providers.ecny.channel import Stand, Verdict
from providers.ecny.wire import Work, judge, path, stand
from providers.sdk.contract import Way
from providers.sdk.errors import ConfigurationError, ReplyError
from providers.sdk.results import DeclineReason
from providers.sdk.wallets import Wallet


def test_the_plugin_declares_what_it_does():
    info = plugin.info

    assert info.wallets == {Wallet.ECNY}
    assert info.ways == {Way.MERCHANT_CODE, Way.PAYER_CODE}
    assert info.currencies == {"CNY"}
    assert info.code_prefixes == ()  # what a code looks like is not public


def test_the_merchant_is_the_one_who_is_paid(stall):
    assert stall.settings.merchant == stall.merchant["huifu_id"]


@pytest.mark.parametrize(
    "field",
    [
        {"huifu_id": "123"},
        {"sys_id": "x" * 16},
        {"product_id": ""},
        {"api_version": "v4"},
        {"channel": "lakala"},
        {"close_grace_s": -1},
        {"unknown_order_codes": "not found"},
        {"terminal_device_data": "[1]"},
        {"terminal_device_data": "{"},
    ],
)
def test_a_wrong_setting_is_refused_at_the_start(stall, field):
    with pytest.raises(ValidationError):
        stall.settings_with(**field)


def test_a_wrong_key_is_refused_at_the_start_without_showing_it(stall):
    with pytest.raises(ConfigurationError) as error:
        plugin.build(stall.settings_with(private_key="secretsecret"), stall.keys)

    assert "private_key" in str(error.value)
    assert "secretsecret" not in str(error.value)


def test_no_secret_is_in_the_repr_of_the_settings(stall):
    assert "PRIVATE" not in repr(stall.settings)


async def test_there_is_no_statement_and_no_payout(stall):
    with pytest.raises(ConfigurationError):
        stall.provider.statement(stall.clock.now().date(), stall.call)


@pytest.mark.parametrize(
    ("work", "where"),
    [
        (Work.CREATE, "/v2/trade/payment/jspay"),
        (Work.QUERY_REFUND, "/v2/trade/payment/scanpay/refundquery"),
        (Work.CLOSE, "/v2/trade/payment/scanpay/close"),
    ],
)
def test_an_older_contract_speaks_v2(work, where):
    assert path(work, "v2") == where


def test_close_is_v2_in_every_contract():
    assert path(Work.CLOSE, "v3") == "/v2/trade/payment/scanpay/close"


@pytest.mark.parametrize(
    ("work", "code", "message", "word", "verdict", "reason"),
    [
        (Work.CREATE, "00000000", "", "P", Verdict.ACCEPTED, None),
        (Work.CREATE, "00000100", "", None, Verdict.ACCEPTED, None),
        (Work.CREATE, "20000000", "重复交易", None, Verdict.REPEATED, None),
        (Work.CREATE, "20000001", "并发冲突,请稍后重试", None, Verdict.UNDECIDED, None),
        (Work.CREATE, "91111119", "通道异常，请稍后重试", None, Verdict.UNDECIDED, None),
        (Work.CREATE, "98888888", "系统错误", "F", Verdict.UNDECIDED, None),
        (Work.CREATE, "99999999", "系统异常", None, Verdict.UNDECIDED, None),
        (Work.CREATE, "", "", None, Verdict.UNDECIDED, None),
        (Work.CREATE, "77777777", "", "F", Verdict.UNDECIDED, None),
        (Work.CREATE, "22000004", "暂未开通权限", None, Verdict.REFUSED, DeclineReason.MISCONFIGURED),
        (Work.CREATE, "90000000", "交易失败，单日金额超限", "F", Verdict.REFUSED, DeclineReason.LIMIT),
        (Work.TAKE, "90000000", "付款码已过期", "F", Verdict.REFUSED, DeclineReason.PAYER),
        (Work.TAKE, "90000000", "业务执行失败", "P", Verdict.UNDECIDED, None),
        (Work.TAKE, "90000000", "业务执行失败", "S", Verdict.UNDECIDED, None),
        (Work.TAKE, "10000000", "付款码格式异常", None, Verdict.REFUSED, DeclineReason.PAYER),
        (Work.REFUND, "23000003", "账户余额不足", "F", Verdict.REFUSED, DeclineReason.BALANCE),
        (Work.REFUND, "90000000", "业务执行失败，可用余额不足", "F", Verdict.REFUSED, DeclineReason.BALANCE),
        (Work.REFUND, "23000003", "申请退款金额大于可退余额", "F", Verdict.REFUSED, DeclineReason.LIMIT),
        (Work.REFUND, "10000000", "", None, Verdict.REFUSED, DeclineReason.MISCONFIGURED),
        (Work.QUERY, "23000001", "交易不存在", None, Verdict.ABSENT, None),
        (Work.QUERY, "10000000", "", None, Verdict.UNDECIDED, None),
        (Work.QUERY, "90000000", "", "F", Verdict.UNDECIDED, None),
    ],
)
def test_only_a_listed_word_is_a_definite_one(work, code, *, message, word, verdict, reason):
    seen, why = judge(work, code, message, stand(word), frozenset({"23000001"}))

    assert seen is verdict
    assert reason is None or why is reason


@pytest.mark.parametrize(
    ("word", "state"), [("P", Stand.OPEN), ("I", Stand.OPEN), ("S", Stand.DONE), (None, None), ("", None)]
)
def test_the_words_of_trans_stat(word, state):
    assert stand(word) is state


@pytest.mark.parametrize("word", ["s", "SUCCESS", 1, True])
def test_another_word_of_trans_stat_is_no_answer(word):
    with pytest.raises(ReplyError):
        stand(word)


def test_a_transcript_is_kept_without_codes_keys_and_persons(stall):
    resp_data = json.dumps(
        {"dc_response": {"debtorWalletId": "0061234", "openid": "o1"}, "trans_amt": "18.00"}
    )
    transcript = b"\n".join(
        [
            b'{"data":{"auth_code":"0112345678901234567","risk_check_data":"{\\"ip_addr\\":\\"10.1.2.3\\"}"},"sign":"abc+/="}',
            b"scanned 0112345678901234567 at the counter",
            resp_data.encode(),
            b"resp_data=%7B%22openid%22%3A%22o1secret%22%7D&sign=c2lnbg%3D%3D",
            stall.merchant["private_key"].encode(),
        ]
    )

    kept = stall.provider.scrub(transcript)

    for secret in (
        b"0112345678901234567",
        b"10.1.2.3",
        b"abc+",
        b"0061234",
        b'"o1"',
        b"o1secret",
        b"c2lnbg",
        b"BEGIN",
    ):
        assert secret not in kept
    assert b"18.00" in kept
    assert b"auth_code" in kept
