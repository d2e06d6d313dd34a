"""What stands for signatures here: the Bot API has none.

A call is authorised by the token in its address ("Authorizing your bot", core.telegram.org/bots/api), an answer is
trusted because of TLS. An update comes over the host's own connection to Telegram and is handed on under a seal, see
`providers.sdk.handover`. So the token is in every address: an address is never logged, shown or put into an error.
"""

from providers.sdk.handover import check_seal
from providers.sdk.transport import HttpRequest
from providers.telegramstars.settings import TelegramStarsSettings


def address(settings: TelegramStarsSettings, method: str) -> str:
    """Where a method is called; the test environment has a path of its own."""
    test = "/test" if settings.test_environment else ""
    return f"{settings.base_url.rstrip('/')}/bot{settings.bot_token.get_secret_value()}{test}/{method}"


def check_update(settings: TelegramStarsSettings, request: HttpRequest) -> None:
    """Raise `SignatureError` for an update that the host did not hand over."""
    check_seal(settings.bot_token, request)
