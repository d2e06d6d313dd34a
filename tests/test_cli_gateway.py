"""`moongate gateway`: one institution alone, told apart from the house."""

import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.catalogue import read_catalogue
from bot.cli import main
from bot.cli.gateway import write_merchant
from bot.errors import NotReadyError
from bot.machine import MachineClock
from bot.sandbox.alone import open_alone
from bot.settings import AccountName, read_account
from bot.transport import PinnedTransport, close_client, open_client
from providers.sdk.contract import Call, Way
from providers.sdk.gateway import Fault
from providers.sdk.money import Money
from providers.sdk.results import Created, Paid, Unknown
from providers.sdk.testing import FixedRandom, MemoryKeys, Stall

WITHIN_S = 60


@pytest.fixture
async def client():
    client = open_client()
    yield client
    await close_client(client)


@pytest.fixture
def plugin():
    return read_catalogue().plugins["unionpay"]


async def post(client, url, body):
    async with client.post(url, json=body) as answer:
        return answer.status, await answer.json()


def provider_at(plugin, alone, client):
    settings = plugin.settings(**alone.institution.merchant)
    transport = PinnedTransport(client, frozenset({"127.0.0.1"}), deadline_s=5)
    return plugin.build(settings, MemoryKeys()), Call(transport, MachineClock(), FixedRandom())


async def test_a_person_pays_at_the_second_address_and_the_institution_says_paid(plugin, client, tmp_path):
    async with open_alone(plugin, tmp_path) as alone:
        provider, call = provider_at(plugin, alone, client)
        stall = Stall(plugin, start=call.clock.now())
        intent = stall.intent(Money.cny("18.00"), way=Way.MERCHANT_CODE)
        opened = await provider.create(intent, call)
        assert isinstance(opened, Created), opened

        status, paid = await post(client, f"{alone.payer_url}/pay", {"code": opened.code})
        found = await provider.query(stall.ref(intent, opened), call)

    assert (status, paid["status"], paid["amount_minor"]) == (200, "paid", 1800)
    assert found.state is Paid.PAID


async def test_a_code_nobody_issued_is_refused_in_words(plugin, client, tmp_path):
    async with open_alone(plugin, tmp_path) as alone:
        status, said = await post(client, f"{alone.payer_url}/pay", {"code": "https://elsewhere.example/1"})

    assert status == 422
    assert "no institution here has issued it" in said["error"]


async def test_faults_bite_once_whether_armed_at_the_start_or_later(plugin, client, tmp_path):
    async with open_alone(plugin, tmp_path, faults=[Fault.HTTP_500_BEFORE]) as alone:
        provider, call = provider_at(plugin, alone, client)
        stall = Stall(plugin, start=call.clock.now())
        intent = stall.intent(Money.cny("1.00"))

        first = await provider.create(intent, call)
        second = await provider.create(intent, call)
        await post(client, f"{alone.payer_url}/faults", {"faults": ["garbage"]})
        third = await provider.query(stall.ref(intent, second), call)

    assert [type(one) for one in (first, second, third)] == [Unknown, Created, Unknown]


async def test_keys_and_port_are_those_of_the_last_run(plugin, tmp_path):
    async with open_alone(plugin, tmp_path) as alone:
        first = dict(alone.institution.merchant)
    async with open_alone(plugin, tmp_path) as alone:
        second = dict(alone.institution.merchant)

    assert first == second


async def test_a_port_that_is_taken_is_named(plugin, tmp_path):
    async with open_alone(plugin, tmp_path / "one") as alone:
        port = int(alone.institution.base_url.rpartition(":")[2])

        with pytest.raises(NotReadyError, match=f"Port {port} .* in use"):
            async with open_alone(plugin, tmp_path / "two", port=port):
                pass


async def test_another_web_site_cannot_pay(plugin, client, tmp_path):
    async with open_alone(plugin, tmp_path) as alone:
        headers = {"Origin": "https://evil.example"}
        async with client.post(f"{alone.payer_url}/pay", json={"code": "1"}, headers=headers) as answer:
            status = answer.status

    assert status == 403


def test_the_merchant_s_settings_are_lines_a_host_reads_and_keys_are_files_of_this_user(plugin, tmp_path):
    merchant = Stall(plugin).merchant

    lines = write_merchant(tmp_path / "merchant", "unionpay", merchant)

    env = tmp_path / ".env"
    env.write_text("\n".join(lines))
    settings = read_account(plugin, env_file=env)
    assert plugin.build(settings, MemoryKeys())
    assert settings.merchant == plugin.settings(**merchant).merchant
    assert not any("-----BEGIN" in line for line in lines)
    assert all(line.startswith(AccountName("unionpay").prefix) for line in lines)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "merchant").iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nopay"], "There is no provider 'nopay'; installed: "),
        (["wechatpay", "--faults", "earthquake"], "There is no fault earthquake; there are timeout_before"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(main, ["gateway", *arguments])

    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.slow
def test_the_command_prints_base_url_and_merchant_and_closes_when_told(tmp_path):
    command = [str(Path(sys.executable).with_name("moongate")), "gateway", "wechatpay"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        printed = ""
        for line in process.stdout:
            printed += line
            if "TRANSFER_SCENE_ID" in line:
                break
        process.send_signal(signal.SIGTERM)
        code = process.wait(WITHIN_S)

    assert re.search(r"WeChat Pay \(微信支付\), simulated: http://127\.0\.0\.1:\d+\n", printed)
    assert re.search(r"^WECHATPAY_MCHID=19\d{8}$", printed, re.MULTILINE)
    assert re.search(r"^WECHATPAY_PRIVATE_KEY=\S+/merchant/private_key\.pem$", printed, re.MULTILINE)
    assert code == 0
