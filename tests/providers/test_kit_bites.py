"""The kit bites: every fault, planted in a correct provider, is caught by the checks that should notice it."""

import importlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from providers.sdk.errors import ProviderError
from providers.sdk.results import Declined, DeclineReason, Paid, Snapshot, Unknown
from providers.sdk.testing.kit import CHECKS, Verdict, attempt
from providers.wechatpay import plugin, signing
from providers.wechatpay import provider as wechat
from tests.providers.spoilt import answers, institutions, manners, notices
from tests.providers.spoilt.planting import FAULTS
from tests.providers.spoilt.planting import plugin as plainpay

BY_NAME = {check.name: check for check in CHECKS}
PLANTED = (notices, answers, manners, institutions)  # imported, and thereby planted in FAULTS
PLAINPAY = Path(__file__).parents[1] / "plugins" / "plainpay" / "plainpay"


def run(name, subject):
    return attempt(BY_NAME[name], subject)


@pytest.mark.fault("K13", "K14")
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_plainpay_is_caught(name):
    spoilt, caught_by = FAULTS[name]

    for check in caught_by:
        assert run(check, plainpay).verdict is Verdict.HELD, check
        outcome = run(check, spoilt)
        assert outcome.verdict is Verdict.BROKEN, f"{check} did not notice {name}"
        assert outcome.said


# --- the same in a real provider ---


def nothing_checked(self, *_args):
    """A verifier that believes everybody."""


def any_time(headers, now):
    """A clock that nobody looks at."""


async def lines_or_none(self, day, call, *, read=wechat.WeChatPay.statement):
    try:
        async for line in read(self, day, call):
            yield line
    except ProviderError:
        return


async def failed_when_unknown(self, intent, call, *, create=wechat.WeChatPay.create):
    answer = await create(self, intent, call)
    return Declined(DeclineReason.PAYER, "", "Failed.") if isinstance(answer, Unknown) else answer


async def paid_when_asked(self, intent, call, *, create=wechat.WeChatPay.create):
    answer = await create(self, intent, call)
    waiting = isinstance(answer, Snapshot) and answer.state is Paid.PAYING
    return replace(answer, state=Paid.FAILED) if waiting else answer


async def closed_at_once(self, ref, call):
    return wechat.Closed()


WECHAT = {
    "believes_a_stranger": (signing.KeyRing, "check", nothing_checked, "query_spoilt_by_its_gateway_is_unknown"),
    "believes_any_key": (
        signing.KeyRing, "check", nothing_checked, "a_notification_with_unknown_key_is_rejected",
    ),
    "believes_old_news": (signing.KeyRing, "check", nothing_checked, "a_notification_with_stale_clock_is_rejected"),
    "does_not_know_the_probe": (signing, "is_probe", lambda headers: False, "a_notification_with_probe_is_rejected"),
    "takes_any_merchants_refund": (
        wechat.WeChatPay, "_check_ours", nothing_checked, "another_merchants_refund_is_not_ours",
    ),
    "scrubs_nothing": (
        wechat.WeChatPay, "scrub", lambda self, transcript: transcript, "a_scrubbed_transcript_holds_no_secret",
    ),
    "takes_a_lost_statement_for_an_empty_day": (
        wechat.WeChatPay, "statement", lines_or_none, "a_statement_that_cannot_be_read_is_an_error",
    ),
    "takes_a_lost_charge_for_failed": (wechat.WeChatPay, "create", failed_when_unknown, "a_lost_charge_is_found"),
    "takes_a_password_for_a_failure": (
        wechat.WeChatPay, "create", paid_when_asked, "a_payer_at_the_password_is_waited_for",
    ),
    "closes_without_asking": (wechat.WeChatPay, "close", closed_at_once, "what_is_paid_cannot_be_closed"),
}  # fmt: skip


@pytest.mark.xdist_group("kit-wechatpay")
@pytest.mark.parametrize("name", WECHAT)
def test_a_fault_in_wechat_pay_is_caught(monkeypatch, name):
    owner, attribute, spoilt, check = WECHAT[name]
    assert run(check, plugin).verdict is Verdict.HELD

    monkeypatch.setattr(owner, attribute, spoilt)

    assert run(check, plugin).verdict is Verdict.BROKEN, f"{check} did not notice that it {name}"


# --- what is read and not run ---

SOURCE = {
    "compares_with_equals": (
        "signing.py", "if not hmac.compare_digest(given, sign(key, target, body).encode()):",
        "if given != sign(key, target, body).encode():", "signatures_are_compared_in_constant_time",
    ),
    "reckons_in_floats": (
        "wire.py", 'wire_minor(fields["amount"], "CNY")', 'wire_minor(int(float(str(fields["amount"]))), "CNY")',
        "no_float_is_in_the_source",
    ),
    "reads_its_own_clock": (
        "provider.py", 'wire.moment(fields["sent_at"])', "datetime.now(now.tzinfo)",
        "the_source_asks_the_machine_for_nothing",
    ),
    "brings_its_own_network": (
        "wire.py", "import json\n", "import json\nimport urllib.request\n",
        "the_source_asks_the_machine_for_nothing",
    ),
    "knows_the_host": (
        "gateway.py", "from providers.sdk.errors", "from bot import errors as _\nfrom providers.sdk.errors",
        "the_source_imports_only_the_sdk",
    ),
    "leaves_out_a_rule": ("quality.toml", 'scrub = "done"\n', "", "quality_is_written"),
    "exempts_without_a_reason": ("quality.toml", 'close = "done"', 'close = { exempt = "" }', "quality_is_written"),
    "claims_what_it_has_not": ("quality.toml", 'statement = { exempt = "PlainPay has none." }', 'statement = "done"',
                               "quality_agrees_with_info"),
    "claims_vectors_without_a_test": ("quality.toml", 'vectors = { exempt = "PlainPay publishes none." }',
                                      'vectors = "done"', "vectors_are_proven_by_tests"),
    "shows_its_key_in_the_settings": ("provider.py", "key: SecretStr", "key: str", "settings_explain_themselves"),
    "leaves_a_setting_unexplained": ("provider.py", 'description="PlainPay\'s API."', 'description=""',
                                     "settings_explain_themselves"),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCE)
def test_a_fault_in_the_source_is_caught(tmp_path, monkeypatch, name):
    file, right, wrong, check = SOURCE[name]
    assert run(check, plainpay).verdict in {Verdict.HELD, Verdict.NOT_ASKED}

    monkeypatch.syspath_prepend(tmp_path)
    copy = copied(tmp_path / f"plainpay_{name}", file, right, wrong)

    assert run(check, copy).verdict is Verdict.BROKEN, f"{check} did not notice that it {name}"


def copied(home, file, right, wrong):
    """PlainPay under another name, with one line changed."""
    shutil.copytree(PLAINPAY, home, ignore=shutil.ignore_patterns("__pycache__"))
    for path in home.glob("*.py"):
        path.write_text(path.read_text().replace("from plainpay", f"from {home.name}"))
    text = (home / file).read_text()
    assert right in text, f"{file} of PlainPay changed: the fault cannot be planted"
    text = text.replace(right, wrong)
    (home / file).write_text(text.replace(".key.get_secret_value()", ".key") if ": str" in wrong else text)
    return importlib.import_module(home.name).plugin


def test_the_seeded_faults_are_many():
    assert len(FAULTS) >= 10 * len(PLANTED)
    assert len(FAULTS) + len(WECHAT) + len(SOURCE) >= 60
