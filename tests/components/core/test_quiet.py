import os

import pytest

from components.core.quiet import quiet_start


def test_chatter_is_held_back(capfd):
    with quiet_start():
        os.write(2, b"I0000 chatter\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_a_failure_lets_it_out(capfd):
    with pytest.raises(RuntimeError, match="broken"), quiet_start():
        os.write(2, b"the cause\n")
        raise RuntimeError("broken")
    assert capfd.readouterr().err == "the cause\n"
