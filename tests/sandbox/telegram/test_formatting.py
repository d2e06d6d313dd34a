import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sandbox.telegram.errors import ApiError
from bot.sandbox.telegram.formatting import check_bounds, format_caption, format_text, plain, read_entities
from bot.sandbox.telegram.wire import MessageEntity


def entities(formatted):
    return [(entity.type, entity.offset, entity.length) for entity in formatted.entities]


def html(text):
    return format_text(text, "HTML", ())


def markdown(text):
    return format_text(text, "MarkdownV2", ())


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("<b>bold</b> <i>it</i>", "bold it", [("bold", 0, 4), ("italic", 5, 2)]),
        ("<strong>a<em>b</em></strong>", "ab", [("bold", 0, 2), ("italic", 1, 1)]),
        ("<u>u</u><ins>v</ins><s>s</s><del>d</del>", "uvsd",
         [("underline", 0, 1), ("underline", 1, 1), ("strikethrough", 2, 1), ("strikethrough", 3, 1)]),
        ("🌕<b>月</b>", "🌕月", [("bold", 2, 1)]),
        ("<code>a &lt; b &amp;&quot;</code>", 'a < b &"', [("code", 0, 8)]),
        ("&#21345;&#x5361; &nbsp; & &copy", "卡卡 &nbsp; & &copy", []),
        ('<pre><code class="language-python">x</code></pre>', "x", [("pre", 0, 1)]),
        ("<pre>y</pre>", "y", [("pre", 0, 1)]),
        ('<span class="tg-spoiler">s</span><tg-spoiler>t</tg-spoiler>', "st", [("spoiler", 0, 1), ("spoiler", 1, 1)]),
        ("<blockquote>q</blockquote>", "q", [("blockquote", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [("expandable_blockquote", 0, 1)]),
        ('<tg-emoji emoji-id="5368">👍</tg-emoji>', "👍", [("custom_emoji", 0, 2)]),
        ("<B>x</>", "x", [("bold", 0, 1)]),
        ("  <b> x </b> ", "x", [("bold", 0, 1)]),
    ],
)  # fmt: skip
def test_html_becomes_text_with_entities_in_utf16_units(source, text, expected):
    formatted = html(source)

    assert (formatted.text, entities(formatted)) == (text, expected)


def test_links_in_html_keep_their_address():
    formatted = html(
        "<a href=\"https://e.org/?a=1&amp;b=2\">x</a> <a href='tg://user?id=7'>Ann</a> <a>e.org</a>"
    )

    link, mention, bare = formatted.entities
    assert link.url == "https://e.org/?a=1&b=2"
    assert mention.type == "text_mention"
    assert mention.user is not None
    assert mention.user.id == 7
    assert bare.url == "http://e.org"


def test_a_language_is_kept_on_a_block_of_code():
    assert html('<pre><code class="language-python">x</code></pre>').entities[0].language == "python"
    assert markdown("```python\nx```").entities[0].language == "python"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("月<font>x</font>", 'Unsupported start tag "font" at byte offset 3'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ('<a href="x>y</a>', "Unclosed start tag at byte offset 0"),
        ("<a =x>y</a>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ('<span class="big">x</span>', 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<a href=x_y>z</a>", "Unexpected end of name token at byte offset 8"),
        ('<tg-emoji emoji-id="x">y</tg-emoji>', "Invalid custom emoji identifier specified"),
    ],
)
def test_broken_html_is_refused_with_telegrams_words(source, complaint):
    with pytest.raises(ApiError) as refused:
        html(source)

    assert refused.value.description == f"Bad Request: can't parse entities: {complaint}"


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("*b* _i_ __u__ ~s~ ||p||", "b i u s p",
         [("bold", 0, 1), ("italic", 2, 1), ("underline", 4, 1), ("strikethrough", 6, 1), ("spoiler", 8, 1)]),
        (r"1\.5 \* 2", "1.5 * 2", []),
        ("*a _b_*", "a b", [("bold", 0, 3), ("italic", 2, 1)]),
        ("`a.b!`", "a.b!", [("code", 0, 4)]),
        ("```\nx.y\n```", "x.y", [("pre", 0, 3)]),
        ("[月](https://e.org/a\\)b)", "月", [("text_link", 0, 1)]),
        (">one\n>two\nthree", "one\ntwo\nthree", [("blockquote", 0, 7)]),
        (">one\n>two||", "one\ntwo", [("expandable_blockquote", 0, 7)]),
        ("![👍](tg://emoji?id=5368)", "👍", [("custom_emoji", 0, 2)]),
    ],
)  # fmt: skip
def test_markdown_becomes_text_with_entities(source, text, expected):
    formatted = markdown(source)

    assert (formatted.text, entities(formatted)) == (text, expected)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("Hello.", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("a - b", "Character '-' is reserved and must be escaped with the preceding '\\'"),
        ("*b", "Can't find end of Bold entity at byte offset 0"),
        ("月_b", "Can't find end of Italic entity at byte offset 3"),
        ("`b", "Can't find end of Code entity at byte offset 0"),
        ("```py\nb", "Can't find end of PreCode entity at byte offset 0"),
        ("[b](https://e.org", "Can't find end of a URL at byte offset 4"),
        ("![b]", "The entity must contain a tg://emoji or tg://time URL"),
        (">*b", "Can't find end of Bold entity at byte offset 1"),
    ],
)
def test_broken_markdown_is_refused_with_telegrams_words(source, complaint):
    with pytest.raises(ApiError) as refused:
        markdown(source)

    assert refused.value.description == f"Bad Request: can't parse entities: {complaint}"


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("*b* _i_ `c` 1.5!", "b i c 1.5!", [("bold", 0, 1), ("italic", 2, 1), ("code", 4, 1)]),
        ("```py\nx```", "x", [("pre", 0, 1)]),
        ("[x](https://e.org) [y]", "x y", [("text_link", 0, 1)]),
        (r"snake\_case \ ok", r"snake_case \ ok", []),
    ],
)
def test_the_old_markdown_is_still_understood(source, text, expected):
    formatted = format_text(source, "Markdown", ())

    assert (formatted.text, entities(formatted)) == (text, expected)


@pytest.mark.parametrize("source", ["月_b", "月*b", "月`b", "月[b"])
def test_the_old_markdown_says_where_an_entity_does_not_end(source):
    with pytest.raises(ApiError, match="Can't find end of the entity starting at byte offset 3"):
        format_text(source, "Markdown", ())


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    source=st.text(alphabet="<>/&;b \"'=#x1*_~`|[]()!\\>\n月🌕a"),
    parse_mode=st.sampled_from(["HTML", "MarkdownV2", "Markdown"]),
)
def test_any_markup_parses_or_is_refused(source, parse_mode):
    with contextlib.suppress(ApiError):
        formatted = format_caption(source, parse_mode, ())
        check_bounds(formatted.text, formatted.entities)


def test_commands_links_mentions_and_tags_are_found_but_not_inside_code():
    said = plain(" /start@moongate_bot https://e.org/a?b=1. @ann_lee #coffee a/b x@y.z 1#2")

    assert entities(said) == [
        ("bot_command", 0, 19), ("url", 20, 19), ("mention", 41, 8), ("hashtag", 50, 7),
    ]  # fmt: skip
    assert entities(html("<code>/start</code>")) == [("code", 0, 6)]


def bold(*values):
    return tuple(MessageEntity(type="bold", offset=offset, length=length) for offset, length in values)


def test_given_entities_are_sorted_and_cut_to_the_trimmed_text():
    formatted = format_text("  ab ", "", bold((4, 1), (0, 5), (3, 0)))

    assert (formatted.text, entities(formatted)) == ("ab", [("bold", 0, 2)])


@pytest.mark.parametrize(
    ("entity", "complaint"),
    [
        ((-1, 1), "receive an entity with incorrect offset -1"),
        ((0, -1), "receive an entity with incorrect length -1"),
        ((9, 1), "entity begins after the end of the text at UTF-16 offset 9"),
        ((1, 9), "entity beginning at UTF-16 offset 1 ends after the end of the text at UTF-16 offset 10"),
        ((2, 1), "entity begins in a middle of a UTF-16 symbol at byte offset 5"),
        ((0, 2), "entity beginning at UTF-16 offset 0 ends in a middle of a UTF-16 symbol at byte offset 5"),
    ],
)
def test_given_entities_must_lie_in_the_text(entity, complaint):
    with pytest.raises(ApiError) as refused:
        format_text("a🌕b", "", bold(entity))

    assert refused.value.description == f"Bad Request: {complaint}"


def test_an_entity_without_its_fields_is_refused():
    assert read_entities("no list") == ()
    with pytest.raises(ApiError, match="can't parse MessageEntity: Can't find field \"offset\""):
        read_entities([{"type": "bold"}])


def test_a_caption_may_be_empty_and_is_counted_in_characters():
    assert format_caption("", "HTML", ()).text == ""
    assert len(format_caption("🌕" * 1024, "", ()).text) == 1024
    with pytest.raises(ApiError, match="message caption is too long"):
        format_caption("x" * 1025, "", ())
