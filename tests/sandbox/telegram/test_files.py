import io

import pytest
from PIL import Image

from bot.sandbox.telegram import ApiError


def picture(width, height, mode="RGB", form="PNG"):
    written = io.BytesIO()
    Image.new(mode, (width, height)).save(written, form)
    return written.getvalue()


async def downloaded(bot, path):
    async with bot.http.get(f"{bot.root}/file/bot{bot.token}/{path}") as reply:
        return reply.status, await reply.read()


async def test_an_uploaded_photo_has_real_sizes_and_can_be_downloaded(bot, api, chat, post_form):
    answer = await post_form(
        "sendPhoto", {"photo": picture(2000, 1000)}, chat_id=chat, caption="<b>QR</b>", parse_mode="HTML"
    )
    small, large = answer["result"]["photo"]
    file = await bot.result("getFile", file_id=large["file_id"])
    status, data = await downloaded(bot, file["file_path"])

    assert (small["width"], small["height"], large["width"], large["height"]) == (320, 160, 1280, 640)
    assert answer["result"]["caption_entities"] == [{"type": "bold", "offset": 0, "length": 2}]
    assert (status, len(data)) == (200, large["file_size"])
    assert Image.open(io.BytesIO(data)).size == (1280, 640)
    assert data == api.file(large["file_id"])


async def test_a_photo_that_was_sent_before_is_sent_again_by_its_id(bot, api, chat, post_form, png):
    first = (await post_form("sendPhoto", {"photo": png}, chat_id=chat))["result"]
    again = await bot.result("sendPhoto", chat_id=chat, photo=first["photo"][-1]["file_id"])

    assert again["photo"] == first["photo"]
    assert again["message_id"] == first["message_id"] + 1


async def test_a_photo_of_a_person_reaches_the_bot(bot, api, chat, ann, png):
    await api.photograph(ann, chat, png, "look")
    message = (await bot.result("getUpdates"))[-1]["message"]

    assert message["caption"] == "look"
    assert (await bot.result("getFile", file_id=message["photo"][-1]["file_id"]))["file_path"].startswith(
        "photos/"
    )


@pytest.mark.parametrize(
    ("data", "description"),
    [
        (b"no picture", "Bad Request: IMAGE_PROCESS_FAILED"),
        (picture(4000, 100), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        (picture(9000, 1001, "1"), "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        (b"\0" * (10 * 1024 * 1024 + 1), "Bad Request: file is too big"),
    ],
    ids=["no picture", "too oblong", "too large", "too heavy"],
)
async def test_a_photo_that_telegram_refuses_is_refused(chat, post_form, data, description):
    answer = await post_form("sendPhoto", {"photo": data}, chat_id=chat)

    assert (answer["error_code"], answer["description"]) == (400, description)


async def test_transparency_becomes_white(api, chat, ann):
    await api.photograph(ann, chat, picture(10, 10, "RGBA"))

    data = api.file(api.chat(chat)[-1].photo_file_id)
    assert Image.open(io.BytesIO(data)).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("photo", "description"),
    [
        ("", "Bad Request: there is no photo in the request"),
        ("attach://nowhere", "Bad Request: there is no photo in the request"),
        ("AgAC-unknown", "Bad Request: wrong remote file identifier specified: can't unserialize it"),
        ("https://example.org/a.png", "Bad Request: failed to get HTTP URL content"),
    ],
)
async def test_a_photo_must_be_there(bot, chat, photo, description):
    assert await bot.refusal("sendPhoto", chat_id=chat, photo=photo) == (400, description)


async def test_a_document_is_kept_as_it_is(bot, api, chat, post_form):
    answer = await post_form("sendDocument", {"document": b"a,b\n"}, chat_id=chat, caption="bill")
    document = answer["result"]["document"]
    file = await bot.result("getFile", file_id=document["file_id"])

    assert (await downloaded(bot, file["file_path"])) == (200, b"a,b\n")
    assert api.chat(chat)[-1].document_name == "document.png"
    again = await bot.result("sendDocument", chat_id=chat, document=document["file_id"])
    assert again["document"] == document


async def test_what_is_no_file_cannot_be_fetched(bot, api):
    assert await bot.refusal("getFile") == (400, "Bad Request: file_id not specified")
    assert await bot.refusal("getFile", file_id="x") == (400, "Bad Request: invalid file_id")
    assert (await downloaded(bot, "photos/file_99.jpg"))[0] == 404
    async with bot.http.get(f"{bot.root}/file/bot1:x/photos/file_1.jpg") as reply:
        assert reply.status == 401
    with pytest.raises(LookupError):
        api.file("x")


async def test_a_person_cannot_send_what_is_no_picture(api, chat, ann):
    with pytest.raises(ApiError, match="IMAGE_PROCESS_FAILED"):
        await api.photograph(ann, chat, b"x")
