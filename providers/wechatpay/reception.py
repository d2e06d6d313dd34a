"""The simulated WeChat's reception: web page authorisation with scope snsapi_base. The app consents by itself.

Every sandbox has one WeChat user. A code is good for five minutes and once.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from providers.sdk.gateway import GatewayContext
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.wechatpay.institution import Institution
from providers.wechatpay.ledger import Ledger
from providers.wechatpay.visitor import ACCESS_TOKEN, AUTHORIZE

CODE_USABLE: Final = timedelta(minutes=5)
_JSON: Final = Headers((("Content-Type", "text/plain"),))  # as WeChat says of its JSON
_STATE_CHARS_MAX: Final = 128


class Reception:
    """The two addresses that are no part of the merchant API: nothing here is signed."""

    def __init__(self, context: GatewayContext, institution: Institution, ledger: Ledger) -> None:
        self._context, self._institution, self._ledger = context, institution, ledger

    def serve(self, request: HttpRequest) -> HttpReply | None:
        """None for every other address."""
        query = dict(parse_qsl(urlsplit(request.url).query))
        match request.path:
            case path if path == AUTHORIZE:
                return self._authorize(query, request.headers.get("User-Agent") or "")
            case path if path == ACCESS_TOKEN:
                return _told(self._token(query))
        return None

    @property
    def openid(self) -> str:
        """The one user."""
        known = self._ledger.noted("user", "openid")
        if not known:
            known = "o" + self._context.random.text(27)
            self._ledger.note("user", {"openid": known})
        return known

    def _authorize(self, query: Mapping[str, str], user_agent: str) -> HttpReply:
        state, address = query.get("state", ""), query.get("redirect_uri", "")
        if "MicroMessenger/" not in user_agent:
            return HttpReply(200, _JSON, "请在微信客户端打开链接".encode())
        fits = query.get("response_type") == "code" and query.get("scope") == "snsapi_base"
        if query.get("appid") != self._institution.papers.appid or not fits:
            return HttpReply(200, _JSON, "Scope参数错误或没有Scope权限".encode())
        if not address.startswith(("https://", "http://")) or len(state) > _STATE_CHARS_MAX:
            return HttpReply(200, _JSON, "redirect_uri参数错误".encode())
        code = self._context.random.text(32)
        self._ledger.issue("visit", code, self.openid, self._context.clock.now() + CODE_USABLE)
        joint = "&" if urlsplit(address).query else "?"
        where = f"{address}{joint}{urlencode({'code': code, 'state': state})}"
        return HttpReply(302, Headers((("Location", where),)))

    def _token(self, query: Mapping[str, str]) -> Mapping[str, object]:
        papers, code, now = self._institution.papers, query.get("code", ""), self._context.clock.now()
        if query.get("appid") != papers.appid:
            return {"errcode": 40013, "errmsg": "invalid appid"}
        if query.get("secret") != self._institution.app_secret:
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        slip = self._ledger.slip("visit", code)
        if slip is None or query.get("grant_type") != "authorization_code":
            return {"errcode": 40029, "errmsg": "invalid code"}
        if not slip.holds(now):
            return {"errcode": 40163, "errmsg": "code been used"}
        self._ledger.issue("visit", code, slip.number, now)
        return {
            "access_token": self._context.random.text(110),
            "expires_in": 7200,
            "refresh_token": self._context.random.text(110),
            "openid": slip.number,
            "scope": "snsapi_base",
        }


def _told(document: Mapping[str, object]) -> HttpReply:
    return HttpReply(200, _JSON, json.dumps(document, separators=(",", ":")).encode())
