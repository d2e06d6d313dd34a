import stat

import pytest
from pydantic import Field, SecretStr

from bot.settings import (
    AccountName,
    Settings,
    env_example,
    keep_host_secret,
    read_account,
    read_settings,
)
from providers.sdk.contract import ProviderPlugin, ProviderSettings
from providers.sdk.errors import ConfigurationError


class TillSettings(ProviderSettings):
    merchant_id: str = Field(description="The merchant number.")
    key: SecretStr = Field(description="The shared key.")
    base_url: str = Field("https://till.example", description="The institution's API.")


class TillInfo:
    id = "till"
    name_en = "Till"
    name_zh = "钱柜"


@pytest.fixture
def till():
    return ProviderPlugin(info=TillInfo, settings=TillSettings, build=None, gateway=None)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


class Sevens:
    def text(self, length):
        return "7" * length


def test_everything_has_a_default_so_that_the_sandbox_starts_from_nothing():
    settings = read_settings(env_file=None)

    assert (settings.bind_host, settings.web_port, settings.sandbox_port) == ("127.0.0.1", 8081, 8080)
    assert settings.accounts == ()
    assert settings.web_url == "http://127.0.0.1:8081"


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    file = tmp_path / "env"
    file.write_text("WEB_PORT=9000\nSANDBOX_PORT=9001\nUNRELATED=1\nPROVIDERS=\n")
    monkeypatch.setenv("WEB_PORT", "9100")

    settings = read_settings(file)

    assert (settings.web_port, settings.sandbox_port) == (9100, 9001)


def test_providers_are_accounts_by_comma(monkeypatch):
    monkeypatch.setenv("PROVIDERS", "wechatpay, unionpay/shop2,")

    accounts = read_settings(None).accounts

    assert accounts == (AccountName("wechatpay"), AccountName("unionpay", "shop2"))
    assert [account.prefix for account in accounts] == ["WECHATPAY_", "UNIONPAY_SHOP2_"]
    assert [str(account) for account in accounts] == ["wechatpay", "unionpay/shop2"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PROVIDERS", "wechatpay,../../etc"),
        ("PROVIDERS", "wechatpay,wechatpay/main"),
        ("WEB_PORT", "99999"),
        ("UPDATES", "pigeon"),
        ("PUBLIC_URL", "canary.example.com"),
        ("PUBLIC_URL", "https://canary@pay.example.com"),
        ("HOST_SECRET", "tooshort-canary"),
        ("TELEGRAM_WEBHOOK_SECRET", "canary with spaces in"),
    ],
)
def test_a_wrong_value_is_named_and_never_shown(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigurationError, match=f"{variable}: ") as refusal:
        read_settings(None)

    assert value not in str(refusal.value)


def test_secrets_do_not_show_in_the_repr(monkeypatch):
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456:canary")
    monkeypatch.setenv("REDIS_URL", "redis://:canary@host")

    assert "canary" not in repr(read_settings(None))


def test_an_account_reads_the_variables_of_its_own_prefix(till, tmp_path, monkeypatch):
    file = tmp_path / "env"
    file.write_text("TILL_MERCHANT_ID=one\nTILL_SHOP2_MERCHANT_ID=two\nTILL_SHOP2_KEY=k2\n")
    monkeypatch.setenv("TILL_KEY", "k1")

    first, second = read_account(till, env_file=file), read_account(till, "shop2", env_file=file)

    assert (first.merchant, second.merchant) == ("one", "two")
    assert second.key.get_secret_value() == "k2"


def test_every_missing_variable_of_an_account_is_named(till):
    with pytest.raises(ConfigurationError, match="TILL_SHOP2_MERCHANT_ID: it is missing") as refusal:
        read_account(till, "shop2", env_file=None)

    assert "TILL_SHOP2_KEY: it is missing" in str(refusal.value)


@pytest.mark.fault("P6")
def test_the_host_secret_is_generated_once_and_readable_by_this_user_alone(tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path)

    first, again = keep_host_secret(settings, Sevens()), keep_host_secret(settings, None)

    assert first == again
    assert len(first.get_secret_value()) >= 43
    assert stat.S_IMODE((tmp_path / "host-secret").stat().st_mode) == 0o600


def test_a_given_host_secret_is_used(tmp_path):
    settings = Settings(_env_file=None, data_dir=tmp_path, host_secret="s" * 32)

    assert keep_host_secret(settings, None).get_secret_value() == "s" * 32
    assert not (tmp_path / "host-secret").exists()


def test_the_example_names_every_variable_with_its_meaning(till):
    text = env_example([till])

    assert "#WEB_PORT=8081" in text
    assert "# The shared key. Required.\n#TILL_KEY=\n" in text
    assert "#TILL_BASE_URL=https://till.example" in text


def test_the_example_with_nothing_taken_off_changes_nothing(till, tmp_path):
    file = tmp_path / "env"
    file.write_text(env_example([till]))

    assert read_settings(file) == read_settings(None)


def test_the_example_with_every_default_taken_off_changes_nothing(tmp_path):
    lines = env_example([]).splitlines()
    file = tmp_path / "env"
    file.write_text("\n".join(line.removeprefix("#") for line in lines if not line.startswith("# ")))

    assert read_settings(file) == read_settings(None)


def test_every_field_has_a_description():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
