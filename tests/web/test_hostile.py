"""What strangers send to the public port: it costs them a connection, and us next to nothing."""

import asyncio

import pytest

from tests.web.conftest import TOKEN

PATH = "/notify/wechatpay/main"


async def raw(browser, *pieces, within_s=10):
    """Send bytes as they are; the first line of the answer, empty when there is none."""
    host, port = browser.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return (await asyncio.wait_for(reader.readline(), within_s)).decode()
    except ConnectionError:
        return ""
    finally:
        writer.close()


@pytest.mark.fault("N5")
async def test_a_body_of_sixty_thousand_chunks_of_one_byte_is_one_body(browser, till):
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()

    answer = await raw(browser, head, b"1\r\nx\r\n" * 60_000, b"0\r\n\r\n")

    assert " 200 " in answer
    assert len(till.received[0][2].body) == 60_000


@pytest.mark.fault("N5")
async def test_header_lines_by_the_thousand_are_refused(browser, till):
    lines = "".join(f"X-{number}: {'y' * 100}\r\n" for number in range(20_000))

    answer = await raw(browser, f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())

    assert " 200 " not in answer
    assert till.received == []


@pytest.mark.fault("N9", "A30")
@pytest.mark.parametrize(
    "lengths",
    [
        "Content-Length: 2\r\nContent-Length: 5",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Content-Length: +2",
        "Content-Length: 2, 2",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ],
)
async def test_a_body_with_two_lengths_is_refused(browser, till, lengths):
    answer = await raw(browser, f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{lengths}\r\n\r\n{{}}xyz".encode())

    assert " 400 " in answer
    assert till.received == []


@pytest.mark.fault("N12")
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Original-URL", "Forwarded"])
async def test_no_page_repeats_the_host_it_was_asked_for(browser, header):
    forged = {header: "evil.example" if header != "Forwarded" else "host=evil.example"}

    page = await browser.get(f"/p/{TOKEN}", headers=forged)

    assert page.status == 200
    assert "evil.example" not in page.text
    assert "evil.example" not in str(page.headers)


@pytest.mark.fault("N8")
@pytest.mark.parametrize(
    "target",
    [
        f"/p/../p/{TOKEN}/state",
        f"/p/%2e%2e/p/{TOKEN}",
        f"//p/{TOKEN}",
        f"/p/{TOKEN}%00",
        f"/p/{TOKEN}/../../healthz",
        f"/p/{TOKEN};x=1",
    ],
)
async def test_a_crooked_path_leads_nowhere_it_should_not(browser, till, target):
    answer = await raw(browser, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

    assert answer.split(" ")[1] in {"400", "404", "200"}
    assert till.opened == []
