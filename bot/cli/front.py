"""The door of the command `moongate`: the group, and how every command says what is wrong.

Each command ends with one clear sentence and a non-zero status when something is wrong.
"""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

import click
import structlog

from bot.catalogue import Catalogue, misplaced_rooms
from bot.errors import NotReadyError
from bot.log import set_up_logging
from bot.settings import Settings, read_settings
from bot.stores import StoreError
from bot.telegram.errors import BadTokenError, SilentError, WebhookUnsafeError
from providers.sdk.errors import ConfigurationError

P = ParamSpec("P")

# What an operator can mend; everything else is a bug and shows its traceback.
_PLAIN: Final = (
    BadTokenError,
    ConfigurationError,
    NotReadyError,
    SilentError,
    StoreError,
    WebhookUnsafeError,
)
_log = structlog.get_logger(__name__)


def plainly(status: int = 1) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Say an operator's mistake in one line on standard error, and exit with `status`."""

    def dress(command: Callable[P, None]) -> Callable[P, None]:
        @wraps(command)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                command(*args, **kwargs)
            except BaseExceptionGroup as group:
                plain, rest = group.split(_PLAIN)
                if rest is not None or plain is None:
                    raise
                _say(_first(plain), status)
            except _PLAIN as error:
                _say(error, status)

        return run

    return dress


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="moongate")
def main() -> None:
    """A chat-bot host for mini programs that any wallet can pay.

    Start with `moongate sandbox`: a chat and wallets with play money in your browser. No token and no account are
    needed. Settings come from the environment and from `.env`; `.env.example` names them all.
    """


def start() -> Settings:
    """The settings, with the log set up. Raises `NotReadyError` when another package stands in the way of ours."""
    settings = read_settings()
    set_up_logging(settings.log_level, settings.log_format)
    if misplaced := misplaced_rooms():
        raise NotReadyError(" ".join(misplaced))
    return settings


def show_refusals(catalogue: Catalogue) -> Catalogue:
    """Name in the log what will not take part."""
    for refusal in catalogue.refusals:
        _log.error("plugin_refused", plugin=refusal.name, reason=refusal.reason)
    return catalogue


def _say(error: BaseException, status: int) -> None:
    click.echo(f"moongate: {error}", err=True)
    sys.exit(status)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
