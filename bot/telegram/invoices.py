"""Money that Telegram itself moves: the question before a payment, and the word that it was made or has gone back.

Neither waits for a seat's turn. The question has ten seconds, however long a page of that person is at work; the word
goes to the order book like any institution's notification, and is confirmed to Telegram once it is stored there.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
import structlog
from aiogram.methods import AnswerPreCheckoutQuery
from aiogram.types import PreCheckoutQuery, Update
from pydantic import SecretStr

from bot.orders.answers import Refused, Why
from bot.orders.approving import Question
from bot.runtime.cashier import refusal_text
from bot.telegram.courier import Courier
from bot.texts import translator
from providers.sdk.handover import handed_over
from providers.sdk.money import Money
from providers.sdk.transport import HttpReply, HttpRequest

ANSWER_WITHIN_S: Final = 9.0  # Bot API, answerPreCheckoutQuery: ten seconds, and the way there
_DECIDE_WITHIN_S: Final = 6.0
_TRIES: Final = 2
_PATIENCE_S: Final = 2.0
_ACCEPTED: Final = 200

_log = structlog.get_logger(__name__)


class Approver(Protocol):
    """`bot.orders.approving.Approving`."""

    async def approve(self, question: Question) -> Refused | None: ...


class Receiver(Protocol):
    """`bot.orders.checkout.Checkout`, as far as institutions see it."""

    async def receive(self, provider_id: str, account: str, request: HttpRequest) -> HttpReply: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """The account whose invoices Telegram collects for us, and who keeps its book."""

    provider_id: str
    account: str
    approver: Approver
    receiver: Receiver


class InvoiceDoor:
    """Without a collector every payment is refused before it is made."""

    def __init__(self, courier: Courier, token: SecretStr, collector: Collector | None) -> None:
        self._courier = courier
        self._token = token
        self._collector = collector

    async def answer(self, query: PreCheckoutQuery) -> None:
        """Say yes or no in time. Never raises: a question that is not answered is a payment that does not happen."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                words = await self._objection(query)
                method = AnswerPreCheckoutQuery(
                    pre_checkout_query_id=query.id, ok=not words, error_message=words or None
                )
                await self._courier.carry(method, tries=_TRIES, patience_s=_PATIENCE_S)
        except Exception as error:  # noqa: BLE001  # the update edge: Telegram is away, or the ten seconds are over
            _log.warning(
                "pre_checkout_not_answered", number=query.invoice_payload, cause=type(error).__name__
            )

    async def hand_over(self, update: Mapping[str, Any]) -> bool:
        """Whether the book has it. Raises what the store raises."""
        collector = self._collector
        if collector is None:
            _log.error("payment_without_account", update_id=update.get("update_id"), advice=_ADVICE)
            return True
        url = f"/notify/{collector.provider_id}/{collector.account}"
        request = handed_over(self._token, url, orjson.dumps(update))
        reply = await collector.receiver.receive(collector.provider_id, collector.account, request)
        return reply.status == _ACCEPTED

    async def _objection(self, query: PreCheckoutQuery) -> str:
        """Words for the payer; none when they may pay."""
        language = query.from_user.language_code or "en"
        try:
            async with asyncio.timeout(_DECIDE_WITHIN_S):
                refused = await self._asked(query)
        except Exception as error:  # noqa: BLE001  # the update edge
            _log.exception("pre_checkout_failed", number=query.invoice_payload, cause=type(error).__name__)
            _ = translator(language)
            return _("Busy at the moment. Please try again.")
        if refused is None:
            return ""
        _log.info(
            "pre_checkout_refused", number=query.invoice_payload, why=refused.why, detail=refused.detail
        )
        return refusal_text(refused.why, language)

    async def _asked(self, query: PreCheckoutQuery) -> Refused | None:
        collector = self._collector
        if collector is None:
            return Refused(Why.NO_OFFER, "No account collects through Telegram.")
        try:
            amount = Money(query.total_amount, query.currency)
        except ValueError as error:
            return Refused(Why.WRONG_AMOUNT, str(error))
        question = Question(
            key=query.id,
            provider_id=collector.provider_id,
            account=collector.account,
            number=query.invoice_payload,
            amount=amount,
            user_id=query.from_user.id,
        )
        return await collector.approver.approve(question)


_ADVICE: Final = "Name telegramstars in PROVIDERS, or refund the payment with refundStarPayment."


def tells_of_money(update: Update) -> bool:
    """Whether it is a service message about a payment."""
    message = update.message
    return message is not None and bool(message.successful_payment or message.refunded_payment)
