import asyncio

import pytest

from bot.web import build_web


async def connect(browser):
    host, port = browser.base.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


@pytest.mark.fault("N1")
async def test_a_connection_that_says_nothing_is_closed(till, serving):
    async with serving(build_web(till, None, checks={}), header_within_s=0.2) as browser:
        reader, writer = await connect(browser)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


@pytest.mark.fault("N1")
async def test_a_header_that_drips_is_cut_off(till, serving):
    async with serving(build_web(till, None, checks={}), header_within_s=0.3) as browser:
        reader, writer = await connect(browser)
        for byte in b"GET /healthz HTTP":
            writer.write(bytes([byte]))
            await asyncio.sleep(0.03)
            if reader.at_eof():
                break
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_a_header_in_two_pieces_is_served_and_may_stay(till, serving):
    async with serving(build_web(till, None, checks={}), header_within_s=0.3) as browser:
        reader, writer = await connect(browser)
        for _ in range(2):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r")
            await asyncio.sleep(0.05)
            writer.write(b"\n")
            assert b"200" in await asyncio.wait_for(reader.readuntil(b"ok\n"), 5)
            await asyncio.sleep(0.4)
        writer.close()


@pytest.mark.fault("N1")
async def test_beyond_the_cap_connections_are_turned_away_and_the_others_go_on(till, serving):
    async with serving(build_web(till, None, checks={}), connections_max=2) as browser:
        first, second = await connect(browser), await connect(browser)
        await asyncio.sleep(0.05)
        reader, writer = await connect(browser)
        assert await asyncio.wait_for(reader.read(), 5) == b""

        first[1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" in await asyncio.wait_for(first[0].readline(), 5)
        for each in (first[1], second[1], writer):
            each.close()


@pytest.mark.fault("A30", "N9")
async def test_a_malformed_request_is_answered_and_does_not_fill_the_log(browser, caplog):
    reader, writer = await connect(browser)
    writer.write("GET /微 HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    assert b"400" in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    assert caplog.records == []


async def test_a_header_line_of_absurd_length_is_refused(browser):
    answer = await browser.get("/healthz", headers={"X-Long": "x" * 20_000})

    assert answer.status == 400
