import io
import json
import logging

import pytest
import structlog
from pydantic import SecretStr

from bot.log import log_context, masked_text, set_up_logging

TOKEN = "7712345678:AAF-canarycanarycanarycanarycanary0"
HIDDEN_LOCAL = "canary-local"
PEM = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----"


@pytest.fixture
def lines():
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    set_up_logging("debug", "json", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.fault("M7")
@pytest.mark.parametrize(
    "text",
    [
        f"https://api.telegram.org/bot{TOKEN}/getMe",
        f"key is {PEM} indeed",
        "Authorization: Bearer canary-canary",
        "{'Authorization': 'WECHATPAY2-SHA256-RSA2048 mchid=\"1\",signature=\"canary\"'}",
        "redis://:canary@host:6379",
        "https://x/y?a=1&sign=canary&b=2",
        '{"auth_code": "canary"}',
        "X-Telegram-Bot-Api-Secret-Token: canary",
    ],
)
def test_a_secret_inside_a_text_is_masked(text):
    assert "canary" not in masked_text(text)
    assert "Y2FuYXJ5" not in masked_text(text)


@pytest.mark.fault("M8")
@pytest.mark.parametrize("code", ["134567890123456789", "280012345678901234", "6212345678901234567"])
def test_payer_codes_are_masked_and_our_numbers_stay(code):
    assert masked_text(f"paid with {code}.") == "paid with <digits>."
    assert masked_text("order 01JD8Z6Y7QK4 attempt 4200002233202411230000000001") == (
        "order 01JD8Z6Y7QK4 attempt 4200002233202411230000000001"
    )


def test_a_value_under_a_secret_name_is_masked_at_any_depth(lines):
    log = structlog.get_logger("test")

    log.info("call", headers={"Set-Cookie": "canary", "a": [{"api_key": "canary"}]}, payer_code="canary")
    log.info("seat", user_id=42, key=SecretStr("canary"), body=b"canary")

    assert "canary" not in json.dumps(lines())
    assert lines()[1]["user_id"] == 42
    assert lines()[1]["body"] == "<6 bytes>"


def test_the_libraries_lines_go_through_the_same_mask(lines):
    logging.getLogger("aiogram").warning("Failed to fetch /bot%s/getUpdates", TOKEN)

    assert lines()[0]["event"] == "Failed to fetch /bot<token>/getUpdates"
    assert lines()[0]["level"] == "warning"


def fail(token, _local):
    raise ValueError(f"no such bot {token}")


@pytest.mark.fault("M7")
def test_a_traceback_holds_no_local_values_and_no_secret(lines):
    try:
        fail(TOKEN, HIDDEN_LOCAL)
    except ValueError:
        structlog.get_logger("test").exception("update failed")

    assert "canary" not in json.dumps(lines())
    assert "ValueError: no such bot <token>" in lines()[0]["exception"]


def test_names_bound_to_the_context_stand_on_every_line_inside(lines):
    with log_context(update_key="u1", order_id="o1"):
        structlog.get_logger("test").info("inside")
    structlog.get_logger("test").info("outside")

    assert (lines()[0]["update_key"], lines()[0]["order_id"]) == ("u1", "o1")
    assert "order_id" not in lines()[1]


@pytest.mark.fault("M3")
def test_a_line_cannot_be_forged(lines):
    structlog.get_logger("test").info("said\n\x1b[31m2026 [error] paid", text="a\x1b[0mb\u202e")

    assert len(lines()) == 1
    assert "\x1b" not in lines()[0]["event"] + lines()[0]["text"]
    assert "\u202e" not in lines()[0]["text"]


def test_the_console_form_is_masked_too():
    root = logging.getLogger()
    before = list(root.handlers)
    stream = io.StringIO()
    set_up_logging("info", "console", stream)

    structlog.get_logger("test").info("ready\nforged", token=TOKEN, port=8081)

    root.handlers[:] = before
    structlog.reset_defaults()
    assert "canary" not in stream.getvalue()
    assert "port=8081" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1
