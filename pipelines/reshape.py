"""reshape: one memory-mappable tensor set per view, aligned by clip.

Reads the featurize table and the clips, writes outs/reshape/<view>/. Numbers stay unscaled (normalize's
scaler belongs to the split); missing ones are carried from the nearest frame of the same clip.
"""

import logging
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from components.core.errors import BadDataError, UsageError
from components.core.files import atomic_path, write_json
from components.core.parallel import map_items
from components.core.settings import to_dict
from components.core.space import check_room
from components.datasets.clips import Clip
from components.features.chain import ClipChain
from components.features.columns import COLUMNS
from components.features.missing import carry
from components.features.table import read_numbers
from components.features.views import View
from pipelines.artifacts import Project, read_clips

log = logging.getLogger("tailwatch")


def run(project: Project, view: str) -> None:
    """Write the tensors of one view.

    Raises:
        UsageError: the view is not in params.yaml.
        BadDataError: the table and clips.csv do not agree.
        ResourceError: the tensors will not fit on the disk.
    """
    wanted = _view(project, view)
    table = read_numbers(project.out("featurize", "table.csv"))
    clips = _clips_of(project, list(table))
    folder = project.out("reshape", view)
    if wanted.numbers:
        _write_numbers(folder, table)
    description = {"clips": list(table), "view": to_dict(wanted), "columns": list(COLUMNS)}
    if wanted.height is not None:
        description["frames"] = _write_pixels(folder, project.chain, clips, view)
    if wanted.activations:
        rows = map_items(partial(_activations, project.chain, view), clips, label="laid out")
        _save(folder / "activations.npy", np.stack(list(rows)))
    write_json(folder / "clips.json", description)


def _view(project: Project, view: str) -> View:
    views = project.params.views
    if view not in views:
        raise UsageError(
            f"View `{view}` is not known", wanted=f"one of {', '.join(views)}", remedy="correct its name"
        )
    return views[view]


def _clips_of(project: Project, clip_ids: list[str]) -> list[Clip]:
    known = {clip.clip_id: clip for clip in read_clips(project)}
    strangers = [clip_id for clip_id in clip_ids if clip_id not in known]
    if strangers:
        raise BadDataError(
            f"The featurize table has {strangers[0]}, which is not in clips.csv",
            wanted="a table of the present clips",
            remedy="run `dvc repro`, which runs the stages in order",
        )
    return [known[clip_id] for clip_id in clip_ids]


def _write_numbers(folder: Path, table: dict[str, np.ndarray]) -> None:
    shape = next((clip.shape for clip in table.values()), ())
    for clip_id, clip in table.items():
        _check_alike(clip_id, "numbers", clip, np.float32, shape)
    numbers = np.stack(list(table.values()))
    _save(folder / "numbers.npy", np.stack([carry(clip) for clip in numbers]))
    _save(folder / "measured.npy", np.isfinite(numbers))


def _save(path: Path, array: np.ndarray) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)


def _write_pixels(folder: Path, chain: ClipChain, clips: list[Clip], view: str) -> dict[str, Any]:
    """Write frames.npy (N, T, height, width, 3) and times_s.npy (N, T), clip by clip, never holding all.

    Returns:
        Its shape, and the digests of every clip's tensor and file, so that a training that needs no pixels
        can name them without opening it; how many frames were looked at, and how many of them were in focus.
    """
    made, sampled, kept, digests, times = 0, 0, 0, [], []
    shape: tuple[int, ...] = ()
    rendered = map_items(partial(_pixels, chain, view), clips, label="rendered")
    with atomic_path(folder / "frames.npy") as temporary, temporary.open("wb") as stream:
        for k, (pixels, meta, sha256, is_new) in enumerate(rendered):
            if k == 0:
                shape = (len(clips), *pixels.shape)
                check_room(folder, len(clips) * pixels.nbytes, f"The tensors of {len(clips)} clips")
                header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(stream, header)
            _check_alike(clips[k].clip_id, "pixels", pixels, np.uint8, shape[1:])
            stream.write(np.ascontiguousarray(pixels).data)
            digests.append(sha256)
            times.append(meta["times_s"])
            made += is_new
            sampled, kept = sampled + meta["frames"], kept + meta["kept"]
    _save(folder / "times_s.npy", np.array(times, np.float64))
    log.info("%s: %d rendered, %d reused", view, made, len(clips) - made)
    if kept < sampled:
        log.info("%s: %d of %d frames hold the main motion (%.2f)", view, kept, sampled, kept / sampled)
    files = [clip.sha256 for clip in clips]
    return {"shape": list(shape), "digests": digests, "files": files, "sampled": sampled, "kept": kept}


def _activations(chain: ClipChain, view: str, clip: Clip) -> np.ndarray:
    return chain.activations(clip, view)["activations"]


def _check_alike(
    clip_id: str, what: str, array: np.ndarray, dtype: type[np.generic], shape: tuple[int, ...]
) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise BadDataError(
            f"{clip_id} has {what} {array.dtype} {array.shape}",
            wanted=f"{np.dtype(dtype)} {shape}, as the clips before it",
            remedy="give the view (numbers: featurize) a uniform sampling, or `focus`, or take clips of one "
            "length; else run `tailwatch verify --repair`, then `dvc repro`",
        )


def _pixels(chain: ClipChain, view: str, clip: Clip) -> tuple[np.ndarray, dict[str, Any], str, bool]:
    stored = chain.tensors(clip, view)
    return stored["frames"], stored.meta, stored.digest, stored.made
