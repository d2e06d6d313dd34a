"""Public-key mode, certificate mode, both at once, and a rotation without a restart."""

from datetime import timedelta

import pytest

from providers.sdk.errors import ProviderError
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Created, NotSent, Paid, Rejected, Unknown, Verified
from providers.sdk.transport import Headers, HttpRequest
from providers.sdk.wallets import Wallet

PRICE = Money.cny("18.00")
PUBLIC_ONLY = {"platform_certificates": ""}
CERTIFICATES_ONLY = {"public_key": "", "public_key_id": ""}


@pytest.mark.fault("P2")
@pytest.mark.parametrize(
    "mode", [{}, PUBLIC_ONLY, CERTIFICATES_ONLY], ids=["both", "public key", "certificates"]
)
async def test_an_order_lives_its_life_in_every_key_mode(stall_with, mode) -> None:
    stall = stall_with(**mode)
    intent = stall.intent(PRICE)

    created = await stall.provider.create(intent, stall.call)
    stall.pay(created.code, Wallet.WECHAT)

    [told] = stall.read_post()
    assert isinstance(told, Verified)
    assert (await stall.provider.query(stall.ref(intent), stall.call)).state is Paid.PAID
    serials = {reply.headers.get("Wechatpay-Serial") for reply in stall.transport.replies}
    [certificate] = stall.gateway._institution.certificates
    wanted = certificate.serial_no if mode == CERTIFICATES_ONLY else stall.merchant["public_key_id"]
    assert serials == {wanted}


@pytest.mark.fault("A23", "P2")
async def test_while_switching_over_notifications_of_both_kinds_are_believed(stall) -> None:
    institution = stall.gateway._institution
    body = institution._event("EV-1", "SECURITY_ECHO.SUCCESS", {}, stall.merchant["apiv3_key"])
    for signer in (stall.merchant["public_key_id"], institution.certificates[0].serial_no):
        request = HttpRequest("POST", "/", Headers.of(institution._seal(body, signer)), body)
        assert isinstance(stall.provider.read_notification(request, stall.clock.now()), Verified)


@pytest.mark.fault("A13", "A22")
async def test_a_key_that_is_not_pinned_is_refused_and_nobody_is_asked_for_it(stall_with) -> None:
    stall = stall_with(**PUBLIC_ONLY)
    institution = stall.gateway._institution
    body = institution._event("EV-1", "SECURITY_ECHO.SUCCESS", {}, stall.merchant["apiv3_key"])
    headers = Headers.of(institution._seal(body, institution.certificates[0].serial_no))
    verdict = stall.provider.read_notification(HttpRequest("POST", "/", headers, body), stall.clock.now())

    assert isinstance(verdict, Rejected)
    assert stall.transport.requests == []


async def test_the_first_download_vouches_for_itself_by_the_apiv3_key(stall_with) -> None:
    stall = stall_with(**CERTIFICATES_ONLY, platform_certificates="")
    intent = stall.intent(PRICE)
    before = await stall.provider.create(intent, stall.call)

    await stall.provider.refresh(stall.call)

    assert isinstance(before, NotSent)
    assert len(stall.transport.requests) == 1
    assert isinstance(await stall.provider.create(intent, stall.call), Created)


@pytest.mark.fault("A23")
async def test_a_rotation_needs_no_restart_and_keeps_the_old_certificate(stall_with) -> None:
    stall = stall_with(**CERTIFICATES_ONLY, platform_certificates="")
    await stall.provider.refresh(stall.call)
    intent = stall.intent(PRICE)
    created = await stall.provider.create(intent, stall.call)
    stall.pay(created.code, Wallet.WECHAT)
    [old] = stall.courier.take()

    stall.gateway.rotate_certificate()
    between = await stall.provider.query(stall.ref(intent), stall.call)
    await stall.provider.refresh(stall.call)
    after = await stall.provider.query(stall.ref(intent), stall.call)

    assert isinstance(between, Unknown)
    assert after.state is Paid.PAID
    assert isinstance(stall.read(old), Verified)
    assert stall.keys.values["platform_certificates.pem"].count(b"BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault.TIMEOUT_BEFORE,
        Fault.HTTP_500_AFTER,
        Fault.GARBAGE,
        Fault.TRUNCATED,
        Fault.BAD_SIGNATURE,
        Fault.NO_SIGNATURE,
        Fault.UNKNOWN_KEY,
        Fault.STALE_CLOCK,
        Fault.PROBE,
    ],
)
async def test_a_download_that_fails_changes_no_key(stall_with, fault) -> None:
    stall = stall_with(**CERTIFICATES_ONLY, platform_certificates="")
    await stall.provider.refresh(stall.call)
    kept = dict(stall.keys.values)
    stall.gateway.rotate_certificate()
    stall.faults.arm(fault)

    with pytest.raises(ProviderError):
        await stall.provider.refresh(stall.call)

    assert stall.keys.values == kept


async def test_a_download_sealed_with_another_apiv3_key_is_refused(stall_with) -> None:
    stall = stall_with(**CERTIFICATES_ONLY, platform_certificates="", apiv3_key="x" * 32)

    with pytest.raises(ProviderError):
        await stall.provider.refresh(stall.call)

    assert stall.keys.values == {}


async def test_an_expired_certificate_signs_nothing(stall_with) -> None:
    stall = stall_with(**CERTIFICATES_ONLY)
    stall.clock.advance(timedelta(days=5 * 365 + 1).total_seconds())

    assert isinstance(await stall.provider.create(stall.intent(PRICE), stall.call), NotSent)


async def test_a_merchant_without_certificates_refreshes_in_peace(stall_with) -> None:
    stall = stall_with(**PUBLIC_ONLY)
    institution = stall.gateway._institution

    class PublicKeyOnly:
        async def send(self, request):
            document = {"code": "NOT_FOUND", "message": "微信支付公钥模式"}
            return institution.reply(404, document, stall.merchant["public_key_id"])

    await stall.provider.refresh(type(stall.call)(PublicKeyOnly(), stall.clock, stall.random))

    assert stall.keys.values == {}
