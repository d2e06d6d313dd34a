"""What Telegram can refuse the house.

BadTokenError        the token is not a bot's (any more); nothing works until someone acts
WebhookUnsafeError   the webhook may not be opened as it is configured
SilentError          Telegram cannot be reached, or wants us to wait longer than a caller can (a ConnectionError)
ScreenRefusedError   Telegram does not take this screen: the screen is at fault
PictureGoneError     a picture that a person sent cannot be had: gone, or too large (a LookupError)
"""


class BadTokenError(Exception):
    """Says what to do in one line, and never the token."""

    def __init__(self) -> None:
        super().__init__(
            "Telegram does not know this bot token. Copy it again from @BotFather into TELEGRAM_BOT_TOKEN; "
            "if it was revoked, ask @BotFather for a new one."
        )


class WebhookUnsafeError(Exception):
    """Raised before anything listens."""


class SilentError(ConnectionError):
    """The call may have had its effect. Whatever it was part of can be tried again later."""


class ScreenRefusedError(Exception):
    """`description` is Telegram's own."""

    def __init__(self, description: str) -> None:
        super().__init__(f"Telegram refused the screen: {description}. Its buttons or texts break a limit.")
        self.description = description


class PictureGoneError(LookupError):
    """The person can send it again."""
