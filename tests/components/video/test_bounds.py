"""What hostile files cost the process that opens them: bounded memory, and a refusal in words."""

import re
import resource
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest

from components.core.errors import BadDataError
from components.core.parallel import map_items
from components.video.fingerprint import fingerprint
from components.video.limits import Limits
from components.video.reader import read_clip
from components.video.sampling import Sampling
from tests.video_factory import write_video

pytestmark = pytest.mark.slow

SAMPLINGS = {"five": Sampling("uniform", frames=5), "dense": Sampling("dense", per_second=12, max_side=320)}
ALL = {"all": Sampling("dense", per_second=25)}
MIB = 1 << 20
MOST_MIB = 1430  # 1.5 GB


def _grows_on_the_way(path: Path) -> None:
    """A transport stream of small frames, then of enormous ones, as no header says."""
    small = write_video(path.with_name("small.ts"), 8, size=(64, 64))
    large = write_video(path.with_name("large.ts"), 4, size=(8192, 4096))
    path.write_bytes(small.read_bytes() + large.read_bytes())


def _says_so_nowhere(path: Path) -> None:
    """Ten hours whose header lost its duration with the end of the file."""
    content = write_video(path, 100, times_ms=[k * 360_000 for k in range(100)], size=(64, 64)).read_bytes()
    path.write_bytes(content.replace(b"DURATION", b"NOTATION").replace(b"\x44\x89\x88", b"\xec\x81\x88"))


@pytest.fixture(autouse=True)
def clean_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that have not inherited the memory of the tests."""
    monkeypatch.setattr("components.core.parallel._context", lambda: "forkserver")


def sized(count: int, *size: int, rate: Fraction | int = 25) -> Callable[[Path], object]:
    return partial(write_video, count=count, rate=rate, size=size)


HOSTILE = [
    pytest.param("a.mp4", sized(2, 7680, 4320), SAMPLINGS, "7680x4320", id="8K"),
    pytest.param("a.mp4", sized(1, 16000, 4000), SAMPLINGS, "16000x4000", id="wide"),
    pytest.param("a.ts", _grows_on_the_way, SAMPLINGS, "64, 64", id="grows on the way"),
    pytest.param("a.mp4", sized(99, 64, 64, rate=Fraction(1, 400)), SAMPLINGS, "39600 s long", id="11 hours"),
    pytest.param("a.mkv", _says_so_nowhere, SAMPLINGS, "s long", id="10 hours that no header tells"),
    pytest.param("a.mp4", sized(40, 3840, 2160), ALL, "the frames to keep take 949 MiB", id="much"),
]


@pytest.mark.parametrize(("name", "make", "samplings", "reason"), HOSTILE)
def test_what_a_hostile_file_costs(
    tmp_path: Path, name: str, make: Callable[[Path], object], samplings: dict[str, Sampling], reason: str
) -> None:
    said, peak_mib = _cost(tmp_path / name, make, samplings)
    assert re.search(reason, said), said
    assert peak_mib < MOST_MIB


def test_the_largest_clip_that_is_read_fits(tmp_path: Path) -> None:
    said, peak_mib = _cost(tmp_path / "a.mp4", sized(30, 3840, 2160), ALL)
    assert said == "[(30, 2160, 3840, 3)]"
    assert peak_mib < MOST_MIB


def test_a_clip_for_whose_frames_opencv_gets_no_memory_is_refused(tmp_path: Path) -> None:
    clip = write_video(tmp_path / "a.mp4", 12, size=(1280, 720))
    with pytest.raises(BadDataError, match=r"a\.mp4: needs more than .* MiB of memory"):
        next(map_items(_read_in_little, [clip], label="read", workers=1))


def test_time_grows_with_the_work_and_has_an_end() -> None:
    limits = Limits()
    assert limits.decoding_s(900, 640 * 360) < limits.decoding_s(9_000, 640 * 360) < limits.max_reading_s
    assert limits.decoding_s(limits.max_frames, limits.max_pixels) == limits.max_reading_s


def _cost(path: Path, make: Callable[[Path], object], samplings: dict[str, Sampling]) -> tuple[str, float]:
    """What reading said, and the peak memory of its process in MiB; the encoder's is not counted in."""
    list(map_items(partial(_write, make=make), [path], label="written", workers=1))
    read = partial(_read, samplings=samplings)
    return next(map_items(read, [path], label="read", workers=1, lost=lambda _, cause: (cause, 0.0)))


def _write(path: Path, make: Callable[[Path], object]) -> None:
    make(path)


def _read_in_little(path: Path) -> None:
    read_clip(path, SAMPLINGS, limits=Limits(max_decoder_bytes=8 * MIB))


def _read(path: Path, samplings: dict[str, Sampling]) -> tuple[str, float]:
    with suppress(BadDataError):
        fingerprint(path)
    try:
        read = read_clip(path, samplings)
        said = str([frames.pixels.shape for frames in read.frames.values()])
    except BadDataError as error:
        said = error.came
    return said, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
