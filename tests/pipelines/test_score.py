"""score: every video has its row, whatever is the matter with another."""

import errno
import json

from click.testing import CliRunner

from components.core.errors import BadDataError, ResourceError
from components.serving import predictor
from components.serving.predictor import Score
from pipelines.cli import cli
from pipelines.profile import use_profile

PROBLEMS = {
    "bad.mp4": BadDataError("It holds no video", wanted="a video", remedy="send another"),
    "huge.mp4": ResourceError("Its reader was killed", wanted="enough memory", remedy="free some"),
    "secret.mp4": PermissionError(errno.EACCES, "Permission denied", "secret.mp4"),
}


class Scorer:
    """Cannot read some of its videos."""

    def score(self, video):
        if video.name in PROBLEMS:
            raise PROBLEMS[video.name]
        probabilities = {"non_stalking": 0.2, "stalking": 0.8}
        return Score("stalking", 0.8, probabilities, 0.9, 0.5, "fusion", {}, ("half of it could be read",))


def test_a_bad_video_keeps_no_other_waiting(tmp_path, monkeypatch):
    use_profile(tmp_path, "demo")
    monkeypatch.setattr(predictor, "load", lambda _: Scorer())
    command = ["-C", str(tmp_path), "score", "--json", "--model", "outs/train/fusion", *PROBLEMS, "good.mp4"]
    result = CliRunner().invoke(cli, command)
    *bad, good = json.loads(result.output)
    assert result.exit_code == 3
    for row, told in zip(bad, ("holds no video", "was killed", "Permission denied"), strict=True):
        assert row["class"] is None
        assert told in row["problem"]
    assert (good["class"], good["p_stalking"], good["coverage"]) == ("stalking", 0.8, 0.9)
