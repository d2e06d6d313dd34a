"""The checks of the conformance kit, part by part, and what they stand on. None of it needs pytest."""

from providers.sdk.testing.kit import (
    amounts,
    canaries,
    claims,
    institution,
    looking,
    opening,
    payouts,
    posts,
    refunds,
    running,
    sources,
    statements,
    trust,
    verbs,
)
from providers.sdk.testing.kit.bench import Bench, Broken, NotAsked
from providers.sdk.testing.kit.check import Check, Outcome, Part, Verdict, attempt, entered
from providers.sdk.testing.kit.quality import RULES, Claim, Quality, read_quality

PARTS = (
    claims, verbs, opening, payouts, looking, trust, posts, refunds, statements, running, canaries, sources,
    amounts, institution,
)  # fmt: skip
CHECKS = entered()

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
