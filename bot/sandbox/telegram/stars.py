"""The Stars: what every person has left, what the bot was paid, and what went back."""

from typing import Final, Literal

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.invoices import Terms
from bot.sandbox.telegram.journal import Journal
from bot.sandbox.telegram.wire import User, Wire
from providers.sdk.clock import Clock, Random

OPENING_STARS: Final = 1_000
_CHARGE_CHARS: Final = 40


class Charge(Wire):
    """One payment of one person."""

    id: str
    user: User
    payload: str
    amount: int
    subscription_period: int = 0
    refunded: bool = False


class Partner(Wire):
    """Who is on the other side of a transaction (Bot API, TransactionPartnerUser)."""

    type: Literal["user"] = "user"
    transaction_type: Literal["invoice_payment"] = "invoice_payment"
    user: User
    invoice_payload: str
    subscription_period: int | None = None


class StarTransaction(Wire):
    """A refund has the number of the payment it returns, with the roles reversed."""

    id: str
    amount: int
    date: int
    source: Partner | None = None
    receiver: Partner | None = None


class Stars:
    """The ledger of one bot and its payers."""

    def __init__(self, journal: Journal, clock: Clock, random: Random) -> None:
        self._journal, self._clock, self._random = journal, clock, random
        kept = (Charge.model_validate_json(value) for _, value in journal.scan("charge/"))
        self._charges = {charge.id: charge for charge in kept}
        self._transactions = [
            StarTransaction.model_validate_json(value) for _, value in journal.scan("transaction/")
        ]
        self._purses = {int(key.partition("/")[2]): int(value) for key, value in journal.scan("purse/")}

    def purse(self, user_id: int) -> int:
        """What that person has left."""
        return self._purses.get(user_id, OPENING_STARS)

    def balance(self) -> int:
        """What the bot has: what came in, less what went back."""
        return sum(one.amount if one.source else -one.amount for one in self._transactions)

    def charge(self, user: User, terms: Terms) -> Charge:
        """Move the Stars; the caller has seen that there are enough."""
        charge = Charge(
            id=f"stx{self._random.text(_CHARGE_CHARS)}",
            user=user,
            payload=terms.payload,
            amount=terms.amount,
            subscription_period=terms.subscription_period,
        )
        self._keep(charge)
        self._fill(user.id, -charge.amount)
        self._book(
            StarTransaction(id=charge.id, amount=charge.amount, date=self._now(), source=_side(charge))
        )
        return charge

    def refund(self, user_id: int, charge_id: str) -> Charge:
        """Move them back, once. Raises what Telegram answers to any other."""
        charge = self._charges.get(charge_id)
        if charge is None or charge.user.id != user_id:
            raise bad_request(errors.CHARGE_INVALID)
        if charge.refunded:
            raise bad_request(errors.CHARGE_REFUNDED)
        if self.balance() < charge.amount:
            raise bad_request("BALANCE_TOO_LOW")
        self._keep(charge.model_copy(update={"refunded": True}))
        self._fill(user_id, charge.amount)
        self._book(
            StarTransaction(id=charge.id, amount=charge.amount, date=self._now(), receiver=_side(charge))
        )
        return charge

    def transactions(self, offset: int, limit: int) -> tuple[StarTransaction, ...]:
        """Oldest first."""
        return tuple(self._transactions[offset : offset + limit])

    def clear(self) -> None:
        """A fresh world: nobody has paid, and every purse is full again."""
        for prefix in ("charge/", "transaction/", "purse/"):
            self._journal.drop_all(prefix)
        self._charges.clear()
        self._transactions.clear()
        self._purses.clear()

    def _keep(self, charge: Charge) -> None:
        self._charges[charge.id] = charge
        self._journal.put(f"charge/{charge.id}", charge.json_bytes())

    def _fill(self, user_id: int, stars: int) -> None:
        self._purses[user_id] = self.purse(user_id) + stars
        self._journal.put(f"purse/{user_id}", str(self._purses[user_id]).encode())

    def _book(self, transaction: StarTransaction) -> None:
        self._transactions.append(transaction)
        number = self._journal.count("transaction")
        self._journal.put(f"transaction/{number:010d}", transaction.json_bytes())

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def _side(charge: Charge) -> Partner:
    return Partner(
        user=charge.user,
        invoice_payload=charge.payload,
        subscription_period=charge.subscription_period or None,
    )
