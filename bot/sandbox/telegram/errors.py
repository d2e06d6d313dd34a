"""The Bot API's way to say no: one error type, with Telegram's own codes and texts.

The texts are those of `tdlib/telegram-bot-api` (`Client.cpp`, `Query.cpp`) and of TDLib behind it; bot libraries
match on them.
"""


class ApiError(Exception):
    """Answered as `{"ok": false, "error_code", "description"}` with the code as HTTP status."""

    def __init__(self, code: int, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after


def bad_request(message: str) -> ApiError:
    """400, worded as the server words TDLib's messages: prefixed, and the first letter lowered.

    Constants such as `BUTTON_DATA_INVALID` keep their capitals.
    """
    second = message[1:2]
    is_constant = second == "_" or "A" <= second <= "Z"
    return ApiError(400, "Bad Request: " + (message if is_constant else message[:1].lower() + message[1:]))


def conflict(message: str) -> ApiError:
    """409: polling and webhook, or two pollers, exclude each other."""
    return ApiError(409, f"Conflict: {message}")


def too_many_requests(retry_after: int) -> ApiError:
    """429, with the seconds to wait in `parameters`."""
    return ApiError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


CHAT_NOT_FOUND = "chat not found"
CHAT_ID_EMPTY = "chat_id is empty"
TEXT_EMPTY = "message text is empty"
TEXT_BLANK = "text must be non-empty"
TEXT_TOO_LONG = "message is too long"
CAPTION_TOO_LONG = "message caption is too long"
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current"
    " content and reply markup of the message"
)
EDIT_NOT_FOUND = "message to edit not found"
EDIT_FORBIDDEN = "message can't be edited"
EDIT_NO_TEXT = "there is no text in the message to edit"
EDIT_NO_CAPTION = "there is no caption in the message to edit"
DELETE_NOT_FOUND = "message to delete not found"
DELETE_FORBIDDEN = "message can't be deleted"
REPLY_NOT_FOUND = "message to be replied not found"
CHARGE_INVALID = "CHARGE_ID_INVALID"
CHARGE_REFUNDED = "CHARGE_ALREADY_REFUNDED"
INVOICE_INVALID = "STARS_INVOICE_INVALID"
AMOUNT_INVALID = "CURRENCY_TOTAL_AMOUNT_INVALID"
NO_PAYMENT_PROVIDER = "PAYMENT_PROVIDER_INVALID"
NO_PAY_BUTTON = "REPLY_MARKUP_BUY_EMPTY"
QUERY_INVALID = "query is too old and response timeout expired or query ID is invalid"
WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_SET = "terminated by setWebhook request"


def unauthorized() -> ApiError:
    """The token is not this bot's."""
    return ApiError(401, "Unauthorized")


def method_not_found() -> ApiError:
    """No such method, or none that this emulator has."""
    return ApiError(404, "Not Found: method not found")


def blocked_by_user() -> ApiError:
    """The person stopped the bot."""
    return ApiError(403, "Forbidden: bot was blocked by the user")
