"""Profiles: ready-made params.yaml files."""

import json
import logging
import re
from pathlib import Path

from components.core import system
from components.core.errors import UsageError
from components.core.files import write_text
from pipelines.params import PARAMS_FILE, read_params

log = logging.getLogger("tailwatch")

_FOLDER = Path(__file__).parent / "profiles"
_PURPOSES = {
    "demo": "the sample: majority, logistic, fusion; few epochs",
    "fights": "every model on the Surveillance Camera Fight data set, within a budget of steps",
    "paper": "paper 000: its backends, splits and hyper-parameters",
    "paper001": "paper 001: a pretrained backbone with an LSTM on harassment or fights",
    "paper002": "paper 002: LRCN, ConvLSTM, MobileNetV2 with LSTMs and frame classifiers on UCF50",
    "paper003": "paper 003: InceptionV3 with the counting rule, and an LSTM over its features, on UCF-Crime",
    "paper003_binary": "paper 003 with two classes: its autoencoder beside the others",
    "paper004": "paper 004: ConvGRU over ResNet-50 and its rivals, on focused bags of UCF-Crime",
    "paper004_binary": "paper 004 with two classes: Table VIII, with SVM, autoencoder and MIL ranking",
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
    present = folder / PARAMS_FILE
    if present.is_file() and present.read_text(encoding="utf-8") not in (text, *_texts()):
        kept = present.with_suffix(".yaml.bak")
        system.rename(present, kept)
        log.info("Your params.yaml is kept as %s", kept.name)
    write_text(present, text)
    log.info("params.yaml is now the profile %s: %s", name, _PURPOSES[name])
    read_params(folder)


def _texts() -> list[str]:
    """All profiles as they are shipped."""
    return [(_FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in _PURPOSES]
