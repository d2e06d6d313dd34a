"""The one code in EMVCo's form: a merchant-presented code of one order, for networks that read `0002…` and no links.

Our account stands in template 26: the house's own globally unique identifier in 00, the order's token in 01 (EMVCo MPM
1.1, table 4.3). A network pays it only where it has agreed to route that identifier to the house; until then it is a
code that everybody can read and ours alone can open.
"""

import re
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from providers.sdk.codes.emv_merchant import EmvMerchant
from providers.sdk.codes.errors import CodeError, Flaw
from providers.sdk.codes.one_code import OneCode, is_token
from providers.sdk.codes.tlv import template
from providers.sdk.money import Money

REFERENCE_CHARS_MAX: Final = 25  # of object 05 in template 62
_TEMPLATE: Final = "26"
_IDENTIFIER_CHARS_MAX: Final = 32
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*", re.ASCII)


def house_identifier(base_url: str) -> str:
    """The globally unique identifier of the house at that address.

    Its domain name in reverse, as EMVCo has it; a UUID of the address where a domain alone would not tell two houses
    apart (a port, a path, a number for a host) or does not fit.
    """
    address = base_url.lower().rstrip("/")
    parts = urlsplit(address)
    name = ".".join(reversed(parts.netloc.split(".")))
    if parts.path or not _DOMAIN.fullmatch(parts.netloc) or len(name) > _IDENTIFIER_CHARS_MAX:
        return _named_uuid(address)
    return name


def write_emv_one_code(
    code: OneCode, base_url: str, *, amount: Money, name: str, city: str, reference: str, country: str = "CN"
) -> str:
    """The text for the picture. Of a longer `reference` the last 25 characters are kept, which hold its random part.

    Raises `CodeError` for a name, city or currency that EMVCo cannot write.
    """
    account = template(_TEMPLATE, ("00", house_identifier(base_url)), ("01", code.token))
    return EmvMerchant.compose(
        accounts=[account],
        name=name,
        city=city,
        country=country,
        currency=amount.currency,
        amount=amount,
        more=[template("62", ("05", reference[-REFERENCE_CHARS_MAX:]))],
    ).encode()


def own_one_code(code: EmvMerchant, base_url: str) -> OneCode | None:
    """Our one code in it; None for everybody else's. Raises `CodeError` when our own account holds no token."""
    if not base_url:
        return None
    ours = house_identifier(base_url)
    for account in code.accounts:
        if account.part("00") == ours:
            token = account.part("01") or ""
            if not is_token(token):
                raise CodeError("This is not a payment code of this shop.", Flaw.UNKNOWN)
            return OneCode(token)
    return None


def _named_uuid(name: str) -> str:
    """A UUID that is a digest of the name, without hyphens (RFC 9562, version 8)."""
    digest = bytearray(sha256(name.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return digest.hex()
