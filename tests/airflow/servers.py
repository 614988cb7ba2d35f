"""Real servers on the loopback, from Debian's packages and the ml environment: each ends with the test."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from components.core import system

HOST = "127.0.0.1"
STARTS_WITHIN_S = 240
STOPS_WITHIN_S = 30
DEBIAN = {"redis-server": "redis-server", "initdb": "postgresql", "postgres": "postgresql"}


def find_program(name):
    """A server's program; the test is skipped where it is neither there nor can be installed."""
    for _ in range(2):
        places = [os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
        if found := shutil.which(name, path=os.pathsep.join(places)):
            return found
        _install(DEBIAN[name])
    pytest.skip(f"{name} is not here, and only root can install it: apt-get install {DEBIAN[name]}")


def _install(package):
    """Install a package of Debian's as root, without starting what it brings along."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    policy = Path("/usr/sbin/policy-rc.d")
    own = not policy.exists()
    if own:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", package]):
        subprocess.run(["apt-get", *command], env=environ, stdout=subprocess.DEVNULL, check=False)
    if own:
        policy.unlink()


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


class Server:
    """A program in a process group of its own.

    Args:
        log: the file that takes what it prints.
        port: on which it listens; None: on none.
        user: who runs it; None: who runs the test.
        ends_on: the signal that ends it in good order.
    """

    def __init__(self, argv, environ, log, port=None, user=None, ends_on=signal.SIGTERM):
        self._argv, self._environ, self._port, self._user, self._ends_on = argv, environ, port, user, ends_on
        self.log = log
        self.process = None

    def start(self):
        who = {"user": self._user, "group": _group(self._user), "extra_groups": []} if self._user else {}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._argv,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                start_new_session=True,
                preexec_fn=system.ask_to_die_with(os.getpid()),
                **who,
            )

    def wait(self):
        """Wait until it listens."""
        end = time.monotonic() + STARTS_WITHIN_S
        while not self._listens():
            assert self.process.poll() is None, self.told()
            assert time.monotonic() < end, f"{self._argv[0]} does not listen:\n{self.told()}"
            time.sleep(0.1)

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(self._ends_on)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOPS_WITHIN_S)
        self.kill()

    def kill(self):
        """End it and all of its group at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def told(self):
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self._port)) == 0


def _group(user):
    return pwd.getpwnam(user).pw_gid


def redis(folder):
    """Redis that keeps nothing on disk."""
    port = free_port()
    program = find_program("redis-server")
    argv = [program, "--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no"]
    return Server(argv, dict(os.environ), folder / "redis.log", port), f"redis://{HOST}:{port}/0"


def postgres(folder):
    """PostgreSQL with the empty database `postgres` of the user `airflow`; as root, run by another user."""
    initdb, program = find_program("initdb"), find_program("postgres")
    data, port, user = folder / "postgres", free_port(), None
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        user = next(
            name for name in ("postgres", "nobody") if name in {one.pw_name for one in pwd.getpwall()}
        )
        shutil.chown(data, user, _group(user))
    made = subprocess.run(
        [initdb, "--auth=trust", "--username=airflow", "--encoding=UTF8", "--no-sync", "-D", str(data)],
        cwd=folder,
        capture_output=True,
        text=True,
        **({"user": user, "group": _group(user), "extra_groups": []} if user else {}),
    )
    assert made.returncode == 0, made.stderr
    argv = [program, "-D", str(data), "-p", str(port), "-k", str(data), "-h", HOST]
    log = folder / "postgres.log"
    server = Server(argv, dict(os.environ), log, port, user, ends_on=signal.SIGINT)
    return server, f"{HOST}:{port}/postgres"


def s3(folder, ml):
    """moto's S3 server, from the ml environment."""
    port = free_port()
    argv = [str(ml / "moto_server"), "-H", HOST, "-p", str(port)]
    return Server(argv, dict(os.environ), folder / "s3.log", port), f"http://{HOST}:{port}"
