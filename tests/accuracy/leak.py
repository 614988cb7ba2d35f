"""What clips of one source on both sides of a split are worth: a plain learner under both kinds of folds.

Run in a project after `dvc repro reshape`: python tests/accuracy/leak.py outs VIEW
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_score

from components.core.tables import read_csv

FOLDS = 5
SEEDS = range(5)


def scene_features(frames: np.ndarray) -> np.ndarray:
    """Mean picture and mean change between frames at a sixteenth of the size: (N, T, H, W, 3) -> (N, D)."""
    small = np.stack([clip[:, 4::8, 4::8].astype(np.float32).mean(axis=-1) for clip in frames])
    change = np.abs(np.diff(small, axis=1)).mean(axis=1)
    return np.concatenate([small.mean(axis=1), change], axis=1).reshape(len(frames), -1)


def main(outs: Path, view: str) -> None:
    clips = json.loads((outs / "reshape" / view / "clips.json").read_text())["clips"]
    rows = {row["clip_id"]: row for row in read_csv(outs / "ingest" / "labels.csv")}
    labels = np.array([rows[clip]["label"] for clip in clips])
    groups = np.array([rows[clip]["source"] for clip in clips])
    features = scene_features(np.load(outs / "reshape" / view / "frames.npy", mmap_mode="r"))
    for name, folds in (("by source", GroupKFold), ("at random", StratifiedKFold)):
        scores = [
            cross_val_score(
                RandomForestClassifier(300, random_state=seed, n_jobs=2),
                features,
                labels,
                groups=groups,
                cv=folds(FOLDS, shuffle=True, random_state=seed),
            ).mean()
            for seed in SEEDS
        ]
        spread = f"{min(scores):.3f} to {max(scores):.3f} over seeds"
        print(f"folds {name}: accuracy {np.mean(scores):.3f} ({spread})")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
