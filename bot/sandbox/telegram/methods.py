"""The table of methods: what each one takes, and who does it. Names are compared without case, as on Telegram."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, TypeAdapter

from bot.sandbox.telegram import editing, fetching, params, paying, payment_params, profile, sending
from bot.sandbox.telegram.call import Call
from bot.sandbox.telegram.errors import method_not_found
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.sending import Uploads
from bot.sandbox.telegram.wire import Wire
from bot.sandbox.telegram.world import World

# The second parameter is the row's own `takes`; one table cannot say that in types.
Handler = Callable[[World, Any, Uploads], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the Bot API."""

    takes: type[Params]
    do: Handler


METHODS: dict[str, Method] = {
    "getMe": Method(params.NoParams, profile.get_me),
    "getUpdates": Method(params.GetUpdates, fetching.get_updates),
    "setWebhook": Method(params.SetWebhook, fetching.set_webhook),
    "deleteWebhook": Method(params.DeleteWebhook, fetching.delete_webhook),
    "getWebhookInfo": Method(params.NoParams, fetching.get_webhook_info),
    "sendMessage": Method(params.SendMessage, sending.send_message),
    "sendPhoto": Method(params.SendPhoto, sending.send_photo),
    "sendDocument": Method(params.SendDocument, sending.send_document),
    "sendChatAction": Method(params.SendChatAction, sending.send_chat_action),
    "editMessageText": Method(params.EditMessageText, editing.edit_message_text),
    "editMessageCaption": Method(params.EditMessageCaption, editing.edit_message_caption),
    "editMessageMedia": Method(params.EditMessageMedia, editing.edit_message_media),
    "editMessageReplyMarkup": Method(params.Editing, editing.edit_message_reply_markup),
    "deleteMessage": Method(params.DeleteMessage, editing.delete_message),
    "deleteMessages": Method(params.DeleteMessages, editing.delete_messages),
    "answerCallbackQuery": Method(params.AnswerCallbackQuery, fetching.answer_callback_query),
    "getFile": Method(params.GetFile, fetching.get_file),
    "getChat": Method(params.InChat, profile.get_chat),
    "setMyCommands": Method(params.SetMyCommands, profile.set_my_commands),
    "deleteMyCommands": Method(params.CommandScope, profile.delete_my_commands),
    "getMyCommands": Method(params.CommandScope, profile.get_my_commands),
    "setChatMenuButton": Method(params.SetChatMenuButton, profile.set_chat_menu_button),
    "sendInvoice": Method(payment_params.SendInvoice, paying.send_invoice),
    "createInvoiceLink": Method(payment_params.CreateInvoiceLink, paying.create_invoice_link),
    "answerPreCheckoutQuery": Method(payment_params.AnswerPreCheckoutQuery, paying.answer_pre_checkout_query),
    "refundStarPayment": Method(payment_params.RefundStarPayment, paying.refund_star_payment),
    "getStarTransactions": Method(payment_params.GetStarTransactions, paying.get_star_transactions),
    "getMyStarBalance": Method(params.NoParams, paying.get_my_star_balance),
    "getChatMenuButton": Method(params.MenuButtonOf, profile.get_chat_menu_button),
}
_BY_LOWER_NAME = {name.lower(): method for name, method in METHODS.items()}
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


async def execute(world: World, call: Call) -> JsonValue:
    """The `result` of a call. Raises `ApiError`."""
    method = _BY_LOWER_NAME.get(call.method.lower())
    if method is None:
        raise method_not_found()
    result = await method.do(world, method.takes.model_validate(dict(call.args)), call.uploads)
    return _as_json(result)


def _as_json(result: object) -> JsonValue:
    if isinstance(result, Wire):
        return result.json_value()
    if isinstance(result, tuple):
        return [_as_json(item) for item in result]
    return _JSON.validate_python(result)
