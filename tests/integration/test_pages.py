"""What people open in a browser: the report, DVC's plots, MLflow's pages; opened in a real one."""

import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import cv2
import pytest

from tests.flow import Checkout, copy_project

CHROMIUM = "chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)


@pytest.fixture(scope="module", autouse=True)
def browser():
    if shutil.which(CHROMIUM):
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("no chromium here, and no right to install it: apt-get install chromium")
    for command in (("apt-get", "update", "-qq"), ("apt-get", "install", "-qq", "-y", CHROMIUM)):
        subprocess.run(command, check=True, capture_output=True, timeout=600)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, project_root) -> Checkout:
    """A small run without networks, tracked and reported."""
    checkout = copy_project(project_root, tmp_path_factory.mktemp("pages"))

    def without_networks(params):
        params["views"] = {"numbers": params["views"]["numbers"]}
        del params["models"]["fusion"]
        params["split"]["strategy"] = "random"  # so few films cannot fill three sides

    checkout.params(without_networks)
    checkout.run("tailwatch", "sample", "data/sample", "--clips", "40")
    checkout.repro()
    checkout.run("tailwatch", "track")
    checkout.run("tailwatch", "report")
    checkout.run("dvc", "plots", "show")
    return checkout


def _open(address: str, picture: Path) -> tuple[str, str]:
    """The page's DOM once its scripts ran, and what its console said; a picture is written."""
    with tempfile.TemporaryDirectory() as profile:
        common = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--virtual-time-budget=15000"]
        dom = subprocess.run(
            [*common, "--dump-dom", address], capture_output=True, text=True, timeout=120, check=True
        )
        shot = [*common, "--window-size=1280,1600", f"--screenshot={picture}", address]
        subprocess.run(shot, capture_output=True, timeout=120, check=True)
    errors = [line for line in dom.stderr.splitlines() if "CONSOLE" in line and "Uncaught" in line]
    return dom.stdout, "\n".join(errors)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def test_the_report_opens_from_the_disk(finished, tmp_path):
    dom, errors = _open((finished.folder / "reports/index.html").as_uri(), tmp_path / "page.png")
    assert not errors
    assert all(word in dom for word in ("majority", "logistic", "accuracy"))
    assert cv2.imread(str(tmp_path / "page.png")).std() > 10


def test_dvc_plots_hold_every_curve(finished):
    """DVC's page draws with a library from the web, so only what it would draw is looked at."""
    page = (finished.folder / "dvc_plots/index.html").read_text()
    for model in ("majority", "logistic"):
        for title in (
            "Calibration on test",
            "Confusion on test",
            "Precision and recall on test",
            "ROC on test",
        ):
            assert f"{title}, {model}" in page


def test_mlflow_shows_the_runs(finished, tmp_path, free_port):
    address = f"http://127.0.0.1:{free_port}"
    command = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(free_port), "--workers", "1"]
    store = f"sqlite:///{finished.folder}/mlflow.db"
    server = subprocess.Popen(
        [*command, "--backend-store-uri", store], env=finished.environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(f"{address}/health")
        dom, errors = _open(f"{address}/#/experiments/1/runs", tmp_path / "page.png")
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)
    assert not errors
    assert "MLflow" in dom
    assert re.search(r"pipeline [0-9a-f]{8}", dom), "the parent of the runs is not listed"


def _wait_for(address: str) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(address, timeout=2)  # noqa: S310
        except OSError:
            time.sleep(1)
        else:
            return
    pytest.fail(f"{address} did not answer within two minutes")
