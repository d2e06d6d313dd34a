import pytest

from tests.providers.alipay.counter import PUBLIC_KEY_MODE, Counter


@pytest.fixture
def stall() -> Counter:
    return Counter()


@pytest.fixture(params=["certificates", "public key"])
def either(request) -> Counter:
    return Counter(**({} if request.param == "certificates" else PUBLIC_KEY_MODE))
