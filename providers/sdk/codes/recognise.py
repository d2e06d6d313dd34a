"""Any text of a code, recognised: the one entry for whatever a camera has read."""

import re
from typing import Final

from providers.sdk.codes.emv_consumer import CPM_START, EmvConsumer, read_emv_consumer
from providers.sdk.codes.emv_merchant import EmvMerchant, read_emv_merchant
from providers.sdk.codes.emv_one_code import own_one_code
from providers.sdk.codes.merchant_code import MerchantCode, read_merchant_code
from providers.sdk.codes.one_code import OneCode, is_own_link, read_one_code
from providers.sdk.codes.payer_code import PayerCode, read_payer_code
from providers.sdk.codes.plain import plain

Code = OneCode | MerchantCode | PayerCode | EmvMerchant | EmvConsumer

_EMV_START: Final = "000201"
_PAYER: Final = re.compile(r"[0-9 ]+|fp[0-9A-Za-z]{33}", re.ASCII)


def recognise(text: str, *, base_url: str = "", strict: bool = False) -> Code:
    """What this text is. `base_url` is the host's own public address; `strict` holds EMVCo codes to every rule.

    Our one code is `OneCode`, as a link and in EMVCo's form.

    Raises `CodeError`, and nothing else, whatever the text. Pure: nothing is fetched, and a code that is recognised is
    not thereby a bill that is open.
    """
    text = plain(text)
    if text.startswith(_EMV_START):
        merchant = read_emv_merchant(text, strict=strict)
        return own_one_code(merchant, base_url) or merchant
    if text.startswith(CPM_START):
        return read_emv_consumer(text)
    if _PAYER.fullmatch(text):
        return read_payer_code(text)
    if is_own_link(text, base_url):
        return read_one_code(text, base_url)
    return read_merchant_code(text)
