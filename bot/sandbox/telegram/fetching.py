"""Methods by which the bot receives: updates, webhooks, callback answers, files."""

from pydantic import JsonValue

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.errors import bad_request, conflict
from bot.sandbox.telegram.params import (
    AnswerCallbackQuery,
    DeleteWebhook,
    GetFile,
    GetUpdates,
    NoParams,
    SetWebhook,
)
from bot.sandbox.telegram.people import Tap
from bot.sandbox.telegram.sending import Uploads
from bot.sandbox.telegram.webhook import SECRET_TOKEN, WebhookSettings, check_url
from bot.sandbox.telegram.wire import Update
from bot.sandbox.telegram.world import World

UPDATES_MAX = 100
POLL_TIMEOUT_MAX_S = 50
CONNECTIONS_MAX = 100
SECRET_TOKEN_MAX = 256
ANSWER_TEXT_MAX = 200
DOWNLOAD_BYTES_MAX = 20 * 1024 * 1024


async def get_updates(world: World, params: GetUpdates, _: Uploads) -> tuple[Update, ...]:
    """Long polling; refused while a webhook is set."""
    if world.webhook.settings.url:
        raise conflict(errors.WEBHOOK_ACTIVE)
    world.updates.subscribe(params.allowed_updates)
    limit = min(max(params.limit, 1), UPDATES_MAX)
    return await world.updates.poll(params.offset, limit, min(max(params.timeout, 0), POLL_TIMEOUT_MAX_S))


async def set_webhook(world: World, params: SetWebhook, _: Uploads) -> bool:
    """An empty URL is deleteWebhook."""
    if params.url:
        check_url(params.url)
        if len(params.secret_token) > SECRET_TOKEN_MAX:
            raise bad_request("secret token is too long")
        if not SECRET_TOKEN.fullmatch(params.secret_token):
            raise bad_request("secret token contains unallowed characters")
        world.updates.interrupt(conflict(errors.WEBHOOK_SET))
    world.updates.subscribe(params.allowed_updates)
    if params.drop_pending_updates:
        world.updates.clear()
    connections = min(max(params.max_connections, 1), CONNECTIONS_MAX)
    world.webhook.set(
        WebhookSettings(url=params.url, secret_token=params.secret_token, max_connections=connections)
        if params.url
        else WebhookSettings()
    )
    return True


async def delete_webhook(world: World, params: DeleteWebhook, uploads: Uploads) -> bool:
    """Back to long polling; pending updates stay unless they are dropped by name."""
    return await set_webhook(world, SetWebhook(drop_pending_updates=params.drop_pending_updates), uploads)


async def get_webhook_info(world: World, _: NoParams, __: Uploads) -> dict[str, JsonValue]:
    """Where updates go, how many wait, and the last trouble."""
    settings, kinds = world.webhook.settings, world.updates.subscription.kinds
    info: dict[str, JsonValue] = {
        "url": settings.url,
        "has_custom_certificate": False,
        "pending_update_count": len(world.updates.pending()),
        "last_error_date": settings.last_error_date,
        "last_error_message": settings.last_error_message,
        "max_connections": settings.max_connections if settings.url else None,
        "ip_address": "127.0.0.1" if settings.url else None,
        "allowed_updates": None if kinds is None else list(kinds),
    }
    return {name: value for name, value in info.items() if value is not None}


async def answer_callback_query(world: World, params: AnswerCallbackQuery, _: Uploads) -> bool:
    """Once per tap, while it is not too old."""
    if len(params.text) > ANSWER_TEXT_MAX:
        raise bad_request("MESSAGE_TOO_LONG")
    start_link = f"t.me/{world.bot.username}?"
    if params.url and params.url.removeprefix("https://")[: len(start_link)] != start_link:
        raise bad_request("URL_INVALID")  # a link to the bot itself is the only one allowed without a game
    tap = Tap(answered=True, toast=params.text, alert=params.show_alert, url=params.url or None)
    world.queries.answer(params.callback_query_id, tap)
    return True


async def get_file(world: World, params: GetFile, _: Uploads) -> dict[str, JsonValue]:
    """The path to download from `/file/bot<token>/<path>`."""
    if not params.file_id:
        raise bad_request("file_id not specified")
    file = world.files.find(params.file_id)
    if file is None:
        raise bad_request("invalid file_id")
    if file.size > DOWNLOAD_BYTES_MAX:
        raise bad_request("file is too big")
    return {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": file.size,
        "file_path": file.path,
    }
