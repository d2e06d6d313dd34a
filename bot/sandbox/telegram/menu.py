"""Commands by scope and language, and the menu button; also what the bot is seen doing («typing …»)."""

from pydantic import JsonValue, TypeAdapter

from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.journal import Journal
from bot.sandbox.telegram.wire import BotCommand

_COMMANDS = TypeAdapter(tuple[BotCommand, ...])
_BUTTON = TypeAdapter(dict[str, JsonValue])
_WIDE_SCOPES = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}
_CHAT_SCOPES = {"chat", "chat_administrators", "chat_member"}
ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "record_audio",
    "upload_audio", "upload_document", "choose_sticker", "find_location", "record_video_note",
    "upload_video_note", "cancel",
}  # fmt: skip
ACTION_SHOWN_S = 5  # Bot API, sendChatAction: «The status is set for 5 seconds or less»


class Menu:
    """What surrounds the chat: the command list and the button beside the input field."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._commands = {
            key.removeprefix("commands/"): _COMMANDS.validate_json(value)
            for key, value in journal.scan("commands/")
        }
        self._buttons = {
            key.removeprefix("button/"): _BUTTON.validate_json(value)
            for key, value in journal.scan("button/")
        }
        self._actions: dict[int, tuple[str, float]] = {}

    def set_commands(
        self, scope: dict[str, JsonValue], language: str, commands: tuple[BotCommand, ...]
    ) -> None:
        """An empty list deletes."""
        key = f"{_scope_key(scope)}/{language}"
        if commands:
            self._commands[key] = commands
            self._journal.put(f"commands/{key}", _COMMANDS.dump_json(commands))
        elif self._commands.pop(key, None):
            self._journal.drop(f"commands/{key}")

    def commands(self, scope: dict[str, JsonValue], language: str) -> tuple[BotCommand, ...]:
        """Exactly what was set for that scope and language."""
        return self._commands.get(f"{_scope_key(scope)}/{language}", ())

    def commands_seen(self, chat_id: int, language: str) -> tuple[BotCommand, ...]:
        """What a person finds in the chat: the narrowest scope first, the person's language before none."""
        kind = "all_private_chats" if chat_id > 0 else "all_group_chats"
        keys = (
            f"{scope}/{tongue}"
            for scope in (f"chat:{chat_id}", kind, "default")
            for tongue in (language[:2], "")
        )
        return next((self._commands[key] for key in keys if key in self._commands), ())

    def set_button(self, chat_id: int, button: dict[str, JsonValue]) -> None:
        """Chat 0 is the default of all chats."""
        kind = str(button.get("type", "default"))
        if kind not in {"default", "commands", "web_app"}:
            raise bad_request("Can't parse menu button: MenuButton has unsupported type")
        if kind == "web_app" and not (button.get("text") and isinstance(button.get("web_app"), dict)):
            raise bad_request("Can't parse menu button: Can't find field \"web_app\"")
        self._buttons[str(chat_id)] = {"type": kind, **button}
        self._journal.put(f"button/{chat_id}", _BUTTON.dump_json({"type": kind, **button}))

    def button(self, chat_id: int) -> dict[str, JsonValue]:
        """The button of that chat, or the default of all chats."""
        own = self._buttons.get(str(chat_id), {"type": "default"})
        return self._buttons.get("0", {"type": "commands"}) if own["type"] == "default" else own

    def act(self, chat_id: int, action: str, now: float) -> None:
        """The bot is seen doing something, for a few seconds."""
        if action not in ACTIONS:
            raise bad_request("Wrong parameter action in request")
        self._actions[chat_id] = (action, now + ACTION_SHOWN_S)

    def stop_acting(self, chat_id: int) -> None:
        """A message of the bot ends it."""
        self._actions.pop(chat_id, None)

    def action(self, chat_id: int, now: float) -> str | None:
        """What the bot is seen doing now."""
        action, until = self._actions.get(chat_id, ("cancel", 0.0))
        return action if action != "cancel" and now < until else None


def _scope_key(scope: dict[str, JsonValue]) -> str:
    kind = str(scope.get("type", "default"))
    if kind in _WIDE_SCOPES:
        return kind
    if kind not in _CHAT_SCOPES:
        raise bad_request("Can't parse BotCommandScope: Unsupported type specified")
    if not scope.get("chat_id"):
        raise bad_request("Can't parse BotCommandScope: Can't find field \"chat_id\"")
    member = f":{scope.get('user_id')}" if kind == "chat_member" else ""
    return f"{kind}:{scope['chat_id']}{member}"
