import pytest

from components.core.errors import UsageError
from components.core.registry import Registry

FAMILY = Registry("digest", {"sha": "hashlib:sha256", "broken": "no.such.module:thing"})


def test_a_member_is_imported_when_asked_for():
    import hashlib

    assert FAMILY.get("sha") is hashlib.sha256
    assert FAMILY.names() == ["sha", "broken"]


def test_an_unknown_name_lists_the_known():
    with pytest.raises(UsageError, match=r"digest `md6` is not known.*one of sha, broken"):
        FAMILY.get("md6")


def test_an_import_failure_is_not_swallowed():
    with pytest.raises(ModuleNotFoundError, match="no"):
        FAMILY.get("broken")
