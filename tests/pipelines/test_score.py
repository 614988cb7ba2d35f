"""score: every video has its row, whatever is the matter with another."""

import errno
import json
from types import SimpleNamespace

from click.testing import CliRunner

from components.core.errors import BadDataError, ResourceError
from components.models.counting_rule import Alarm
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


def test_when_a_rule_sounds_is_told(tmp_path, monkeypatch):
    use_profile(tmp_path, "demo")
    alarms = (Alarm(2.0, 11.0, "stalking", 97.0, 10),)
    verdict = Score("stalking", 0.9, {}, 1.0, 0.5, "inception_rule", {}, (), alarms=alarms)
    monkeypatch.setattr(predictor, "load", lambda _: SimpleNamespace(score=lambda _: verdict))
    command = ["-C", str(tmp_path), "score", "--model", "outs/train/inception_rule", "good.mp4"]
    assert "2.0 to 11.0 s stalking" in CliRunner().invoke(cli, command).output
    (row,) = json.loads(CliRunner().invoke(cli, [*command, "--json"]).output)
    of_alarm = {"label": "stalking", "percent": 97.0, "frames": 10}
    assert row["alarms"] == [{"start_s": 2.0, "end_s": 11.0, **of_alarm}]


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
