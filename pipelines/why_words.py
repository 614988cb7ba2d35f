"""The answer of why, as a person reads it."""

from collections.abc import Iterator, Sequence

from pipelines.why import Cause, Why

NAMED = 5  # of however many


def in_words(answers: Sequence[Why]) -> str:
    """One paragraph per stage."""
    return "\n".join(line for answer in answers for line in _lines(answer))


def _lines(answer: Why) -> Iterator[str]:
    before = ", ".join(answer.before)
    match answer.runs:
        case "no":
            yield f"{answer.stage}: nothing changed, it would not run"
        case "perhaps":
            yield f"{answer.stage}: nothing of its own changed; it runs if other results come from {before}"
        case "kept":
            yield f"{answer.stage}: it would not run: DVC has kept a result of this state; changed:"
        case "yes":
            yield f"{answer.stage}: it would run, because of what changed since it last ran:"
    for cause in answer.causes:
        yield f"  {_cause(cause)}"
        yield from (f"    {line}" for line in _details(cause))
        if cause.note:
            yield f"    ({cause.note})"
    if answer.causes and before:
        yield f"  before it, these are not up to date: {before}"
    if answer.clips is not None:
        yield "  {anew} clips would be {verb} anew, {reused} taken from the store".format(**answer.clips)


def _cause(cause: Cause) -> str:
    if cause.kind in ("parameter", "command"):
        return f"{cause.kind} {cause.what}: {_value(cause.then)} -> {_value(cause.now)}"
    if cause.kind == "never ran":
        return "it never ran here"
    return f"{cause.kind} {cause.what} {cause.how}"


def _details(cause: Cause) -> Iterator[str]:
    """What in it differs: named up to a few; of the rest their number."""
    for detail in cause.details[:NAMED]:
        parts = _first(detail.parts)
        if parts or detail.name != cause.what:
            yield f"{ascii(detail.name)[1:-1]}: {detail.change}{f' ({parts})' if parts else ''}"
    if len(cause.details) > NAMED:
        yield f"and {len(cause.details) - NAMED} more"


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _value(value: object) -> str:
    return "none" if value is None else str(value)
