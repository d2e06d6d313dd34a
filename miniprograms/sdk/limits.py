"""Every limit a mini program can meet, each with its source. WeChat's numbers hold where WeChat has one."""

from typing import Final

# WeChat, framework/app-service/route: pages on one stack (five in the first years).
STACK_MAX: Final = 10
# WeChat, reference/configuration/app, tabBar.list.
TABS_MIN: Final = 2
TABS_MAX: Final = 5
# WeChat, wx.showActionSheet, itemList.
SHEET_ITEMS_MAX: Final = 6
# WeChat, Page.prototype.setData: "the data set at a time cannot exceed 1024 kB".
SET_DATA_BYTES_MAX: Final = 1024 * 1024
# WeChat, framework/ability/storage: 1 MB a key, 10 MB a person and program.
STORAGE_KEY_BYTES_MAX: Final = 1024 * 1024
STORAGE_BYTES_MAX: Final = 10 * 1024 * 1024
# WeChat, urlscheme.generate: query length and the longest life of a link.
LINK_QUERY_CHARS_MAX: Final = 1024
LINK_LIVES_S: Final = 30 * 24 * 3600
# Telegram, Deep links: the start parameter, of [A-Za-z0-9_-].
START_CHARS_MAX: Final = 64

# Telegram, sendMessage and sendPhoto; counted in UTF-16 code units, as MessageEntity counts.
TEXT_UNITS_MAX: Final = 4096
CAPTION_UNITS_MAX: Final = 1024
# Telegram, InlineKeyboardMarkup: rows are cut at eight, keyboards refused above a hundred (REPLY_MARKUP_TOO_LONG).
BUTTONS_MAX: Final = 100
ROW_BUTTONS_MAX: Final = 8
# Telegram, InlineKeyboardButton.callback_data.
CALLBACK_BYTES_MAX: Final = 64
# Telegram, answerCallbackQuery, text.
TOAST_UNITS_MAX: Final = 200
# Telegram, CopyTextButton.text.
COPY_UNITS_MAX: Final = 256

# Ours, well inside Telegram's 10 MB and 10,000 pixels (sendPhoto, photo): a picture travels with every redraw.
PICTURE_BYTES_MAX: Final = 2 * 1024 * 1024
PICTURE_SIDES_MAX: Final = 5000  # width and height together
PICTURE_RATIO_MAX: Final = 20  # Telegram, sendPhoto: the longer side to the shorter

# Ours. `h:restart:` and the program's id stand together in one callback_data.
APP_ID_CHARS_MAX: Final = 48
# Ours: a session is read and written with every tap.
SESSION_BYTES_MAX: Final = 256 * 1024
# Ours: hooks and routes of one turn; more means that pages send each other in circles.
STEPS_MAX: Final = 64
# Ours: programs a person has open at once, the one in front included; the longest unused is closed.
PROGRAMS_MAX: Final = 5
# Ours: renders whose buttons still work, the present one included.
RENDERS_KEPT: Final = 3
# Ours: orders one turn may ask for.
PAYMENTS_PER_TURN_MAX: Final = 4
# Ours: refunds one turn may ask for.
REFUNDS_PER_TURN_MAX: Final = 8
# The order book's: how long an order can be paid.
PAYMENT_EXPIRES_MIN_S: Final = 60
PAYMENT_EXPIRES_MAX_S: Final = 7200
# Ours: orders that one call lists.
ORDERS_LISTED_MAX: Final = 500
ORDER_KEY_CHARS_MAX: Final = 64
# The order book's: how long what is offered waits to be claimed.
PAYOUT_EXPIRES_MIN_S: Final = 60
PAYOUT_EXPIRES_DEFAULT_S: Final = 24 * 3600
PAYOUT_EXPIRES_MAX_S: Final = 24 * 3600
# The order book's: some institutions show 32 characters of it (WeChat Pay, transfers, transfer_remark).
PAYOUT_TITLE_CHARS_MAX: Final = 64
# WeChat Pay, native prepay, description: 127 characters, the shortest of the institutions.
PAYMENT_TITLE_CHARS_MAX: Final = 127
# WeChat Pay, v3/refund/domestic/refunds, reason: 80 characters, the shortest of the institutions.
REFUND_REASON_CHARS_MAX: Final = 80


def text_units(text: str) -> int:
    """The length as Telegram counts it: in UTF-16 code units, so that one emoji is two."""
    return len(text) + sum(1 for character in text if character > "\uffff")
