"""What a model definition is: how a family member is described, built, fitted and asked.

Three kinds of models: `clips` gives class probabilities of a clip, `frames` of each frame (a clip's are
their mean), `anomaly` gives a score of each frame or segment, higher where it is less normal, and no
probabilities; of its two classes the first is the normal one. Two ways to their weights: by gradient
(Keras) or in closed form. Importing this module, or one that defines a model, imports neither TensorFlow
nor scikit-learn.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from components.core.errors import UsageError
from components.features.views import View

if TYPE_CHECKING:
    import keras

Kind = Literal["clips", "frames", "anomaly"]
Stream = Literal["frames", "numbers", "activations"]
Arrays = Mapping[str, np.ndarray]
NORMAL = 0  # the class that scorers of anomalies learn from, and that gives no alarm


@dataclass(frozen=True)
class InputShapes:
    """Shapes of one clip's inputs, without the axis of clips.

    Attributes:
        frames: (T, H, W, 3) uint8, or None.
        numbers: (T, 29), or None.
        activations: (components.features.activation_layout.NUMBERS,), or None.
    """

    frames: tuple[int, ...] | None = None
    numbers: tuple[int, ...] | None = None
    activations: tuple[int, ...] | None = None

    def of(self, streams: tuple[Stream, ...]) -> dict[str, tuple[int, ...]]:
        """The shapes of these streams, by name.

        Raises:
            UsageError: a stream that the view does not have.
        """
        shapes = {"frames": self.frames, "numbers": self.numbers, "activations": self.activations}
        missing = [stream for stream in streams if shapes[stream] is None]
        if missing:
            raise UsageError(
                f"The model wants {' and '.join(streams)}, its view has no {missing[0]}",
                wanted="height and width in the view for frames, else `numbers: true` or `activations: true`",
                remedy="complete the view in params.yaml, or give the model another one",
            )
        return {stream: shape for stream in streams if (shape := shapes[stream]) is not None}


PAPER_000 = InputShapes(frames=(5, 128, 128, 3), numbers=(5, 29))


@dataclass(frozen=True)
class Definition:
    """One architecture.

    Attributes:
        title: what it is, for people.
        source: paper and section.
        kind: what it says of a clip.
        streams: the inputs that it looks at.
        settings: dataclass of its hyper-parameters, the paper's as defaults.
        parameters: numbers in its weights at `paper_shapes` with two classes and default settings; None where
            the data decide.
        paper_shapes: the inputs that the paper fed it.
        learns_from: all clips of the train side, or those of the first class, the normal ones.
        clip_score: settings and scores (N, S) of a scorer of anomalies to those of the clips (N,).
        verdict: settings and probabilities (N, T, K) of a classifier of frames, in the order of time, to the
            class indices (N,) of the clips; None takes those of the mean.
    """

    title: str
    source: str
    kind: Kind
    streams: tuple[Stream, ...]
    settings: type[Any]
    parameters: int | None = None
    paper_shapes: InputShapes = PAPER_000
    learns_from: Literal["all", "normal"] = "all"
    clip_score: Callable[[Any, np.ndarray], np.ndarray] | None = None
    verdict: Callable[[Any, np.ndarray], np.ndarray] | None = None

    def check_classes(self, name: str, classes: tuple[str, ...]) -> None:
        """Refuse classes that the model cannot tell apart.

        Raises:
            UsageError: a scorer of anomalies, and not two classes.
        """
        if self.kind == "anomaly" and len(classes) != 2:
            raise UsageError(
                f"models.{name} scores anomalies, and dataset.classes is {list(classes)}",
                wanted="two classes: the normal one, then the other",
                remedy="join the others by dataset.label_map, or remove the model from params.yaml",
            )

    def check_view(self, name: str, view: View) -> None:
        """Refuse a view that lacks what the model looks at.

        Raises:
            UsageError: no pixels, no numbers, or no activations.
        """
        if self.verdict is not None and view.focus is not None:
            raise UsageError(
                f"View `{name}` has a focus, and `{self.title}` counts frames that follow one another",
                wanted="frames without gaps and without copies",
                remedy=f"remove focus from views.{name} in params.yaml, or give the model another view",
            )
        present = {"frames": view.has_pixels, "numbers": view.numbers, "activations": view.activations}
        for stream in self.streams:
            if not present[stream]:
                raise UsageError(
                    f"View `{name}` has no {stream}, which `{self.title}` looks at",
                    wanted="height and width" if stream == "frames" else f"{stream}: true",
                    remedy=f"complete views.{name} in params.yaml, or give the model another view",
                )


@dataclass(frozen=True)
class KerasDefinition(Definition):
    """A network trained by gradient.

    Attributes:
        build: settings, shapes and number of classes to a network with inputs named as the streams and logits
            (N, 1) for two classes, else (N, K), or scores (N, S) for kind `anomaly`; a network of kind
            `frames` takes single frames, without T.
        loss: settings, labels (B,) and outputs to the loss (B,) of each sample; None is the cross-entropy of
            logits.
        loss_needs_batch: whether a sample's loss depends on the others of its batch; it is then not divided.
        initialise: puts third-party weights into a new network; gives their digests by name.
        bottlenecks: names of narrow layers whose units can die.
    """

    build: Callable[[Any, InputShapes, int], "keras.Model"] = None  # type: ignore[assignment]
    loss: Callable[[Any, Any, Any], Any] | None = None
    loss_needs_batch: bool = False
    initialise: Callable[["keras.Model", Any], dict[str, str]] | None = None
    bottlenecks: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainSide:
    """What a model in closed form is fitted to.

    Attributes:
        inputs: by stream, (N, ...); numbers standardised, missing ones 0.
        labels: (N,) class index.
        weights: (N,) of each clip.
        n_classes: how many there are.
        groups: (N,) source group of each clip.
    """

    inputs: Arrays
    labels: np.ndarray
    weights: np.ndarray
    n_classes: int
    groups: np.ndarray = field(default_factory=lambda: np.zeros(0, np.str_))


@dataclass(frozen=True)
class ClosedForm(Definition):
    """A model that is fitted at once and asked by numpy.

    Attributes:
        fit: settings and train side to the model's arrays.
        logits: the arrays, inputs by stream and N to logits (N, 1) for two classes, else (N, K); to scores
            (N, S) for kind `anomaly`.
    """

    fit: Callable[[Any, TrainSide], dict[str, np.ndarray]] = None  # type: ignore[assignment]
    logits: Callable[[Arrays, Arrays, int], np.ndarray] = None  # type: ignore[assignment]
