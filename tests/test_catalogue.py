"""Plugins as other people ship them: built, installed beside the house, found by entry point."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.catalogue import misplaced_rooms, read_catalogue

pytestmark = pytest.mark.xdist_group("plugins")  # one installation for all

PLUGINS = Path(__file__).parent / "plugins"
REPORT = """
import json
from bot.catalogue import misplaced_rooms, read_catalogue
read = read_catalogue()
print(json.dumps({
    "programs": {program.name: [app_id, program.distribution] for program, app_id in zip(read.programs, read.apps)},
    "providers": {provider.name: provider.distribution for provider in read.providers},
    "refusals": {refusal.name + " of " + refusal.distribution: str(refusal) for refusal in read.refusals},
    "misplaced": misplaced_rooms(),
}))
"""


def catalogue_with(*paths):
    """What a host sees that starts with these directories on its path."""
    environment = {"PYTHONPATH": ":".join(map(str, paths)), "PATH": ""}
    run = subprocess.run(
        [sys.executable, "-c", REPORT],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def install(target, *names):
    """As pip does it, without a network: `pip install --target`."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    options = ["--disable-pip-version-check", "--root-user-action", "ignore", "--target", str(target)]
    packages = [str(PLUGINS / name) for name in names]
    subprocess.run([*command, *options, *packages], check=True, timeout=120)
    return target


@pytest.fixture(scope="module")
def sound_path(tmp_path_factory):
    return install(tmp_path_factory.mktemp("sound"), "tipjar", "plainpay")


@pytest.fixture(scope="module")
def mixed_path(tmp_path_factory):
    return install(tmp_path_factory.mktemp("mixed"), "tipjar", "plainpay", "crooked")


@pytest.fixture(scope="module")
def sound(sound_path):
    return catalogue_with(sound_path)


@pytest.fixture(scope="module")
def mixed(mixed_path):
    return catalogue_with(mixed_path)


@pytest.fixture
def moongate(tmp_path):
    """The command, in an empty directory, with these plugins beside the house."""
    script = Path(sys.executable).with_name("moongate")

    def run(command, path, **variables):
        environment = {"PYTHONPATH": str(path), "PATH": "", **variables}
        return subprocess.run(
            [script, command],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=60,
        )

    return run


def test_a_stranger_s_program_and_provider_are_found_beside_ours(sound):
    assert sound["programs"]["tipjar"] == ["com.example.tipjar", "moongate-tipjar"]
    assert sound["providers"]["plainpay"] == "moongate-plainpay"
    assert sound["providers"]["unionpay"] == "moongate"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("crooked", "$.version.code"),
        ("halfdone", "app.json names pages/a/a, pages/b/b; register a class"),
        ("quitter", "raised SystemExit: Goodbye."),
        ("nameless", "its info.id is 'plainpay'; it must equal the entry point's name, 'nameless'"),
        ("unionpay", "the id 'unionpay' is claimed by unionpay of moongate and unionpay of moongate-crooked"),
    ],
)
def test_a_bad_plugin_is_refused_by_name_with_the_reason(mixed, name, said):
    assert said in mixed["refusals"][f"{name} of moongate-crooked"]


@pytest.mark.fault("K12")
def test_nobody_takes_the_place_of_one_of_ours(mixed):
    assert mixed["providers"]["unionpay"] == "moongate"


@pytest.mark.fault("K12")
def test_two_strangers_under_one_id_are_both_refused(mixed):
    for claimant in ("tipjar of moongate-tipjar", "copycat of moongate-crooked"):
        assert (
            "claimed by copycat of moongate-crooked and tipjar of moongate-tipjar"
            in (mixed["refusals"][claimant])
        )
    assert "com.example.tipjar" not in str(mixed["programs"])


def test_the_rest_goes_on(mixed, sound):
    assert mixed["providers"] == sound["providers"]
    assert mixed["programs"] == {name: value for name, value in sound["programs"].items() if name != "tipjar"}


def test_none_of_ours_is_refused():
    assert [str(refusal) for refusal in read_catalogue().refusals if refusal.distribution == "moongate"] == []


def test_our_import_names_lead_to_us(sound):
    assert sound["misplaced"] == []


def test_a_folder_of_the_same_name_in_front_of_ours_is_pointed_out(tmp_path):
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "__init__.py").write_text("")

    [first, *_] = misplaced_rooms([str(tmp_path)])[-1:]

    assert f"The import name 'providers' leads to {tmp_path}/providers instead of" in first
    assert "PYTHONPATH" in first


def test_the_command_lists_what_is_installed_and_says_what_is_refused(moongate, mixed_path):
    run = moongate("plugins", mixed_path)

    assert run.returncode == 0
    assert "plainpay" in run.stdout
    assert "moongate-plainpay" in run.stdout
    assert "$.version.code" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_check_passes_with_sound_plugins_and_a_whole_account_and_shows_no_key(moongate, sound_path):
    settings = {"PLAINPAY_SHOP2_MERCHANT_ID": "M1", "PLAINPAY_SHOP2_KEY": "canary"}

    run = moongate("check", sound_path, PROVIDERS="plainpay/shop2", **settings)

    assert (run.returncode, run.stderr) == (0, "")
    assert "com.example.tipjar" in run.stdout
    assert "ok  account plainpay/shop2" in run.stdout
    assert "canary" not in run.stdout


def test_the_check_names_every_variable_an_account_is_missing(moongate, sound_path):
    run = moongate("check", sound_path, PROVIDERS="plainpay/shop2")

    assert run.returncode == 1
    assert "PLAINPAY_SHOP2_MERCHANT_ID: it is missing" in run.stderr
    assert "PLAINPAY_SHOP2_KEY: it is missing" in run.stderr


def test_the_check_fails_naming_each_bad_plugin_and_a_provider_that_is_not_there(moongate, mixed_path):
    run = moongate("check", mixed_path, PROVIDERS="goldpay")

    assert run.returncode == 1
    for name in ("crooked", "halfdone", "quitter", "nameless", "copycat"):
        assert f"{name} (moongate-crooked) is left out" in run.stderr
    assert "goldpay, which is not installed" in run.stderr
