"""What `moongate doctor` stands on: findings in words, and the ailments that every payment SDK's users ask about.

A provider may offer a `Doctor` in its plugin (`ProviderPlugin.doctor`), who knows its keys, what its merchant signs and
what its institution's refusals mean. One without is examined by `look_over`, which knows keys, certificates and texts.
"""

from providers.sdk.doctor.certificates import examine_certificate, serial_of
from providers.sdk.doctor.findings import Doctor, Finding, Weight, fine, note, wrong
from providers.sdk.doctor.keys import Pair, examine_private, examine_public, read_setting
from providers.sdk.doctor.overlook import look_over
from providers.sdk.doctor.texts import mix_up, signed_by, why_unverified

__all__ = [
    "Doctor",
    "Finding",
    "Pair",
    "Weight",
    "examine_certificate",
    "examine_private",
    "examine_public",
    "fine",
    "look_over",
    "mix_up",
    "note",
    "read_setting",
    "serial_of",
    "signed_by",
    "why_unverified",
    "wrong",
]
