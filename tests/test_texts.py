"""The Chinese catalogue is whole, and says what the code says."""

import ast
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from bot.texts import CATALOGUE, plural_translator, spoken, translator

BOT = Path(__file__).parent.parent / "bot"


def called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def spoken_in(path: Path) -> set[str]:
    """The first texts of every `_("…")` and `_n("…", "…", n)` of a file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if called(node) in {"_", "_n"}:
            argument = node.args[0]
            assert isinstance(argument, ast.Constant), f"{path}:{node.lineno}: a text must stand in the call"
            found.add(argument.value)
    return found


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as source:
        return read_po(source, locale="zh_CN", abort_invalid=True)


@pytest.fixture(scope="module")
def used() -> set[str]:
    return set().union(*(spoken_in(path) for path in sorted(BOT.rglob("*.py"))))


def key(message):
    return message.id[0] if isinstance(message.id, tuple) else message.id


def test_every_text_of_the_house_has_a_chinese_one(catalogue, used):
    translated = {key(message) for message in catalogue if message.id and message.string}

    assert used - translated == set()


def test_no_chinese_text_outlives_its_english_one(catalogue, used):
    assert {key(message) for message in catalogue if message.id} - used == set()


def test_both_languages_fill_in_the_same_fields(catalogue):
    for message in catalogue:
        if message.id:
            texts = message.string if isinstance(message.string, tuple) else (message.string,)

            assert {frozenset(fields(text)) for text in texts} == {frozenset(fields(key(message)))}, (
                message.id
            )


def test_no_entry_waits_for_a_second_look(catalogue):
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert not catalogue.obsolete


@pytest.mark.parametrize(
    ("tag", "language"),
    [("zh-hans", "zh"), ("zh_TW", "zh"), ("ZH", "zh"), ("en-GB", "en"), ("pt-br", "en"), ("", "en")],
)
def test_a_client_s_language_tag_leads_to_a_language_of_the_house(tag, language):
    assert spoken(tag) == language


def test_chinese_is_spoken_to_chinese_clients_and_english_to_all_others():
    assert translator("zh-hans")("Cancel") == "取消"
    assert translator("de")("Cancel") == "Cancel"


def test_a_text_without_translation_is_still_said():
    assert translator("zh")("Never heard of it") == "Never heard of it"
    assert plural_translator("en")("{count} cat", "{count} cats", 2) == "{count} cats"
