"""Methods about the bot itself, its menus, and the chats it is in."""

from pydantic import JsonValue

from bot.sandbox.telegram.params import (
    CommandScope,
    InChat,
    MenuButtonOf,
    NoParams,
    SetChatMenuButton,
    SetMyCommands,
)
from bot.sandbox.telegram.sending import Uploads
from bot.sandbox.telegram.wire import BotCommand
from bot.sandbox.telegram.world import World


async def get_me(world: World, _: NoParams, __: Uploads) -> dict[str, JsonValue]:
    """The bot, with what it may do."""
    return world.bot.json_value() | {
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def set_my_commands(world: World, params: SetMyCommands, _: Uploads) -> bool:
    """For one scope and language."""
    world.menu.set_commands(params.scope, params.language_code, params.commands)
    world.chats.touch()
    return True


async def delete_my_commands(world: World, params: CommandScope, _: Uploads) -> bool:
    """People see the commands of a wider scope again."""
    world.menu.set_commands(params.scope, params.language_code, ())
    world.chats.touch()
    return True


async def get_my_commands(world: World, params: CommandScope, _: Uploads) -> tuple[BotCommand, ...]:
    """Exactly what was set for that scope and language."""
    return world.menu.commands(params.scope, params.language_code)


async def set_chat_menu_button(world: World, params: SetChatMenuButton, _: Uploads) -> bool:
    """Of one private chat, or the default of all."""
    if params.chat_id:
        world.chats.find(params.chat_id)
    world.menu.set_button(params.chat_id, params.menu_button)
    world.chats.touch()
    return True


async def get_chat_menu_button(world: World, params: MenuButtonOf, _: Uploads) -> dict[str, JsonValue]:
    """What the person sees beside the input field."""
    return world.menu.button(params.chat_id)


async def get_chat(world: World, params: InChat, _: Uploads) -> dict[str, JsonValue]:
    """A chat in full, with the fields that bot libraries require."""
    gifts: dict[str, JsonValue] = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"),
        False,
    )
    chat = world.chats.find(params.chat_id).chat.json_value()
    return chat | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}
