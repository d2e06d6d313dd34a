"""Files that people and the bot have sent. Photos become JPEG in two sizes, as on Telegram."""

import io
from dataclasses import dataclass
from pathlib import PurePosixPath

from PIL import Image, UnidentifiedImageError

from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.journal import Journal
from bot.sandbox.telegram.wire import Document, PhotoSize, Wire
from providers.sdk.clock import Random

PHOTO_BYTES_MAX = 10 * 1024 * 1024  # Bot API, "Sending files"
FILE_BYTES_MAX = 50 * 1024 * 1024
_SIDES_SUM_MAX = 10_000  # Bot API, sendPhoto
_SIDES_RATIO_MAX = 20
_LARGE_SIDE, _SMALL_SIDE = 1280, 320  # sizes «y» and «m» of core.telegram.org/api/files


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a multipart request."""

    name: str
    mime_type: str
    data: bytes


class StoredFile(Wire):
    """A file that can be named by `file_id`; the bytes lie under `unique_id`."""

    file_id: str
    unique_id: str
    path: str
    mime_type: str
    size: int
    photo: tuple[PhotoSize, ...] | None = None
    document: Document | None = None


class Files:
    """Everything that was ever sent, by `file_id` and by download path."""

    def __init__(self, journal: Journal, random: Random) -> None:
        self._journal = journal
        self._random = random
        stored = (StoredFile.model_validate_json(value) for _, value in journal.scan("file/"))
        self._by_id = {file.file_id: file for file in stored}

    def find(self, file_id: str) -> StoredFile | None:
        """The file of that id, or None."""
        return self._by_id.get(file_id)

    def at_path(self, path: str) -> StoredFile | None:
        """The file that getFile gave this path."""
        return next((file for file in self._by_id.values() if file.path == path), None)

    def data(self, file: StoredFile) -> bytes:
        """The bytes."""
        data = self._journal.get(f"bytes/{file.unique_id}")
        if data is None:
            raise LookupError(f"The bytes of {file.path} are not in the records; start the sandbox afresh.")
        return data

    def add_photo(self, data: bytes) -> tuple[PhotoSize, ...]:
        """Store a picture as Telegram does: JPEG, at most 1280 a side, with a smaller one before it.

        Raises what Telegram answers to a file that is no picture, too large or too oblong.
        """
        if len(data) > PHOTO_BYTES_MAX:
            raise bad_request("File is too big")
        picture = _open_picture(data)
        sizes = [self._add_size(picture, side) for side in _sides_for(picture)]
        photo = tuple(size for size, _ in sizes)
        for _, file in sizes:
            self._keep(file.model_copy(update={"photo": photo}))
        return photo

    def add_document(self, upload: Upload) -> Document:
        """Store a file as it is."""
        if len(upload.data) > FILE_BYTES_MAX:
            raise bad_request("File is too big")
        suffix = PurePosixPath(upload.name).suffix or ".bin"
        file = self._new_file("documents", suffix, upload.mime_type, upload.data)
        document = Document(
            file_id=file.file_id,
            file_unique_id=file.unique_id,
            file_name=upload.name,
            mime_type=upload.mime_type,
            file_size=file.size,
        )
        self._keep(file.model_copy(update={"document": document}))
        return document

    def clear(self) -> None:
        """Forget all files."""
        self._journal.drop_all("file/")
        self._journal.drop_all("bytes/")
        self._by_id.clear()

    def _add_size(self, picture: Image.Image, side: int) -> tuple[PhotoSize, StoredFile]:
        shrunk = picture.copy()
        shrunk.thumbnail((side, side))
        written = io.BytesIO()
        shrunk.save(written, "JPEG", quality=87)
        file = self._new_file("photos", ".jpg", "image/jpeg", written.getvalue())
        size = PhotoSize(
            file_id=file.file_id,
            file_unique_id=file.unique_id,
            width=shrunk.width,
            height=shrunk.height,
            file_size=file.size,
        )
        return size, file

    def _new_file(self, folder: str, suffix: str, mime_type: str, data: bytes) -> StoredFile:
        unique_id = "AQAD" + self._random.text(12)
        self._journal.put(f"bytes/{unique_id}", data)
        return StoredFile(
            file_id="AgACAgQAAxk" + self._random.text(60),
            unique_id=unique_id,
            path=f"{folder}/file_{self._journal.count('file')}{suffix}",
            mime_type=mime_type,
            size=len(data),
        )

    def _keep(self, file: StoredFile) -> None:
        self._by_id[file.file_id] = file
        self._journal.put(f"file/{file.file_id}", file.json_bytes())


def _open_picture(data: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data)) as opened:
            width, height = opened.size
            if width + height > _SIDES_SUM_MAX or max(width, height) > _SIDES_RATIO_MAX * min(width, height):
                raise bad_request("PHOTO_INVALID_DIMENSIONS")
            return _on_white(opened)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise bad_request("IMAGE_PROCESS_FAILED") from error


def _on_white(picture: Image.Image) -> Image.Image:
    """JPEG knows no transparency; Telegram puts white behind it."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    seen = Image.new("RGB", picture.size, "white")
    layer = picture.convert("RGBA")
    seen.paste(layer, mask=layer.getchannel("A"))
    return seen


def _sides_for(picture: Image.Image) -> tuple[int, ...]:
    return (_SMALL_SIDE, _LARGE_SIDE) if max(picture.size) > _SMALL_SIDE else (_LARGE_SIDE,)
