"""`app.json`: a real one is read, a wrong one is refused by the JSON path of every mistake."""

import json

import pytest

from miniprograms.sdk import Manifest, ManifestError

GOOD = {
    "app_id": "com.example.coffee",
    "version": {"name": "1.0.0", "code": 1},
    "pages": ["pages/menu/menu", "pages/pay/pay"],
}
TABS = {
    "list": [{"pagePath": "pages/menu/menu", "text": "Menu"}, {"pagePath": "pages/pay/pay", "text": "Pay"}]
}


def read(**fields):
    return Manifest.parse(json.dumps({**GOOD, **fields}))


def test_the_first_page_is_home_unless_the_manifest_says_otherwise():
    assert read().home == "pages/menu/menu"
    assert read(entryPagePath="pages/pay/pay").home == "pages/pay/pay"


def test_a_real_app_json_is_read_and_what_has_no_effect_is_noted():
    manifest = read(
        window={"navigationBarTitleText": "Coffee", "backgroundTextStyle": "light"},
        tabBar={**TABS, "color": "#000", "list": [{**tab, "iconPath": "a.png"} for tab in TABS["list"]]},
        sitemapLocation="sitemap.json",
        usingComponents={},
        wobble=1,
    )

    assert manifest.window.title == "Coffee"
    assert manifest.is_tab("pages/pay/pay")
    assert manifest.notes == (
        "$.sitemapLocation: it has no effect here.",
        "$.usingComponents: it has no effect here.",
        "$.wobble: unknown field, ignored.",
        "$.window.backgroundTextStyle: unknown field, ignored.",
        "$.tabBar.color: unknown field, ignored.",
        "$.tabBar.list[0].iconPath: unknown field, ignored.",
        "$.tabBar.list[1].iconPath: unknown field, ignored.",
    )


def test_pages_of_a_subpackage_stand_under_its_root():
    manifest = read(subpackages=[{"root": "more", "pages": ["about/about"]}])

    assert manifest.pages == (*GOOD["pages"], "more/about/about")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"app_id": None}, "$.app_id"),
        ({"app_id": "a:b"}, "$.app_id"),
        ({"app_id": "a" * 49}, "$.app_id"),
        ({"version": {"name": "1"}}, "$.version.code: it is missing."),
        ({"version": {"name": "1", "code": "2"}}, "$.version.code"),
        ({"version": {"name": "1", "code": 0}}, "$.version.code"),
        ({"pages": []}, "$.pages"),
        ({"pages": ["/pages/menu"]}, "$.pages[0]"),
        ({"pages": ["a", "b", "a"]}, "$.pages[2]: 'a' stands twice."),
        ({"entryPagePath": "nowhere"}, "$.entryPagePath: 'nowhere' is not in $.pages."),
        ({"tabBar": {"list": TABS["list"][:1]}}, "$.tabBar.list"),
        ({"tabBar": {"list": TABS["list"] * 3}}, "$.tabBar.list"),
        ({"tabBar": {"list": [TABS["list"][0], {"text": "x"}]}}, "$.tabBar.list[1].pagePath: it is missing."),
        (
            {"tabBar": {"list": [TABS["list"][0], {"pagePath": "gone", "text": "x"}]}},
            "$.tabBar.list[1].pagePath: 'gone' is not in $.pages.",
        ),
        ({"permission": {"scope.payment": {}}}, '$.permission["scope.payment"].desc: it is missing.'),
        ({"permission": {"payment": {"desc": "x"}}}, '$.permission["payment"]'),
        ({"window": {"navigationBarTitleText": 3}}, "$.window.navigationBarTitleText"),
    ],
)
def test_a_wrong_field_is_refused_by_its_path(fields, path):
    with pytest.raises(ManifestError) as refusal:
        read(**fields)

    assert refusal.value.problems[0].startswith(path)


def test_every_mistake_is_named_at_once():
    with pytest.raises(ManifestError) as refusal:
        Manifest.parse('{"pages": [], "app_id": ""}', "coffee/app.json")

    assert [problem.split(":")[0] for problem in refusal.value.problems] == [
        "$.app_id",
        "$.version",
        "$.pages",
    ]
    assert str(refusal.value).startswith("coffee/app.json cannot be used. $.app_id: ")


@pytest.mark.parametrize(("text", "words"), [("{", "not JSON"), ("[]", "must be an object")])
def test_what_is_no_json_object_is_refused(text, words):
    with pytest.raises(ManifestError, match=words):
        Manifest.parse(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ManifestError, match=r"app\.json cannot be used\. It cannot be read: No such file"):
        Manifest.read(tmp_path / "app.json")
