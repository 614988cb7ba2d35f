"""The model card: what a trained model is, how it was made and judged; Markdown from `model_facts`."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.core.weights import WEIGHTS
from components.training.settings import OF_EVERY_FIT
from pipelines.cards.markdown import bounded, facts, page, plain, table
from pipelines.reporting.alarms import in_words

METRICS = ("accuracy", "macro_f1", "macro_recall", "roc_auc", "pr_auc", "brier", "ece")
KINDS = {
    "clips": "says of a clip how probable each class is",
    "frames": "says of each frame how probable each class is; a clip has their mean",
    "rule": "says of each frame how probable each class is; its counting rule judges the clip",
    "anomaly": "scores how unlike normal clips a clip is; it gives no probabilities",
}
INTENDED = """\
- For: pointing a person to clips that may show one of the classes, on footage like that of the data card.
- Not for: deciding about a person without a person; identifying anyone; evidence; behaviour, cameras or
  places that the data card does not have, before the model was judged on clips of them."""


def model_card(told: Mapping[str, Any]) -> str:
    """The card as Markdown.

    Args:
        told: what `model_facts` gives.
    """
    bundle, test = told["bundle"], told["evaluation"]["splits"]["test"]
    return page(
        f"Model card: {told['model']}",
        {
            "What it is": [_what(told)],
            "Intended use": [INTENDED],
            "What it looks at": [_inputs(bundle, told["streams"])],
            "Training": [
                _training(bundle, by_gradient=told["by_gradient"]),
                _digests(bundle, told["digest"]),
            ],
            "Figures on the frozen test side": _figures(told, test["clips"]),
            "Figures over all folds": [_folds(told["evaluation"].get("folds"), told["fold_strategy"])],
            "Classes": [_classes(bundle["classes"], test["clips"])],
            "Sources that it does worst on": [_worst(told["sources"])],
            "Coverage, calibration, threshold": [_calibration(told, test)],
            "Cost": [_cost_of_clip(told["cost"])],
            "Verdict of the gate": [_verdict(told["verdict"])],
            "Limits": ["\n".join(f"- {limit}" for limit in limits(told))],
            "Weights of others": [_weights(bundle["digests"].get("weights"))],
        },
    )


def limits(told: Mapping[str, Any]) -> list[str]:
    """What a reader must not overlook: few clips, figures that chance explains, leaks, warnings."""
    test = told["evaluation"]["splits"]["test"]["clips"]
    found = [
        f"Judged on {test['n']} test clips of {test['n_groups']} sources; clips of one are not independent."
    ]
    found += _at_chance("test", test)
    if folds := told["evaluation"].get("folds"):
        found += _at_chance("all folds'", folds)
    if told["split"] == "random" or told["torn"]:
        found.append(
            "Clips of one source lie on several sides of the split: figures are too good for new sources."
        )
    if told["bundle"]["training"].get("cut_short"):
        found.append("The budget of steps ended its training; longer training could have given more.")
    absent = told["evaluation"]["absent"]
    if absent:
        found.append(f"{len(absent)} clips of the split could not be used.")
    return [*found, *told["bundle"]["training"].get("warnings", ())]


def _at_chance(place: str, figures: Mapping[str, Any]) -> list[str]:
    """Figures that a model without knowledge has too: always the most frequent class, or any order."""
    support = [sum(row) for row in figures["confusion"]]
    blind = {"accuracy": max(support, default=0) / max(1, sum(support)), "roc_auc": 0.5}
    metrics = {name: figures["metrics"].get(name) for name in blind}
    return [
        f"**At chance**: {place} {name} {bounded(found)} is not shown to be above {blind[name]:.3f}."
        for name, found in metrics.items()
        if found and found["value"] is not None and (found["low"] is None or found["low"] <= blind[name])
    ]


def _what(told: Mapping[str, Any]) -> str:
    return facts(
        {
            "Model": f"{told['model']}: {told['title']}",
            "Source": told["source"],
            "Kind": KINDS[told["kind"] if _own_rule(told) is None else "rule"],
            "Classes": told["bundle"]["classes"],
            "Parameters": told["bundle"]["parameters"],
        }
    )


def _inputs(bundle: Mapping[str, Any], streams: Sequence[str]) -> str:
    """What the model looks at, of all that its view has, and by which networks that was found."""
    view, chain = bundle["view"], bundle["chain"]
    pixels, numbers = "frames" in streams, "numbers" in streams
    faces = chain["featurize"]
    told = {
        "View": bundle["view_name"],
        "Sampling": _set(chain.get("samplings", {}).get(view["sampling"], {})),
        "Pixels": f"{view['height']} x {view['width']}" if pixels else "no pixels",
        "Differences of frames": pixels and view.get("difference", False),
        "Background": view["background"] if pixels else "none",
        "The 29 numbers of faces": numbers,
        "Activations of pose networks": "activations" in streams,
        "Shapes": _set(bundle["shapes"]) or "none",
    }
    if (pixels and view["background"] != "keep") or (numbers and faces.get("look_in") != "frame"):
        told["Persons cut out by"] = chain["segment"]["backend"]
    if numbers:
        told["Faces found by"] = f"{faces['detector']}, measured by {faces['landmarks']}"
    return facts(told)


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that say something."""
    return {name: value for name, value in values.items() if value is not None and value not in ("", [])}


def _training(bundle: Mapping[str, Any], *, by_gradient: bool) -> str:
    training = bundle["training"]
    settings = training.get("settings", {})
    told = {
        "Settings of the model": _set(bundle["settings"]) or "none",
        "Settings of training": _set(
            {name: value for name, value in settings.items() if by_gradient or name in OF_EVERY_FIT}
        ),
        "Seed": settings.get("seed"),
        "Clips": f"{training['train_clips']} train, {training['val_clips']} val"
        if "train_clips" in training
        else None,
    }
    if not by_gradient:
        return facts(told | {"Ended by": "fitted at once, in closed form"})
    return facts(
        told
        | {
            "Epochs": training.get("epochs"),
            "Best epoch": training.get("best_epoch"),
            "Ended by": training.get("stopped"),
            "Cut short by its budget": training.get("cut_short"),
            "Precision": training.get("precision"),
        }
    )


def _digests(bundle: Mapping[str, Any], whole: str) -> str:
    digests = bundle["digests"]
    return facts(
        {
            "Bundle": whole,
            "Weights, SHA-256": bundle["weights_sha256"],
            "Data": digests.get("data"),
            "Code": digests.get("code"),
        }
    )


def _figures(told: Mapping[str, Any], test: Mapping[str, Any]) -> list[str]:
    rows = [[name, bounded(test["metrics"][name])] for name in METRICS if name in test["metrics"]]
    beside = [[row["model"], bounded(row["accuracy"]), _difference(row["pair"])] for row in told["beside"]]
    return [
        f"{test['n']} clips of {test['n_groups']} source groups; intervals resample whole groups. "
        f"Digest of the test set: {told['evaluation']['test_digest']}.",
        table(["metric", "value"], rows),
        table(["baseline", "its accuracy", "this model less the baseline"], beside)
        or "No baseline was evaluated.",
    ]


def _difference(pair: Mapping[str, Any] | None) -> str:
    if pair is None:
        return "not tested"
    bounds = "no interval" if pair["low"] is None else f"{pair['low']:+.3f} to {pair['high']:+.3f}"
    return f"{pair['difference']:+.3f} ({bounds}), p {pair['p_holm']:.3f} adjusted by Holm"


def _folds(folds: Mapping[str, Any] | None, strategy: str) -> str:
    if folds is None:
        return "The protocol has no folds: there is one split."
    rows = [
        [name, bounded(found), found["mean"], found["spread"]] for name, found in folds["metrics"].items()
    ]
    leak = " Folds are random: clips of one source lie on both sides, a leak." if strategy == "random" else ""
    seeds = ", ".join(str(seed) for seed in folds["seeds"])
    return (
        f"{folds['folds']} folds under seeds {seeds}, by {strategy}: {folds['n']} clips of "
        f"{folds['n_groups']} source groups, each judged by models that did not learn from it.{leak}\n\n"
        + table(["metric", "value", "mean over folds", "spread over folds"], rows)
    )


def _classes(classes: Sequence[str], test: Mapping[str, Any]) -> str:
    rows = [[name, test["support"][name], bounded(test["metrics"].get(f"recall_{name}"))] for name in classes]
    return table(["class", "test clips", "recall"], rows)


def _worst(sources: Mapping[str, Any]) -> str:
    rows = [[row["source"], row["accuracy"], row["n"], row["classes"]] for row in sources["worst"]]
    return f"Of {sources['n']} sources of {sources['of']}.\n\n" + table(
        ["source", "accuracy", "clips", "classes"], rows
    )


def _own_rule(told: Mapping[str, Any]) -> str | None:
    """The counting rule that judges clips, in words; None of a model without one."""
    rule = told["evaluation"].get("rule") or {}
    return in_words(rule["own"], rule["frames"]) if rule.get("own") else None


def _calibration(told: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    bundle, covered = told["bundle"], test["covered_clips"]
    calibration, accuracy = bundle["calibration"], bounded(covered["metrics"]["accuracy"])
    said = {
        "Share of the wanted numbers measured on test": test["clips"]["coverage"],
        "Accuracy of the well covered clips": f"{accuracy}, {covered['n']} clips",
        "Calibration": calibration["kind"]
        + (f", because {calibration['reason']}" if calibration["reason"] else ""),
    }
    if told["kind"] == "anomaly":
        quantile = bundle["training"].get("settings", {}).get("normal_quantile")
        of_normal = f"{plain(quantile)} quantile of {calibration['n']} normal train clips"
        return facts(said | {"Threshold": f"{plain(bundle['threshold'])}, the {of_normal}"})
    own_rule = _own_rule(told)
    threshold = bundle["threshold"] if own_rule is None else own_rule
    return facts(said | {"Fitted on val clips": calibration["n"], "Threshold": threshold})


def _cost_of_clip(cost: Mapping[str, Any] | None) -> str:
    if cost is None:
        return "Not measured; `tailwatch report` measures it."
    time = f"p50 {cost['p50_ms']:.3g} ms, p95 {cost['p95_ms']:.3g} ms, {cost['calls']} calls"
    return facts(
        {
            "Multiply-adds of a clip": cost["multiply_adds"],
            "Time of a clip on a processor": time,
            "Peak memory": f"{cost['peak_bytes'] / 1e6:.0f} MB, libraries included",
        }
    )


def _verdict(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return "Not asked: this model is not the challenger."
    champion = verdict.get("champion")
    against = f"against version {champion}" if champion else "while there is no champion"
    approved = f", approved by {verdict['approved_by']}" if verdict.get("approved_by") else ""
    rows = [[row["rule"], row["outcome"], row["measured"], row["wanted"]] for row in verdict["reasons"]]
    smallest = verdict["smallest_detectable"]
    seen = "none was compared" if smallest is None else f"{smallest:.3f}"
    return (
        f"**{verdict['decision']}** {against}{approved}. "
        f"Smallest difference in accuracy that could have been seen: {seen}.\n\n"
        + table(["rule", "says", "measured", "wanted"], rows)
    )


def _weights(digests: Mapping[str, str] | None) -> str:
    if digests is None:
        return ""
    if not digests:
        return "None: it begins from none, and none measured its inputs."
    rows = [
        [name, WEIGHTS[name].licence if name in WEIGHTS else None, sha256] for name, sha256 in digests.items()
    ]
    return table(["network or file", "licence", "SHA-256"], rows)
