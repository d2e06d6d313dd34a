import json
import re
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.orders.answers import Refused, Why
from bot.orders.order import OrderState
from bot.runtime.scanner import read_code
from providers.sdk.codes import OneCode, recognise
from providers.sdk.contract import Way
from providers.sdk.wallets import Wallet

PATH = "/p/tokenTOKENtoken0123456"
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
WECHAT = f"{PHONE} MicroMessenger/8.0.49"
ALIPAY = f"{PHONE} AlipayClient/10.5.96.8000"
QUICKPASS = f"{PHONE} UnionPay/1.0 CloudPay"
BANK = f"{PHONE} UnionPay/1.0 CCBLoongPay"
TELEGRAM_PREVIEW = "TelegramBot (like TwitterBot)"


async def test_a_wallet_that_understands_its_code_is_led_straight_to_it(browser):
    assert (await browser.get(PATH, ALIPAY)).headers["Location"] == "https://qr.alipay.com/bax0001"
    for agent in (QUICKPASS, BANK):
        answer = await browser.get(PATH, agent)

        assert answer.status == 303
        assert answer.headers["Location"] == "https://qr.95516.com/00010000/6200001"


async def test_each_wallet_is_opened_under_its_own_name(browser, till):
    for agent in (WECHAT, ALIPAY, QUICKPASS, BANK, f"{PHONE} Hebao/9.15.42/com.cmpay.CMPayClient"):
        await browser.get(PATH, agent)

    assert [wallet for _, wallet in till.opened] == [
        Wallet.WECHAT,
        Wallet.ALIPAY,
        Wallet.QUICKPASS,
        Wallet.BANK,
        Wallet.CMPAY,
    ]


async def test_wechat_is_shown_its_code_to_press_and_hold_in_chinese(browser):
    answer = await browser.get(PATH, WECHAT)

    assert answer.status == 200
    assert answer.code == "weixin://wxpay/bizpayurl?pr=abc123"
    assert "长按图片付款" in answer.text
    assert 'src="data:image/png;base64,' in answer.text


async def test_a_wallet_that_is_led_to_another_network_s_code_scans_it_and_is_not_sent_into_the_other_app(
    browser, till
):
    till.codes = {**till.codes, Wallet.QUICKPASS: "https://qr.alipay.com/bax0001"}

    answer = await browser.get(PATH, QUICKPASS)

    assert answer.status == 200
    assert answer.code == "https://qr.alipay.com/bax0001"
    assert 'href="https://qr.alipay.com' not in answer.text


async def test_a_sandbox_wallet_names_itself(browser, till):
    await browser.get(PATH, "MoongateWallet/1 cmpay")

    assert till.opened == [("o1", Wallet.CMPAY)]


async def test_everybody_else_chooses_and_nothing_is_opened_by_looking(browser, till):
    answer = await browser.get(PATH, PHONE)

    assert re.findall(r'name="wallet" value="(\w+)"', answer.text) == [
        "wechat",
        "alipay",
        "quickpass",
        "bank",
        "cmpay",
    ]
    assert answer.code is None
    assert "Choose how to pay" in answer.text
    assert till.opened == []


@pytest.mark.fault("L8")
@pytest.mark.parametrize(
    ("agent", "headers"),
    [
        (TELEGRAM_PREVIEW, {}),
        ("WhatsApp/2.23.20 MicroMessenger/8.0", {}),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0) AlipayClient/1", {}),
        (ALIPAY, {"Sec-Purpose": "prefetch;prerender"}),
    ],
)
async def test_a_previewer_opens_nothing_even_under_a_wallet_s_name(browser, till, agent, headers):
    answer = await browser.get(PATH, agent, headers=headers)

    assert answer.status == 200
    assert till.opened == []


async def test_naming_a_wallet_in_the_address_opens_nothing(browser, till):
    answer = await browser.get(f"{PATH}?wallet=alipay", PHONE)

    assert till.opened == []
    assert answer.code is None


async def test_a_tap_on_a_wallet_opens_it_and_shows_its_code(browser, till):
    tapped = await browser.post(PATH, PHONE, data={"wallet": "alipay"})
    assert (tapped.status, tapped.headers["Location"]) == (303, "?wallet=alipay")

    page = await browser.get(PATH + tapped.headers["Location"], PHONE)

    assert page.code == "https://qr.alipay.com/bax0001"
    assert 'href="https://qr.alipay.com/bax0001"' in page.text
    assert "Scan with Alipay" in page.text
    assert 'value="alipay"' not in page.text
    assert till.opened == [("o1", Wallet.ALIPAY)]


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (Why.NO_OFFER, "cannot pay this order"),
        (Why.DECLINED, "does not work at present"),
        (Why.OUT_OF_ORDER, "does not work at present"),
        (Why.CHECKING, "do not pay again"),
    ],
)
async def test_a_refusal_says_why_and_offers_the_others(browser, till, why, said):
    till.answer = Refused(why, detail="secret words of the institution")

    answer = await browser.post(PATH, PHONE, data={"wallet": "wechat"})

    assert said in answer.text
    assert "secret words" not in answer.text
    assert 'value="alipay"' in answer.text


@pytest.mark.parametrize(
    ("state", "name", "said"),
    [
        (OrderState.PAID, "paid", "Paid."),
        (OrderState.PAID_LATE, "paid", "Paid."),
        (OrderState.PARTLY_REFUNDED, "paid", "Paid."),
        (OrderState.REFUNDED, "refunded", "refunded"),
        (OrderState.EXPIRED, "expired", "has expired"),
        (OrderState.CANCELLED, "cancelled", "was cancelled"),
        (OrderState.FAILED, "failed", "could not be paid"),
        (OrderState.NEEDS_REVIEW, "checking", "do not pay again"),
    ],
)
async def test_an_order_that_cannot_be_paid_shows_its_state_and_no_way_to_pay(
    browser, till, state, name, said
):
    await browser.post(PATH, PHONE, data={"wallet": "alipay"})
    till.order = replace(till.order, state=state)
    till.opened.clear()

    for agent in (PHONE, ALIPAY):
        answer = await browser.get(f"{PATH}?wallet=alipay", agent, headers={"Accept-Language": "en"})

        assert f'data-state="{name}"' in answer.text
        assert said in answer.text
        assert answer.code is None
        assert 'name="wallet"' not in answer.text
    assert till.opened == []


async def test_past_its_time_an_order_is_checked_before_it_is_called_expired(browser, till):
    till.order = replace(till.order, expires_at=till.order.created_at - timedelta(seconds=1))

    answer = await browser.get(PATH, ALIPAY)

    assert 'data-state="checking"' in answer.text
    assert till.opened == []


async def test_the_state_is_tiny_and_holds_nothing_else(browser):
    answer = await browser.get(f"{PATH}/state")

    assert json.loads(answer.body) == {"state": "open", "left_s": 900}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_page_moves_without_scripts_until_it_is_final(browser, till):
    moving = await browser.get(PATH, PHONE)
    till.order = replace(till.order, state=OrderState.PAID)
    final = await browser.get(PATH, PHONE)

    assert '<noscript><meta http-equiv="refresh"' in moving.text
    assert "http-equiv" not in final.text


async def test_nothing_comes_from_elsewhere_and_nothing_runs_that_is_not_ours(browser):
    answer = await browser.get(PATH, PHONE)
    policy = answer.headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Frame-Options"] == "DENY"


async def test_the_policy_names_the_very_scripts_and_styles_of_the_page(browser):
    from bot.web.paper import hash_source

    answer = await browser.get(PATH, PHONE)

    for tag in ("script", "style"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)[1]
        assert f"{tag}-src {hash_source(text)}" in answer.headers["Content-Security-Policy"]


@pytest.mark.fault("M1")
async def test_a_title_is_text_and_never_markup(browser):
    answer = await browser.get(PATH, PHONE)

    assert "Latte &lt;b&gt;&amp;" in answer.text
    assert "<b>" not in answer.text


async def test_nobody_is_named_on_the_page(browser):
    answer = await browser.get(PATH, PHONE)

    assert "778899" not in answer.text
    assert "665544" not in answer.text


async def test_the_page_speaks_the_visitor_s_language(browser):
    chinese = await browser.get(PATH, PHONE, headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    english = await browser.get(PATH, PHONE, headers={"Accept-Language": "fr"})

    assert "选择付款方式" in chinese.text
    assert '<html lang="zh">' in chinese.text
    assert "微信支付" in chinese.text
    assert "Choose how to pay" in english.text


@pytest.mark.fault("M9")
@pytest.mark.parametrize(
    "path", ["/p/short", "/p/anotherTOKENtoken01234", "/p/..%2f..%2fetc%2fpasswd", "/p/" + "x" * 65]
)
async def test_a_wrong_link_is_answered_the_same_whatever_is_wrong(browser, till, path):
    english = {"Accept-Language": "en"}
    answers = [
        await browser.get(path, ALIPAY, headers=english),
        await browser.post(path, data={"wallet": "alipay"}, headers=english),
    ]

    assert {answer.status for answer in answers} == {404}
    assert all("This link leads to no order" in answer.text for answer in answers)
    assert (await browser.get(f"{path}/state")).status == 404
    assert till.opened == []


@pytest.mark.fault("L8")
async def test_a_head_request_is_answered_and_opens_nothing(browser, till):
    async with browser.session.head(browser.base + PATH, headers={"User-Agent": ALIPAY}) as response:
        assert response.status == 200

    assert till.opened == []


async def test_an_unknown_wallet_in_a_form_is_just_the_page(browser, till):
    answer = await browser.post(PATH, PHONE, data={"wallet": "<script>"})

    assert answer.status == 200
    assert "Choose how to pay" in answer.text
    assert till.opened == []


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "state", [OrderState.PAID, OrderState.EXPIRED, OrderState.CANCELLED, OrderState.REFUNDED]
)
async def test_a_day_after_its_time_a_link_is_answered_as_one_that_never_was(browser, till, state):
    never = await browser.get("/p/anotherTOKENtoken01234", PHONE)
    started = till.order.created_at
    till.order = replace(till.order, state=state, expires_at=started - DAY + timedelta(seconds=1))
    still = await browser.get(PATH, PHONE)
    till.order = replace(till.order, expires_at=started - DAY)

    gone = await browser.get(PATH, PHONE)

    assert still.status == 200
    assert (gone.status, gone.text) == (never.status, never.text)
    assert set(gone.headers) == set(never.headers)
    assert (await browser.post(PATH, PHONE, data={"wallet": "alipay"})).status == 404
    assert (await browser.get(f"{PATH}/state")).status == 404
    assert till.opened == []


async def test_a_payment_that_is_still_looked_into_keeps_its_link(browser, till):
    till.order = replace(
        till.order, state=OrderState.NEEDS_REVIEW, expires_at=till.order.created_at - 9 * DAY
    )

    assert 'data-state="checking"' in (await browser.get(PATH, PHONE)).text


@pytest.mark.fault("M12", "N8")
async def test_no_change_of_the_link_reaches_an_order(browser, till):
    flipped = (PATH[:at] + ("y" if PATH[at] != "y" else "z") + PATH[at + 1 :] for at in range(3, len(PATH)))
    odd = ("/p/o1", "/p/", "/p/..", "/p/%00", f"{PATH}%00", f"{PATH}/..", f"/p//{PATH}", f"{PATH}/", f"{PATH}.json",
           PATH.upper(), f"{PATH}%20", f"/p/{'%2e%2e%2f' * 4}", f"{PATH}/state/x", "/p/*", "/p/%25")  # fmt: skip

    for path in (*flipped, *odd):
        answers = [await browser.get(path, ALIPAY), await browser.post(path, data={"wallet": "alipay"})]

        assert {answer.status for answer in answers} <= {404, 405}, path
        assert not any("Latte" in answer.text for answer in answers), path
    assert till.opened == []


@pytest.mark.parametrize(
    "query", ["?show=order", "?show=link&show=emvco", "?wallet=../x", "?lang=xx", "?lang=%0d%0aX:1"]
)
async def test_an_odd_query_is_just_the_page(browser, till, query):
    answer = await browser.get(PATH + query, PHONE)

    assert answer.status == 200
    assert "X" not in answer.headers
    assert till.opened == []


async def test_the_chosen_language_goes_along_with_every_step(browser):
    page = await browser.get(f"{PATH}?lang=zh", PHONE)
    tapped = await browser.post(f"{PATH}?lang=zh", PHONE, data={"wallet": "alipay"})

    assert '<html lang="zh">' in page.text
    assert 'action="?lang=zh"' in page.text
    assert tapped.headers["Location"] == "?lang=zh&wallet=alipay"


async def test_wallets_that_cannot_pay_are_named_and_the_messenger_s_own_is_not(browser):
    text = (await browser.get(PATH, PHONE)).text

    assert "Cannot pay this order at the moment: e-CNY" in text
    assert "Stars" not in text
    assert "UnionPay rests" not in text


@pytest.mark.parametrize(("sight", "starts"), [("link", "https://pay.example.org/p/"), ("emvco", "000201")])
async def test_the_one_code_is_shown_for_another_phone(browser, till, sight, starts):
    text = (await browser.get(f"{PATH}?show={sight}", PHONE)).text
    picture = b64decode(re.search(r'src="data:image/png;base64,([^"]+)"', text)[1])

    shown = read_code(picture)

    assert shown.startswith(starts)
    assert recognise(shown, base_url="https://pay.example.org") == OneCode(till.order.link_token)
    assert till.opened == []


async def test_an_order_that_only_the_messenger_collects_leads_back_to_the_chat(browser, till):
    till.codes = {}

    assert "go back to the chat" in (await browser.get(PATH, PHONE)).text


async def test_an_order_that_a_till_charges_has_no_page(browser, till):
    await browser.post(PATH, PHONE, data={"wallet": "alipay"})
    [attempt] = till.order.attempts
    till.order = replace(till.order, attempts=(replace(attempt, way=Way.PAYER_CODE, code=None),))
    till.opened.clear()

    for agent in (PHONE, ALIPAY):
        assert (await browser.get(PATH, agent)).status == 404
    assert till.opened == []
