"""Objects in a bucket that many workers share, each of them kept in a folder nearby once it was needed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from components.core.s3 import DamagedTransferError, MissingObjectError, S3Folder
from components.core.scratch import scratch_folder
from components.store.local import LocalFolder, StoredFile, is_object

log = logging.getLogger("tailwatch")


class SharedFolder:
    """Objects below a prefix of a bucket, by name.

    An object gets its name nearby only after it was sent: what lies nearby, others can have too. The cap is
    the near folder's; a bucket has rules of its own for what grows old.

    Args:
        near: where objects are read.
        far: where they are shared.
    """

    def __init__(self, near: LocalFolder, far: S3Folder) -> None:
        self.near = near
        self.far = far

    def path(self, name: str) -> Path | None:
        """An object's file, fetched if it is not nearby; None if it is nowhere.

        Raises:
            StorageError: no answer.
        """
        found = self.near.path(name)
        if found is None and self._fetch(name):
            found = self.near.path(name)
        return found

    @contextmanager
    def borrow(self, name: str) -> Iterator[Path | None]:
        """Yield an object's file, None if it is nowhere; what is fetched for this, and perhaps damaged, goes.

        Raises:
            StorageError: no answer.
        """
        with self.near.borrow(name) as found, scratch_folder() as scratch:
            fetched = scratch / "object"
            if found is None:
                with suppress(MissingObjectError, DamagedTransferError):
                    self.far.download(name, fetched)
            yield found or (fetched if fetched.is_file() else None)

    def _fetch(self, name: str) -> bool:
        try:
            with self.near.create(name) as temporary:
                self.far.download(name, temporary)
        except MissingObjectError:
            return False
        except DamagedTransferError as error:
            log.warning("%s; it is removed, and made again", error.came)
            self.far.remove(name)
            return False
        return True

    @contextmanager
    def create(self, name: str) -> Iterator[Path]:
        """Yield a path to write to; what was written becomes the object, unless another writer was first.

        Raises:
            StorageError: no answer.
        """
        with self.near.create(name) as temporary:
            yield temporary
            self.far.upload(temporary, name)

    def files(self) -> Iterator[StoredFile]:
        """All objects of the bucket, by name; their use is not known, so the time is that of their making."""
        for item in self.far.list():
            if is_object(item.name):
                yield StoredFile(item.name, item.size, item.modified_s)

    def remove(self, name: str) -> None:
        """Remove an object nearby and from the bucket."""
        self.near.remove(name)
        self.far.remove(name)

    def discard(self, name: str) -> None:
        """Remove an object that is damaged nearby, and from the bucket if it came so: no put replaces it.

        Raises:
            StorageError: no answer.
        """
        came_so = self.far.may_hold(name, self.near.root / name)
        self.near.remove(name)
        if came_so:
            log.warning("%s is damaged in the bucket; it is removed there, too", self.far.address(name))
            self.far.remove(name)
