"""China Unicom Wo Wallet (沃支付): the order page as a code or link, queries, and refunds where the contract says where.

What an operator needs: a merchant number and key (`UNICOMPAY_MER_NO`, `UNICOMPAY_SIGN_KEY`), and the interface papers of
the contract, as China Unicom publishes none. Compare them with the [unsure] lines of `quality.toml`; above all ask for
the address of refunds, for the word of a query that means "no such order", and whether the order page may be opened by
GET and more than once. Payer codes are not offered.
"""

from datetime import timedelta

from providers.sdk.codes.issuers import Issuer
from providers.sdk.contract import KeyStore, Provider, ProviderInfo, ProviderPlugin, Way
from providers.sdk.wallets import Wallet
from providers.unicompay.gateway import UnicompayGateway
from providers.unicompay.provider import Unicompay
from providers.unicompay.settings import UnicompaySettings


def build(settings: UnicompaySettings, keys: KeyStore) -> Provider:
    """Build the provider of one merchant account. The key is a setting: nothing is fetched or kept."""
    del keys
    return Unicompay(settings)


plugin = ProviderPlugin(
    info=ProviderInfo(
        id="unicompay",
        name_en="China Unicom Wo Wallet",
        name_zh="中国联通沃支付",
        wallets=frozenset({Wallet.UNICOMPAY}),
        ways=frozenset({Way.MERCHANT_CODE, Way.LINK}),
        currencies=frozenset({"CNY"}),
        min_minor=1,
        max_minor=10**10,  # not published: wallet and contract set the real limits
        expires_after_min_s=60,
        expires_after_max_s=24 * 3600,
        refund_window=timedelta(days=365),  # not published
        can_close=False,
        hosts=("epay.10010.com", "pay.unicompayment.com"),
        issuer=Issuer.UNICOMPAY,
    ),
    settings=UnicompaySettings,
    build=build,
    gateway=UnicompayGateway,
)
