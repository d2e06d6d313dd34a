"""The payment methods of the Bot API, for Telegram Stars."""

from pydantic import JsonValue

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.checkouts import Verdict
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.invoices import STARS, read_terms
from bot.sandbox.telegram.params import NoParams
from bot.sandbox.telegram.payment_params import (
    AnswerPreCheckoutQuery,
    CreateInvoiceLink,
    GetStarTransactions,
    RefundStarPayment,
    SendInvoice,
)
from bot.sandbox.telegram.sending import Uploads, post
from bot.sandbox.telegram.wire import (
    Content,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    RefundedPayment,
    ReplyMarkup,
)
from bot.sandbox.telegram.world import World

TRANSACTIONS_MAX = 100


async def send_invoice(world: World, params: SendInvoice, _: Uploads) -> Message:
    """A message with a Pay button. A keyboard of the bot's own must begin with one."""
    terms = read_terms(params, start_parameter=params.start_parameter)
    chat = world.chats.find(params.chat_id)
    markup = params.reply_markup
    if markup is None:
        button = InlineKeyboardButton(text=f"Pay ⭐️{terms.amount}", pay=True)
        markup = InlineKeyboardMarkup(inline_keyboard=((button,),))
    elif not _pays_first(markup):
        raise bad_request(errors.NO_PAY_BUTTON)
    params = params.model_copy(update={"reply_markup": markup})
    message = post(world, chat, params, Content(invoice=terms.seen()))
    world.invoices.hang(message.chat.id, message.message_id, terms)
    return message


async def create_invoice_link(world: World, params: CreateInvoiceLink, _: Uploads) -> str:
    """An address that opens the invoice in any chat. Only such an invoice may be a subscription."""
    return world.invoices.link(read_terms(params, subscription_period=params.subscription_period))


async def answer_pre_checkout_query(world: World, params: AnswerPreCheckoutQuery, _: Uploads) -> bool:
    """Once, within ten seconds; a refusal needs words for the person."""
    if not params.ok and not params.error_message:
        raise bad_request('Parameter "error_message" is required')
    verdict = Verdict(ok=params.ok, message="" if params.ok else params.error_message)
    world.checkouts.answer(params.pre_checkout_query_id, verdict)
    return True


async def refund_star_payment(world: World, params: RefundStarPayment, _: Uploads) -> bool:
    """All of one payment; the chat gets a service message, and so does the bot."""
    if params.user_id <= 0:
        raise bad_request("Invalid user_id specified")
    if not params.telegram_payment_charge_id:
        raise bad_request('Parameter "telegram_payment_charge_id" is required')
    charge = world.stars.refund(params.user_id, params.telegram_payment_charge_id)
    refunded = RefundedPayment(
        currency=STARS,
        total_amount=charge.amount,
        invoice_payload=charge.payload,
        telegram_payment_charge_id=charge.id,
    )
    message = Message(
        message_id=world.chats.next_message_id(charge.user.id),
        sender=charge.user,
        chat=world.chats.find(charge.user.id).chat,
        date=world.now(),
        refunded_payment=refunded,
    )
    world.chats.post(message)
    world.updates.add("message", message, lane=f"chat {charge.user.id}")
    return True


async def get_star_transactions(
    world: World, params: GetStarTransactions, _: Uploads
) -> dict[str, JsonValue]:
    """In chronological order, a hundred at most."""
    limit = min(max(params.limit, 1), TRANSACTIONS_MAX)
    found = world.stars.transactions(max(params.offset, 0), limit)
    return {"transactions": [transaction.json_value() for transaction in found]}


async def get_my_star_balance(world: World, _: NoParams, __: Uploads) -> dict[str, JsonValue]:
    """What the bot has."""
    return {"amount": world.stars.balance()}


def _pays_first(markup: ReplyMarkup) -> bool:
    first = markup.inline_keyboard[:1] if isinstance(markup, InlineKeyboardMarkup) else ()
    return bool(first and first[0][0].pay)
