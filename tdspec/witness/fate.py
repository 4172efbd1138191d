"""How each source of time ends in a model that was measured; the counterpart of `tdspec.facts.scope.Fate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import torch

from tdspec.witness.comparison import OUTPUT
from tdspec.witness.proof import Proof
from tdspec.witness.recording import Key, Norm, kind_of
from tdspec.witness.views import EXACT, STRICT, WRITTEN

Mode = Literal["training", "evaluation"]
End = Literal["alive", "erased", "faint", "edge"]
ENDS: tuple[End, ...] = ("erased", "faint", "edge", "alive")


class Named(Protocol):
    @property
    def name(self) -> str: ...


class Source(NamedTuple):
    """A place at which time enters.

    number  as the proof counts; -1 for t as a whole, where it cannot be followed
    name    qualified name of the module in whose `forward` it enters
    kind    `added`, `multiplied`, `concatenated`, ...
    along   axes along which all that is added is the same, of 1 and -1, where channels are
    """

    number: int
    name: str
    kind: str
    along: frozenset[int]


class Fate(NamedTuple):
    """How a source ends in one mode.

    end      `alive`; `erased`: no element of the output depends on it; `faint`: nothing would, if norms had no
             eps; `edge`: nothing would, if zero padding were circular and norms had no eps
    killers  normalisations at which it ends, in order; empty if none takes it out, or only one that makes a
             constant of whatever comes in
    """

    end: End
    mode: Mode
    killers: tuple[Norm, ...] = ()


def sources_of(proof: Proof) -> list[Source]:
    """The sources that a proof has found, in the order in which they enter."""
    if proof.sources == [-1]:
        return [Source(-1, "forward", "not followed: a number of Python, NumPy or TorchScript", frozenset())]
    found: list[Source] = []
    for number in proof.sources:
        keys = [key for key, source in proof.entries.items() if source == number]
        kinds = tuple(dict.fromkeys(map(kind_of, keys)))
        kind = "scale and shift" if kinds == ("multiplied", "added") else " and ".join(kinds)
        along = frozenset.intersection(*(frozenset(proof.recording.constant_along.get(key, ())) for key in keys))
        found.append(Source(number, keys[0][0] or "forward", kind, along))
    return [source._replace(name=numbered(source.name, found, at)) for at, source in enumerate(found)]


def numbered(name: str, items: Sequence[Named], at: int) -> str:
    """The name, with a number where several items share it."""
    same = [index for index, item in enumerate(items) if (item.name or "forward") == name]
    return f"{name} ({same.index(at) + 1})" if len(same) > 1 else name


def fate(proof: Proof, source: Source, mode: Mode) -> Fate:
    """How a source ends, from what is alive under which view; as `validate` decides it."""
    number = source.number
    if not proof.reaches(number, proof.recording.label):
        return Fate("erased", mode)
    if proof.alive(STRICT, number, OUTPUT):
        return Fate("alive", mode)
    if not proof.alive(WRITTEN, number, OUTPUT):
        return Fate("erased", mode, proof.killers(WRITTEN, number))
    if not proof.alive(EXACT, number, OUTPUT):
        if number in proof.negative:
            return Fate("alive", mode)
        return Fate("faint", mode, proof.killers(EXACT, number))
    return Fate("edge", mode, proof.killers(STRICT, number))


def ending(fates: tuple[Fate, ...], *, shared: bool, over_batch: set[Key]) -> Fate:
    """The worst of a source's fates; with a shared t what batch normalisation alone does is left out (TD104)."""
    named = []
    for item in fates:
        killers = tuple(norm for norm in item.killers if not (shared and norm.key in over_batch))
        if item.end != "alive" and (killers or not item.killers):
            named.append(item._replace(killers=killers))
    return min(named, key=lambda item: ENDS.index(item.end), default=Fate("alive", "training"))


def word(proof: Proof, norm: Norm) -> str:
    """What becomes of time at a normalisation, in a word or two."""
    arriving = [
        number
        for number in proof.sources
        if proof.reaches(number, norm.label) and proof.alive(WRITTEN, number, ("before", norm.key))
    ]
    if not arriving:
        return "free"
    ends = [_end_at(proof, number, norm) for number in arriving]
    if len(set(ends)) == 1:
        return "border only" if ends[0] == "edge" else ends[0]
    dead = len(ends) - ends.count("alive")
    return f"alive, {dead} of {len(ends)} not" if dead < len(ends) else "erased"


def _end_at(proof: Proof, number: int, norm: Norm) -> End:
    behind = ("behind", norm.key)
    if proof.alive(STRICT, number, behind):
        return "alive"
    if not proof.alive(WRITTEN, number, behind):
        return "erased"
    return "edge" if proof.alive(EXACT, number, behind) else "faint"


class Loss(NamedTuple):
    """Between which modules a source is lost: the last that it leaves alive, and the first behind that it does not.

    constant  the input is lost there as well
    """

    alive: str
    after: str
    constant: bool


def loss(proof: Proof, source: Source) -> Loss:
    """Where a source is lost, for what no normalisation of torch does."""
    (shares,) = proof.compare([frozenset({source.number})], WRITTEN, torch.float64, 0, modules=True)
    alive = after = ""
    for (kind, name), share in shares.items():
        if kind != "module" or not name:
            continue
        if not share.erased:
            alive, after = name, ""
        elif alive and not after:
            after = name
    return Loss(alive, after, proof.constant(("module", after) if after else OUTPUT))


def names_of(norms: list[Norm]) -> Mapping[Key, str]:
    """A name for each call of a normalisation: its module's, numbered where one module calls several."""
    return {norm.key: numbered(norm.name or "forward", norms, at) for at, norm in enumerate(norms)}
