"""What the cards of a model and its data say, read from the outs; None for what no stage has said."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from components.core.files import digest, read_json
from components.core.tables import read_csv
from components.evaluation.evidence import Evaluated
from components.evaluation.folds import joined
from components.models.base import KerasDefinition
from components.models.bundle import BUNDLE_FILE
from components.models.registry import definition_of
from pipelines.artifacts import Project, read_labels, read_out
from pipelines.cards.licence import stated_licence
from pipelines.compare import read_evaluated
from pipelines.reporting.breakdown import by_source
from pipelines.reporting.data import data_section

WORST = 5  # sources named
DECODED = ("clip_id", "status", "span_s", "width", "height", "average_rate", "codec")  # of extract's index


def model_facts(project: Project, model_id: str, verdict: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All that the model card says, as plain values.

    Args:
        verdict: the gate's; by default what compare says of the challenger while there is no champion.

    Raises:
        BadDataError: the model was not trained, evaluated and compared.
    """
    bundle = read_json(project.out("train", model_id, BUNDLE_FILE))
    comparison = read_out(project, "compare", "comparison.json")
    evaluated = read_evaluated(project, model_id)
    preview = comparison["verdict_without_champion"]
    if verdict is None and preview and preview["model"] == model_id:
        verdict = preview
    definition = definition_of(model_id)
    return {
        "model": model_id,
        "title": definition.title,
        "kind": definition.kind,
        "streams": definition.streams,
        "by_gradient": isinstance(definition, KerasDefinition),
        "source": definition.source,
        "bundle": bundle,
        "digest": digest(bundle),
        "evaluation": evaluated.summary,
        "sources": _sources(evaluated),
        "beside": _beside(comparison, model_id),
        "cost": _cost(project, digest(bundle)),
        "verdict": verdict,
        "split": project.params.split.strategy,
        "torn": data_section(read_labels(project), project.params.dataset.classes)["torn"],
        "fold_strategy": project.params.protocol.strategy,
    }


def data_facts(project: Project) -> dict[str, Any]:
    """All that the data card says, as plain values; None for what no stage has said."""
    params = project.params
    return {
        "name": project.dataset_name,
        "adapter": params.dataset.adapter,
        "classes": params.dataset.classes,
        "label_map": params.dataset.label_map,
        "split": params.split.strategy,
        "split_seed": params.split.seed,
        "clips": data_section(read_labels(project), params.dataset.classes),
        "ingest": json_if_there(project.out("ingest", "report.json")),
        "aside_later": aside_by_stage(project),
        "decoded": decoded_facts(project.out("extract", "index.csv")),
        "coverage": json_if_there(project.out("normalize", "coverage.json")),
        "licence": stated_licence(project.dataset_root),
        "blurred": params.report.blur_faces,
    }


def json_if_there(path: Path) -> Any:
    """A JSON file's values, or None without one."""
    return read_json(path) if path.is_file() else None


def decoded_facts(index: Path) -> dict[str, Any] | None:
    """What the decoder saw of every clip, from extract's index; None where there is none."""
    if not index.is_file():
        return None
    rows = {row["clip_id"]: row for row in read_csv(index, DECODED)}
    seen = [row for row in rows.values() if row["status"] != "bad"]
    spans = [float(row["span_s"]) for row in seen]
    return {
        "clips": len(seen),
        "bad": len(rows) - len(seen),
        "partial": sum(row["status"] == "partial" for row in seen),
        "seconds": (min(spans), median(spans), max(spans)) if spans else None,
        "total_s": sum(spans),
        "sizes": Counter(f"{row['width']}x{row['height']}" for row in seen),
        "rates": Counter(row["average_rate"] for row in seen),
        "codecs": Counter(row["codec"] for row in seen),
    }


def aside_by_stage(project: Project) -> dict[str, dict[str, str] | None]:
    """Why clips were set aside after ingest, by stage and clip_id; None for a stage that did not run."""
    coverage = json_if_there(project.out("featurize", "coverage.json"))
    return {
        "extract": _bad_of(project.out("extract", "index.csv")),
        "segment": _bad_of(project.out("segment", "index.csv")),
        "featurize": None if coverage is None else coverage["set_aside"],
    }


def _bad_of(index: Path) -> dict[str, str] | None:
    if not index.is_file():
        return None
    rows = read_csv(index, ("clip_id", "status"))
    return {row["clip_id"]: row.get("reason") or "" for row in rows if row["status"] == "bad"}


def _sources(evaluated: Evaluated) -> dict[str, Any]:
    """Accuracy by source group, the worst first: over all folds where there are folds, else on test."""
    seeds = len({seed for seed, _ in evaluated.folds})
    scored = joined(evaluated.folds) if seeds else evaluated.predictions.of_split("test").scored()
    rows = by_source(scored, max(1, seeds))
    return {"of": "all folds" if seeds else "the test side", "n": len(rows), "worst": rows[:WORST]}


def _beside(comparison: Mapping[str, Any], model_id: str) -> list[dict[str, Any]]:
    """The baselines on the same test clips, each with the difference to it where compare tested one."""
    pairs = {pair["second"]: pair for pair in comparison["paired"] if pair["first"] == model_id}
    return [
        {
            "model": other["model"],
            "accuracy": other["splits"]["test"]["clips"]["metrics"]["accuracy"],
            "pair": pairs.get(other["model"]),
        }
        for other in comparison["models"]
        if other["is_baseline"] and other["model"] != model_id
    ]


def _cost(project: Project, bundle: str) -> dict[str, Any] | None:
    """What a clip costs, where the report has measured this bundle on some machine."""
    measured = sorted(project.state("costs").glob(f"{bundle[:32]}-*.json"))
    cost: dict[str, Any] | None = read_json(measured[0]) if measured else None
    return cost
