"""Seconds from the environment."""

import pytest

from components.core.errors import UsageError
from components.core.patience import patience_s

VARIABLE = "TAILWATCH_LEASE_S"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param(None, 60.0, id="not set"),
        pytest.param("", 60.0, id="empty"),
        pytest.param("0.5", 0.5, id="a part of a second"),
    ],
)
def test_seconds(monkeypatch, text, seconds):
    monkeypatch.delenv(VARIABLE, raising=False)
    if text is not None:
        monkeypatch.setenv(VARIABLE, text)
    assert patience_s(VARIABLE, 60.0) == seconds


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "a minute"])
def test_what_is_no_time_is_refused(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(UsageError, match=f"{VARIABLE} is '{text}'"):
        patience_s(VARIABLE, 60.0)
