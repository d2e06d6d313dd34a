"""The institutions' own APIs, as a merchant's server meets them."""

import aiohttp
import pytest

from bot.errors import PortTakenError
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.toy import toy_plugin


async def test_path_query_headers_and_body_arrive_as_they_were_sent(person):
    base_url = person.sandbox.institutions.get("toybank").base_url
    target = "/v3/pay%2Fin?b=2&a=%E4%B8%AD&a="

    headers = {"X-Seal": "as sent"}
    url = aiohttp.client.URL(base_url + target, encoded=True)
    async with person.http.patch(url, data=b"\x00\xff", headers=headers) as reply:
        seen = await reply.json()

    assert seen == {"target": target, "seal": "as sent", "body": "00ff"}


@pytest.mark.parametrize("fault", ["timeout_before", "timeout_after"])
async def test_a_silent_institution_lets_the_client_give_up(person, shop, fault):
    await person.post("/sandbox/faults", provider="toybank", fault=fault)
    base_url = person.sandbox.institutions.get("toybank").base_url

    with pytest.raises(TimeoutError):
        await person.http.get(f"{base_url}/any", timeout=aiohttp.ClientTimeout(total=0.2))

    async with person.http.get(f"{base_url}/any") as reply:
        assert reply.status == 200


async def test_a_sandbox_closes_at_once_though_a_client_waits_for_a_silent_institution(open_sandbox):
    async with open_sandbox() as person:
        await person.post("/sandbox/faults", provider="toybank", fault="timeout_before")
        url = person.sandbox.institutions.get("toybank").base_url
        async with aiohttp.ClientSession() as http:
            request = http.get(f"{url}/any")
            with pytest.raises(TimeoutError):
                await http.get(f"{url}/any", timeout=aiohttp.ClientTimeout(total=0.1))
            request.close()


async def test_call_faults_bite_over_http(person):
    base_url = person.sandbox.institutions.get("toybank").base_url
    await person.post("/sandbox/faults", provider="toybank", fault="http_500_before", times=2)

    statuses = []
    for _ in range(3):
        async with person.http.get(f"{base_url}/any") as reply:
            statuses.append(reply.status)

    assert statuses == [500, 500, 200]


async def test_an_institution_keeps_its_address_and_the_merchants_keys_over_a_restart(open_sandbox):
    async with open_sandbox() as person:
        before = dict(person.sandbox.merchants["toybank"])

    async with open_sandbox() as person:
        assert person.sandbox.merchants["toybank"] == before


async def test_a_taken_port_is_named_in_one_sentence(person, tmp_path):
    port = int(person.sandbox.url.rsplit(":", 1)[1])
    other = Sandbox([toy_plugin()], tmp_path / "other", port=port)

    with pytest.raises(PortTakenError, match=rf"^Port {port} on 127\.0\.0\.1 is in use: .*SANDBOX_PORT\.$"):
        await other.start()

    await other.close()
