import ast

import pytest

from components.core import code


def test_imports_are_followed_to_the_end():
    reached = code.modules_reached("components.store.store")
    assert {"components.store.store", "components.core.files", "components.core.errors"} <= reached
    assert all(name.startswith("components") for name in reached)


def test_a_digest_changes_with_any_module_reached(monkeypatch):
    before = code.code_digest("components.store.store")
    plain = code._module_digest
    monkeypatch.setattr(
        code, "_module_digest", lambda name: plain(name) + name[-6:] * (name == "components.core.errors")
    )
    assert code.code_digest("components.store.store") != before


@pytest.mark.parametrize(
    ("source", "same"),
    [
        pytest.param('"""Other words."""\ndef f(x):\n    # why\n    return x + 1\n', True, id="words only"),
        pytest.param("def f(x): return x + 1", True, id="layout only"),
        pytest.param("def f(x):\n    return x + 2\n", False, id="another number"),
    ],
)
def test_only_code_counts(monkeypatch, source, same):
    base = 'def f(x):\n    """Docs."""\n    return x + 1\n'
    digests = []
    for text in (base, source):
        monkeypatch.setattr(code, "_tree", lambda _name, text=text: ast.parse(text))
        digests.append(code._module_digest.__wrapped__("any"))
    assert (digests[0] == digests[1]) is same


BEFORE = '''"""Docs."""
import os
LIMIT = 1
def f(x):
    return x
class A:
    """Docs."""
    def m(self):
        return 1
'''


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        pytest.param("return x", "return x + 1", ["f"], id="function"),
        pytest.param("return 1", "return 2", ["A.m"], id="method"),
        pytest.param("class A:", "class A(dict):", ["A"], id="base class"),
        pytest.param("LIMIT = 1", "LIMIT = 2", ["LIMIT"], id="constant"),
        pytest.param("import os", "import sys", ["imports"], id="imports"),
        pytest.param("def f(x)", "def g(x)", ["f", "g"], id="another name"),
        pytest.param("Docs.", "Other words.", [], id="docstrings"),
        pytest.param("return x", "return (x)  # why", [], id="layout and comments"),
    ],
)
def test_changed_parts(old, new, parts):
    assert code.changed_parts(BEFORE, BEFORE.replace(old, new)) == parts
