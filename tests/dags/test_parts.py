"""The plain parts of the DAGs: answers, names, settings, listings, and the call of a command."""

import os
import re
import signal
import sys
import time
from types import SimpleNamespace

import pytest
from tailwatch_dags.answers import AnswerError, checked, explain, is_final, last_answer
from tailwatch_dags.command import Command, environment, find_program
from tailwatch_dags.errors import SettingError
from tailwatch_dags.listing import digest_of, list_place
from tailwatch_dags.naming import commit_of, reason_of, run_name
from tailwatch_dags.settings import read_settings

CLUSTER = {
    "TAILWATCH_EXECUTION": "kubernetes",
    "TAILWATCH_IMAGE": "registry/tailwatch@sha256:" + "0" * 64,
    "TAILWATCH_RUNS": "s3://team/runs",
    "TAILWATCH_REMOTE": "s3://team/remote",
    "TAILWATCH_STORE": "s3://team/store",
    "TAILWATCH_SCORES": "s3://team/scores",
    "MLFLOW_TRACKING_URI": "https://mlflow.example",
}


@pytest.mark.parametrize("code", [2, 3, 42])
def test_no_retry_can_help_after(code):
    assert is_final(code)
    assert "No retry can help" in explain(code)


@pytest.mark.parametrize("code", [1, 4, 5, 130, 137, 143, -9])
def test_a_retry_may_help_after(code):
    assert not is_final(code)
    assert "A retry may help" in explain(code)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param(['{"a": 1}'], {"a": 1}, id="alone"),
        pytest.param(["x", '{"a": 1}', '{"a": 2}', "bye"], {"a": 2}, id="the last one"),
        pytest.param(['{"a": 1}', "{not json}"], {"a": 1}, id="what only looks like it"),
        pytest.param(["[1]", "x"], None, id="none"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_the_last_line_of_json_is_the_answer(lines, found):
    assert last_answer(lines) == found


@pytest.mark.parametrize(
    ("answer", "message"),
    [pytest.param(None, "no JSON", id="none"), pytest.param({"table": "x" * 1024}, "bytes", id="too large")],
)
def test_an_answer_is_ids_and_digests(answer, message):
    with pytest.raises(AnswerError, match=message):
        checked(answer)
    assert checked({"a": "x" * 900})


def test_a_runs_name_is_what_run_stage_takes():
    assert run_name("manual__2026-11-21T18:00:00+00:00") == "manual__2026-11-21T18-00-00-00-00"
    long = [run_name("x" * 249 + end) for end in "ab"]
    assert long[0] != long[1]
    assert len(long[0]) == 200


def test_runs_that_people_named_alike_are_two_runs():
    names = {run_name(given) for given in ("new camera", "new-camera", "new/camera", "new_camera")}
    assert len(names) == 4


@pytest.mark.parametrize(
    ("params", "version", "commit"),
    [
        pytest.param({"commit": "v1"}, "abc", "v1", id="asked for"),
        pytest.param({"commit": None}, "abc", "abc", id="of the bundle"),
        pytest.param({}, None, "", id="the newest"),
    ],
)
def test_a_run_stays_at_the_commit_of_its_dags(params, version, commit):
    ti = SimpleNamespace(bundle_instance=SimpleNamespace(version=version))
    assert commit_of(params, ti) == commit


@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        pytest.param(" new camera ", "manual", "new camera", id="said"),
        pytest.param(None, "asset_triggered", "new clips", id="clips"),
        pytest.param("", "scheduled", "schedule", id="schedule"),
    ],
)
def test_a_run_has_a_reason(said, kind, reason):
    assert reason_of({"reason": said}, SimpleNamespace(run_type=kind)) == reason


def test_nothing_set_is_one_machine():
    found = read_settings({})
    assert (found.mode, found.parts, found.gpu_on_cpu, found.pods) == ("local", 1, False, None)
    assert read_settings({"TAILWATCH_EXECUTION": "celery"}).parts is None


def test_pods_are_told_places_and_no_secrets():
    servers = {"AWS_ENDPOINT_URL": "http://aws", "AWS_ENDPOINT_URL_S3": "http://s3"}
    found = read_settings({**CLUSTER, **servers, "AWS_SECRET_ACCESS_KEY": "hidden"})
    assert servers.items() <= found.handed_on.items()
    assert "hidden" not in found.handed_on.values()


@pytest.mark.parametrize(
    ("said", "base"),
    [
        pytest.param({"MLFLOW_TRACKING_URI": "http://mlflow:5000"}, "http://mlflow:5000", id="the server"),
        pytest.param(
            {"MLFLOW_TRACKING_URI": "http://jane:s3cret@mlflow"}, "http://mlflow", id="without password"
        ),
        pytest.param(
            {"TAILWATCH_MLFLOW_URL": "https://jane:s3cret@mlflow/x"}, "https://mlflow/x", id="named"
        ),
        pytest.param({"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}, "", id="no server"),
    ],
)
def test_links_lead_to_mlflow(said, base):
    assert read_settings(said).mlflow == base


def test_links_lead_to_reports_without_password():
    assert read_settings({"TAILWATCH_REPORTS_URL": "http://jane:s3cret@host:81"}).reports == "http://host:81"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("TAILWATCH_EXECUTION", "swarm", id="a way to run"),
        pytest.param("TAILWATCH_GPU_ON_CPU", "yes", id="a flag"),
        pytest.param("TAILWATCH_PARTS", "0", id="a number"),
        pytest.param("TAILWATCH_SCHEDULE", "weekly", id="a schedule"),
        pytest.param("TAILWATCH_DATASET_ROOT", "gs://team", id="a place"),
        pytest.param("TAILWATCH_DATASET_ROOT", "s3://", id="a bucket"),
        pytest.param("TAILWATCH_REPORTS_URL", "/reports", id="a page"),
    ],
)
def test_what_cannot_be_meant_is_refused(name, value):
    with pytest.raises(SettingError, match=re.escape(f"{name} is '{value}'")):
        read_settings({name: value})


@pytest.mark.parametrize(
    "address",
    ["https://hooks.example/T0/a@b?c=d", "http://hooks.example:8080", "https://hooks.example?key=1"],
)
def test_a_webhook_is_an_address_of_the_web(address):
    assert read_settings({"TAILWATCH_WEBHOOK": address})


@pytest.mark.parametrize("address", ["https://jane:s3cret@host/x", "host/s3cret", "https://", "http://a b/"])
def test_what_a_webhook_cannot_be_is_refused_without_its_secret(address):
    with pytest.raises(SettingError, match=r"TAILWATCH_WEBHOOK is '\.\.\.'") as caught:
        read_settings({"TAILWATCH_WEBHOOK": address})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"TAILWATCH_IMAGE": "tailwatch:latest"}, "by digest", id="a tag"),
        pytest.param({"TAILWATCH_RUNS": "/tmp/runs"}, "TAILWATCH_RUNS is '/tmp/runs'", id="runs on a disk"),
        pytest.param({"TAILWATCH_STORE": "/store"}, "TAILWATCH_STORE is '/store'", id="a disk of one pod"),
        pytest.param({"TAILWATCH_VOLUME": "claim"}, "CLAIM:/PATH", id="a claim without a place"),
        pytest.param({"TAILWATCH_VOLUME": "My Claim:/data"}, "CLAIM:/PATH", id="a claim of two words"),
        pytest.param({"TAILWATCH_VOLUME": "claim:data"}, "CLAIM:/PATH", id="a claim at no path"),
        pytest.param({"TAILWATCH_VOLUME": "claim:/"}, "CLAIM:/PATH", id="a claim over everything"),
        pytest.param({"TAILWATCH_VOLUME": "claim:/data:ro"}, "CLAIM:/PATH", id="a claim with an option"),
        pytest.param({"TAILWATCH_VOLUME": "claim:/data/../tmp"}, "CLAIM:/PATH", id="a path that goes up"),
        pytest.param({"TAILWATCH_VOLUME": "claim:/tmp"}, "a pod's own disk", id="a pod's /tmp"),
        pytest.param({"TAILWATCH_VOLUME": "claim:/scratch"}, "a pod's own disk", id="a pod's /scratch"),
        pytest.param({"TAILWATCH_VOLUME": "claim:/scratch/x"}, "a pod's own disk", id="within /scratch"),
        pytest.param(
            {"TAILWATCH_VOLUME": "claim:/data", "TAILWATCH_STORE": "/data/../store"},
            "TAILWATCH_STORE is",
            id="out of the volume",
        ),
        pytest.param(
            {"TAILWATCH_DATASET_ROOT": "/home/jane/clips"}, "TAILWATCH_DATASET_ROOT is", id="clips on a disk"
        ),
        pytest.param({"MLFLOW_TRACKING_URI": ""}, "MLFLOW_TRACKING_URI is ''", id="no MLflow"),
        pytest.param({"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}, "MLFLOW_TRACKING_URI is", id="a file"),
        pytest.param(
            {"MLFLOW_TRACKING_URI": "sqlite:////data/mlflow.db", "TAILWATCH_VOLUME": "claim:/data"},
            "MLFLOW_TRACKING_URI is",
            id="a file in the volume",
        ),
        pytest.param(
            {"MLFLOW_TRACKING_URI": "postgresql://jane:s3cret@host/x"},
            r"postgresql://\.\.\.@host/x",
            id="a database",
        ),
        pytest.param({"TAILWATCH_RUNS": "s3://"}, "TAILWATCH_RUNS is 's3://'", id="no bucket"),
        pytest.param({"TAILWATCH_SCORES": ""}, "TAILWATCH_SCORES is ''", id="scores that no pod can read"),
        pytest.param({"TAILWATCH_SCORES": "/scores"}, "TAILWATCH_SCORES is '/scores'", id="scores on a disk"),
    ],
)
def test_what_pods_cannot_share_is_refused(change, message):
    with pytest.raises(SettingError, match=message):
        read_settings({**CLUSTER, **change})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IMAGE", "a b@sha256:" + "0" * 64),
        ("NAMESPACE", "My Team"),
        ("NODE_LABEL", "no good!"),
        ("SCRATCH", "50GB"),
        ("SECRET", "Secret!"),
        ("SERVICE_ACCOUNT", "a b"),
    ],
)
def test_what_kubernetes_would_refuse_is_refused(name, value):
    with pytest.raises(SettingError, match=f"TAILWATCH_{name} is"):
        read_settings({**CLUSTER, f"TAILWATCH_{name}": value})


def test_what_kubernetes_takes_is_taken():
    change = {
        "TAILWATCH_IMAGE": "localhost:5000/team_a/tailwatch:1.2@sha256:" + "0" * 64,
        "TAILWATCH_NODE_LABEL": "node.kubernetes.io/instance-type",
        "TAILWATCH_SCRATCH": "200Gi",
        "TAILWATCH_SCORES": "none",
        "TAILWATCH_SECRET": "tailwatch.s3",
    }
    found = read_settings({**CLUSTER, **change}).pods
    assert (found.image, found.node_label, found.scratch, found.secret) == (
        change["TAILWATCH_IMAGE"],
        change["TAILWATCH_NODE_LABEL"],
        "200Gi",
        "tailwatch.s3",
    )


def test_mlflows_address_may_stand_in_the_secret():
    assert read_settings({**CLUSTER, "MLFLOW_TRACKING_URI": "", "TAILWATCH_SECRET": "team"}).pods


@pytest.mark.parametrize("variable", ["TAILWATCH_LEASE_S", "TAILWATCH_S3_PATIENCE_S"])
@pytest.mark.parametrize("value", ["abc", "-1", "0", "inf", "nan"])
def test_seconds_that_no_task_could_take_are_refused(variable, value):
    with pytest.raises(SettingError, match=f"{variable} is '{value}'"):
        read_settings({variable: value})
    assert read_settings({variable: "7.5"}).handed_on == {variable: "7.5"}


def test_a_volume_that_all_pods_share_may_hold_it():
    change = {
        "TAILWATCH_STORE": "/data/store",
        "TAILWATCH_DATASET_ROOT": "/data/clips",
        "TAILWATCH_VOLUME": "claim:/data",
    }
    assert read_settings({**CLUSTER, **change}).pods.mount == "/data"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda place: (place / "new.mp4").write_bytes(b""), id="a new file"),
        pytest.param(lambda place: (place / "a.mp4").write_bytes(b"longer"), id="another size"),
        pytest.param(lambda place: os.utime(place / "a.mp4", (1, 2)), id="another time"),
        pytest.param(lambda place: (place / "a.mp4").rename(place / "b.mp4"), id="another name"),
        pytest.param(lambda place: (place / "a.mp4").unlink(), id="one less"),
    ],
)
def test_a_change_of_a_place_is_seen(change, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"film")
    before = list_place(str(tmp_path))
    assert list_place(str(tmp_path)) == before
    change(tmp_path)
    assert list_place(str(tmp_path)).digest != before.digest


def test_clips_below_a_link_are_seen_and_circles_are_not_walked(tmp_path):
    place, elsewhere = tmp_path / "clips", tmp_path / "elsewhere"
    for folder in (place, elsewhere):
        folder.mkdir()
        (folder / "a.mp4").write_bytes(b"film")
    (place / "linked").symlink_to(elsewhere)
    (place / "circle").symlink_to(place)
    (place / "itself").symlink_to(place / "itself")
    (place / "nowhere").symlink_to(place / "gone")
    before = list_place(str(place))
    assert before.files == 2
    (elsewhere / "b.mp4").write_bytes(b"film")
    after = list_place(str(place))
    assert (after.files, after.digest != before.digest) == (3, True)


def test_a_folder_that_cannot_be_read_is_not_taken_for_empty(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir()
    scandir = os.scandir

    def refusing(folder):
        if os.fspath(folder) == str(closed):
            raise PermissionError(13, "Permission denied", str(closed))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(PermissionError):
        list_place(str(tmp_path))


def test_a_place_has_come_to_rest():
    found = digest_of([("b", 1, 7.0, 100.0), ("a", 1, 200.0, 50.0)])
    assert found == digest_of([("a", 1, 200.0, 50.0), ("b", 1, 7.0, 100.0)])
    assert (found.is_quiet(60, now=159.0), found.is_quiet(60, now=160.0)) == (False, True)


def test_files_of_the_future_are_named_and_hold_no_other_up():
    entries = [("a", 1, 7.0, 100.0), ("b", 1, 7.0, 9e9), ("c", 1, 7.0, 230.0)]
    found = digest_of(entries, now=200.0)
    assert (found.ahead, found.newest) == (("b",), 230.0)
    assert found.is_quiet(60, now=290.0)
    assert found.digest == digest_of(entries, now=1e10).digest


def called(code, tmp_path, **environ):
    told = []
    command = Command([sys.executable, "-c", code], tmp_path, {**os.environ, **environ}, told.append)
    return command, told


def test_lines_of_both_streams_are_told_and_those_of_stdout_kept(tmp_path):
    command, told = called("import sys; print('one'); print('two', file=sys.stderr)", tmp_path)
    assert command.wait() == 0
    assert sorted(told) == ["one", "two"]
    assert list(command.said) == ["one"]


def test_a_command_may_write_its_checkpoint_before_it_ends(tmp_path):
    code = """
import signal, sys, time
def end(*_):
    print("checkpoint", flush=True)
    sys.exit(143)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""
    command, told = called(code, tmp_path)
    stopped = _stop_once(command, told, "ready")
    assert stopped == 143
    assert told == ["ready", "checkpoint"]


def test_a_command_that_does_not_end_is_ended(tmp_path):
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    command, told = called(code, tmp_path)
    assert _stop_once(command, told, "ready", grace_s=0.5) == -signal.SIGKILL


def test_a_command_that_ends_when_asked_in_a_signals_handler_is_not_killed(tmp_path, monkeypatch):
    sent = []

    def note(number):
        sent.append(number)
        os.killpg(command._process.pid, number)

    def end_worker(line):
        os.kill(os.getpid(), signal.SIGTERM)

    code = "import time; print('ready', flush=True); time.sleep(60)"
    command = Command([sys.executable, "-c", code], tmp_path, os.environ, end_worker)
    monkeypatch.setattr(command, "_signal", note)
    former = signal.signal(signal.SIGTERM, lambda *_: command.stop(grace_s=20.0))
    try:
        assert command.wait() == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, former)
    assert sent == [signal.SIGTERM]


def _stop_once(command, told, line, grace_s=30.0):
    """Stop a command in the middle of waiting for it, from another thread."""
    from threading import Thread

    def stop():
        while line not in told:
            time.sleep(0.01)
        command.stop(grace_s)

    stopper = Thread(target=stop, daemon=True)
    stopper.start()
    code = command.wait()
    stopper.join(60)
    return code


def test_a_command_dies_with_its_worker(tmp_path):
    child = "import time; print('ready', flush=True); time.sleep(60)"
    worker = f"""
import os, signal, sys
from pathlib import Path
from tailwatch_dags.command import Command
def tell(line):
    Path("child").write_text(str(command._process.pid))
    os.kill(os.getpid(), signal.SIGKILL)
command = Command([sys.executable, "-c", {child!r}], Path("."), os.environ, tell)
command.wait()
"""
    import subprocess

    import tailwatch_dags

    path = os.path.dirname(os.path.dirname(tailwatch_dags.__file__))
    run = subprocess.run([sys.executable, "-c", worker], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path})
    assert run.returncode == -signal.SIGKILL
    pid = int((tmp_path / "child").read_text())
    for _ in range(200):
        if not _lives(pid):
            return
        time.sleep(0.05)
    pytest.fail("the command outlived its worker")


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_ml_environment_sees_nothing_of_airflows():
    given = {"AIRFLOW__CORE__FERNET_KEY": "s", "AIRFLOW_HOME": "/a", "PATH": "/bin", "TAILWATCH_RUNS": "/r"}
    found = environment(given, "/ml/bin/tailwatch")
    assert found == {"PATH": "/ml/bin:/bin", "TAILWATCH_RUNS": "/r", "PYTHONUNBUFFERED": "1"}


def test_the_command_is_the_projects_own(tmp_path):
    program = tmp_path / ".venv" / "bin" / "tailwatch"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_program({}, tmp_path) == str(program)
    with pytest.raises(FileNotFoundError, match="TAILWATCH_COMMAND"):
        find_program({"TAILWATCH_COMMAND": "/nowhere/tailwatch"}, tmp_path)
