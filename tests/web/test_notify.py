import asyncio
import gzip

import pytest

from bot.web import notify
from bot.web.notify import BODY_BYTES_MAX

PATH = "/notify/wechatpay/main"


async def test_the_till_gets_the_bytes_the_address_and_the_headers_as_they_came(browser, till):
    body = '{"b": 1,  "a":"\\u00e9 é"}'.encode()

    await browser.post(f"{PATH}?x=%2F1&x=2", data=body, headers={"Wechatpay-Serial": "AbC", "x-twice": "1"})

    [(provider, account, request)] = till.received
    assert (provider, account) == ("wechatpay", "main")
    assert request.body == body
    assert request.target == f"{PATH}?x=%2F1&x=2"
    assert ("Wechatpay-Serial", "AbC") in request.headers.lines


async def test_the_institution_gets_the_till_s_answer(browser):
    answer = await browser.post(PATH, data=b"{}")

    assert (answer.status, answer.body) == (200, b'{"code":"SUCCESS"}')
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.fault("A26")
async def test_after_a_fault_of_ours_the_institution_is_made_to_repeat(browser, till):
    till.reply = RuntimeError("canary")

    answer = await browser.post(PATH, data=b"{}")

    assert answer.status == 500
    assert "canary" not in answer.text


@pytest.mark.fault("N3")
async def test_a_body_of_the_largest_size_is_taken_and_one_byte_more_is_not(browser, till):
    taken = await browser.post(PATH, data=b"x" * BODY_BYTES_MAX)
    refused = await browser.post(PATH, data=b"x" * (BODY_BYTES_MAX + 1))

    assert (taken.status, refused.status) == (200, 413)
    assert len(till.received) == 1


@pytest.mark.fault("A30", "N3")
async def test_a_body_of_undeclared_size_is_capped_too(browser, till):
    async def chunks():
        for _ in range(80):
            yield b"x" * 1024

    answer = await browser.post(PATH, data=chunks())

    assert answer.status == 413
    assert till.received == []


@pytest.mark.fault("N4")
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
async def test_a_compressed_body_is_refused_unread(browser, till, encoding):
    answer = await browser.post(PATH, data=gzip.compress(b"{}"), headers={"Content-Encoding": encoding})

    assert answer.status in {400, 415}
    assert till.received == []


@pytest.mark.fault("N2")
async def test_a_body_that_drips_is_given_up(browser, till, monkeypatch):
    monkeypatch.setattr(notify, "_BODY_WITHIN_S", 0.2)
    host, port = browser.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())

    status = await asyncio.wait_for(reader.readline(), 5)
    writer.close()

    assert b"408" in status
    assert till.received == []


@pytest.mark.fault("N8")
@pytest.mark.parametrize(
    "path",
    [
        "/notify/wechatpay",
        "/notify/WechatPay/main",
        "/notify/wechatpay/..",
        "/notify/%E5%BE%AE/main",
        "/notify//x",
    ],
)
async def test_only_the_exact_addresses_exist(browser, till, path):
    assert (await browser.post(path, data=b"{}")).status == 404
    assert till.received == []


async def test_reading_the_address_does_nothing(browser, till):
    assert (await browser.get(PATH)).status == 405
    assert till.received == []


async def test_many_at_once_all_arrive(browser, till):
    answers = await asyncio.gather(*(browser.post(PATH, data=b"%d" % n) for n in range(150)))

    assert {answer.status for answer in answers} == {200}
    assert sorted(int(request.body) for _, _, request in till.received) == list(range(150))
