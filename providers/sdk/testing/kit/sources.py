"""Parts 13, 14 and 11 as far as the source shows them: the provider's own files, read and not run."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from providers.sdk.testing.kit.bench import Bench, hold
from providers.sdk.testing.kit.check import Part, check
from providers.sdk.testing.kit.quality import folder_of

_SECRET_WORD: Final = re.compile(r"(^|_)(sign|signature|mac|hmac|sig)($|_)|hexdigest")
_DRESSED: Final = {"encode", "decode", "lower", "upper", "strip", "hex", "get_secret_value"}
_CLOCKS: Final = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time"),
    ("time", "time_ns"), ("uuid", "uuid1"), ("uuid", "uuid4"), ("os", "urandom"), ("os", "environ"), ("os", "getenv"),
}  # fmt: skip
_NETS: Final = {
    "socket",
    "ssl",
    "http",
    "urllib.request",
    "aiohttp",
    "httpx",
    "requests",
    "urllib3",
    "subprocess",
}
_CHANCE: Final = {"random", "secrets", "uuid", "time"}


@cache
def _nodes(folder: Path) -> list[tuple[str, ast.AST]]:
    """Every node of every file, with the place where it stands."""
    trees = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))}
    return [
        (f"{name}:{getattr(node, 'lineno', 0)}", node)
        for name, tree in trees.items()
        for node in ast.walk(tree)
    ]


def _places(bench: Bench, *kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    for place, node in _nodes(folder_of(bench.plugin)):
        if isinstance(node, kinds):
            yield place, node


@check(Part.COMPARE)
async def signatures_are_compared_in_constant_time(bench: Bench) -> None:
    """No `==` between two values one of which is a signature or digest: `hmac.compare_digest`, or a verifier."""
    found = [
        place
        for place, node in _places(bench, ast.Compare)
        if isinstance(node, ast.Compare) and _compares_a_secret(node)
    ]
    hold(not found, f"a signature is compared with == in {', '.join(found)}; use hmac.compare_digest")


def _compares_a_secret(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    if any(isinstance(side, ast.Constant | ast.Tuple | ast.Set) or _is_constant(side) for side in sides):
        return False
    equal = any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
    return equal and any(_SECRET_WORD.search(_last_name(side)) for side in sides)


def _is_constant(node: ast.AST) -> bool:
    """`SIGN_METHOD`, `wire.SIGN_TYPE`: a word of the protocol, not a secret."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.isupper()
    return False


def _last_name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lower()
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in _DRESSED:
            return _last_name(value)
        case ast.Call(func=function):
            return _last_name(function)
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name.lower()
        case ast.Await(value=value):
            return _last_name(value)
    return ""


@check(Part.MONEY)
async def no_float_is_in_the_source(bench: Bench) -> None:
    """No `float(…)`, no `round(…)`, no true division by a hundred in the provider's files."""
    found = [
        place
        for place, node in _places(bench, ast.Call, ast.BinOp)
        if (isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"float", "round"})
        or (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Div)
            and re.search(r"minor|amount|price|fee|total|\b100\b", ast.unparse(node))
        )
    ]
    hold(not found, f"money meets a float in {', '.join(found)}; use Money.parse and Money.decimal")


@check(Part.CONFINED)
async def the_source_asks_the_machine_for_nothing(bench: Bench) -> None:
    """No clock, no chance, no environment, no network of its own: all of it comes with the `Call`."""
    found = [place for place, node in _places(bench, ast.Attribute) if _reads_the_machine(node)]
    found += [
        f"{place} imports {name}"
        for place, node in _places(bench, ast.Import, ast.ImportFrom)
        for name in _imported(node)
        if name in _NETS | _CHANCE or name.split(".")[0] in (_NETS | _CHANCE) - {"http"}
    ]
    hold(not found, f"the source asks the machine in {', '.join(found)}")


def _reads_the_machine(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
            return (owner, name) in _CLOCKS
    return False


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [name.name for name in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
    return []


@check(Part.CONFINED)
async def the_source_imports_only_the_sdk(bench: Bench) -> None:
    """A provider knows `providers.sdk` and itself: no host, no mini program, no other provider."""
    own = bench.plugin.settings.__module__.rpartition(".")[0]
    found = [
        f"{place} imports {name}"
        for place, node in _places(bench, ast.Import, ast.ImportFrom)
        for name in _imported(node)
        if name.split(".")[0] in {"bot", "miniprograms", "providers"}
        and not f"{name}.".startswith(("providers.sdk.", f"{own}."))
    ]
    hold(not found, ", ".join(found))


@check(Part.VECTORS)
async def vectors_are_proven_by_tests(bench: Bench) -> None:
    """Where `vectors` is done, the author names the test files that hold the institution's published vectors."""
    _proven(bench, "vectors")


@check(Part.VECTORS)
async def key_rotation_is_proven_by_tests(bench: Bench) -> None:
    """Where `key_rotation` is done, the author names the tests in which a key changes under a running provider."""
    _proven(bench, "key_rotation")


def _proven(bench: Bench, rule: str) -> None:
    bench.need(rule)
    paths = bench.proofs.get(rule, ())
    hold(paths, f"{rule} is claimed, and no test proves it: name its files as proofs (--proof {rule}=FILE)")
    for path in paths:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
        tests = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
        ]
        asserting = [
            test
            for test in tests
            if any(isinstance(node, ast.Assert | ast.With | ast.Call) for node in ast.walk(test))
        ]
        hold(asserting, f"{path} proves nothing about {rule}: it has no test")
