"""The texts of payment codes: recognised, and EMVCo's read and written. Pure; nothing here is fetched or stored."""

from providers.sdk.codes.emv_consumer import EmvConsumer, read_emv_consumer
from providers.sdk.codes.emv_merchant import EmvMerchant, UnionPayAccount, read_emv_merchant
from providers.sdk.codes.emv_one_code import house_identifier, own_one_code, write_emv_one_code
from providers.sdk.codes.errors import CodeError, Flaw
from providers.sdk.codes.issuers import ISSUER_NAMES, Issuer, Mark, issuer_name
from providers.sdk.codes.merchant_code import CodeKind, MerchantCode, read_merchant_code
from providers.sdk.codes.one_code import (
    LINK_PATH,
    STANDING_PATH,
    OneCode,
    is_own_link,
    is_token,
    read_one_code,
)
from providers.sdk.codes.payer_code import PayerCode, read_payer_code
from providers.sdk.codes.recognise import Code, recognise
from providers.sdk.codes.tlv import DataObject, template

__all__ = [
    "ISSUER_NAMES",
    "LINK_PATH",
    "STANDING_PATH",
    "Code",
    "CodeError",
    "CodeKind",
    "DataObject",
    "EmvConsumer",
    "EmvMerchant",
    "Flaw",
    "Issuer",
    "Mark",
    "MerchantCode",
    "OneCode",
    "PayerCode",
    "UnionPayAccount",
    "house_identifier",
    "is_own_link",
    "is_token",
    "issuer_name",
    "own_one_code",
    "read_emv_consumer",
    "read_emv_merchant",
    "read_merchant_code",
    "read_one_code",
    "read_payer_code",
    "recognise",
    "template",
    "write_emv_one_code",
]
