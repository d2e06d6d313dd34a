import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.sandbox.telegram.methods import METHODS

WORDS = st.sampled_from([
    "", "7", "0", "-1", "x", "1e9", "99999999999999999999", "\0", "月", "true", "{", "[]", "{}", "[1]", '["a"]', "null",
    '{"inline_keyboard":[[{"text":"a","callback_data":"b"}]]}', '{"keyboard":[[1]]}', '{"keyboard":"x"}',
    '{"inline_keyboard":[[{"text":1,"url":[]}]]}', '{"inline_keyboard":[[{"text":"a","url":"http://[::1"}]]}',
    '{"type":"photo","media":{},"caption_entities":[{"type":1}]}', '{"type":[],"chat_id":{}}', '"\\ud800"',
    '[{"type":"bold","offset":0,"length":1e400}]', '[{"command":"a","description":"b"}]', '{"message_id":true}',
    '{"type":"web_app","text":1,"web_app":1}', "https://[", "http://127.0.0.1:9/", "attach://", "HTML", "Markdown",
])  # fmt: skip


@pytest.mark.parametrize("method", sorted(METHODS))
async def test_no_arguments_make_a_method_fall_over(bot, chat, method):
    fields = sorted(set(METHODS[method].takes.model_fields) - {"timeout"})

    @settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(args=st.dictionaries(st.sampled_from(fields or ["x"]), WORDS))
    def collect(args):
        tried.append(args)

    tried = []
    collect()

    for args in tried:
        async with bot.http.post(bot.url(method), json={"chat_id": "7", **args}) as reply:
            assert reply.status in {200, 400, 403, 409}, (args, await reply.text())


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"text": "\\ud800", "chat_id": 7}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"[1]", "application/json"),
        (b"chat_id=7&text=%ff%fe", "application/x-www-form-urlencoded"),
        (b"nonsense", "multipart/form-data; boundary=x"),
        (b"nonsense", "multipart/form-data"),
        (b"--x\r\n\r\nlost", "multipart/form-data; boundary=x"),
        (b"x", "text/plain"),
    ],
)
async def test_no_body_makes_the_server_fall_over(bot, chat, body, content_type):
    async with bot.http.post(
        bot.url("sendMessage"), data=body, headers={"Content-Type": content_type}
    ) as reply:
        answer = json.loads(await reply.text())

    assert reply.status in {200, 400}
    assert answer["ok"] == (reply.status == 200)


async def test_a_body_without_end_is_cut_off(bot):
    async with bot.http.post(
        bot.url("sendMessage"),
        data=io.BytesIO(b" " * (4 * 1024 * 1024 + 1)),
        headers={"Content-Type": "application/json"},
    ) as reply:
        assert reply.status == 413
