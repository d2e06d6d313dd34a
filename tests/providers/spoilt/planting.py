"""Correct providers with one fault planted in each: what the conformance kit must catch.

A fault is a subclass of PlainPay or of its gateway with one method made wrong in the way people make it wrong.
"""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "plugins" / "plainpay"))
from plainpay import plugin, signing, wire
from plainpay.gateway import PlainGateway
from plainpay.provider import PlainPay

__all__ = ["FAULTS", "PlainGateway", "PlainPay", "fault", "plugin", "signing", "wire"]

FAULTS = {}


def fault(*caught_by, info=None):
    """Enter a spoilt provider or gateway, with the checks that must notice it."""

    def enter(spoilt):
        part = "gateway" if issubclass(spoilt, PlainGateway) else "build"
        made = spoilt if part == "gateway" else lambda settings, keys: spoilt(settings)
        mutant = replace(plugin, **{part: made}, info=replace(plugin.info, **(info or {})))
        FAULTS[spoilt.__name__] = (mutant, caught_by)
        return spoilt

    return enter
