"""One bot that is paid in Stars: what the operator sets."""

import re
from typing import ClassVar, Final

from pydantic import Field, SecretStr, field_validator

from providers.sdk.contract import ProviderSettings

_TOKEN: Final = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{1,100}", re.ASCII)


class TelegramStarsSettings(ProviderSettings):
    """The host's own bot: the Stars of an invoice go to the bot that made it."""

    merchant_field: ClassVar[str] = "bot_id"

    base_url: str = Field(
        default="https://api.telegram.org", description="Bot API server; the same as TELEGRAM_API_BASE."
    )
    bot_token: SecretStr = Field(description="The bot's token, the same as TELEGRAM_BOT_TOKEN.")
    bot_id: str = Field(
        default="",
        description="The bot's number, which stands before the colon of its token; read from there when empty.",
        pattern=r"^[0-9]{0,20}$",
    )
    test_environment: bool = Field(
        default=False,
        description="Telegram's test environment, where Stars cost nothing; its bots are others.",
    )
    subscription: bool = Field(
        default=False,
        description="Every invoice is a subscription of 30 days that renews itself; only the first month is an order.",
    )
    settles_within_s: int = Field(
        default=60,
        ge=10,
        le=3600,
        description="Seconds after our yes to a payment in which it may still arrive; until then it is not closed.",
    )

    @field_validator("bot_token")
    @classmethod
    def _whole(cls, value: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("it is a bot's token, such as @BotFather gives: digits, a colon, and letters")
        return value

    @property
    def merchant(self) -> str:
        """The bot's number."""
        return self.bot_id or self.token_id

    @property
    def token_id(self) -> str:
        """Whose token it is: the number that Telegram itself goes by."""
        return self.bot_token.get_secret_value().partition(":")[0]
