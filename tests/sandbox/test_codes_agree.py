"""The codes our own side makes are codes that the tables of the real world know."""

import pytest

from bot.sandbox.purses import PAYER_CODES
from providers.sdk.codes import PayerCode, read_payer_code
from providers.sdk.wallets import Wallet

# Nothing is published about Wo Wallet's payer codes, so the sandbox made its own.
PUBLISHED = sorted(set(PAYER_CODES) - {Wallet.UNICOMPAY})


@pytest.mark.parametrize("wallet", PUBLISHED)
@pytest.mark.parametrize("digit", "079")
def test_the_payer_code_of_a_sandbox_wallet_is_taken_for_that_wallet_s(wallet: Wallet, digit: str) -> None:
    prefix, length = PAYER_CODES[wallet]

    code = read_payer_code(prefix.ljust(length, digit))

    assert isinstance(code, PayerCode)
    assert wallet in code.candidates
    assert code.ambiguous == (wallet is Wallet.CMPAY)
