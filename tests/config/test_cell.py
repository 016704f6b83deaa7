"""The profile that holds now stands in one place, and nobody keeps another."""

import ast
from collections.abc import Iterator
from pathlib import Path

from vivavoce.config.cell import ProfileCell
from vivavoce.config.schema import LogSettings, Profile

ROOT = Path(__file__).parents[2]
KEEPERS = {
    "config/cell.py": "the one place",
    "src/vivavoce/upkeep.py": "as somebody wrote it: conditions are laid over that",
    "src/vivavoce/live_profile.py": "as its files say, to know whether they have changed",
}


def test_a_part_is_that_of_the_profile_that_holds() -> None:
    cell = ProfileCell()
    level = cell.of(lambda profile: profile.log.level)
    seen: list[str | None] = []
    cell.when_changed(lambda: seen.append(level()))
    assert (cell.profile, level()) == (Profile(), None)
    cell.put(Profile(log=LogSettings(level="debug")))
    assert (seen, level()) == (["debug"], "debug")


def test_nobody_stores_a_profile_of_his_own() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for room in ("pipeline", "actors", "config", "src/vivavoce")
        for path in sorted((ROOT / room).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in KEEPERS
        for name in _stored_profiles(ast.parse(path.read_text()))
    }
    assert found == set(), "read it in ActorContext.settings when it is needed"


def _stored_profiles(tree: ast.AST) -> Iterator[str]:
    """Attributes that a function sets to what came in as a Profile."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = (*function.args.args, *function.args.kwonlyargs)
        given = {one.arg for one in arguments if _is_profile(one.annotation)}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    yield from _kept(target, node.value, given)


def _kept(target: ast.expr, value: ast.expr, given: set[str]) -> Iterator[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for pair in zip(target.elts, value.elts, strict=False):
            yield from _kept(*pair, given)
    elif isinstance(target, ast.Attribute) and isinstance(value, ast.Name) and value.id in given:
        yield target.attr


def _is_profile(annotation: ast.expr | None) -> bool:
    if isinstance(annotation, ast.BinOp):
        return _is_profile(annotation.left) or _is_profile(annotation.right)
    return isinstance(annotation, ast.Name) and annotation.id == "Profile"


def test_the_search_finds_what_it_is_to_find() -> None:
    keeps = """
class A:
    def __init__(self, p: Profile | None, read: Callable[[], Profile]):
        self._p, self._n = p, 1
        self._read = read
        self.q = p.log
"""
    assert list(_stored_profiles(ast.parse(keeps))) == ["_p"]
