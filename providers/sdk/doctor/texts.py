"""Texts in the wrong encoding, and signatures that hold over another text than the one at hand."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

_CHINESE = re.compile("[\u4e00-\u9fff]")


def mix_up(content: bytes | str) -> str:
    """Name the mix-up of GBK and UTF-8 that this text shows, in one sentence; empty when there is none.

    Bytes are told by their form. A text that was already read with the wrong encoding is told by reading it back:
    genuine Chinese hardly ever turns into valid UTF-8 that way.
    """
    if isinstance(content, bytes):
        try:
            return mix_up(content.decode("utf-8"))
        except UnicodeDecodeError:
            return _bytes_mix_up(content)
    if "\ufffd" in content:
        return "It holds U+FFFD: characters were lost when a text was read with the wrong encoding."
    for read_as, was, words in (
        ("gbk", "utf-8", "It is UTF-8 that was read as GBK: read it as UTF-8."),
        ("latin-1", "utf-8", "It is UTF-8 that was read as Latin-1: read it as UTF-8."),
        ("latin-1", "gbk", "It is GBK that was read as Latin-1: write it in UTF-8."),
    ):
        if _was(content, read_as, was):
            return words
    return ""


def why_unverified(text: bytes, holds: Callable[[bytes], bool]) -> str:
    """The first likely change of `text` over which the signature holds, in one sentence; empty when none does.

    `holds(text)` verifies with the right key. Only to tell a person what went wrong: never to accept anything.
    """
    if holds(text):
        return "The signature holds over exactly these bytes: nothing is wrong with it."
    return next((words for other, words in _changed(text) if other != text and holds(other)), "")


def signed_by(keys: Iterable[object], text: bytes, signature: str) -> bool:
    """Whether one of the RSA keys signed these bytes (SHA-256, PKCS#1 v1.5, Base64). Others are passed over."""
    try:
        octets = base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    return any(isinstance(key, RSAPublicKey) and _verifies(key, text, octets) for key in keys)


def _verifies(key: RSAPublicKey, text: bytes, octets: bytes) -> bool:
    try:
        key.verify(octets, text, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _bytes_mix_up(content: bytes) -> str:
    try:
        chinese = _CHINESE.search(content.decode("gb18030"))
    except UnicodeDecodeError:
        return "Its bytes are neither UTF-8 nor GBK."
    return "Its bytes are GBK where UTF-8 is wanted: write it again in UTF-8." if chinese else ""


def _was(text: str, read_as: str, was: str) -> bool:
    if text.isascii():
        return False
    try:
        return bool(_CHINESE.search(text.encode(read_as).decode(was)))
    except UnicodeError:
        return False


def _changed(text: bytes) -> Iterator[tuple[bytes, str]]:
    """Texts that may have been signed instead, with what must have happened then."""
    for have, signed in (("utf-8", "gb18030"), ("gb18030", "utf-8")):
        try:
            words = "The text was signed in {} and arrived in {}: set one charset on both sides, UTF-8."
            names = {"utf-8": "UTF-8", "gb18030": "GBK"}
            yield text.decode(have).encode(signed), words.format(names[signed], names[have])
        except UnicodeError:
            continue
    line_ends = "Line ends were changed on the way (CRLF and LF): sign and verify the raw bytes."
    yield text.replace(b"\r\n", b"\n"), line_ends
    yield text.replace(b"\n", b"\r\n"), line_ends
    yield text.removesuffix(b"\n"), "The last line end is too many: it was signed without one."
    yield text + b"\n", "The last line end is missing: the last line ends in LF too."
    yield text.strip(), "Blanks around the text were not signed: verify before anything trims or adds."
    yield text.replace(b" ", b"+"), "A plus sign was decoded to a blank: decode the form once, and only once."
    yield (
        text.replace(b"\\/", b"/"),
        "Slashes were escaped: verify the text as it arrived, not written again.",
    )
