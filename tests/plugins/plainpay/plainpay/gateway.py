"""PlainPay's own side, simulated. Everything it knows lies in its drawer."""

from collections.abc import Mapping

from plainpay import signing, wire
from providers.sdk.errors import SignatureError
from providers.sdk.gateway import Bill, BillGone, Fault, GatewayContext, Notification
from providers.sdk.money import Money
from providers.sdk.transport import Headers, HttpReply, HttpRequest
from providers.sdk.wallets import Wallet

RETRY_AFTER_S = (5, 30, 300)
MERCHANT = "M1001"


class PlainGateway:
    """One simulated PlainPay with one test merchant."""

    def __init__(self, context: GatewayContext) -> None:
        self._context = context

    def merchant(self, base_url: str) -> Mapping[str, str]:
        """The test merchant; its key is drawn once."""
        if self._context.drawer.get("key") is None:
            self._context.drawer.put("key", {"key": self._context.random.text(32)})
        return {"base_url": base_url, "merchant_id": MERCHANT, "key": self._key().decode()}

    async def handle(self, request: HttpRequest) -> HttpReply:
        """One signed call, one signed answer."""
        try:
            signing.check(self._key(), request.target, request.headers, request.body)
        except SignatureError:
            return HttpReply(401)
        fields = wire.unpack(request.body)
        verbs = {
            "/orders/query": self._query,
            "/orders/close": self._close,
            "/orders": self._create,
            "/refunds/query": self._query_refund,
            "/refunds": self._refund,
        }
        verb = next((verbs[path] for path in verbs if request.target.endswith(path)), None)
        return self._signed(request.target, verb(fields)) if verb else HttpReply(404)

    def recognise(self, code: str) -> Bill | None:
        """Its own codes are addresses that end in our number."""
        if not code.startswith(wire.CODE_PREFIX):
            return None
        number = code.removeprefix(wire.CODE_PREFIX)
        order = self._context.drawer.get(f"order:{number}")
        if order is None:
            return None
        if self._state(order) != "OPEN":
            raise BillGone("This bill can no longer be paid.")
        return Bill(
            id=number,
            payee="Plain merchant",
            amount=_amount(order),
            title=str(order["title"]),
            number=number,
        )

    def settle(self, bill_id: str, wallet: Wallet) -> None:
        """Charge, mark, tell."""
        order = dict(self._context.drawer.get(f"order:{bill_id}") or {})
        if not order or self._state(order) != "OPEN":
            raise BillGone("This bill can no longer be paid.")
        self._context.purses.charge(wallet, _amount(order), str(order["title"]))
        order |= {"state": "PAID", "paid_at": self._context.clock.now().isoformat()}
        self._context.drawer.put(f"order:{bill_id}", order)
        self._tell(order)

    def acknowledged(self, reply: HttpReply) -> bool:
        """Only 204 is."""
        return reply.status == 204  # HTTP: No Content

    def _create(self, fields: wire.Fields) -> wire.Fields:
        key = f"order:{fields['number']}"
        known = self._context.drawer.get(key)
        if known is not None and (known["amount"], known["title"]) != (fields["amount"], fields["title"]):
            return {"error": "CONFLICT", "message": "This number has another amount or title."}
        if known is not None and self._state(known) != "OPEN":
            return {"error": "GONE", "message": "This order is over."}
        order = known or {**fields, "state": "OPEN", "trade": f"T{fields['number']}"}
        self._context.drawer.put(key, order)
        return {**order, "code": f"{wire.CODE_PREFIX}{fields['number']}"}

    def _query(self, fields: wire.Fields) -> wire.Fields:
        order = self._context.drawer.get(f"order:{fields['number']}")
        return {**order, "state": self._state(order)} if order else {"error": "NOT_FOUND"}

    def _close(self, fields: wire.Fields) -> wire.Fields:
        order = dict(self._context.drawer.get(f"order:{fields['number']}") or {})
        if not order:
            return {"error": "NOT_FOUND"}
        if order["state"] in {"PAID", "REFUNDED"}:
            return {"error": "ALREADY_PAID"}
        order["state"] = "CLOSED"
        self._context.drawer.put(f"order:{fields['number']}", order)
        return order

    def _refund(self, fields: wire.Fields) -> wire.Fields:
        known = self._context.drawer.get(f"refund:{fields['refund']}")
        if known is not None:
            same = known["refund_amount"] == fields["refund_amount"]
            return dict(known) if same else {"error": "CONFLICT"}
        order = dict(self._context.drawer.get(f"order:{fields['number']}") or {})
        if not order or not order.get("paid_at"):
            return {"error": "GONE", "message": "There is no payment to give back."}
        total = _whole(order.get("refunded", 0)) + _whole(fields["refund_amount"])
        if not _whole(fields["refund_amount"]):
            return {"error": "LIMIT", "message": "There is nothing to give back."}
        if total > _whole(order["amount"]):
            return {"error": "LIMIT", "message": "That is more than was paid."}
        order |= {"refunded": total, "state": "REFUNDED"}
        self._context.drawer.put(f"order:{fields['number']}", order)
        refund = {**fields, "trade": f"R{fields['refund']}"}
        self._context.drawer.put(f"refund:{fields['refund']}", refund)
        self._context.purses.credit(Wallet.BANK, Money(_whole(fields["refund_amount"]), "CNY"), "Refund")
        return refund

    def _query_refund(self, fields: wire.Fields) -> wire.Fields:
        return dict(self._context.drawer.get(f"refund:{fields['refund']}") or {"error": "NOT_FOUND"})

    def _state(self, order: Mapping[str, object]) -> str:
        over = self._context.clock.now() >= wire.moment(order["expires_at"])
        return "CLOSED" if order["state"] == "OPEN" and over else str(order["state"])

    def _tell(self, order: Mapping[str, object]) -> None:
        faults = self._context.faults
        fields = dict(order) | {
            "event": f"paid:{order['number']}",
            "sent_at": self._context.clock.now().isoformat(),
        }
        if faults.take(Fault.WRONG_AMOUNT):
            fields["amount"] = _whole(order["amount"]) - 1
        if faults.take(Fault.STALE_CLOCK):
            fields["sent_at"] = "2020-01-01T00:00:00+00:00"
        body = wire.pack(fields)
        url = str(order["notify_url"])
        path = HttpRequest("POST", url).path
        genuine = self._post(url, body, signing.sign(self._key(), path, body), str(order["number"]))
        forged = self._post(url, body, signing.sign(b"a stranger's key", path, body), str(order["number"]))
        if faults.take(Fault.NO_SIGNATURE):
            genuine = self._post(url, body, "", str(order["number"]))
        if faults.take(Fault.BAD_SIGNATURE) or faults.take(Fault.UNKNOWN_KEY):
            genuine = forged
        self._context.courier.post(genuine, forged=forged)

    def _post(self, url: str, body: bytes, signature: str, key: str) -> Notification:
        headers = {"Content-Type": "application/json"} | ({signing.HEADER: signature} if signature else {})
        return Notification(
            request=HttpRequest("POST", url, Headers.of(headers), body), retry_after_s=RETRY_AFTER_S, key=key
        )

    def _signed(self, target: str, fields: wire.Fields) -> HttpReply:
        faults = self._context.faults
        if faults.take(Fault.WRONG_AMOUNT) and "amount" in fields:
            fields = {**fields, "amount": _whole(fields["amount"]) - 1}
        body = wire.pack(fields)
        forged = faults.take(Fault.BAD_SIGNATURE) or faults.take(Fault.UNKNOWN_KEY)
        signature = signing.sign(b"a stranger's key" if forged else self._key(), target, body)
        bare = faults.take(Fault.NO_SIGNATURE)
        return HttpReply(200, Headers.of({} if bare else {signing.HEADER: signature}), body)

    def _key(self) -> bytes:
        return str((self._context.drawer.get("key") or {})["key"]).encode()


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("An amount is a whole number of fen.")
    return value


def _amount(order: Mapping[str, object]) -> Money:
    return Money(_whole(order["amount"]), "CNY")
