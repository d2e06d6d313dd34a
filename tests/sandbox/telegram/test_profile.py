import pytest

from bot.sandbox.telegram import Person

COFFEE = [{"command": "/coffee", "description": "A cup"}]


async def test_the_bot_tells_who_it_is(bot):
    me = await bot.result("getMe")

    assert (me["id"], me["is_bot"], me["username"]) == (4242, True, "moongate_bot")


async def test_commands_are_kept_by_scope_and_language(bot, api, chat, ann):
    chinese = [{"command": "coffee", "description": "一杯"}]
    own = {"type": "chat", "chat_id": chat}
    await bot.result("setMyCommands", commands=COFFEE)
    everybody = api.commands(ann, chat)
    await bot.result("setMyCommands", commands=chinese, language_code="zh")
    in_chinese = api.commands(ann, chat)
    await bot.result("setMyCommands", commands=[{"command": "own", "description": "x"}], scope=own)

    assert [command.description for command in everybody] == ["A cup"]
    assert [command.description for command in in_chinese] == ["一杯"]
    assert [command.command for command in api.commands(ann, chat)] == ["own"]
    assert [command.description for command in api.commands(Person(9, "Bob"), 9)] == ["A cup"]
    assert await bot.result("getMyCommands", language_code="zh") == chinese
    assert await bot.result("getMyCommands", language_code="de") == []
    await bot.result("deleteMyCommands", scope=own)
    assert await bot.result("getMyCommands", scope=own) == []


@pytest.mark.parametrize(
    ("commands", "description"),
    [
        ([{"command": "Coffee", "description": "x"}], "Bad Request: BOT_COMMAND_INVALID"),
        ([{"command": "x" * 33, "description": "x"}], "Bad Request: BOT_COMMAND_INVALID"),
        ([{"command": "/", "description": "x"}], "Bad Request: command must be non-empty"),
        ([{"command": "a", "description": " "}], "Bad Request: command description must be non-empty"),
        (
            [{"command": "a", "description": "x" * 257}],
            "Bad Request: command description length must not exceed 256",
        ),
        (COFFEE * 101, "Bad Request: BOT_COMMANDS_TOO_MUCH"),
        (["a"], "Bad Request: can't parse BotCommand: expected an Object"),
        ({}, "Bad Request: expected an Array of BotCommand"),
        ("[", "Bad Request: can't parse commands JSON object"),
    ],
)
async def test_commands_that_telegram_refuses_are_refused(bot, commands, description):
    assert await bot.refusal("setMyCommands", commands=commands) == (400, description)


@pytest.mark.parametrize("scope", [{"type": "planet"}, {"type": "chat"}])
async def test_a_scope_must_be_one_of_telegrams(bot, scope):
    code, description = await bot.refusal("setMyCommands", commands=COFFEE, scope=scope)

    assert code == 400
    assert description.startswith("Bad Request: can't parse BotCommandScope: ")


async def test_the_menu_button_of_a_chat_stands_before_that_of_all(bot, chat):
    app = {"type": "web_app", "text": "Open", "web_app": {"url": "https://example.org"}}
    before = await bot.result("getChatMenuButton", chat_id=chat)
    await bot.result("setChatMenuButton", menu_button=app)
    await bot.result("setChatMenuButton", chat_id=chat, menu_button={"type": "commands"})

    assert before == {"type": "commands"}
    assert await bot.result("getChatMenuButton", chat_id=chat) == {"type": "commands"}
    assert await bot.result("getChatMenuButton") == app
    for wrong in ({"type": "big"}, {"type": ["web_app"]}, {"type": "web_app"}):
        assert (await bot.refusal("setChatMenuButton", menu_button=wrong))[0] == 400


async def test_a_chat_can_be_looked_up(bot, chat):
    found = await bot.result("getChat", chat_id=chat)

    assert (found["id"], found["type"], found["first_name"]) == (7, "private", "Ann")
    assert await bot.refusal("getChat", chat_id=99) == (400, "Bad Request: chat not found")
