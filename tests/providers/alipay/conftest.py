import functools

import pytest

from providers.alipay import signing
from tests.providers.alipay.counter import PUBLIC_KEY_MODE, Counter

# Checking the primes of a key takes longer than a whole payment; the same text is checked once.
read_once = functools.cache(signing.load_pem_private_key)


@pytest.fixture(autouse=True)
def keys_are_read_once(monkeypatch):
    monkeypatch.setattr(signing, "load_pem_private_key", read_once)


@pytest.fixture
def stall() -> Counter:
    return Counter()


@pytest.fixture(params=["certificates", "public key"])
def either(request) -> Counter:
    return Counter(**({} if request.param == "certificates" else PUBLIC_KEY_MODE))
