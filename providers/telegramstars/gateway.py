"""Telegram's side of Stars, simulated in process: the payment methods of the Bot API, for this provider's tests.

The sandbox does not use it: there the institution is the emulated Bot API itself (`bot/sandbox/telegram`), with chats,
people and the host's ten seconds. The two share nothing, on purpose: an emulator of a messenger may not lean on a
plugin, and a plugin may not lean on the house. Either is held to Telegram's words by tests of its own.

Here the person at `settle` is let pass by the bot, once per invoice, as this house does at pre-checkout; and the
update is handed over under the host's seal. The Bot API signs neither answers nor times: `stale_clock` has nothing to
bite on, and the faults of signatures bite on the seal.

| method | refused with |
|---|---|
| any, with another token | 401 Unauthorized |
| createInvoiceLink | Telegram's limits: lengths, one price, whole Stars, no provider token, 30 days |
| refundStarPayment | CHARGE_ID_INVALID, CHARGE_ALREADY_REFUNDED |
| getStarTransactions, getMyStarBalance | never |
"""

import hmac
import json
from collections.abc import Callable, Mapping
from typing import Final

from pydantic import SecretStr

from providers.sdk.errors import ReplyError
from providers.sdk.gateway import Bill, BillGone, Fault, FaultBox, GatewayContext, Notification, PurseRefused
from providers.sdk.handover import handed_over
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet
from providers.telegramstars import wire

BOT_ID: Final = "7000000001"
HANDED_OVER_AT: Final = "https://shop.example/notify/telegramstars/main"
RETRY_AFTER_S: Final = (1, 2, 4, 8, 16, 32, 60)  # an update that was not confirmed comes again
_PAYERS: Final = 7001
_JSON: Final = Headers((("Content-Type", "application/json"),))


_Method = Callable[[wire.Fields], object]


class _RefusedError(Exception):
    """Answered with this code and description."""

    def __init__(self, description: str, code: int = 400) -> None:
        super().__init__(description)
        self.code = code


class TelegramStarsGateway:
    """One simulated Telegram with one bot and one payer."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context
        self._methods: dict[str, _Method] = {
            "createInvoiceLink": self._create_link,
            "refundStarPayment": self._refund,
            "getStarTransactions": self._transactions,
            "getMyStarBalance": self._balance,
        }

    def merchant(self, base_url: str) -> Mapping[str, str]:
        """The test bot; its token is drawn once."""
        if self._context.drawer.get("token") is None:
            token = f"{BOT_ID}:AA{self._context.random.text(33)}"
            self._context.drawer.put("token", {"token": token})
        return {"base_url": base_url, "bot_id": BOT_ID, "bot_token": self._token()}

    async def handle(self, request: HttpRequest) -> HttpReply:
        """One call of a method, with JSON as its body."""
        _, _, rest = request.path.partition("/bot")
        token, _, method = rest.partition("/")
        try:
            result = self._method(token, method)(_arguments(request.body))
        except _RefusedError as refusal:
            return _reply(
                refusal.code, {"ok": False, "error_code": refusal.code, "description": str(refusal)}
            )
        return _reply(200, {"ok": True, "result": result})

    def _method(self, token: str, name: str) -> _Method:
        if not hmac.compare_digest(token.encode(), self._token().encode()):
            raise _RefusedError("Unauthorized", 401)
        if name not in self._methods:
            raise _RefusedError("Not Found: method not found", 404)
        return self._methods[name]

    def recognise(self, code: str) -> Bill | None:
        """The invoice behind a link; Telegram never ends one by itself."""
        _, found, slug = code.partition(wire.LINKS[0])
        record = self._context.drawer.get(f"invoice:{slug}") if found else None
        if record is None:
            return None
        if record["paid"]:
            raise BillGone("This invoice is already paid.")
        amount = Money(_whole(record["amount"]), wire.STARS)
        return Bill(
            id=slug,
            payee="Moongate",
            amount=amount,
            title=str(record["title"]),
            number=str(record["payload"]),
        )

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        """The payer confirmed and the bot agreed: Stars move, the ledger has a line, the bot an update."""
        bill = self.recognise(wire.LINKS[0] + bill_id)
        if bill is None:
            raise BillGone("There is no such invoice.")
        if wallet is not Wallet.TELEGRAM:
            raise PurseRefused("Invoices in Stars are paid with Stars.")
        drawer = self._context.drawer
        self._context.purses.charge(wallet, bill.amount, bill.title)
        for key, record in list(drawer.scan("invoice:")):
            if record["payload"] == bill.number:  # the bot lets one payment of an order pass
                drawer.put(key, {**record, "paid": True})
        charge = f"stx{self._context.random.text(40)}"
        self._book(charge, bill.amount.minor, bill.number, "source")
        self._tell("successful_payment", charge, bill.amount.minor, bill.number)

    def acknowledged(self, reply: HttpReply) -> bool:
        """Any 2xx confirms an update (setWebhook)."""
        return 200 <= reply.status < 300  # noqa: PLR2004  # HTTP

    def _create_link(self, arguments: wire.Fields) -> object:
        amount = _checked(arguments)
        slug = self._context.random.text(22)
        kept = {name: arguments[name] for name in ("title", "payload")}
        paid = any(line["payload"] == arguments["payload"] for _, line in self._context.drawer.scan("line:"))
        self._context.drawer.put(f"invoice:{slug}", {**kept, "amount": amount, "paid": paid})
        return wire.LINKS[0] + slug

    def _refund(self, arguments: wire.Fields) -> object:
        charge = arguments.get("telegram_payment_charge_id")
        lines = [line for _, line in self._context.drawer.scan("line:") if line["charge"] == charge]
        if not lines or arguments.get("user_id") != _PAYERS:
            raise _RefusedError("Bad Request: CHARGE_ID_INVALID")
        if len(lines) > 1:
            raise _RefusedError("Bad Request: CHARGE_ALREADY_REFUNDED")
        amount, payload = _whole(lines[0]["amount"]), str(lines[0]["payload"])
        self._context.purses.credit(Wallet.TELEGRAM, Money(amount, wire.STARS), "Refund")
        self._book(str(charge), amount, payload, "receiver")
        self._tell("refunded_payment", str(charge), amount, payload)
        return True

    def _transactions(self, arguments: wire.Fields) -> object:
        offset, limit = _whole(arguments.get("offset", 0)), _whole(arguments.get("limit", wire.PAGE))
        lines = [line for _, line in self._context.drawer.scan("line:")]
        less = 1 if self._context.faults.take(Fault.WRONG_AMOUNT) else 0
        return {"transactions": [_line(line, less) for line in lines[offset : offset + limit]]}

    def _balance(self, arguments: wire.Fields) -> object:
        del arguments
        lines = [line for _, line in self._context.drawer.scan("line:")]
        amounts = (_whole(line["amount"]) * (1 if line["side"] == "source" else -1) for line in lines)
        return {"amount": sum(amounts)}

    def _book(self, charge: str, amount: int, payload: str, side: str) -> None:
        drawer = self._context.drawer
        number = sum(1 for _ in drawer.scan("line:"))
        drawer.put(
            f"line:{number:08d}",
            {"charge": charge, "amount": amount, "payload": payload, "side": side, "date": self._now()},
        )

    def _tell(self, kind: str, charge: str, amount: int, payload: str) -> None:
        """The update, as the host hands it over. A stranger's has another token under its seal.

        Faults are meant for the notification of a payment: that of a refund waits for none.
        """
        faults = self._context.faults if kind == "successful_payment" else FaultBox()
        payment = {
            "currency": wire.STARS,
            "total_amount": amount - 1 if faults.take(Fault.WRONG_AMOUNT) else amount,
            "invoice_payload": payload,
            "telegram_payment_charge_id": charge,
            "provider_payment_charge_id": "",
        }
        message = {"message_id": 1, "date": self._now(), "from": _payer(), "chat": _payer(), kind: payment}
        number = sum(1 for _ in self._context.drawer.scan("line:"))
        body = wire.encode({"update_id": number, "message": message})
        genuine = handed_over(SecretStr(self._token()), HANDED_OVER_AT, body)
        forged = handed_over(SecretStr(f"{BOT_ID}:AAstranger"), HANDED_OVER_AT, body)
        if faults.take(Fault.NO_SIGNATURE):
            genuine = HttpRequest("POST", HANDED_OVER_AT, _JSON, body)
        if faults.take(Fault.BAD_SIGNATURE) or faults.take(Fault.UNKNOWN_KEY):
            genuine = forged
        self._context.courier.post(_post(genuine, charge + kind), forged=_post(forged, charge + kind))

    def _token(self) -> str:
        return str((self._context.drawer.get("token") or {"token": ""})["token"])

    def _now(self) -> int:
        return int(self._context.clock.now().timestamp())


def _checked(arguments: wire.Fields) -> int:
    """The amount of an invoice within Telegram's limits."""
    title, description = str(arguments.get("title", "")), str(arguments.get("description", ""))
    payload, prices = str(arguments.get("payload", "")), arguments.get("prices")
    if not (1 <= len(title) <= wire.TITLE_MAX and 1 <= len(description) <= wire.DESCRIPTION_MAX):
        raise _RefusedError("Bad Request: title or description is too long")
    if not 1 <= len(payload.encode()) <= 128:  # noqa: PLR2004  # createInvoiceLink, payload
        raise _RefusedError("Bad Request: INVOICE_PAYLOAD_INVALID")
    if arguments.get("currency") != wire.STARS:
        raise _RefusedError("Bad Request: PAYMENT_PROVIDER_INVALID")
    if arguments.get("provider_token") or not isinstance(prices, list) or len(prices) != 1:
        raise _RefusedError("Bad Request: STARS_INVOICE_INVALID")
    if arguments.get("subscription_period", wire.SUBSCRIPTION_S) != wire.SUBSCRIPTION_S:
        raise _RefusedError("Bad Request: subscription period must be 2592000 seconds")
    amount = prices[0].get("amount") if isinstance(prices[0], dict) else None
    if type(amount) is not int or not 1 <= amount <= wire.AMOUNT_MAX:
        raise _RefusedError("Bad Request: CURRENCY_TOTAL_AMOUNT_INVALID")
    return amount


def _arguments(body: bytes) -> wire.Fields:
    try:
        return wire.decode(body)
    except ReplyError:
        raise _RefusedError("Bad Request: can't parse the request body") from None


def _line(line: Mapping[str, object], less: int) -> dict[str, object]:
    partner = {
        "type": "user",
        "transaction_type": "invoice_payment",
        "user": _payer(),
        "invoice_payload": line["payload"],
    }
    amount = _whole(line["amount"]) - less
    return {"id": line["charge"], "amount": amount, "date": line["date"], str(line["side"]): partner}


def _payer() -> dict[str, object]:
    return {"id": _PAYERS, "is_bot": False, "first_name": "Lin"}


def _post(request: HttpRequest, key: str) -> Notification:
    return Notification(request=request, retry_after_s=RETRY_AFTER_S, key=key)


def _reply(status: int, fields: Mapping[str, object]) -> HttpReply:
    return HttpReply(status, _JSON, json.dumps(fields, ensure_ascii=False).encode())


def _whole(value: object) -> int:
    if type(value) is not int:
        raise _RefusedError("Bad Request: a number was expected")
    return value
