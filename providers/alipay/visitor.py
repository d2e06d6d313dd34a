"""Who a visitor inside Alipay is: the user id or open id, asked for silently.

Source: Alipay open platform, "user information authorisation", scope auth_base, and alipay.system.oauth.token. That
method takes its parameters beside the common ones and not in biz_content, and answers without `code` when all is well.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from providers.alipay import wire
from providers.alipay.settings import AlipaySettings
from providers.sdk.errors import ReplyError
from providers.sdk.results import Declined, DeclineReason, Identified

AUTHORIZE: Final = "/oauth2/publicAppAuthorize.htm"
OAUTH_TOKEN: Final = "alipay.system.oauth.token"  # noqa: S105  # a method
_BEGIN_ANEW: Final = "isv.code-invalid"


def authorize_url(settings: AlipaySettings, state: str, redirect_url: str) -> str:
    """`state`: at most 100 characters of Base64's alphabet."""
    query = {
        "app_id": settings.app_id,
        "scope": "auth_base",
        "redirect_uri": redirect_url,
        "state": state,
    }
    return f"{settings.openauth_url.rstrip('/')}{AUTHORIZE}?{urlencode(query)}"


def read_visitor(fields: wire.Fields) -> Identified | Declined:
    """The id that payouts take: the user id while Alipay gives one, else the open id. Raises `ReplyError`."""
    payee = wire.optional(fields, "user_id") or wire.optional(fields, "open_id")
    if payee:
        return Identified(payee)
    sub_code = wire.optional(fields, "sub_code")
    if not sub_code:
        raise ReplyError("Alipay's answer names no user.")
    reason = DeclineReason.PAYER if sub_code == _BEGIN_ANEW else DeclineReason.MISCONFIGURED
    return Declined(reason, sub_code, wire.optional(fields, "sub_msg")[:200])


def code_of(answer: Mapping[str, str]) -> str:
    """The authorisation code in the address that Alipay sent the visitor back to."""
    return answer.get("auth_code", "")
