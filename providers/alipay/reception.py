"""The simulated Alipay's reception: authorisation with scope auth_base. The app consents by itself.

Every sandbox has one Alipay user. A code is good for a day and once.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from providers.alipay.ask import Document
from providers.alipay.institution import Institution, Refused, number
from providers.alipay.ledger import Ledger
from providers.sdk.gateway import GatewayContext
from providers.sdk.transport import Headers, HttpReply, HttpRequest

CODE_USABLE: Final = timedelta(days=1)
_STATE_CHARS_MAX: Final = 100
_HTML: Final = Headers((("Content-Type", "text/html; charset=utf-8"),))


class Reception:
    """The page where a visitor consents, and what a code is worth."""

    def __init__(self, context: GatewayContext, institution: Institution, ledger: Ledger) -> None:
        self._context, self._institution, self._ledger = context, institution, ledger

    def authorize(self, request: HttpRequest) -> HttpReply:
        """Send the visitor back with a code."""
        query = dict(parse_qsl(urlsplit(request.url).query))
        state, address = query.get("state", ""), query.get("redirect_uri", "")
        if "AlipayClient/" not in (request.headers.get("User-Agent") or ""):
            return HttpReply(200, _HTML, "请在支付宝客户端打开".encode())
        if query.get("app_id") != self._institution.papers.app_id or query.get("scope") != "auth_base":
            return HttpReply(200, _HTML, "授权参数错误".encode())
        if not address.startswith(("https://", "http://")) or len(state) > _STATE_CHARS_MAX:
            return HttpReply(200, _HTML, "回调地址错误".encode())
        code = self._context.random.text(32)
        self._ledger.issue("visit", code, self.user_id, self._context.clock.now() + CODE_USABLE)
        told = {
            "app_id": query["app_id"],
            "source": "alipay_wallet",
            "scope": "auth_base",
            "auth_code": code,
            "state": state,
        }
        joint = "&" if urlsplit(address).query else "?"
        return HttpReply(302, Headers((("Location", f"{address}{joint}{urlencode(told)}"),)))

    def token(self, parameters: Mapping[str, str]) -> Document:
        """`alipay.system.oauth.token`."""
        code, now = parameters.get("code", ""), self._context.clock.now()
        slip = self._ledger.slip("visit", code)
        if parameters.get("grant_type") != "authorization_code" or slip is None or not slip.holds(now):
            raise Refused("isv.code-invalid", "授权码code无效", "40002")
        self._ledger.issue("visit", code, slip.number, now)
        return {
            "user_id": slip.number,
            "access_token": self._context.random.text(40),
            "expires_in": "1296000",
            "refresh_token": self._context.random.text(40),
            "re_expires_in": "2592000",
        }

    @property
    def user_id(self) -> str:
        """The one user."""
        known = self._ledger.noted("user", "user_id")
        if not known:
            known = "2088" + number(self._context.random, 12)
            self._ledger.note("user", {"user_id": known})
        return known
