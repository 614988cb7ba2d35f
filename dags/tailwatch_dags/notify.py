"""Tells people how a run ended, or that it waits for one of them."""

import json
import os
import urllib.request
from abc import ABC, abstractmethod
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

from airflow.sdk import BaseNotifier
from airflow.sdk.configuration import conf

from tailwatch_dags.naming import reason_of
from tailwatch_dags.settings import WEBHOOK

TIMEOUT_S = 10


class Channel(ABC):
    """One way to tell."""

    @abstractmethod
    def send(self, message: dict[str, str]) -> None:
        """Tell `message`: event, dag, run, reason, url, text.

        Raises:
            OSError, ValueError, HTTPException: it did not arrive.
        """


class LogChannel(Channel):
    """Into Airflow's log."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def send(self, message: dict[str, str]) -> None:
        """Write it down."""
        self._log.info("%s (%s)", message["text"], message["url"])


class WebhookChannel(Channel):
    """To an http(s) address, as JSON; `text` is what chat services show."""

    def __init__(self, address: str) -> None:
        self._address = address

    def send(self, message: dict[str, str]) -> None:
        """Post it."""
        if not self._address.startswith(("http://", "https://")):
            raise ValueError(f"{WEBHOOK} is no http(s) address")
        request = urllib.request.Request(  # noqa: S310  # http(s) alone, see above
            self._address, json.dumps(message).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=TIMEOUT_S).close()  # noqa: S310


class Notifier(BaseNotifier):
    """Tells all channels; one that does not answer is told in the log and keeps nothing from going on.

    Args:
        event: "succeeded", "failed" or "held".
    """

    def __init__(self, event: str) -> None:
        super().__init__()
        self.event = event

    def notify(self, context: Any) -> None:
        """Tell."""
        message = message_of(self.event, context)
        for channel in self._channels():
            try:
                channel.send(message)
            except (OSError, ValueError, HTTPException) as error:
                self.log.warning("Nobody was told by %s: %s", type(channel).__name__, error)

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """There is nothing to render."""

    def _channels(self) -> list[Channel]:
        address = os.environ.get(WEBHOOK)
        return [LogChannel(self.log), *([WebhookChannel(address)] if address else [])]


def message_of(event: str, context: Any) -> dict[str, str]:
    """What is told: ids, and where to look; nothing of any clip."""
    dag_run = context.get("dag_run")  # none when the DAG lost a task while it ran
    dag_id, run_id = context["dag"].dag_id, context["run_id"]
    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    reason = reason_of(dag_run.conf or {}, dag_run) if dag_run is not None else "unknown"
    words = {"held": "waits for an approval"}.get(event, event)
    return {
        "event": event,
        "dag": dag_id,
        "run": run_id,
        "reason": reason,
        "url": f"{base}/dags/{dag_id}/runs/{quote(run_id)}",
        "text": f"{dag_id} {run_id} ({reason}) {words}",
    }
