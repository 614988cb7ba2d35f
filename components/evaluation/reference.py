"""The papers' results, quoted: printed beside ours and never tested against them.

They were measured on other clips, some of them with frames of one clip on both sides of the split, so that no
difference to a number of ours means anything by itself.
"""

from dataclasses import dataclass

from components.core.errors import UsageError
from components.evaluation.intervals import Interval, wilson


@dataclass(frozen=True)
class PaperRow:
    """One result as its paper prints it.

    Attributes:
        name: the model in the paper's words.
        model_id: ours of the same design, or empty.
        metric: accuracy or roc_auc, in [0, 1].
        n: test items where they can be told, else None.
        interval: Wilson's for a count of right items out of n, else None.
        remark: what the reader must know of the number.
    """

    name: str
    model_id: str
    metric: str
    value: float
    n: int | None = None
    interval: Interval | None = None
    remark: str = ""
    source: str = "paper"


_BY_FRAME = "split by frame, so that frames of one clip lie on both sides"


def _of_clips(name: str, model_id: str, right: int, n: int) -> PaperRow:
    return PaperRow(name, model_id, "accuracy", round(right / n, 4), n, wilson(right, n))


# Paper 000, Tables 2 and 3. 36 and 43 of 48 clips are the only counts that give its accuracies.
_STALKING = (
    PaperRow("CNN", "vgg16", "accuracy", 0.6800, remark=_BY_FRAME),
    _of_clips("CNN-LSTM", "convlstm", 36, 48),
    PaperRow("CNN-MLP", "vgg16_mlp", "accuracy", 0.7983, n=238, remark=f"190 of 238 frames; {_BY_FRAME}"),
    _of_clips("CNN-LSTM-MLP", "fusion", 43, 48),
    PaperRow(
        "Liu et al. 2019, Neoface + Stalker Query",
        "",
        "accuracy",
        1.0,
        remark="laboratory, several appearances",
    ),
)

_UCF50 = tuple(
    PaperRow(name, model_id, "accuracy", value)
    for name, model_id, value in (
        ("MobileNetv2-LSTM", "mobilenet_lstm", 0.88),
        ("MobileNetv2-BD-LSTM", "mobilenet_bilstm", 0.83),
        ("MobileNetv2-Res-LSTM", "mobilenet_reslstm", 0.91),
        ("ConvLSTM", "convlstm64", 0.90),
        ("VGG19", "frame_vgg19", 0.90),
        ("Inceptionv3", "frame_inception_v3", 0.89),
        ("ResNet50v2", "frame_resnet50_v2", 0.84),
        ("LRSTM", "lrcn", 0.93),
    )
)

_UCFCRIME_AUC = tuple(
    PaperRow(name, model_id, "roc_auc", value)
    for name, model_id, value in (
        ("SVM", "one_class_svm", 0.5010),
        ("AutoEncoder", "conv_autoencoder", 0.5060),
        ("MIL", "mil_ranking", 0.7444),
        ("MIL with constraints", "mil_ranking", 0.7541),
        ("TSN", "", 0.7808),
        ("3D-CNN", "c3d", 0.8101),
        ("CNN-RNN", "resnet_convlstm", 0.8177),
        ("UGD-KM", "", 0.6430),
        ("ConvLSTM", "resnet_convlstm", 0.8198),
        ("ConvGRU-CNN", "resnet_convgru", 0.8265),
    )
)

_UCFCRIME_ACCURACY = tuple(
    PaperRow(name, model_id, "accuracy", value)
    for name, model_id, value in (
        ("UCF-Crime, 14 classes", "resnet_convgru", 0.8222),
        ("UCF-Crime, two classes", "resnet_convgru", 0.8354),
        ("ConvLSTM", "resnet_convlstm", 0.8193),
        ("ConvGRU", "resnet_convgru", 0.8288),
    )
)

PAPER_ROWS = {
    "stalking": _STALKING,
    "ucf50": _UCF50,
    "ucfcrime_auc": _UCFCRIME_AUC,
    "ucfcrime_acc": _UCFCRIME_ACCURACY,
}


def paper_rows(tables: tuple[str, ...]) -> tuple[PaperRow, ...]:
    """The rows of these tables, in their papers' order.

    Raises:
        UsageError: a table that is not quoted here.
    """
    for table in tables:
        if table not in PAPER_ROWS:
            raise UsageError(
                f"compare.paper_rows names `{table}`",
                wanted=f"some of {', '.join(PAPER_ROWS)}",
                remedy="correct it in params.yaml",
            )
    return tuple(row for table in tables for row in PAPER_ROWS[table])
