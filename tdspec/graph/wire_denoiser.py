"""What the task `diffuse` asks of a network: that it takes t, and gives back the shape of its input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdspec.language.diffusion import Diffuse
from tdspec.ops.shape import Shape

if TYPE_CHECKING:
    from tdspec.graph.wirer import Wirer


def check_denoiser(wirer: Wirer, shape: Shape, last: str) -> None:
    """Report a network that `diffuse` cannot train.

    shape  what leaves the network
    last   dotted path of the part that it leaves from
    """
    spec = wirer.spec
    assert isinstance(spec.task, Diffuse)
    wanted = Shape(spec.input[0] * spec.task.channels, spec.input[1:])
    if not wirer.timed:
        wirer.say(
            "TD207", "to take noise away, a network has to take t, and this one is called with images alone",
            spec.span("model"), "model", help="use a `unet`, or give `time` an `embed` and the model an `Emb`",
        )  # fmt: skip
    elif shape != wanted:
        if shape.spatial == wanted.spatial:
            help_ = f"end it with `head: [GN–Act–Conv({wanted.channels}, init=zeros)]`"
        else:
            help_ = "every `down` needs its `up`; a network for images ends without `GAP` and `FC`"
        if spec.task.channels == 1:
            message = f"the network ends in {shape}, but its input, and so the noise that it predicts, is {wanted}"
        else:
            message = f"the network ends in {shape}, but with `variance: learned` it should end in {wanted}"
        wirer.say("TD207", message, spec.span(last), "model", help=help_)
