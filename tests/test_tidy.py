"""The house rules that a machine can check, checked. Each test says the rule; its failure lists the places."""

import ast
import re
import statistics
import tomllib
import zipfile
from pathlib import Path

import pytest

from bot.catalogue import read_catalogue
from bot.settings import Settings, env_example

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bot", "miniprograms", "providers")
NOT_OURS = re.compile(
    r"^(\.git|\.venv|\.moongate|\..*_cache|\.hypothesis|dist|build|node_modules|\.env|\.coverage.*)$|\.egg-info$"
)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def walk(folder):
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__" and not NOT_OURS.search(path.name):
            yield from walk(path)
        elif path.is_file() and not NOT_OURS.search(path.name):
            yield path


def short(path):
    return str(path.relative_to(ROOT))


FILES = list(walk(ROOT))
SOURCES = [path for path in FILES if path.suffix == ".py"]
IN_ROOMS = [path for path in SOURCES if short(path).split("/")[0] in ROOMS]
TEXTS = [
    path
    for path in FILES
    if path.suffix in {".py", ".md", ".toml", ".txt", ".html", ".js", ".css", ".po", ".json", ".mako", ""}
    and path != Path(__file__)
    and path.name != "LICENSE"
]
TREES = {path: ast.parse(path.read_text(), str(path)) for path in SOURCES}


def nodes(paths, *kinds):
    for path in paths:
        for node in ast.walk(TREES[path]):
            if isinstance(node, kinds):
                yield path, node


def at(path, node):
    return f"{short(path)}:{node.lineno}"


def lines_matching(pattern, paths):
    return [
        f"{short(path)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if re.search(pattern, line)
    ]


# Sizes.


def test_no_file_is_longer_than_400_lines():
    assert [short(path) for path in SOURCES if len(path.read_text().splitlines()) > 400] == []


def test_functions_are_small():
    lengths = {
        at(path, node): node.end_lineno - node.lineno + 1
        for path, node in nodes(IN_ROOMS, ast.FunctionDef, ast.AsyncFunctionDef)
    }

    assert [place for place, length in lengths.items() if length > 70] == []
    assert statistics.median(lengths.values()) < 10


# Names and words.


def test_names_are_nouns_of_the_trade():
    banned = re.compile(
        r"(Manager|Service|Helpers?|Utils?|Impl)$|^_?Base[A-Z]|_v\d+$|^(utils?|helpers?|misc|common)$"
    )

    classes = [at(path, node) for path, node in nodes(SOURCES, ast.ClassDef) if banned.search(node.name)]
    modules = [short(path) for path in SOURCES if banned.search(path.stem)]

    assert classes + modules == []


def test_nothing_in_the_tree_waits_to_be_done():
    assert (
        lines_matching(
            r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|coming soon|\b(only|just|good|enough) for now\b",
            TEXTS,
        )
        == []
    )


def test_no_path_of_somebody_s_machine_is_in_the_tree():
    assert lines_matching(r"(?<![\w.])/(work|root|home/\w+|Users/\w+)/", TEXTS) == []


def test_no_address_of_a_package_registry_is_in_the_tree():
    pattern = r"pypi\.org|pythonhosted|registry\.npmjs|(extra-)?index-url|proxy\.golang"

    assert lines_matching(pattern, TEXTS) == []


@pytest.mark.fault("M11")
def test_no_secret_is_in_what_we_ship():
    outside_tests = [path for path in TEXTS if short(path).split("/")[0] != "tests"]

    assert lines_matching(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/]{16}", outside_tests) == []
    assert lines_matching(r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b", outside_tests) == []
    assert lines_matching(r"\b(AKIA[0-9A-Z]{16}|whsec_[A-Za-z0-9+/]{24,}|sk_live_\w+)", outside_tests) == []


def test_every_module_says_what_it_knows():
    assert [short(path) for path in IN_ROOMS if TREES[path].body and not ast.get_docstring(TREES[path])] == []


def test_every_exception_to_a_linter_has_its_reason_on_the_line():
    bare = r"#\s*(noqa(?!:)|noqa: [A-Z0-9, ]+$|type: ignore(\[[a-z-, ]+\])?$|pragma: no cover$)"

    assert lines_matching(bare, [path for path in SOURCES if path != Path(__file__)]) == []


def test_every_rule_the_linter_leaves_out_has_a_reason():
    text = (ROOT / "pyproject.toml").read_text()
    lint = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.isort]")]
    rules = re.findall(r'^  "[A-Z]+[0-9]*",.*$', lint, re.MULTILINE)

    assert rules
    assert [line for line in rules if not re.search(r"# \w+", line)] == []


# What code may do, and where.

CLOCKS = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time"),
    ("time", "time_ns"), ("uuid", "uuid1"), ("uuid", "uuid4"), ("os", "urandom"),
}  # fmt: skip
MAY_READ_THE_MACHINE = ("bot/machine.py", "bot/app.py", "bot/sandbox/")

# The three edges (update, webhook, worker), and the loading of other people's code.
EDGES = ("bot/runtime/", "bot/telegram/", "bot/web/notify.py", "bot/orders/worker.py", "bot/catalogue.py")


def reads_the_machine(node):
    match node:
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
            return (owner, name) in CLOCKS
        case ast.ImportFrom(module=module):
            return module in {"random", "secrets", "time", "uuid"}
        case ast.Import(names=names):
            return any(name.name in {"random", "secrets"} for name in names)
    return False


def test_time_and_randomness_are_passed_in():
    found = [
        at(path, node)
        for path, node in nodes(IN_ROOMS, ast.Attribute, ast.Import, ast.ImportFrom)
        if reads_the_machine(node) and not short(path).startswith(MAY_READ_THE_MACHINE)
    ]

    assert found == []


def is_broad(handler):
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or getattr(kind, "id", "") in {"Exception", "BaseException"} for kind in types)


def test_only_the_edges_catch_everything():
    found = [
        at(path, node)
        for path, node in nodes(IN_ROOMS, ast.ExceptHandler)
        if is_broad(node)
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)
        and not short(path).startswith(EDGES)
    ]

    assert found == []


def money_files():
    for path in IN_ROOMS:
        text = path.read_text()
        if re.search(r"\bminor\b|_minor\b|\bMoney\b", text):
            yield path


def is_time(path, node):
    """Seconds may be fractions: the line says so by its unit."""
    return re.search(r"_s\b|_S\b|seconds|timeout|sleep", path.read_text().splitlines()[node.lineno - 1])


@pytest.mark.fault("Q8")
def test_no_float_touches_money():
    files = list(money_files())
    calls = [
        at(path, node)
        for path, node in nodes(files, ast.Call)
        if isinstance(node.func, ast.Name) and node.func.id in {"float", "round"}
    ]
    literals = [
        at(path, node)
        for path, node in nodes(files, ast.Constant)
        if isinstance(node.value, float) and not is_time(path, node)
    ]
    types = [
        at(path, node)
        for path, node in nodes(files, ast.Name)
        if node.id == "float" and not is_time(path, node)
    ]
    divisions = [
        at(path, node)
        for path, node in nodes(files, ast.BinOp)
        if isinstance(node.op, ast.Div) and re.search(r"minor|amount|price|fee", ast.unparse(node))
    ]

    assert calls + literals + types + divisions == []


# Modules that say what they offer.


def exported(tree):
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return [element.value for element in node.value.elts]
    return None


def offered(path, tree):
    """Public names a module defines; for a package also those it takes from its own modules."""
    package, whole = ".".join(Path(short(path)).parent.parts), path.name == "__init__.py"
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif whole and isinstance(node, ast.ImportFrom) and (node.module or "").startswith(package):
            yield from (name.asname or name.name for name in node.names)


def test_all_is_complete():
    wrong = []
    for path in IN_ROOMS:
        names = exported(TREES[path])
        if names is None:
            continue
        missing = {name for name in offered(path, TREES[path]) if not name.startswith("_")} - set(names)
        if missing or len(names) != len(set(names)):
            wrong.append((short(path), sorted(missing)))

    assert wrong == []


# Plugins, settings, commands.


def folders(room):
    return sorted(
        path for path in (ROOT / room).iterdir() if (path / "__init__.py").exists() and path.name != "sdk"
    )


def test_every_provider_folder_has_its_six_files_and_is_an_entry_point():
    files = ("__init__.py", "provider.py", "wire.py", "signing.py", "gateway.py", "quality.toml")
    points = PYPROJECT["project"]["entry-points"]["moongate.providers"]

    missing = [
        f"{folder.name}/{file}"
        for folder in folders("providers")
        for file in files
        if not (folder / file).exists()
    ]

    assert missing == []
    assert points == {folder.name: f"providers.{folder.name}:plugin" for folder in folders("providers")}


def test_every_mini_program_folder_has_its_manifest_and_is_an_entry_point():
    points = PYPROJECT["project"]["entry-points"]["moongate.miniprograms"]

    assert [folder.name for folder in folders("miniprograms") if not (folder / "app.json").exists()] == []
    assert points == {folder.name: f"miniprograms.{folder.name}:app" for folder in folders("miniprograms")}


def test_every_plugin_is_held_to_its_room_by_the_import_contracts():
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    providers = {f"providers.{folder.name}" for folder in folders("providers")}
    programs = {f"miniprograms.{folder.name}" for folder in folders("miniprograms")}

    [apart] = [set(contract["modules"]) for contract in contracts if contract["type"] == "independence"]
    bound = {name for contract in contracts for name in contract.get("source_modules", ())}
    closed = [set(contract["forbidden_modules"]) for contract in contracts if contract["type"] == "forbidden"]

    assert apart == providers | programs
    assert (providers | programs) - bound == set()
    assert providers | programs in closed
    assert any(providers < modules and "bot" in modules for modules in closed)


def test_the_example_of_the_environment_is_the_one_the_settings_write():
    ours = [provider.plugin for provider in read_catalogue().providers if provider.distribution == "moongate"]

    assert (ROOT / ".env.example").read_text() == env_example(ours), (
        "Write it anew: .venv/bin/python -m tests.write_env_example"
    )


def documents():
    return "\n".join(path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])


def test_every_setting_says_what_it_is_for_and_the_documents_lead_to_the_list():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
    assert ".env.example" in documents()


def test_every_command_is_documented():
    cli = pytest.importorskip("bot.cli")

    assert [name for name in cli.main.commands if f"moongate {name}" not in documents()] == []


# What is shipped.


def test_the_constraints_are_pins_and_name_no_address():
    lines = (ROOT / "constraints.txt").read_text().splitlines()

    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_the_wheel_carries_every_file_of_the_rooms(tmp_path):
    from hatchling.builders.wheel import WheelBuilder

    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    shipped = set(zipfile.ZipFile(wheel).namelist())
    ours = {short(path) for path in FILES if short(path).split("/")[0] in ROOMS}

    assert ours - shipped == set()
    assert {
        name for name in shipped if name.split("/")[0] not in ROOMS and ".dist-info/" not in name
    } == set()


def test_ci_runs_what_a_developer_runs():
    script = ROOT / ".ci" / "run"

    assert script.stat().st_mode & 0o111
    assert script.read_text().rstrip().endswith("make test")
