import pytest

from bot.sandbox.wallet_app import USER_AGENTS
from bot.web.visitors import VISITORS, opens_directly, wallet_of
from providers.sdk.wallets import Wallet

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "wallet"),
    [
        (
            f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/zh_CN",
            Wallet.WECHAT,
        ),
        (f"{IPHONE} AliApp(AP/10.5.96) AlipayClient/10.5.96 Language/zh-Hans", Wallet.ALIPAY),
        (f"{IPHONE} UnionPay/1.0 CloudPay", Wallet.QUICKPASS),
        (f"{IPHONE} UnionPay/1.0 BoComMDB", Wallet.BANK),
        (f"{IPHONE} Bestpay/10.1", Wallet.BESTPAY),
        (f"{IPHONE} Hebao/9.15.42/com.cmpay.CMPayClient", Wallet.CMPAY),
        ("MoongateWallet/1 ecny", Wallet.ECNY),
        ("MoongateWallet/1 gold", None),
        (f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1", None),
        ("", None),
        ("x" * 100_000 + "MicroMessenger/8", None),
    ],
)
def test_a_wallet_is_known_by_its_user_agent(agent, wallet):
    assert wallet_of(agent) is wallet


@pytest.mark.parametrize("row", VISITORS, ids=lambda row: row.wallet)
def test_every_row_knows_its_own_example_and_names_its_source(row):
    assert wallet_of(f"{IPHONE} {row.example}") is row.wallet
    assert row.source


@pytest.mark.parametrize("wallet", USER_AGENTS)
def test_every_wallet_of_the_sandbox_is_known(wallet):
    assert wallet_of(USER_AGENTS[wallet]) is wallet


def test_alipay_s_app_of_hong_kong_is_another_wallet():
    assert wallet_of(f"{IPHONE} AliApp(AP/3.1.0) AlipayClientHK/3.1.0") is None


@pytest.mark.parametrize(
    ("wallet", "code", "direct"),
    [
        (Wallet.ALIPAY, "https://qr.alipay.com/bax1", True),
        (Wallet.ALIPAY, "https://qr.alipay.com@evil.example/", False),
        (Wallet.ALIPAY, "https://qr.alipay.com.evil.example/", False),
        (Wallet.ALIPAY, "https://qr.95516.com/1", False),
        (Wallet.QUICKPASS, "https://qr.95516.com/1", True),
        (Wallet.WECHAT, "weixin://wxpay/bizpayurl?pr=1", False),
    ],
)
def test_a_wallet_goes_only_to_its_own_institution_s_address(wallet, code, direct):
    assert opens_directly(wallet, code) is direct
