"""InceptionV3 on single frames, whose suspicious frames are counted by a rule.

Source: paper 003, III-B and its algorithm `detectActivity` (III-A), read as components/evaluation/rule.py
says. The side of 299 pixels is InceptionV3's own.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from components.core.errors import UsageError
from components.models.backbones import initialise
from components.models.base import InputShapes, KerasDefinition
from components.models.frame_classifiers import InceptionV3Settings, build

PAPER_003 = InputShapes(frames=(20, 299, 299, 3))


@dataclass(frozen=True)
class InceptionRuleSettings(InceptionV3Settings):
    """Hyper-parameters: those of the backbone, and of the rule that turns frames into an alarm.

    Attributes:
        threshold: of a frame's highest probability, in percent.
        comparison: whether the threshold itself is suspicious (ge), or only what lies above it (gt).
        min_count: so many suspicious frames make an alarm.
        mode: consecutive frames, as in the algorithm; or all of them, as in the paper's tables.
        max_frames: the rule looks at no more of the view's frames; its sampling says how far apart they are.
    """

    threshold: float = 80.0
    comparison: Literal["ge", "gt"] = "ge"
    min_count: int = 10
    mode: Literal["consecutive", "total"] = "consecutive"
    max_frames: int = 500

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.threshold <= 100 or self.min_count < 1 or self.max_frames < 1:
            raise UsageError(
                f"a rule of {self.min_count} frames at {self.threshold} percent among {self.max_frames}",
                wanted="a threshold in percent, and counts of 1 or more",
                remedy="correct models.inception_rule in params.yaml",
            )


MODEL = KerasDefinition(
    title="InceptionV3 on single frames, suspicious ones counted",
    source="paper 003, detectActivity",
    kind="frames",
    streams=("frames",),
    settings=InceptionRuleSettings,
    parameters=21_804_833,
    paper_shapes=PAPER_003,
    build=partial(build, "inception_rule"),
    initialise=initialise,
)
