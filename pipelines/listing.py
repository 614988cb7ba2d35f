"""The data set's clips, as the adapter that params.yaml names finds them."""

from components.datasets.listing import Listing
from components.datasets.registry import list_clips
from components.datasets.source import Source, open_root
from pipelines.artifacts import Project


def list_data_set(project: Project) -> tuple[Source, Listing]:
    """Open and list the data set where it lies.

    Raises:
        UsageError: a root or an adapter that is not there.
        BadDataError: a data set that is not laid out as its adapter reads it.
        StorageError: a remote data set that does not answer.
    """
    wanted = project.params.dataset
    source = open_root(project.dataset_root, project.state("clips"))
    return source, list_clips(source, wanted.adapter, wanted.classes, wanted.options, wanted.label_map)
