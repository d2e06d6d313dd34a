"""The person's side of a payment: open an invoice, confirm, wait for the bot's word, pay.

confirm → pre_checkout_query → the bot's answer within ten seconds → Stars move → successful_payment
"""

from dataclasses import dataclass

from bot.sandbox.telegram.checkouts import ANSWER_WITHIN_S
from bot.sandbox.telegram.invoices import STARS, Terms
from bot.sandbox.telegram.people import Person
from bot.sandbox.telegram.stars import Charge
from bot.sandbox.telegram.updates import QUERY_LIFETIME_S
from bot.sandbox.telegram.wire import Message, PreCheckoutQuery, SuccessfulPayment
from bot.sandbox.telegram.world import World


class PaymentRefused(Exception):  # noqa: N818  # an answer to the payer, not an error
    """Nothing was paid; the text is what the person reads."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the person is told when it went well."""

    charge_id: str
    amount: int
    left: int


class Payer:
    """Pays invoices out of a person's Stars. A bot that stays silent is paid nothing."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def pay_link(self, user: Person, link: str) -> Receipt:
        """Open the address, confirm. Raises `PaymentRefused`."""
        terms = self._world.invoices.at_link(link)
        if terms is None:
            raise PaymentRefused("This is no invoice of this bot.")
        return await self._pay(user, terms)

    async def pay_message(self, user: Person, chat_id: int, message_id: int) -> Receipt:
        """Tap Pay under an invoice, confirm. A message is paid once. Raises `PaymentRefused`."""
        return await self._pay(user, self._unpaid(chat_id, message_id), (chat_id, message_id))

    async def _pay(self, user: Person, terms: Terms, place: tuple[int, int] | None = None) -> Receipt:
        world = self._world
        self._check_purse(user, terms)
        checkout = world.checkouts.open(user.id)
        query = PreCheckoutQuery(
            id=checkout.id,
            sender=user.as_user(),
            currency=STARS,
            total_amount=terms.amount,
            invoice_payload=terms.payload,
        )
        lane = f"checkout {user.id}"
        world.updates.add("pre_checkout_query", query, lane=lane, lifetime_s=QUERY_LIFETIME_S)
        world.journal.commit()
        verdict = await world.checkouts.watch(checkout)
        if verdict is None:
            raise PaymentRefused(
                f"The bot did not answer within {ANSWER_WITHIN_S} seconds; nothing was paid."
            )
        if not verdict.ok:
            raise PaymentRefused(verdict.message)
        self._check_purse(user, terms)
        if place is not None:
            world.invoices.hang(*place, self._unpaid(*place).model_copy(update={"paid": True}))
        charge = self._move(user, terms)
        world.journal.commit()
        return Receipt(charge.id, charge.amount, world.stars.purse(user.id))

    def _unpaid(self, chat_id: int, message_id: int) -> Terms:
        terms = self._world.invoices.in_message(chat_id, message_id)
        if terms is None or terms.paid:
            raise PaymentRefused("This invoice is already paid.")
        return terms

    def _check_purse(self, user: Person, terms: Terms) -> None:
        left = self._world.stars.purse(user.id)
        if left < terms.amount:
            raise PaymentRefused(f"You have ★{left}, which is less than ★{terms.amount}.")

    def _move(self, user: Person, terms: Terms) -> Charge:
        """The Stars, and the service message that tells the bot of them; a link is paid in the private chat."""
        world = self._world
        charge = world.stars.charge(user.as_user(), terms)
        chat = world.chats.enter(user, user.id).chat
        until = world.now() + terms.subscription_period if terms.subscription_period else None
        paid = SuccessfulPayment(
            currency=STARS,
            total_amount=charge.amount,
            invoice_payload=charge.payload,
            subscription_expiration_date=until,
            is_recurring=True if until else None,
            is_first_recurring=True if until else None,
            telegram_payment_charge_id=charge.id,
        )
        message = Message(
            message_id=world.chats.next_message_id(chat.id),
            sender=user.as_user(),
            chat=chat,
            date=world.now(),
            successful_payment=paid,
        )
        world.chats.post(message)
        world.updates.add("message", message, lane=f"chat {chat.id}")
        return charge
