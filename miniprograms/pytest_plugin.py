"""The fixtures of the test kit (`miniprograms.sdk.testing`). Nothing is loaded before a test asks for one of them."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import pytest

if TYPE_CHECKING:
    from miniprograms.sdk.testing.vocabulary import Chat, PlayWallet, PlayWallets, World


class _NewWorld(Protocol):
    def __call__(self, *, keys_folder: Path | None) -> "World": ...


@pytest.fixture
def world(request: pytest.FixtureRequest) -> "Iterator[World]":
    """A bot with every installed mini program and provider, new for each test."""
    made = _new_world()(keys_folder=_keys_folder(request.config))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def chat(world: "World") -> "Chat":
    """The chat of the first person of the world."""
    return world.chat


@pytest.fixture
def wallet(chat: "Chat") -> "PlayWallet":
    """The first wallet that can pay what the chat shows."""
    return chat.wallet


@pytest.fixture
def wallets(chat: "Chat") -> "PlayWallets":
    """All wallets by name: `wallets["quickpass"]`."""
    return chat.wallets


def _new_world() -> _NewWorld:
    """The world comes from the host, by entry point: what mini programs stand on does not import the host."""
    found = [point for point in entry_points(group="moongate.testing") if point.name == "world"]
    if not found:
        pytest.fail("No host is installed beside the test kit: install moongate, whole, in this environment.")
    return cast("_NewWorld", found[0].load())


def _keys_folder(config: pytest.Config) -> Path | None:
    """The keys of the simulated institutions take a second to make; pytest's cache keeps them between runs."""
    cache = getattr(config, "cache", None)  # absent under -p no:cacheprovider
    return None if cache is None else Path(cache.mkdir("moongate"))
