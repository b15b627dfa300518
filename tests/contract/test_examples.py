"""Every example of the documentation that `doc_examples` lists has its tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from doc_examples import EXAMPLES

TESTS = Path(__file__).resolve().parents[1]


def names_of(tree: ast.AST, prefix: str = "") -> Iterator[str]:
    """The tests of a module, those of classes by `Class::test`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from names_of(node, f"{node.name}::")
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield prefix + node.name


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_is_shown(example: str) -> None:
    assert EXAMPLES[example]
    for test in EXAMPLES[example]:
        path, _, name = test.partition("::")
        assert name in set(names_of(ast.parse((TESTS / path).read_text()))), test
