"""Part 1: what a provider says about itself is whole, and true to its behaviour."""

import re
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from providers.sdk.contract import Way
from providers.sdk.money import EXPONENTS, MINOR_MAX
from providers.sdk.results import Created, Declined
from providers.sdk.testing.kit.bench import Bench, NotAsked, hold
from providers.sdk.testing.kit.check import Part, check
from providers.sdk.testing.kit.quality import RULES

_ID: Final = re.compile(r"[a-z][a-z0-9]{1,31}", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9][a-z0-9.-]*[a-z0-9]", re.ASCII)
_SECRET_NAME: Final = re.compile(r"(^|_)(private|secret|password|key|token|pin)($|_)")
_NO_SECRET: Final = re.compile(r"public|serial|_id$|_url$|cert")


@check(Part.CLAIMS)
async def info_is_whole(bench: Bench) -> None:
    """`info` has an id, names, wallets, ways, known currencies, limits in order, and hosts without a scheme."""
    info = bench.info
    hold(_ID.fullmatch(info.id), f"info.id {info.id!r} must be small letters and digits, a letter first")
    hold(info.name_en.strip() and info.name_zh.strip(), "info needs a name in English and one in Chinese")
    hold(info.wallets and info.ways, "info names no wallet or no way")
    hold(info.currencies and info.currencies <= set(EXPONENTS), f"unknown currency in {info.currencies}")
    hold(1 <= info.min_minor <= info.max_minor <= MINOR_MAX, "info's amounts are not 1 <= min <= max")
    hold(0 < info.expires_after_min_s <= info.expires_after_max_s, "info's expiry range is empty")
    hold(0 < info.acknowledge_within_s <= 60, "acknowledge_within_s must be between 1 and 60")  # noqa: PLR2004  # a minute
    bad = [host for host in info.hosts if not _HOST.fullmatch(host)]
    hold(info.hosts and not bad, f"info.hosts must be bare host names: {bad or 'there is none'}")


@check(Part.CLAIMS)
async def settings_explain_themselves(bench: Bench) -> None:
    """Every setting has a description, one names the merchant, and what is secret is a `SecretStr`."""
    fields = bench.plugin.settings.model_fields
    bare = [name for name, field in fields.items() if not (field.description or "").strip()]
    hold(not bare, f"settings without a description: {', '.join(bare)}")
    hold(bench.stall.settings.merchant, "merchant_field names no setting with the merchant's number")
    shown = [
        name
        for name in fields
        if _SECRET_NAME.search(name)
        and not _NO_SECRET.search(name)
        and not isinstance(getattr(bench.stall.settings, name), SecretStr)
    ]
    hold(not shown, f"settings that hold a secret must be SecretStr: {', '.join(shown)}")


@check(Part.CLAIMS)
async def addresses_are_on_pinned_hosts(bench: Bench) -> None:
    """An address that stands in a setting by default is HTTPS and on a host of `info.hosts`."""
    for name, field in bench.plugin.settings.model_fields.items():
        address = urlsplit(field.default) if isinstance(field.default, str) else urlsplit("")
        if address.scheme in {"http", "https"}:
            pinned = address.scheme == "https" and address.hostname in bench.info.hosts
            hold(pinned, f"the default of {name} is not https on one of info.hosts")


@check(Part.CLAIMS)
async def quality_is_written(bench: Bench) -> None:
    """`quality.toml` says `done`, `todo` or `exempt` to every rule, and the last two with a reason."""
    quality = bench.quality
    hold(not quality.faulty, f"lines of quality.toml that claim nothing: {', '.join(quality.faulty)}")
    missing = [rule for rule in RULES if rule not in quality.claims]
    hold(not missing, f"quality.toml is silent about: {', '.join(missing)}")
    strange = sorted(set(quality.claims) - set(RULES))
    hold(not strange, f"quality.toml has rules that nobody knows: {', '.join(strange)}")
    empty = [name for name, reason in quality.unsure.items() if not reason.strip()]
    hold(not empty, f"[unsure] without a reason: {', '.join(empty)}")


@check(Part.CLAIMS)
async def quality_agrees_with_info(bench: Bench) -> None:
    """What `info` offers is `done` in `quality.toml`, and what is not offered is not."""
    info, quality = bench.info, bench.quality
    offered = {
        "payer_code": Way.PAYER_CODE in info.ways,
        "payout": info.can_payout,
        "statement": info.has_statement,
        "refund": info.refund_window is not None,
    }
    for rule, is_offered in offered.items():
        said = "offers" if is_offered else "does not offer"
        hold(
            quality.of(rule).is_done == is_offered,
            f"info {said} {rule}, quality.toml says {quality.of(rule).state}",
        )
    hold(Way.IN_APP not in info.ways or quality.of("in_app").is_done, "info offers in_app, which is not done")
    hold(not info.can_close or quality.of("close").is_done, "info.can_close, and close is not done")


@check(Part.CLAIMS)
async def codes_begin_as_declared(bench: Bench) -> None:
    """A code begins with one of `info.code_prefixes`: what does not is shown to nobody."""
    if Way.MERCHANT_CODE not in bench.info.ways:
        raise NotAsked("merchant_code: not offered")
    opened = await bench.open(way=Way.MERCHANT_CODE)
    code = opened.first.code if isinstance(opened.first, Created) else None
    hold(code, "a merchant code has no text")
    prefixes = bench.info.code_prefixes
    hold(not prefixes or str(code).startswith(prefixes), f"the code begins with none of {prefixes}")


@check(Part.CLAIMS)
async def a_way_not_offered_is_declined(bench: Bench) -> None:
    """Asked for a way that `info.ways` has not, `create` declines and sends nothing."""
    in_app = bench.quality.of("in_app").is_done
    ways = [way for way in Way if way not in bench.info.ways and not (way is Way.IN_APP and in_app)]
    for way in ways:
        digits = "130000000000000000" if way is Way.PAYER_CODE else None
        answer = await bench.stall.provider.create(bench.intent(way=way, payer_code=digits), bench.stall.call)
        hold(isinstance(answer, Declined), f"create by {way}, which is not offered, answered {answer}")
    hold(not bench.stall.transport.requests, "create by a way that is not offered sent something")


@check(Part.CLAIMS)
async def a_verb_not_offered_is_declined(bench: Bench) -> None:
    """Without `can_payout`, a payout is declined and nothing is sent."""
    if bench.info.can_payout:
        raise NotAsked("payout: offered")
    answer = await bench.stall.provider.payout(bench.payout(), bench.stall.call)
    hold(isinstance(answer, Declined), f"payout, which is not offered, answered {answer}")
    hold(not bench.stall.transport.requests, "a payout that is not offered sent something")
