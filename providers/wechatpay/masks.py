"""What may not stand in a stored transcript, and how it is masked."""

import re
from typing import Final

MASK: Final = b"***"

_NAMES: Final = (
    rb"(?:sp_|sub_)?openid|auth_code|ciphertext|paySign|signature|user_name|package_info|package|prepay_id"
    rb"|payer_client_ip|private_key|apiv3_key|access_token|refresh_token|app_secret"
)
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), kept + MASK)
    for pattern, kept in (
        (rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", b""),
        (rb'(WECHATPAY2-SHA256-RSA2048 +)(?:[a-z_]+=\\*"[^"\\]*\\*",?)+', rb"\g<1>"),
        (rb"(wechatpay-signature\\*[\"']?\s*[:=,]\s*\\*[\"']?)[A-Za-z0-9+/=]+", rb"\g<1>"),
        (rb'("(?:' + _NAMES + rb')"\s*:\s*")(?:[^"\\]|\\.)*', rb"\g<1>"),
        (rb'(\\"(?:' + _NAMES + rb')\\"\s*:\s*\\")(?:(?!\\").)*', rb"\g<1>"),  # JSON inside a JSON string
        (rb"(?<![0-9])1[0-5][0-9]{16}(?![0-9])", b""),  # a payer code, wherever it stands
        (rb"([?&](?:token|secret|code)=)[^&\s\"']+", rb"\g<1>"),
        (rb"(prepay_id=)[A-Za-z0-9]+", rb"\g<1>"),
    )
)


def scrub(transcript: bytes, apiv3_key: bytes) -> bytes:
    """Mask by place, and the APIv3 key wherever it stands."""
    for pattern, masked in _PATTERNS:
        transcript = pattern.sub(masked, transcript)
    return transcript.replace(apiv3_key, MASK)
