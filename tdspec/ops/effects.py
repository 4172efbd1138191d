"""What an op does to a tensor, as far as time is concerned.

An op says in these words what it is; the time analysis (`tdspec.facts.time`) has one transfer
function per word, and a rule asks for a word, never for an op's name. A tensor is seen as
channels over axes B (samples) and S (positions).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Union

from tdspec.ops.shape import Shape


class Linear(NamedTuple):
    """Every output channel is a linear mix of input channels: convolution, FC.

    window   the kernel sees more than one position
    padding  `zeros` breaks a constant at the border; `keeping` (circular, reflect,
             replicate, or none) does not
    bias     a bias is added
    terms    number of inputs that an output sums up, inside the map
    seen     for every position of the kernel, the fraction of output positions at which it sees the map, not zeros
    even     every position counts as often as any other: the mean over the map goes the same way as each of them
    """

    window: bool
    padding: Literal["zeros", "keeping"] = "keeping"
    bias: bool = True
    terms: int = 1
    seen: tuple[float, ...] = (1.0,)
    even: bool = True


class Channelwise(NamedTuple):
    """Each channel gets its own static affine map; at the start a multiplication by `factor`."""

    factor: float = 1.0


class Offset(NamedTuple):
    """A source of time adds to the tensor.

    per_channel  one value per channel; else one value shared by all channels
    positional   a value of its own at every position
    edge         differs at the border, by zero padding alone
    act          what is applied to the embedding before it is projected
    seen         of a sum over a kernel's positions: as in `Linear`
    """

    per_channel: bool
    positional: bool = False
    edge: bool = False
    act: Callable[[float], float] | None = None
    seen: tuple[float, ...] = (1.0,)


class Modulate(NamedTuple):
    """A source of time multiplies each channel (and adds to it, with `shift`).

    positive  the factor cannot change its sign
    """

    shift: bool
    positive: bool = False


class Normalise(NamedTuple):
    """Mean and standard deviation are taken out over units.

    groups  number of channel groups; each unit lies in one group
    batch   a unit spans the samples (in training; in evaluation the map is then fixed)
    space   a unit spans the positions
    centre  the mean is removed; RMS norms only divide
    affine  a weight and a bias for each channel follow
    """

    groups: int
    batch: bool
    space: bool
    centre: bool = True
    affine: bool = True

    def single(self, shape: Shape) -> bool:
        """Whether its units, none of which spans samples, hold one value each: what leaves is the bias."""
        return self.centre and self.groups == shape.channels and not (self.space and shape.positions > 1)


class Pointwise(NamedTuple):
    """A fixed nonlinear function of each element; `homogeneous` if f(a x) = a f(x) for a > 0."""

    function: Callable[[float], float]
    homogeneous: bool = False


class Pool(NamedTuple):
    """Mean or maximum over windows; `whole` over all positions; `padded` counts zeros in; `even` each position once."""

    kind: Literal["mean", "max"]
    whole: bool = False
    padded: bool = False
    even: bool = False


class Resize(NamedTuple):
    """Interpolation between positions; `copies` if each output is a copy of one input; `padded` counts zeros in."""

    copies: bool
    padded: bool = False


class Mask(NamedTuple):
    """Random zeros in training, per element or per channel of each sample."""

    per_channel: bool = False


class Flattened(NamedTuple):
    """Positions become channels."""


class Gathered(NamedTuple):
    """Each patch of `size` positions becomes one position, with as many channels for each channel, one by one."""

    size: int


class Scattered(NamedTuple):
    """The reverse of `Gathered`: `size` channels at a time become the positions of a patch."""

    size: int


class Constant(NamedTuple):
    """One value, whatever comes in."""


class Fixed(NamedTuple):
    """Values that nothing changes are added, of the mean square `power`."""

    power: float


class Simplex(NamedTuple):
    """Softmax over the channels."""


class Sum(NamedTuple):
    """All inputs are added."""


class Product(NamedTuple):
    """All inputs are multiplied."""


class Joined(NamedTuple):
    """Channels of all inputs, one after the other."""


class Cut(NamedTuple):
    """Channels `start` to `stop` of the input."""

    start: int
    stop: int


class Padded(NamedTuple):
    """`channels` constant channels are appended."""

    channels: int


class Waves(NamedTuple):
    """Sines of t at many frequencies, and as many cosines."""


class Mixed(NamedTuple):
    """A function of everything that comes in, about which nothing more is said."""


Effect = Union[
    Linear, Channelwise, Offset, Modulate, Normalise, Pointwise, Pool, Resize, Mask, Flattened,
    Gathered, Scattered, Constant, Fixed, Simplex, Sum, Product, Joined, Cut, Padded, Waves, Mixed,
]  # fmt: skip
