"""Fetching weights: from a server on this machine, and what is said when there is none."""

import functools
import hashlib
import http.server
import threading

import pytest

from components.core.errors import BadDataError, StorageError
from pipelines import weights
from pipelines.artifacts import Project
from pipelines.profile import use_profile

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def url(tmp_path):
    """The address of a file on a server."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "mask_rcnn_coco.h5").write_bytes(CONTENT)
    handler = functools.partial(_Quiet, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/mask_rcnn_coco.h5"
        server.shutdown()


def test_the_right_file_is_put_in_its_place(tmp_path, url):
    path = tmp_path / "weights" / "mask_rcnn_coco.h5"
    weights.fetch(url, path, SHA256)
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]


def test_another_file_is_refused_and_leaves_nothing(tmp_path, url):
    path = tmp_path / "weights" / "mask_rcnn_coco.h5"
    with pytest.raises(
        BadDataError, match=rf"7,000 bytes with the sha256 {SHA256}.*set segment\.pixellib\.sha256"
    ):
        weights.fetch(url, path, "0" * 64)
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("ending", ["missing.h5", None], ids=["not found", "no server"])
def test_without_a_network_it_says_what_from_where_and_whereto(tmp_path, url, ending):
    address = url.replace("mask_rcnn_coco.h5", ending) if ending else "http://127.0.0.1:9/mask_rcnn_coco.h5"
    path = tmp_path / "weights" / "mask_rcnn_coco.h5"
    with pytest.raises(StorageError) as caught:
        weights.fetch(address, path, SHA256)
    for part in (address, "257,557,808 bytes", SHA256, str(path), "segment.pixellib.weights"):
        assert part in str(caught.value)
    assert not list(path.parent.iterdir())


def test_weights_that_are_there_are_not_fetched_again(tmp_path, url, monkeypatch):
    use_profile(tmp_path, "paper")
    project = Project.open(tmp_path)
    monkeypatch.setattr(weights, "URL", url)
    with pytest.raises(BadDataError, match="gave a file of 7,000 bytes"):
        weights.run(project)
    path = tmp_path / (project.params.segment.pixellib.weights or ".tailwatch/weights/mask_rcnn_coco.h5")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(CONTENT)
    monkeypatch.setattr(weights, "file_sha256", lambda _: project.params.segment.pixellib.sha256)
    monkeypatch.setattr(weights, "fetch", None)
    assert "backend: pixellib" in weights.run(project)
    assert str(path.relative_to(tmp_path)) in weights.run(project)
