"""tailwatch_ingest: watches the data set's place, checks what arrived, and says so to tailwatch_retrain."""

import logging
from pathlib import Path
from typing import Any

import yaml
from airflow.sdk import Variable, task
from airflow.sdk.exceptions import AirflowFailException
from tailwatch_dags.assets import CLIPS
from tailwatch_dags.listing import Listing, list_place
from tailwatch_dags.settings import Settings, project_folder
from tailwatch_dags.tasks import read_tasks

log = logging.getLogger("airflow.task")

QUIET_S = 60  # a file that changed since may still be on its way
NAMED = 5  # files in a warning
SEEN = "tailwatch_listing"
LAST_LOOK = "tailwatch_last_look"
AHEAD = "changed in the future by this worker's clock: two looks that find the same tell that they rest"
OUT_OF_SIGHT = (
    "it is no folder of this worker of Airflow. Wanted: s3://bucket/prefix, or TAILWATCH_VOLUME mounted on "
    "Airflow's workers, too. Until then retraining starts on its schedule or by hand"
)
DOC = """
Looks every ten minutes whether the data set (a folder or s3://bucket/prefix) changed and has come to rest,
checks it with `tailwatch adapters --check --strict`, and emits the asset `tailwatch_clips`, on which
`tailwatch_retrain` starts. The first look only remembers what is there. Bad clips within
`ingest.max_bad_fraction` are let pass, as ingest does; more of them fail the check once, until files change.
A check that could not be made (storage is away, a worker was lost) is made again at the next look.
"""


def watched_place(configured: str) -> str:
    """The place to watch: as configured, else dataset.root of params.yaml, in the project's folder."""
    root = project_folder()
    if not configured:
        params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
        configured = str(params["dataset"]["root"])
    return configured if configured.startswith("s3://") else str(root / Path(configured))


def is_out_of_sight(place: str, settings: Settings) -> bool:
    """Whether it is a folder that pods may see and this worker does not."""
    return settings.mode == "kubernetes" and not place.startswith("s3://") and not Path(place).is_dir()


def is_at_rest(place: str, found: Listing) -> bool:
    """Whether nothing is on its way: by this worker's clock, or where that cannot tell by two equal looks."""
    if not found.is_quiet(QUIET_S):
        log.info("%s: something changed within the last %s seconds; the next look sees it", place, QUIET_S)
        return False
    if not found.ahead:
        return True
    names = ", ".join(map(repr, found.ahead[:NAMED]))
    log.warning("%s: %s files, %s: %s", place, len(found.ahead), AHEAD, names)
    return is_as_last_time(place, found.digest)


def is_as_last_time(place: str, digest: str) -> bool:
    """Whether the look before this one found the same."""
    last = Variable.get(LAST_LOOK, default={}, deserialize_json=True)
    Variable.set(LAST_LOOK, {**last, place: digest}, serialize_json=True)
    return bool(last.get(place) == digest)


def remember(place: str, digest: str) -> None:
    """Keep what was seen, so that it is not looked at again."""
    seen = Variable.get(SEEN, default={}, deserialize_json=True)
    Variable.set(SEEN, {**seen, place: digest}, serialize_json=True)


def remember_refused(context: Any) -> None:
    """Keep what was seen if checking it again cannot help."""
    if isinstance(context.get("exception"), AirflowFailException):
        remember(watched_place(tasks.settings.watched), context["ti"].xcom_pull(task_ids="look"))


tasks = read_tasks()

with tasks.dag(
    "tailwatch_ingest", "Watches for new clips, checks them, says so", DOC, schedule="*/10 * * * *"
) as dag:

    @task.short_circuit(doc_md="Goes on if the data set changed and has come to rest.")
    def look() -> str:
        """Compare the place with what was seen last; the digest of what is new and at rest, else nothing."""
        place = watched_place(tasks.settings.watched)
        if is_out_of_sight(place, tasks.settings):
            log.warning("%s cannot be watched: %s", place, OUT_OF_SIGHT)
            return ""
        found = list_place(place)
        seen = Variable.get(SEEN, default={}, deserialize_json=True).get(place)
        if seen == found.digest:
            log.info("%s: nothing new among %s files", place, found.files)
            return ""
        if not is_at_rest(place, found):
            return ""
        log.info("%s: %s files%s", place, found.files, "" if seen else ", seen for the first time")
        if not seen:
            remember(place, found.digest)
        return found.digest if seen else ""

    @task(doc_md="Remembers what was checked.")
    def checked(digest: str) -> None:
        """So that the next look finds nothing new."""
        remember(watched_place(tasks.settings.watched), digest)

    check = tasks.command(
        "check",
        ["adapters", "--check", "--strict"],
        "Looks at every clip of the data set: missing, unreadable, without a frame, twice there.",
        outlets=[CLIPS],
        on_failure_callback=remember_refused,
    )
    seen = look()
    seen >> check >> checked(seen)
