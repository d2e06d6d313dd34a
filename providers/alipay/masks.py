"""What may not stand in a stored transcript, and how it is masked."""

import re
from typing import Final

MASK: Final = b"***"

_NAMES: Final = (
    rb"auth_code|app_auth_token|auth_token|access_token|refresh_token|user_id|buyer_\w*?id|open_id|identity|name|payee_name|sign|private_key"
    rb"|bill_download_url"
)
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.DOTALL), kept + MASK)
    for pattern, kept in (
        (rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", b""),
        (rb'((?<!\w)\\?"(?:' + _NAMES + rb')\\?"\s*:\s*\\?")(?:[^"\\]|\\(?!"[,}]).)*', rb"\g<1>"),  # JSON
        (
            rb"(%22(?:" + _NAMES + rb")%22(?:\+|%20)*%3A(?:\+|%20)*%22)(?:(?!%22).)*",
            rb"\g<1>",
        ),  # JSON in a form
        (rb"((?:^|[?&\s\"'])(?:" + _NAMES + rb")=)[^&\s\"']*", rb"\g<1>"),  # a form
        (rb"(?<![0-9])(?:2[5-9]|30)[0-9]{14,22}(?![0-9])", b""),  # a payer code, wherever it stands
        (rb"(downloadBillFile\.resource\?)[^\s\"'\\]+", rb"\g<1>"),
    )
)


def scrub(transcript: bytes) -> bytes:
    """Mask by name and by place."""
    for pattern, masked in _PATTERNS:
        transcript = pattern.sub(masked, transcript)
    return transcript
