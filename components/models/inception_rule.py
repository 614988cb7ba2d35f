"""InceptionV3 on single frames, whose suspicious frames are counted by a rule: that is the verdict on a clip.

Source: paper 003, III-B and its algorithm `detectActivity` (III-A), read as
components/models/counting_rule.py says. The side of 299 pixels is InceptionV3's own. Ours: of several alarms
the longest names the class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from components.core.errors import UsageError
from components.models.backbones import initialise
from components.models.base import NORMAL, InputShapes, KerasDefinition
from components.models.counting_rule import RuleSettings, alarms_of, top_1
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
        if self.max_frames < self.least_frames or (self.threshold, self.comparison) == (100, "gt"):
            raise UsageError(
                f"a rule of {self.least_frames} suspicious frames among {self.max_frames}, {self.comparison} "
                f"{self.threshold:g} percent, can never sound",
                wanted="no more suspicious frames than max_frames, and a share that can be exceeded",
                remedy="lower min_count or threshold of models.inception_rule in params.yaml",
            )

    @property
    def least_frames(self) -> int:
        """The fewest frames of a clip of which the rule can sound."""
        return self.min_count + (self.comparison == "gt")


def rule_of(settings: InceptionRuleSettings, classes: Sequence[str]) -> RuleSettings:
    """The rule's terms; the first class is the normal one."""
    terms = (settings.threshold, settings.min_count, settings.mode, settings.comparison, settings.max_frames)
    return RuleSettings(*terms, normal_labels=(classes[NORMAL],))


def verdict(settings: InceptionRuleSettings, frames: np.ndarray) -> np.ndarray:
    """Class index (N,) of clips whose frames have probabilities (N, T, K): normal, unless the rule sounds."""
    classes = [str(k) for k in range(frames.shape[-1])]
    rule, order = rule_of(settings, classes), np.arange(frames.shape[1])
    found = [alarms_of(*top_1(clip, classes), order, rule) for clip in frames]
    longest = [max(alarms, key=lambda alarm: alarm.frames, default=None) for alarms in found]
    return np.array([NORMAL if alarm is None else int(alarm.label) for alarm in longest], np.int64)


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
    verdict=verdict,
)
