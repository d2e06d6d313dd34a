"""The checks of the conformance kit, part by part, and what they stand on. None of it needs pytest."""

from importlib import import_module
from typing import Final

from providers.sdk.testing.kit.bench import Bench, Broken, NotAsked
from providers.sdk.testing.kit.check import Check, Outcome, Part, Verdict, attempt, entered
from providers.sdk.testing.kit.quality import RULES, Claim, Quality, read_quality

PARTS: Final = (
    "claims", "verbs", "opening", "payouts", "looking", "trust", "posts", "refunds", "statements", "running",
    "canaries", "sources", "amounts", "institution",
)  # fmt: skip
for part in PARTS:
    import_module(f"{__name__}.{part}")  # a check enters itself when its module is read
CHECKS: Final = entered()

__all__ = [
    "CHECKS",
    "PARTS",
    "RULES",
    "Bench",
    "Broken",
    "Check",
    "Claim",
    "NotAsked",
    "Outcome",
    "Part",
    "Quality",
    "Verdict",
    "attempt",
    "entered",
    "read_quality",
]
