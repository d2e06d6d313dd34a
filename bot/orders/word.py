"""What a program is told about a refund, and where. Written down with the change itself, as things stood then."""

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from bot.orders.order import ASKED, Order, Refund, RefundDraft
from miniprograms.sdk.refund import RefundResult, RefundStatus
from providers.sdk.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """`page` is empty where the app itself is told."""

    page: str
    chat_id: int
    result: RefundResult


_WORD: Final = TypeAdapter(Word)


def of_refund(order: Order, refund: Refund, status: RefundStatus, detail: str) -> Word:
    """To the page that asked for the refund; to the one that asked for the payment when no page did."""
    asked = refund.chat_id is not None
    result = RefundResult(
        order_id=order.id,
        order_key=order.order_key,
        refund_key=refund.refund_key.removeprefix(ASKED) if refund.asked else "",
        status=status,
        amount=refund.amount,
        detail=detail,
    )
    return Word(
        page=refund.page if asked else order.page, chat_id=refund.chat_id or order.chat_id, result=result
    )


def of_refusal(order: Order, draft: RefundDraft, why: str) -> Word:
    """To a page whose wish cannot be fulfilled."""
    request = draft.request
    result = RefundResult(
        order_id=order.id,
        order_key=order.order_key,
        refund_key=request.refund_key,
        status=RefundStatus.FAILED,
        amount=request.amount or Money(0, order.amount.currency),
        detail=why,
    )
    return Word(page=draft.page, chat_id=draft.chat_id, result=result)


def written(word: Word) -> str:
    """As the outbox keeps it."""
    return _WORD.dump_json(word).decode()


def read(text: str) -> Word:
    """What `written` wrote."""
    return _WORD.validate_json(text)
