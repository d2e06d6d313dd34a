from pathlib import Path

import pytest

from bot.stores.keys import KeyFolder


def test_a_key_is_there_after_a_restart(tmp_path: Path) -> None:
    KeyFolder(tmp_path / "wechatpay").put("5F1C72E2", b"old")
    KeyFolder(tmp_path / "wechatpay").put("5F1C72E2", b"new")

    assert KeyFolder(tmp_path / "wechatpay").get("5F1C72E2") == b"new"
    assert KeyFolder(tmp_path / "wechatpay").get("another") is None


@pytest.mark.parametrize("name", ["", ".", "..", "../host-secret", "a/b", "a\\b", "a\0", "x" * 201])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    keys = KeyFolder(tmp_path / "keys")

    with pytest.raises(ValueError, match="not a name of a key"):
        keys.put(name, b"x")
    with pytest.raises(ValueError, match="not a name of a key"):
        keys.get(name)
