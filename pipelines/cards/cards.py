"""Model card and data card of one model, as files for MLflow; they name no machine and no place on it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.artifacts import Project
from pipelines.cards.data_card import data_card
from pipelines.cards.facts import data_facts, model_facts
from pipelines.cards.model_card import model_card

_PATH = re.compile(r"(?<![\w/.:])/(?:[^\s/|\"',]+/)+([^\s/|\"',]+)")  # absolute, of two names or more
MODEL_CARD, DATA_CARD = "model_card.md", "data_card.md"


def cards(project: Project, model_id: str, verdict: Mapping[str, Any] | None = None) -> dict[str, bytes]:
    """Both cards by file name.

    Args:
        verdict: the gate's, with `champion` and `approved_by`; by default compare's, without a champion.

    Raises:
        BadDataError: the pipeline did not run to its end.
    """
    texts = {
        MODEL_CARD: model_card(model_facts(project, model_id, verdict)),
        DATA_CARD: data_card(data_facts(project)),
    }
    return {name: _without_places(project, text).encode() for name, text in texts.items()}


def card_tags(run_id: str) -> dict[str, str]:
    """Tags by which a version points at its cards."""
    named = {"model_card": MODEL_CARD, "data_card": DATA_CARD}
    return {f"tailwatch.{name}": f"runs:/{run_id}/{file}" for name, file in named.items()}


def _without_places(project: Project, text: str) -> str:
    """Names of folders in place of where they lie: warnings and settings may hold absolute paths."""
    for place in (project.dataset_root, str(project.root)):  # these may hold spaces
        text = text.replace(place, Path(place).name)
    return _PATH.sub(r"\1", text)
