"""The structural sections of a spec: model, blocks, ODE, U-Net, time, initialisation.

Declarations only; see `fields.py` for how they are read. A key that is a Python keyword has an
underscore behind it here (`from_`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

from tdspec.language.condition import Condition
from tdspec.language.data import Data
from tdspec.language.fields import option
from tdspec.language.pyramid import InputPyramid, OutputPyramid
from tdspec.language.solver import Solver
from tdspec.language.training import Task, Train
from tdspec.text.syntax import Expression, Pipeline

ALLOW = "Findings that are meant to be, as `code: reason`. It holds for this mapping and all within."
NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"


def allow() -> dict[str, str]:
    return option(factory=dict, doc=ALLOW)  # type: ignore[no-any-return]


@dataclass(frozen=True, kw_only=True)
class WiredStep:
    """One named step of a wired block: what it reads, and the pipeline it applies."""

    do: Pipeline = option(doc="The pipeline; its first step takes all inputs.")
    from_: Union[str, tuple[str, ...]] = option(
        "input", "Name of the step or input it reads, or a list of them; `input` is what enters the block."
    )
    allow: dict[str, str] = allow()


@dataclass(frozen=True, kw_only=True)
class Field:
    """An ODE's field as wired steps: inputs are the parts of the state."""

    steps: dict[str, WiredStep] = option(doc="Named steps, in any order.")
    output: Union[str, dict[str, str]] = option(
        doc="The step that gives the derivative, or one for each part of the state."
    )
    allow: dict[str, str] = allow()


@dataclass(frozen=True, kw_only=True)
class Ode:
    """A neural ODE: state' = field(t, state), solved from t[0] to t[1]."""

    field: Union[Pipeline, Field] = option(
        doc="The right-hand side: one pipeline, or wired steps with an output for each part.",
        examples=("[GN–Act–ConcatConv–GN–Act–ConcatConv–GN]",),
    )
    t: tuple[float, ...] = option((0.0, 1.0), "Start and end of the integration.")
    solver: Solver = option(factory=Solver, doc="How it is solved.")
    state: dict[str, int] = option(
        factory=dict, doc="Parts of the state and their channels; without it, one part called `h`."
    )
    init: Union[Pipeline, dict[str, Pipeline], None] = option(
        None, "Pipeline that makes the state from what comes in, or one for each part."
    )
    read: Union[str, None] = option(None, "The part of the state that leaves; needed where there are several.")
    time: Union[Literal["none"], None] = option(None, "`none` if the field is meant to be free of t.")
    allow: dict[str, str] = allow()


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Where a U-Net attends."""

    block: str = option(doc="The block to use.", pattern=NAME)
    at: tuple[int, ...] = option(doc="Map sizes, in positions along one side, at which it follows the blocks.")
    after: Literal["every", "last"] = option(
        "every", "Behind every block of such a level, or the `last` of the level only."
    )
    up: Literal["every", "last"] | None = option(None, "The same for the way up, where it differs; score_sde's DDPM.")


@dataclass(frozen=True, kw_only=True)
class UNet:
    """A U-Net: levels of blocks going down, a middle, and levels going up that read the skips.

    The skips are the stem's output, every block's on the way down, and every downsampling's; the
    way up has one block more in each level, and each pops one skip.
    Source: arXiv 2006.11239, appendix B.
    """

    block: str = option(doc="The residual block of every level.", pattern=NAME)
    width: int = option(doc="Channels of the first level.", minimum=1)
    multipliers: tuple[int, ...] = option(doc="Each level's channels over `width`.")
    blocks_per_level: int = option(2, "Blocks in each level on the way down.", minimum=1)
    stem: Union[Pipeline, None] = option(
        None, "Pipeline in front of the first level; by default a convolution to `width`."
    )
    attention: Union[Attention, None] = option(None, "Where attention blocks stand.")
    middle: Union[Pipeline, None] = option(None, "Pipeline between the ways down and up.")
    down: Pipeline = option(doc="Pipeline between levels on the way down.")
    up: Pipeline = option(doc="Pipeline between levels on the way up.")
    input_pyramid: Union[InputPyramid, None] = option(
        None, "What enters the U-Net joined to every level on the way down, at the size of its map."
    )
    output_pyramid: Union[OutputPyramid, None] = option(
        None, "What leaves the U-Net as a sum over the levels going up."
    )
    allow: dict[str, str] = allow()


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block: a pipeline with an optional shortcut, wired steps, an ODE or a U-Net.

    Used in pipelines by its name: `Res(128, stride=2)`. The first argument is `out`, the channels
    that leave; its `params` go by name.
    """

    pipeline: Union[Pipeline, None] = option(None, "The block as one pipeline.")
    pre: Union[Pipeline, None] = option(None, "Steps in front of both pipeline and shortcut.")
    shortcut: Union[Pipeline, None] = option(
        None, "Pipeline whose output is added; used where shapes differ, the identity where they agree."
    )
    residual: bool = option(False, "Whether the block's input is added to its output.")
    scale: Union[Expression, None] = option(None, "Factor on the sum of pipeline and shortcut.")
    steps: dict[str, WiredStep] = option(factory=dict, doc="The block as wired steps, in any order.")
    inputs: tuple[str, ...] = option(("input",), "Names of the inputs of a wired block.")
    output: Union[str, None] = option(None, "The step whose result leaves a wired block.")
    ode: Union[Ode, None] = option(None, "The block as a neural ODE.")
    unet: Union[UNet, None] = option(None, "The block as a U-Net.")
    params: dict[str, Union[float, None]] = option(
        factory=dict,
        doc="Parameters with their defaults (null: must be given), numbers to use in expressions.",
    )
    share: bool = option(
        False,
        "Whether all uses of the block in the network have the same weights. Channels and arguments have to agree.",
    )
    allow: dict[str, str] = allow()


@dataclass(frozen=True, kw_only=True)
class Model:
    """The network: stem, then an ODE or a U-Net, then a head; or one pipeline; or wired steps."""

    input: tuple[int, ...] = option(doc="Shape of one sample: channels, then positions; `[3, 32, 32]`.")
    stem: Union[Pipeline, None] = option(
        None, "Pipeline in front of the ODE or the U-Net.", examples=("[Conv(64)–GN–Act]",)
    )
    ode: Union[Ode, None] = option(None, "The neural ODE.")
    unet: Union[UNet, None] = option(None, "The U-Net.")
    head: Union[Pipeline, None] = option(None, "Pipeline behind the ODE or the U-Net.", examples=("[GN–Act–GAP–FC]",))
    pipeline: Union[Pipeline, None] = option(None, "The whole network as one pipeline.")
    steps: dict[str, WiredStep] = option(factory=dict, doc="The whole network as wired steps, in any order.")
    output: Union[str, None] = option(None, "The step whose result leaves, of a network of wired steps.")
    allow: dict[str, str] = allow()


@dataclass(frozen=True, kw_only=True)
class Time:
    """How t is made into an embedding, shared by all steps that take one."""

    embed: Union[Pipeline, None] = option(
        None, "Pipeline from t to the embedding.", examples=("[Sinusoid(128)–FC(512)–Act–FC(512)]",)
    )
    argument: Union[Expression, None] = option(
        None,
        "What the embedding is fed with, affine in t; with `ve` or `edm` noise it may be of `log(sigma)`.",
        examples=("1000*t", "1 - t", "log(sigma)/4"),
    )
    allow: dict[str, str] = allow()


@dataclass(frozen=True, kw_only=True)
class RoleInit:
    """How weights of one role start; without a rule, as PyTorch starts them."""

    weight: Union[Expression, None] = option(
        None, "Rule for weights.", examples=("zeros", "normal(0.02)", "fan_avg_uniform")
    )
    bias: Union[Expression, None] = option(None, "Rule for biases.", examples=("zeros", "normal(0.02)"))


@dataclass(frozen=True, kw_only=True)
class Init:
    """Initialisation by the part a weight plays, which the graph tells, not by the op's name."""

    operand: RoleInit = option(factory=RoleInit, doc="What the embedding is added to: W~ of the paper.")
    time: RoleInit = option(factory=RoleInit, doc="The embedding: its MLP, its projections, ConcatConv's slice for t.")
    norm: RoleInit = option(factory=RoleInit, doc="Norms' weights and biases.")
    head: RoleInit = option(factory=RoleInit, doc="Weights of the head.")


@dataclass(frozen=True, kw_only=True)
class Document:
    """A spec: one network that depends on time, the data it learns from and how it is trained."""

    tdspec: int = option(doc="Version of the language; 1.")
    model: Model = option(doc="The network.")
    name: str = option("unnamed", "Name of the spec; run folders carry it.", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    about: str = option("", "What it is, in a sentence.")
    extends: Union[str, None] = option(
        None, "Path of a spec that this one changes: mappings merge, all else replaces, null deletes."
    )
    init: Init = option(factory=Init, doc="How weights start, by their role.")
    time: Union[Literal["none"], Time] = option(
        factory=Time, doc="How t becomes an embedding; `none` if the network is meant to be free of t."
    )
    condition: Condition = option(factory=Condition, doc="What the network is told besides t.")
    blocks: dict[str, Block] = option(factory=dict, doc="Blocks to use in pipelines, by name.")
    task: Union[Task, None] = option(None, "What is learned.")
    data: Union[Data, None] = option(None, "What it is learned from.")
    train: Train = option(factory=Train, doc="How it is trained.")
    allow: dict[str, str] = allow()
