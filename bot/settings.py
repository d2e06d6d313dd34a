"""What an operator can set, read from the environment and from `.env`; the environment wins.

`.env.example` is written from here and from every provider's own settings, see `env_example`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from miniprograms.sdk.payment import IfLate
from providers.sdk.clock import Random
from providers.sdk.contract import ProviderPlugin, ProviderSettings
from providers.sdk.errors import ConfigurationError

MAIN_ACCOUNT: Final = "main"
_ACCOUNT = re.compile(r"([a-z][a-z0-9]{1,31})(?:/([a-z][a-z0-9]{0,31}))?", re.ASCII)
_HOST_SECRET_CHARS: Final = 43  # of 62 each: 256 bits

Port = Annotated[int, Field(ge=1, le=65535)]


@dataclass(frozen=True, slots=True)
class AccountName:
    """One merchant account of one provider, as `PROVIDERS` and the notification addresses name it."""

    provider: str
    account: str = MAIN_ACCOUNT

    @property
    def prefix(self) -> str:
        """What its variables start with: `WECHATPAY_`, or `WECHATPAY_SHOP2_` for an account of another name."""
        parts = (self.provider,) if self.account == MAIN_ACCOUNT else (self.provider, self.account)
        return "".join(f"{part.upper()}_" for part in parts)

    def __str__(self) -> str:
        return self.provider if self.account == MAIN_ACCOUNT else f"{self.provider}/{self.account}"


class Settings(BaseSettings):
    """One running host. Everything has a default, so that the sandbox starts from nothing."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True, validate_default=False
    )

    telegram_bot_token: SecretStr = Field(SecretStr(""), description="The bot's token, from @BotFather.")
    telegram_api_base: str = Field(
        "https://api.telegram.org", description="Bot API server; a local one or an emulator speaks the same."
    )
    telegram_webhook_secret: SecretStr = Field(
        SecretStr(""),
        description="Telegram repeats it in every webhook call; 16 to 256 of A-Z a-z 0-9 _ -. Needed for UPDATES=webhook.",
    )
    updates: Literal["polling", "webhook"] = Field(
        "polling", description="How updates arrive: polling asks Telegram, webhook needs PUBLIC_URL."
    )
    public_url: str = Field(
        "",
        description="Where the internet reaches the web port, such as https://pay.example.com: base of the webhook, "
        "the notification addresses and the one-code links. Empty: this machine only.",
    )
    bind_host: str = Field("127.0.0.1", description="Address to listen on; put a TLS proxy in front of it.")
    web_port: Port = Field(8081, description="Notifications, the one-code page, the webhook and health.")
    sandbox_port: Port = Field(8080, description="The sandbox page and its Bot API (moongate sandbox only).")
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Give /metrics a port of its own, out of the internet's reach; 0: on WEB_PORT.",
    )
    data_dir: Path = Field(
        Path(".moongate"), description="Embedded Redis, SQLite and generated keys live here; back it up."
    )
    redis_url: SecretStr = Field(
        SecretStr(""), description="redis://, rediss:// or unix://; empty: an embedded server in DATA_DIR."
    )
    database_url: SecretStr = Field(
        SecretStr(""), description="postgresql://user:password@host/name; empty: a SQLite file in DATA_DIR."
    )
    providers: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Accounts to collect with, by comma: wechatpay,unionpay or wechatpay/shop2 for a second account "
        "(its variables start with WECHATPAY_SHOP2_).",
    )
    host_secret: SecretStr = Field(
        SecretStr(""),
        description="Key behind the open_id that mini programs see, 32 characters or more; changing it makes everybody "
        "a stranger. Empty: generated into DATA_DIR.",
    )
    handler_deadline_s: int = Field(10, ge=1, le=300, description="Longest run of one page method.")
    stall_deadline_s: int = Field(
        60,
        ge=0,
        le=3600,
        description="When a plugin blocks the whole host for so long, the process prints where it stands and ends, for "
        "its supervisor to start it again; 0: never (moongate run only).",
    )
    taps_per_minute: int = Field(
        120,
        ge=10,
        le=6000,
        description="What one person may tap and write in one chat; beyond it they are told to wait.",
    )
    provider_deadline_s: int = Field(10, ge=1, le=60, description="Longest call to an institution.")
    one_code: Literal["link", "emvco"] = Field(
        "link",
        description="What the cashier's picture carries: link, which every camera opens, or emvco, for networks that "
        "have agreed to route this house's identifier. The page of the link shows both.",
    )
    shop_name: str = Field(
        "Moongate",
        pattern=r"^[ -~]{1,25}$",
        description="The merchant's name in EMVCo codes: 1 to 25 letters of ASCII.",
    )
    shop_city: str = Field(
        "Beijing",
        pattern=r"^[ -~]{1,15}$",
        description="The merchant's city in EMVCo codes, likewise 1 to 15.",
    )
    inbox_keeps_days: int = Field(
        400,
        ge=30,
        le=3650,
        description="How long raw notifications are kept, sealed with HOST_SECRET: as long as a payer may dispute, which "
        "is a year at most institutions. That an event has come is known for ever.",
    )
    late_payments: IfLate = Field(
        IfLate.KEEP,
        description="Money that arrives after its order has ended: keep (the page hears `paid` with the detail `late` and "
        "delivers or gives it back) or refund (the house gives it back at once). A page may decide for its own orders.",
    )
    payout_limit_minor: int = Field(
        2_000_00, ge=0, description="Most that one payout may offer, in minor units (fen); more is refunded."
    )
    payout_day_limit_minor: int = Field(
        5_000_00,
        ge=0,
        description="Most that one person may offer, and one payee claim, in 24 hours, in minor units.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["console", "json"] = Field(
        "console", description="console for people, json for machines."
    )

    @field_validator("providers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("providers")
    @classmethod
    def _named(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _ACCOUNT.fullmatch(name):
                raise ValueError("each is a provider or provider/account in small letters and digits")
        if len({str(_account(name)) for name in value}) < len(value):
            raise ValueError("an account stands twice")
        return value

    @field_validator("public_url")
    @classmethod
    def _base(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
            raise ValueError("it is a web address such as https://pay.example.com, without ? and #")
        return value.rstrip("/")

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _secret_token(cls, value: SecretStr) -> SecretStr:
        # Bot API, setWebhook, secret_token: 1-256 characters of this alphabet; a short one can be guessed.
        if value.get_secret_value() and not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", value.get_secret_value()):
            raise ValueError("it is 16 to 256 characters of A-Z a-z 0-9 _ -")
        return value

    @field_validator("host_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 32:  # noqa: PLR2004  # the description says why
            raise ValueError("it has 32 characters or more")
        return value

    @property
    def accounts(self) -> tuple[AccountName, ...]:
        """The accounts of `PROVIDERS`, in order."""
        return tuple(_account(name) for name in self.providers)

    @property
    def web_url(self) -> str:
        """The base of every address we hand out: `PUBLIC_URL`, or this machine's own."""
        return self.public_url or f"http://127.0.0.1:{self.web_port}"


def read_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Read the environment over `env_file`. Raises `ConfigurationError` naming every wrong variable, never a value."""
    try:
        return Settings(_env_file=env_file, _env_file_encoding="utf-8")
    except ValidationError as error:
        raise ConfigurationError(_complaint(error, "")) from None


def read_account(
    plugin: ProviderPlugin, account: str = MAIN_ACCOUNT, env_file: Path | None = Path(".env")
) -> ProviderSettings:
    """The settings of one merchant account. Raises `ConfigurationError` naming every wrong or missing variable."""
    name = AccountName(plugin.info.id, account)
    try:
        return plugin.settings(
            _env_prefix=name.prefix,
            _env_file=env_file,
            _env_file_encoding="utf-8",
            _env_ignore_empty=True,
        )
    except ValidationError as error:
        raise ConfigurationError(_complaint(error, name.prefix)) from None


def read_merchants(
    settings: Settings, plugins: Mapping[str, ProviderPlugin]
) -> dict[AccountName, ProviderSettings]:
    """The accounts of `PROVIDERS`, each with its settings. Raises `ConfigurationError`."""
    unknown = [name.provider for name in settings.accounts if name.provider not in plugins]
    if unknown:
        raise ConfigurationError(
            f"PROVIDERS names {', '.join(unknown)}, which is not installed; installed: {', '.join(plugins) or 'none'}."
        )
    return {name: read_account(plugins[name.provider], name.account) for name in settings.accounts}


def keep_host_secret(settings: Settings, random: Random) -> SecretStr:
    """`HOST_SECRET`, or the one generated into the data directory on first use."""
    if settings.host_secret.get_secret_value():
        return settings.host_secret
    path = settings.data_dir.expanduser() / "host-secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(random.text(_HOST_SECRET_CHARS), encoding="ascii")
    return SecretStr(path.read_text(encoding="ascii").strip())


def env_example(plugins: Iterable[ProviderPlugin]) -> str:
    """The text of `.env.example`: every variable, off, with its default and what it means."""
    host = _section("Moongate. Copy to .env and take the # off the lines you need.", Settings, "")
    accounts = (
        _section(
            f"{plugin.info.name_en} ({plugin.info.name_zh}): PROVIDERS={plugin.info.id}",
            plugin.settings,
            AccountName(plugin.info.id).prefix,
        )
        for plugin in sorted(plugins, key=lambda plugin: plugin.info.id)
    )
    return "\n".join((host, *accounts))


def _section(title: str, settings: type[BaseSettings], prefix: str) -> str:
    lines = [f"# --- {title}", ""]
    for name, field in settings.model_fields.items():
        need = " Required." if field.is_required() else ""
        lines += [
            f"# {field.description or ''}{need}",
            f"#{prefix}{name.upper()}={_written(field.default)}",
            "",
        ]
    return "\n".join(lines)


def _written(default: object) -> str:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return str(default) if isinstance(default, str | int | Path) else ""


def _account(name: str) -> AccountName:
    provider, _, account = name.partition("/")
    return AccountName(provider, account or MAIN_ACCOUNT)


def _complaint(error: ValidationError, prefix: str) -> str:
    parts = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        field = str(problem["loc"][0]) if problem["loc"] else "settings"
        said = (
            "it is missing" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, ")
        )
        parts.append(f"{prefix}{field.upper()}: {said[0].lower()}{said[1:].rstrip('.')}.")
    return "Settings are wrong. " + " ".join(parts) + " Set them in the environment or in .env."
