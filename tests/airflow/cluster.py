"""Airflow as a team has it: PostgreSQL, Redis, two Celery workers and an S3 server, here on one machine."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import boto3

from tests.integration.retraining import descendants
from tests.integration.s3_server import Fault, Proxy

from . import environment, servers
from .environment import BUCKET, KEYS, ML
from .rest import ENDED, approve, ask

DAG = "tailwatch_retrain"
PATIENCE_S = 900
QUEUES = {"cpu": "cpu", "both": "cpu,gpu"}  # by the name of the worker


class Cluster:
    """All of it, run by its REST interface.

    Attributes:
        parts: servers by name; one that ends by itself is started again, as a supervisor does.
        proxy: the way to the S3 server, on which faults are put.
    """

    def __init__(self, home, project):
        self.home, self.parts = home, {}
        for name in ("logs", "tmp"):
            (home / name).mkdir()
        self.database, database = servers.postgres(home)
        broker, broker_url = servers.redis(home)
        s3, s3_url = servers.s3(home, ML)
        self._below = (self.database, broker, s3)
        self.proxy = Proxy(s3_url)
        self.bucket = boto3.resource("s3", endpoint_url=s3_url, **_keys()).Bucket(BUCKET)
        self.address = f"http://{servers.HOST}:{servers.free_port()}"
        self.environ = environment.of_cluster(
            home, project, self.address, database, broker_url, self.proxy.url
        )

    def start(self):
        """Start all of it, and wait until it has the DAG."""
        for server in self._below:
            server.start()
        for server in self._below:
            server.wait()
        self.bucket.create()
        subprocess.run([*_airflow("db"), "migrate"], env=self.environ, check=True, stdout=subprocess.DEVNULL)
        for name in ("api-server", "scheduler", "dag-processor"):
            self._add(name, [name])
        for name, queues in QUEUES.items():
            options = ["--queues", queues, "--celery-hostname", f"{name}@%h", "--concurrency", "2"]
            own = environment.of_worker(self.environ, self.home / name)
            self._add(name, ["celery", "worker", "--skip-serve-logs", *options], own)
        self.until("the DAG", lambda: self("GET", f"/dags/{DAG}"))
        for name, slots in {"cpu": 8, "gpu": 1}.items():
            self("POST", "/pools", {"name": name, "slots": slots})
        self("PATCH", f"/dags/{DAG}", {"is_paused": False})

    def stop(self):
        for name in QUEUES:  # what they run is not waited for
            if name in self.parts:
                self.kill(name)
        for server in (*self.parts.values(), *self._below):
            server.stop()
        self.proxy.close()

    def kill(self, name):
        """End a part with -9, with all processes below it, as a machine that is gone."""
        root = self.parts[name].process.pid
        for process in (root, *descendants(root)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.parts[name].process.wait()

    def trigger(self, run, **conf):
        order = {"dag_run_id": run, "logical_date": None, "conf": conf}

        def ordered():
            try:
                return self("POST", f"/dags/{DAG}/dagRuns", order)
            except urllib.error.HTTPError as error:
                if error.code == 409:  # it was there after all
                    return True
                raise

        self.until("a run", ordered)

    def state(self, run):
        return (self("GET", f"/dags/{DAG}/dagRuns/{run}") or {}).get("state")

    def ended(self, run):
        """Wait for a run's end; its state."""
        return self.until(f"the end of {run}", lambda: self.state(run) in ENDED and self.state(run))

    def tasks(self, run):
        """Task instances of a run, by task or by (task, map index)."""
        found = self("GET", f"/dags/{DAG}/dagRuns/{run}/taskInstances?limit=100")
        return {
            (one["task_id"], one["map_index"]) if one["map_index"] >= 0 else one["task_id"]: SimpleNamespace(
                **one
            )
            for one in (found or {}).get("task_instances", ())
        }

    def tasks_of_dag(self):
        """What the newest version of the DAG would run."""
        return {task["task_id"] for task in self("GET", f"/dags/{DAG}/tasks")["tasks"]}

    def reached(self, run, task, *states):
        """Wait until a task is in one of these states; it."""

        def so():
            over = self.state(run) in ENDED
            found = self.tasks(run).get(task)
            if found and found.state in states:
                return found
            assert not over, f"{run} ended, and {task} is {found and found.state}"
            return None

        return self.until(f"{task} of {run} to be {states}", so)

    def logs(self, run, task, map_index=-1):
        """What a task logged, by worker."""
        at = f"map_index={map_index}/" if map_index >= 0 else ""
        pattern = f"dag_id={DAG}/run_id={run}/task_id={task}/{at}*.log"
        return {
            name: "\n".join(path.read_text(errors="replace") for path in sorted(found))
            for name in QUEUES
            if (found := list((self.home / name / "logs").glob(pattern)))
        }

    def said(self, run, task, map_index=-1):
        return "\n".join(self.logs(run, task, map_index).values())

    def names(self, prefix):
        """Keys of objects: of those that come and go."""
        return [one.key for one in self.bucket.objects.filter(Prefix=prefix)]

    def objects(self, prefix):
        """Contents of objects by the rest of their keys."""
        found = self.bucket.objects.filter(Prefix=prefix)
        return {one.key.removeprefix(prefix): one.get()["Body"].read() for one in found}

    def entries(self, run):
        """What a run's stages have published, by stage."""
        found = self.objects(f"runs/{run}/lock/")
        return {name.removesuffix(".json"): json.loads(body) for name, body in found.items()}

    def answer(self, run, task):
        """What a task's command answered."""
        path = f"/dags/{DAG}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value"
        found = self("GET", path)["value"]
        return json.loads(found) if isinstance(found, str) else found

    def approved(self, run):
        """Approve a held run as a person would; the state in which its question ends."""
        return approve(self, f"/dags/{DAG}/dagRuns/{run}", PATIENCE_S)

    def failures(self, run):
        """The tasks of a run that are not green, with what they logged."""
        return "\n".join(
            f"{task}: {found.state} {self.said(run, found.task_id, found.map_index)[-3000:]}"
            for task, found in self.tasks(run).items()
            if found.state not in ("success", "skipped")
        )

    def put(self, key, text):
        self.bucket.put_object(Key=key, Body=text.encode())

    def knows(self, commit):
        """Wait until Airflow has read the DAG of a commit."""
        self.until(f"the DAG of {commit}", lambda: self("GET", f"/dags/{DAG}")["bundle_version"] == commit)

    @contextmanager
    def bucket_away(self):
        """Nobody answers where the S3 server was."""
        fault = Fault("gone")
        self.proxy.faults.append(fault)
        try:
            yield
        finally:
            self.proxy.faults.remove(fault)

    def until(self, what, happened):
        """Wait for something; what it gave. Meanwhile parts that ended are started again."""
        end = time.monotonic() + PATIENCE_S
        while True:
            for name, server in self.parts.items():
                if server.process.poll() is not None:
                    print(f"{name} ended with {server.process.returncode}: started again")
                    server.start()
            try:
                if found := happened():
                    return found
            except urllib.error.HTTPError as error:
                if error.code not in (404, 500, 502, 503):
                    raise AssertionError(error.read()) from error
            except OSError:  # it is being started
                pass
            assert time.monotonic() < end, f"waited in vain for {what}: see {self.home}"
            time.sleep(0.5)

    def __call__(self, method, path, data=None):
        token = ask("GET", f"{self.address}/auth/token")["access_token"]
        return ask(method, f"{self.address}/api/v2{path}", data, token)

    def _add(self, name, argv, environ=None):
        port = int(self.address.rpartition(":")[2]) if name == "api-server" else None
        log = self.home / "logs" / f"{name}.log"
        self.parts[name] = servers.Server(_airflow(*argv), environ or self.environ, log, port)
        self.parts[name].start()


def _airflow(*arguments):
    return [sys.executable, "-m", "airflow", *arguments]


def _keys():
    names = ("aws_access_key_id", "aws_secret_access_key", "region_name")
    return dict(zip(names, KEYS.values(), strict=True))
