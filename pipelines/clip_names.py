"""Recognising that a content or a path speaks of certain clips."""

import html
import json
import mmap
import re
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from markupsafe import escape


class ClipNames:
    """The names of clips in every form in which our files write them.

    A clip_id counts only as a whole: `stalking/a.mp4` is not named by `non_stalking/a.mp4`.

    Args:
        digests: SHA-256 of what each clip_id ever held.
    """

    def __init__(self, digests: Mapping[str, Collection[str]]) -> None:
        self.digests = digests
        ids = sorted({form for clip_id in digests for form in _forms(clip_id)}, key=len, reverse=True)
        others = sorted({digest for known in digests.values() for digest in known})
        others += [picture_name(clip_id) for clip_id in digests]
        whole = b"|".join(re.escape(form.encode()) for form in ids)
        plain = b"|".join(re.escape(other.encode()) for other in others)
        self._pattern = re.compile(rb"(?<![\w-])(?:" + whole + rb")(?![\w-])|" + plain)

    def __call__(self, content: bytes) -> bool:
        """Whether a content names one of the clips."""
        return bool(self._pattern.search(content))

    def in_file(self, path: Path) -> bool:
        """Whether a file names one of the clips, in its content or its own name."""
        if self(str(path).encode(errors="surrogateescape")):
            return True
        if not path.is_file() or not path.stat().st_size:
            return False
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return bool(self._pattern.search(content))

    def below(self, folder: Path) -> bool:
        """Whether any file below a folder names one of the clips."""
        return any(self.in_file(path) for path in folder.rglob("*") if not path.is_dir())


def picture_name(clip_id: str) -> str:
    """How the files of a clip's pictures begin: names of clips may hold what names of files may not."""
    return sha256(clip_id.encode()).hexdigest()[:12]


def _forms(clip_id: str) -> set[str]:
    return {
        clip_id,
        clip_id.replace('"', '""'),
        json.dumps(clip_id)[1:-1],
        json.dumps(clip_id, ensure_ascii=False)[1:-1],
        html.escape(clip_id),
        str(escape(clip_id)),
        quote(clip_id),
        ascii(clip_id)[1:-1],
    }
