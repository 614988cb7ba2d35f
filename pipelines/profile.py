"""Profiles: ready-made params.yaml files."""

import json
import re
from pathlib import Path

from components.core.errors import UsageError
from components.core.files import write_text
from pipelines.params import PARAMS_FILE, read_params

_FOLDER = Path(__file__).parent / "profiles"
_PURPOSES = {
    "demo": "the sample: majority, logistic, fusion; few epochs",
    "fights": "every model on the Surveillance Camera Fight data set, within a budget of steps",
    "paper": "paper 000: its backends, splits and hyper-parameters",
}


def profiles() -> list[dict[str, str]]:
    """The profiles and what each is for."""
    return [{"profile": name, "for": purpose} for name, purpose in _PURPOSES.items()]


def use_profile(folder: Path, name: str, root: str | None = None) -> None:
    """Write a profile over the project's params.yaml.

    Args:
        folder: the project's.
        name: one of the profiles.
        root: the data set's root, in place of the profile's.

    Raises:
        UsageError: no profile has this name.
    """
    if name not in _PURPOSES:
        raise UsageError(
            f"Profile `{name}` is not known",
            wanted=f"one of {', '.join(_PURPOSES)}",
            remedy="correct its name",
        )
    text = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    if root is not None:
        text = re.sub(
            r"^  root: [^ #\n]+", lambda _: f"  root: {json.dumps(root)}", text, count=1, flags=re.MULTILINE
        )
    write_text(folder / PARAMS_FILE, text)
    read_params(folder)
