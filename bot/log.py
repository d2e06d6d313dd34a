"""Log lines: structured, one per event, with nothing in them that could be used against anybody.

Every line of ours and of the libraries goes through `mask`: tokens, keys, signatures and payer codes never come out.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, Literal, TextIO

import structlog
from structlog.contextvars import bound_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN: Final = "***"
_DEPTH_MAX: Final = 6
_CHARS_MAX: Final = 20_000  # a traceback fits; a whole reply does not

# Names whose value is hidden whatever it looks like.
_SECRET_NAME = re.compile(
    r"token|secret|authorization|passw|private_?key|api_?key|cert_?key|payer_?code|auth_?code|qr_?code_?text"
    r"|cookie|signature|^sign$|^mac$|^hmac$|init_?data|open_?id$|user_?id$|phone|^hash$",
    re.IGNORECASE,
)
# `user_id` in a log line of ours is a chat user; institutions' payer ids come under their own names.
_OPEN_NAMES: Final = frozenset({"user_id", "update_key"})

_SECRET_TEXTS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL), "<pem>"),
    (re.compile(r"(?<![0-9])[0-9]{5,16}(?::|%3[Aa])[A-Za-z0-9_-]{30,}"), "<token>"),  # Telegram's bot token
    (re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"), HIDDEN),  # user:password@ in an address
    (re.compile(r"(?i)\b(bearer|basic|WECHATPAY2-[A-Z0-9-]+)\s+[^\r\n]+"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)\b(authorization|x-[a-z-]*(?:secret|token)[a-z-]*)(['\"]?\s*[:=]\s*)[^\r\n]+"), rf"\1\2{HIDDEN}"),
    (
        re.compile(r"(?i)([?&;\s\"'](?:[a-z_]*token|[a-z_]*secret|sign(?:ature)?|auth_?code|password|hash|key)[\"']?[=:]\s*[\"']?)[^&\s\"',}]+"),
        rf"\1{HIDDEN}",
    ),
    # Payer codes: 16 to 24 digits alone (WeChat 18, Alipay 16-24, UnionPay 19, Hebao 18, BestPay 18).
    (re.compile(r"(?<![0-9A-Za-z])[0-9]{16,24}(?![0-9A-Za-z])"), "<digits>"),
)  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def set_up_logging(
    level: Literal["debug", "info", "warning", "error"],
    form: Literal["console", "json"],
    stream: TextIO | None = None,
) -> None:
    """Send our own and the libraries' lines through one chain to `stream` (standard error)."""
    renderer: Processor
    if form == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=stream is None, exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*_chain(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_chain(),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # These write every address they call, at a level meant for their own authors.
    for noisy in ("aiogram.event", "alembic", "asyncio", "sqlalchemy.engine", "aiosqlite"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def log_context(**names: str) -> AbstractContextManager[None]:
    """Put names such as `update_key=` or `order_id=` on every line written inside."""
    return bound_contextvars(**names)


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: hide what looks or is named like a secret."""
    return {name: value if name.startswith("_") else _masked(name, value, 0) for name, value in event.items()}


def masked_text(text: str) -> str:
    """The text without tokens, keys, signatures and payer codes, and on one line's terms (no control characters)."""
    for pattern, instead in _SECRET_TEXTS:
        text = pattern.sub(instead, text)
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text[:_CHARS_MAX])


def _masked(name: str, value: object, depth: int) -> object:
    if name not in _OPEN_NAMES and _SECRET_NAME.search(name):
        return HIDDEN
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            text = masked_text(value)
            return text.replace("\n", "\\n") if name == "event" else text
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case _ if depth >= _DEPTH_MAX:
            return f"<{type(value).__name__}>"
        case Mapping():
            return {str(key): _masked(str(key), item, depth + 1) for key, item in value.items()}
        case Sequence() | set() | frozenset():
            return [_masked("", item, depth + 1) for item in value]
        case _:
            return masked_text(str(value))


def _chain() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask,
    ]
