"""Processes and names of files as the operating system gives them."""

import os
import subprocess
import sys

import pytest

from components.core import system

ASKS = "from components.core.system import dies_with_parent; print(dies_with_parent())"
TELLS_GROUP = "import os; print(os.getpgid(0) == os.getpid())"


def said(script, **options):
    process = system.start_beside(
        [sys.executable, "-c", script], os.getcwd(), os.environ, subprocess.PIPE, **options
    )
    return process.communicate()[0].decode().strip()


def test_a_child_knows_that_it_dies_with_its_parent():
    assert said(ASKS) == "True"
    plain = subprocess.run([sys.executable, "-c", ASKS], capture_output=True, text=True, check=True)
    assert plain.stdout.strip() == "False"


@pytest.mark.parametrize("apart", [True, False])
def test_a_child_is_in_a_group_of_its_own_when_asked_for(apart):
    assert said(TELLS_GROUP, apart=apart) == str(apart)


def test_a_second_name_is_given_once(tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    assert system.link(tmp_path / "a", tmp_path / "c")
    assert not system.link(tmp_path / "b", tmp_path / "c")
    assert (tmp_path / "c").read_text() == "a"
