"""Pictures of a running Airflow for docs/: the graph, a run, the trigger form. `make airflow-pictures`.

Needs Debian's chromium, and `make airflow` in another terminal with at least one run of tailwatch_retrain.
"""

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any

import websocket
from workstation import HOME, HOST, ROOT, _free_port, _get, _token

TARGET = ROOT / "docs" / "pictures"
SIZE = (1600, 1000)
SETTLE_S = float(os.environ.get("SETTLE_S", "12"))


class Page:
    """A page of a headless browser.

    Args:
        address: of its debugger.
    """

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, suppress_origin=True, timeout=60)
        self._number = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the DevTools protocol; its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                found: dict[str, Any] = answer["result"]
                return found

    def show(self, address: str, name: str, script: str = "", size: tuple[int, int] = SIZE) -> None:
        """Open a page, let it settle, write its picture."""
        shape = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **shape)
        self.ask("Page.navigate", url=address)
        time.sleep(SETTLE_S)
        if script:
            self.ask("Runtime.evaluate", expression=script)
            time.sleep(SETTLE_S / 2)
        picture = self.ask("Page.captureScreenshot", format="png")["data"]
        (TARGET / name).write_bytes(base64.b64decode(picture))
        print(TARGET / name)


def main() -> None:
    """Draw all of them."""
    port = int(os.environ.get("PORT", "8080"))
    base, token = f"http://{HOST}:{port}", _token(port)
    runs = (_get(f"{base}/api/v2/dags/tailwatch_retrain/dagRuns?order_by=-run_after", token) or {}).get(
        "dag_runs"
    )
    if not runs:
        sys.exit(f"{base} has no run of tailwatch_retrain: start it with `make airflow`, and trigger one")
    run = f"{base}/dags/tailwatch_retrain/runs/{urllib.request.quote(runs[0]['dag_run_id'])}"
    debugger = _free_port(port + 1000)
    with tempfile.TemporaryDirectory() as profile, _browser(profile, debugger) as browser:
        try:
            page = _page(debugger)
            page.ask("Network.setCookie", name="_token", value=token, url=base)
            page.ask("Page.navigate", url=base)
            time.sleep(SETTLE_S)
            page.show(run, "airflow-run.png")
            page.show(f"{base}/dags/tailwatch_retrain", "airflow-form.png", _click("Trigger"))
            page.show(
                run,
                "airflow-graph.png",
                _click("Collapse Details", "Show Graph", "Expand all", "Fit View"),
                (2400, 640),
            )
        finally:
            browser.terminate()


def _click(*labels: str) -> str:
    """A script that presses the buttons of these names, one after the other."""
    return f"""(async () => {{
        for (const label of {json.dumps(labels)}) {{
            const named = b => (b.innerText.trim() || b.getAttribute('aria-label') || '').includes(label);
            const found = [...document.querySelectorAll('button')].find(named);
            if (found) found.click();
            await new Promise(done => setTimeout(done, 1500));
        }}
    }})()"""


def _browser(profile: str, port: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--remote-debugging-port={port}", f"--user-data-dir={profile}"),
            *("--window-size={},{}".format(*SIZE), "about:blank"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=(HOME / "logs" / "chromium.log").open("ab"),
    )


def _page(port: int) -> Page:
    for _ in range(60):
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/json") as answer:  # loopback
                found = [page for page in json.load(answer) if page["type"] == "page"]
            return Page(found[0]["webSocketDebuggerUrl"])
        except (OSError, IndexError):
            time.sleep(1)
    sys.exit("chromium did not start: see its log")


if __name__ == "__main__":
    main()
