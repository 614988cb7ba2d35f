"""Videos damaged by a seed: small films in five containers, changed as disks, networks and attackers do."""

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.video_factory import write_video

FRAMES = 40
BASES = {"mp4": "libx264", "mkv": "libx264", "ts": "libx264", "avi": "mjpeg", "webm": "libvpx"}
EXTREMES = (0, 1, 0x7F, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
MP4_BOXES = (
    *(b"moov", b"mvhd", b"trak", b"tkhd", b"mdia", b"mdhd", b"minf", b"stbl", b"stsd", b"avc1", b"avcC"),
    *(b"stts", b"ctts", b"stss", b"stsc", b"stsz", b"stco", b"edts", b"elst", b"mdat", b"ftyp"),
)
AVI_CHUNKS = (b"RIFF", b"LIST", b"avih", b"strh", b"strf", b"movi", b"idx1", b"00dc")
EBML_IDS = (
    *(
        b"\x1a\x45\xdf\xa3",
        b"\x18\x53\x80\x67",
        b"\x15\x49\xa9\x66",
        b"\x16\x54\xae\x6b",
        b"\x1f\x43\xb6\x75",
    ),
    *(b"\x2a\xd7\xb1", b"\x44\x89", b"\xb0", b"\xba", b"\x23\xe3\x83", b"\xa3", b"\x1c\x53\xbb\x6b"),
)
Mutation = Callable[[bytearray, random.Random], bytearray]


def mutated(seed: int) -> tuple[str, bytes]:
    """The suffix and the content of the damaged video of a seed; the same for the same seed and encoder."""
    dice = random.Random(seed)
    suffix = dice.choice(sorted(BASES))
    content = bytearray(base(suffix))
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        content = dice.choice(MUTATIONS)(content, dice)
    return suffix, bytes(content)


@cache
def base(suffix: str) -> bytes:
    """A film before it is damaged."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"base.{suffix}")
        return write_video(path, FRAMES, codec=BASES[suffix], gop=8).read_bytes()


def bits(content: bytearray, dice: random.Random) -> bytearray:
    for _ in range(dice.choice((1, 1, 4, 32, 256))):
        content[_place(content, dice)] ^= 1 << dice.randrange(8)
    return content


def run_of_noise(content: bytearray, dice: random.Random) -> bytearray:
    start, length = _place(content, dice), dice.choice((4, 64, 512))
    content[start : start + length] = dice.randbytes(len(content[start : start + length]))
    return content


def run_of_zeros(content: bytearray, dice: random.Random) -> bytearray:
    start, length = _place(content, dice), dice.choice((16, 512, 4096))
    content[start : start + length] = bytes(len(content[start : start + length]))
    return content


def cut_short(content: bytearray, dice: random.Random) -> bytearray:
    return content[: _place(content, dice)]


def piece_missing(content: bytearray, dice: random.Random) -> bytearray:
    start = _place(content, dice)
    del content[start : start + dice.choice((1, 3, 188, 1024))]
    return content


def piece_twice(content: bytearray, dice: random.Random) -> bytearray:
    start, length = _place(content, dice), dice.choice((8, 188, 1024))
    content[start:start] = content[start : start + length]
    return content


def spliced(content: bytearray, dice: random.Random) -> bytearray:
    """Goes on as another film, mostly in another container."""
    other = base(dice.choice(sorted(BASES)))
    return content[: _place(content, dice)] + other[dice.randrange(len(other)) :]


def box_twice(content: bytearray, dice: random.Random) -> bytearray:
    start = _box(content, dice)
    size = min(int.from_bytes(content[start - 4 : start]), 1 << 16)
    content[start - 4 : start - 4] = content[start - 4 : start - 4 + size]
    return content


def box_size(content: bytearray, dice: random.Random) -> bytearray:
    start = _box(content, dice)
    content[max(0, start - 4) : start] = _number(dice, 4)
    return content


def header_field(content: bytearray, dice: random.Random) -> bytearray:
    """Width, height, time scale, duration, counts: whatever stands behind the name of a header."""
    start = _box(content, dice) + 2 * dice.randrange(2, 24)
    size = dice.choice((1, 2, 4))
    content[start : start + size] = _number(dice, size)
    return content


MUTATIONS: tuple[Mutation, ...] = (
    *(bits, run_of_noise, run_of_zeros, cut_short, piece_missing, piece_twice, spliced),
    *(box_twice, box_size, header_field, header_field),
)


def _place(content: bytearray, dice: random.Random) -> int:
    return dice.randrange(max(1, len(content)))


def _box(content: bytearray, dice: random.Random) -> int:
    """Where the name of one of the container's parts stands; any place where it has none."""
    names = [name for name in (*MP4_BOXES, *AVI_CHUNKS, *EBML_IDS) if name in content]
    return content.find(dice.choice(names)) if names else _place(content, dice)


def _number(dice: random.Random, size: int) -> bytes:
    order = dice.choice(("big", "little"))
    return (dice.choice(EXTREMES) & (256**size - 1)).to_bytes(size, order)
