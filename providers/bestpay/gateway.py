"""BestPay's own side, simulated: MAPI and its H5 cashier beside the payer-code gateway, one merchant on both.

It verifies the merchant's signatures, keeps every order in its drawer, moves play money, and notifies in the form of
the product that opened the order.
"""

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from typing import Final
from urllib.parse import urlsplit

from providers.bestpay import counter_gateway, mapi_gateway, wire
from providers.bestpay.counter_gateway import CounterGateway
from providers.bestpay.ledger import Ledger, Trade
from providers.bestpay.mapi_gateway import MERCHANT, PAYEE, MapiGateway
from providers.bestpay.seals import Seals
from providers.bestpay.signing import Trust
from providers.sdk.clock import beijing
from providers.sdk.errors import ReplyError
from providers.sdk.gateway import Bill, BillGone, GatewayContext, PurseRefused
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

_HTML: Final = Headers((("Content-Type", "text/html;charset=utf-8"),))


class BestPayGateway:
    """One simulated BestPay with one test merchant on both gateways."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._ledger = Ledger(context.drawer)
        self._seals = Seals.kept_in(context.drawer, context.random, context.clock.now())
        self._merchant = Trust((self._seals.merchant.public_key(),), ("SHA256",))
        self._mapi = MapiGateway(context, self._ledger, self._seals, self._merchant)
        self._counter = CounterGateway(context, self._ledger, self._seals)

    def merchant(self, base_url: str) -> Mapping[str, str]:
        """Settings of the test merchant."""
        return {
            "merchant_no": MERCHANT,
            "base_url": f"{base_url}/mapi",
            "sign_key": self._seals.merchant_pem,
            "platform_cert": self._seals.platform_cert,
            "payer_code_url": base_url,
            "payer_code_merchant": counter_gateway.MERCHANT,
            "data_key": self._seals.data_key,
            "merchant_pwd": self._seals.password,
            "store_id": counter_gateway.STORE,
        }

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answer one call of either gateway, or show the cashier's page."""
        if request.path.endswith(counter_gateway.PATHS):
            return self._counter.handle(request)
        if request.path.endswith(wire.CASHIER):
            return self._cashier(request)
        return self._mapi.handle(request)

    def recognise(self, code: str) -> Bill | None:
        """The bill behind one of our codes, or behind a link to our cashier."""
        token = mapi_gateway.token_of(code)
        if token:
            trade = self._ledger.by_token(token)
        elif urlsplit(code).path.endswith(wire.CASHIER):
            trade = self._linked(urlsplit(code).query.encode())
        else:
            return None
        if trade is None:
            return None
        self._check_payable(trade)
        return Bill(
            id=trade.number,
            payee=PAYEE,
            amount=Money(trade.amount, "CNY"),
            title=trade.title,
            number=trade.number,
        )

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        """The payer confirmed in BestPay's app."""
        trade = self._ledger.trade("mapi", bill_id)
        if trade is None:
            raise BillGone("订单不存在")
        self._check_payable(trade)
        if wallet is not Wallet.BESTPAY:
            raise PurseRefused("请使用翼支付扫码")
        self._context.purses.charge(wallet, Money(trade.amount, "CNY"), f"{PAYEE} {trade.title}")
        now = beijing(self._context.clock.now(), wire.STAMP)
        paid = replace(trade, state="paid", wallet=wallet.value, paid_at=now)
        self._ledger.put(paid)
        self._mapi.notify_paid(paid)

    def acknowledged(self, reply: HttpReply) -> bool:
        """Each product's own words, with a serial number that we gave out where it wants one."""
        if reply.status != 200:  # noqa: PLR2004  # received
            return False
        text = reply.body.decode("utf-8", errors="replace").strip()
        if not text.startswith("{"):
            return self._ledger.knows_serial(text.removeprefix(wire.PAYMENT_ACK))
        try:
            answer = wire.decode_json(reply.body)
        except ReplyError:
            return False
        return answer.get("resultCode") == "SUCCESS" or answer.get("success") is True

    def _cashier(self, request: HttpRequest) -> HttpReply:
        """The H5 cashier: a page for a signed form, posted or in the address."""
        trade = self._linked(request.body or urlsplit(request.url).query.encode())
        if trade is None:
            return HttpReply(400, _HTML, "<p>验签失败</p>".encode())
        amount = Money(trade.amount, "CNY")
        return HttpReply(
            200, _HTML, f"<h1>{escape(PAYEE)}</h1><p>{escape(trade.title)} {amount}</p>".encode()
        )

    def _linked(self, form: bytes) -> Trade | None:
        try:
            fields = wire.decode_form(form)
            self._merchant.check(dict(fields))
        except ReplyError:
            return None
        trade = self._ledger.trade("mapi", fields.get("outTradeNo", ""))
        same = trade is not None and fields.get("tradeNo") == trade.trade_no
        return trade if same and trade is not None and fields.get("tradeAmt") == str(trade.amount) else None

    def _check_payable(self, trade: Trade) -> None:
        if trade.state == "paid":
            raise BillGone("订单已支付")
        if trade.state != "open" or self._mapi.has_died(trade):
            raise BillGone("订单已关闭")
