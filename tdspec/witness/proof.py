"""Where each source of time is alive, one source at a time with all others frozen.

First with one draw of random weights, in float32 where the model is large: what is clearly there is alive. What is not
is run in float64 with three draws, all sources in doubt together, and one by one where that does not settle it: what is
below rounding in every draw is erased.
"""

from __future__ import annotations

from collections.abc import Collection

import torch

from tdspec.witness.comparison import ALL, Comparison, Group
from tdspec.witness.labels import FIRST_SOURCE, T, X
from tdspec.witness.recording import Norm, Place, Recording
from tdspec.witness.share import Share
from tdspec.witness.subject import Subject
from tdspec.witness.views import STRICT, View

# A share above the first is neither rounding nor a trace that eps leaves; below the second nothing is seen.
SEEN = {torch.float32: (1e-6, 1e-10), torch.float64: (0.0, 0.0)}
EXACT_SHARE = 1e-14  # a share in float64 behind norms without eps that is rounding, or a trace of `SMALL_EPS`
AS_WEAK = 0.01  # of the share with a large eps: far more than a small eps leaves of a trace
SMALL = 4_000_000  # parameters up to which a run in float64 costs nothing
DRAWS, TINY_DRAWS = 3, 6  # of random weights for a claim that something is erased


class Proof(Comparison):
    """Where the sources of a model are dead, in one mode, proven under whichever view is asked for."""

    def __init__(self, subject: Subject, recording: Recording, *, training: bool = True) -> None:
        super().__init__(subject, recording, training=training)
        self.draws = TINY_DRAWS if self.tiny else DRAWS
        self.screen = torch.float64 if self.parameters < SMALL else torch.float32
        self._shares: dict[int, dict[Place, float]] = {}
        self._dead: dict[View, dict[int, set[Place]]] = {}

    def alive(self, view: View, source: int, place: Place) -> bool:
        """Whether a source is found at a place that it reaches. It is alive until proven not to be."""
        self._prepare()
        if place not in self._dead[STRICT].get(source, ()):
            return True  # what lives without edges and eps lives with them
        if view not in self._dead:
            self._settle(view, {k: places for k, places in self._dead[STRICT].items() if places})
        return place not in self._dead[view][source]

    def lost(self, view: View, source: int) -> tuple[Norm, ...]:
        """Normalisations at which a source arrives and leaves nothing, in the order of their calls.

        Of those of t alone only where what enters no longer moves.
        """
        still = not any(self.alive(view, source, place) for place in self.operands(source))
        return tuple(
            norm
            for norm in self.norms
            if (self.reaches(source, norm.label) or (still and norm.label & (X | T) == T))
            and self.alive(view, source, ("before", norm.key))
            and not self.alive(view, source, ("behind", norm.key))
        )

    def killers(self, view: View, source: int) -> tuple[Norm, ...]:
        """The lost ones, without those that make a constant of whatever comes in."""
        return tuple(norm for norm in self.lost(view, source) if not self.makes_constant(norm))

    def offset(self, source: int, norm: Norm) -> bool:
        """Whether what a source brings to a normalisation is one number per channel, edges aside."""
        self._prepare()
        return (source, norm.key) in self.offsets

    def _prepare(self) -> None:
        """Without edges and eps: which sources are clearly everywhere, and where the others are dead."""
        if STRICT in self._dead:
            return
        clear, _ = SEEN[self.screen]
        measured = self._seen([_group(item) for item in self.sources], STRICT, self.screen, 0)
        self._shares = dict(zip(self.sources, measured, strict=True))
        doubts = {k: {p for p in self.places(k) if self._shares[k].get(p, 0.0) <= clear} for k in self.sources}
        self._settle(STRICT, {source: places for source, places in doubts.items() if places})

    def _seen(self, groups: Collection[Group], view: View, dtype: torch.dtype, draw: int) -> list[dict[Place, float]]:
        """For each group of sources the time share at every place; in float64 zero where it is gone.

        A norm without eps amplifies rounding. What is erased is erased for every eps, so what is gone with a large
        one is gone; only a common factor takes a small one to go.
        """
        measured = self.compare(groups, view, dtype, draw)
        if dtype is torch.float32:
            return [{place: share.share for place, share in shares.items()} for shares in measured]
        large = measured if view.eps else self.compare(groups, view._replace(eps=True), dtype, draw)
        return [
            {place: 0.0 if gone(share, with_eps[place]) else share.share for place, share in shares.items()}
            for shares, with_eps in zip(measured, large, strict=True)
        ]

    def _settle(self, view: View, doubts: dict[int, set[Place]]) -> None:
        """Find out at which of the places in doubt sources are dead under a view."""
        dead = self._dead[view] = {source: set() for source in doubts}
        if not doubts:
            return
        # Those of which nothing is seen are proven dead together, in a few runs; one weak source among them
        # would hide that, so weak ones run alone.
        clear, nothing = SEEN[self.screen]
        unseen = [k for k, places in doubts.items() if any(self._shares[k].get(p, 0.0) <= nothing for p in places)]
        weak = [k for k in doubts if k not in unseen]
        groups = ([ALL if -1 in unseen else frozenset(unseen)] if unseen else []) + [_group(k) for k in weak]
        proven = self.erased(view, groups)
        if unseen:
            stops = dict.fromkeys(
                (key for side, key in proven[0] if side == "behind"), sum(FIRST_SOURCE << k for k in unseen if k != -1)
            )
            reached = self.labels(stops)
            for k in unseen:
                dead[k] = {p for p in doubts[k] if p in proven[0] or (p in reached and not self.reaches(k, reached[p]))}
        for k, found in zip(weak, proven[len(groups) - len(weak) :], strict=True):
            dead[k] = doubts[k] & found
        rest = {k: doubts[k] - dead[k] for k in unseen if doubts[k] - dead[k] and len(unseen) > 1}
        if rest:
            # Most of them are plainly alive under this view.
            seen = self._seen([_group(k) for k in rest], view, self.screen, 0)
            for (k, places), shares in zip(list(rest.items()), seen, strict=True):
                rest[k] = {place for place in places if shares.get(place, 0.0) <= clear}
            rest = {k: places for k, places in rest.items() if places}
            alone = self.erased(view, [_group(k) for k in rest], list(rest.values()))
            for k, found in zip(rest, alone, strict=True):
                dead[k] |= rest[k] & found

    def erased(self, view: View, groups: list[Group], among: list[set[Place]] | None = None) -> list[set[Place]]:
        """For each group of sources the places at which nothing of it is left, in every draw of the weights.

        among  for each group the places that matter
        """
        found: dict[int, set[Place]] = {}
        open_groups = dict(enumerate(groups))
        for draw in range(self.draws):
            seen = self._seen(open_groups.values(), view, torch.float64, draw)
            for index, shares in zip(list(open_groups), seen, strict=True):
                here = {place for place, share in shares.items() if share == 0}
                here &= found[index] if draw else among[index] if among is not None else here
                found[index] = here
                if not here:
                    del open_groups[index]
            if not open_groups:
                break
        return [found[index] for index in range(len(groups))]


def gone(share: Share, with_eps: Share) -> bool:
    """Whether in float64 a source is gone, or only there by the trace that `SMALL_EPS` leaves.

    share     under the view in question
    with_eps  the same with a large eps, which lets a common factor through; a signal that is weak for being far away
              and diluted is as weak there
    """
    if share.erased or with_eps.erased:
        return True
    return share.share < EXACT_SHARE and share.share < AS_WEAK * with_eps.share


def _group(source: int) -> Group:
    return frozenset({source})
