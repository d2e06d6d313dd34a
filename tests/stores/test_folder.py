import stat

import pytest

from bot.settings import Settings
from bot.stores import StoreError, database_url, prepare_data_dir


def url_of(given):
    return database_url(Settings(_env_file=None, database_url=given))


def test_the_data_directory_is_closed_to_others(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)

    prepare_data_dir(Settings(_env_file=None, data_dir=folder))

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_in_its_place_is_one_clear_sentence(tmp_path):
    (tmp_path / "data").write_text("")

    with pytest.raises(StoreError, match=r"DATA_DIR .* make it a directory"):
        prepare_data_dir(Settings(_env_file=None, data_dir=tmp_path / "data"))


def test_nothing_set_means_a_sqlite_file_in_the_data_directory(tmp_path):
    url = database_url(Settings(_env_file=None, data_dir=tmp_path / "new"))

    assert url == f"sqlite+aiosqlite:///{tmp_path}/new/orders.sqlite3"
    assert (tmp_path / "new").is_dir()


@pytest.mark.parametrize(
    ("given", "opened"),
    [
        ("postgres://u:p@db/shop", "postgresql+asyncpg://u:p@db/shop"),
        ("postgresql://u:p%40ss@db:5433/shop", "postgresql+asyncpg://u:p%40ss@db:5433/shop"),
        ("postgresql://db/shop?sslmode=require", "postgresql+asyncpg://db/shop?ssl=require"),
        ("sqlite:////var/shop.db", "sqlite+aiosqlite:////var/shop.db"),
        ("postgresql+asyncpg://db/shop", "postgresql+asyncpg://db/shop"),
    ],
)
def test_common_spellings_of_a_database_are_understood(given, opened):
    assert url_of(given) == opened


@pytest.mark.parametrize("given", ["mysql://u:hunter2@db/shop", "just words hunter2"])
def test_another_database_is_refused_without_telling_the_password(given):
    with pytest.raises(StoreError, match="DATABASE_URL") as refusal:
        url_of(given)

    assert "hunter2" not in str(refusal.value)
