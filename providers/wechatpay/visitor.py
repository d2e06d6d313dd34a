"""Who a visitor inside WeChat is: the openid, asked for silently.

Source: WeChat official accounts, "web page authorisation", scope snsapi_base. The order of the address's parameters and
its `#wechat_redirect` are part of the form: WeChat compares them. The answer with the openid is not signed; it comes
over TLS from a pinned host.
"""

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from providers.sdk.errors import ReplyError
from providers.sdk.results import Declined, DeclineReason, Identified
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.wechatpay.settings import WeChatPaySettings

AUTHORIZE: Final = "/connect/oauth2/authorize"
ACCESS_TOKEN: Final = "/sns/oauth2/access_token"  # noqa: S105  # a path
_BEGIN_ANEW: Final = frozenset({40029, 40163, 41008})  # invalid, used, missing code
_HEADERS: Final = Headers((("Accept", "application/json"), ("User-Agent", "moongate")))


def authorize_url(settings: WeChatPaySettings, state: str, redirect_url: str) -> str:
    """Empty when there is no secret to ask with. `state`: at most 128 letters and digits."""
    if not settings.app_secret.get_secret_value():
        return ""
    query = (
        f"appid={quote(settings.appid, safe='')}&redirect_uri={quote(redirect_url, safe='')}"
        f"&response_type=code&scope=snsapi_base&state={quote(state, safe='')}"
    )
    return f"{settings.open_url.rstrip('/')}{AUTHORIZE}?{query}#wechat_redirect"


def openid_request(settings: WeChatPaySettings, code: str) -> HttpRequest:
    """The question for the openid behind a code."""
    query = urlencode(
        {
            "appid": settings.appid,
            "secret": settings.app_secret.get_secret_value(),
            "code": code,
            "grant_type": "authorization_code",
        }
    )
    return HttpRequest("GET", f"{settings.oauth_url.rstrip('/')}{ACCESS_TOKEN}?{query}", _HEADERS)


def read_openid(reply: HttpReply) -> Identified | Declined:
    """Raises `ReplyError` for anything that is neither an openid nor a refusal."""
    try:
        fields = json.loads(reply.body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise ReplyError("The answer with the openid is no JSON object.")
    if fields.get("errcode"):
        return _refused(fields)
    openid = fields.get("openid")
    if not isinstance(openid, str) or not openid:
        raise ReplyError("The answer holds no openid.")
    if fields.get("is_snapshotuser") == 1:  # a stand-in that WeChat shows to pages of one look
        return Declined(DeclineReason.PAYER, "is_snapshotuser", "The page was opened in snapshot mode.")
    return Identified(openid)


def _refused(fields: Mapping[str, object]) -> Declined:
    code = fields.get("errcode")
    reason = DeclineReason.PAYER if code in _BEGIN_ANEW else DeclineReason.MISCONFIGURED
    return Declined(reason, str(code), str(fields.get("errmsg", ""))[:200])
