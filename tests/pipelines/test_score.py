import json

from click.testing import CliRunner

from components.core.errors import BadDataError
from components.serving import predictor
from components.serving.predictor import Score
from pipelines.cli import cli
from pipelines.profile import use_profile


class Scorer:
    """Cannot read one of its videos."""

    def score(self, video):
        if video.name == "bad.mp4":
            raise BadDataError("It holds no video", wanted="a video", remedy="send another")
        probabilities = {"non_stalking": 0.2, "stalking": 0.8}
        return Score("stalking", 0.8, probabilities, 0.9, 0.5, "fusion", {}, ("half of it could be read",))


def test_a_bad_video_keeps_no_other_waiting(tmp_path, monkeypatch):
    use_profile(tmp_path, "demo")
    monkeypatch.setattr(predictor, "load", lambda _: Scorer())
    command = ["-C", str(tmp_path), "score", "--json", "--model", "outs/train/fusion", "bad.mp4", "good.mp4"]
    result = CliRunner().invoke(cli, command)
    bad, good = json.loads(result.output)
    assert result.exit_code == 3
    assert bad["class"] is None
    assert "holds no video" in bad["problem"]
    assert (good["class"], good["p_stalking"], good["coverage"]) == ("stalking", 0.8, 0.9)
