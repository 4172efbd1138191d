"""Small modules that take time, as other people write them; what is to be found in each is in `test_audit.py`."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

C = 8  # channels


def conv(padding: int = 1) -> nn.Conv2d:
    return nn.Conv2d(C, C, 3, padding=padding)


class Embedding(nn.Module):
    """t[B] -> f[B,C,1,1], or one for the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 16), nn.SiLU(), nn.Linear(16, C))

    def forward(self, t: Tensor) -> Tensor:
        return self.net(t.reshape(-1, 1).float())[:, :, None, None]


class Block(nn.Module):
    """conv, embedding, norm, activation, conv: alive or dead by its norm. Called as (x, t)."""

    def __init__(self, norm: nn.Module | None = None) -> None:
        super().__init__()
        self.conv = conv()
        self.embed = Embedding()
        self.norm = norm or nn.GroupNorm(1, C)
        self.out = conv()

    def forward(self, x: Tensor, t: Tensor) -> Any:
        return self.out(torch.relu(self.norm(self.conv(x) + self.embed(t))))


class Field(nn.Module):
    """torchdiffeq's: ConcatConv and norm, called as (t, x)."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C + 1, C, 3, padding=1)
        self.norm = norm

    def forward(self, t: Tensor, x: Tensor) -> Tensor:
        return self.norm(self.conv(torch.cat([torch.ones_like(x[:, :1]) * t, x], 1)))


class Keywords(Block):
    """Names only, and an object with `.sample`, as diffusers has it."""

    def forward(self, *, sample: Tensor, timestep: Tensor) -> Any:  # type: ignore[override]
        return SimpleNamespace(sample=super().forward(sample, timestep))


class Table(nn.Module):
    """Integer steps look up a table."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(1000, C)
        self.conv = conv()

    def forward(self, x: Tensor, t: Tensor) -> tuple[Tensor, None]:
        return self.conv(x) + self.table(t)[:, :, None, None], None


class Labelled(Block):
    """Needs class labels, which are no time."""

    def forward(self, x: Tensor, y: Tensor, t: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        assert y.dtype == torch.int64
        return {"eps": super().forward(x, t) * F.one_hot(y, 10).float().sum(1)[:, None, None, None]}


class Scalar(Block):
    """(x, t), and t is to be one number."""

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        assert t.dim() == 0
        return super().forward(x, t)


class Parts(nn.Module):
    """A field of a state of two parts, given as a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Field(nn.GroupNorm(1, C))

    def forward(self, t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        x, v = state
        return v, self.net(t, x)


class GroupNorm32(nn.GroupNorm):
    """guided-diffusion's: computes in float32 whatever comes in."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.float()).type(input.dtype)


class Functional(nn.Module):
    """No module normalises; which function does is in `call`."""

    def __init__(self, call: str) -> None:
        super().__init__()
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return {
            "F.group_norm": lambda: F.group_norm(x, C),
            "torch.group_norm": lambda: torch.group_norm(x, C),
            "F.instance_norm": lambda: F.instance_norm(x),
            "torch.instance_norm": lambda: torch.instance_norm(x, None, None, None, None, True, 0.1, 1e-5, False),
            "torch.batch_norm": lambda: torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False),
            "F.layer_norm": lambda: F.layer_norm(x, x.shape[2:]),
        }[self.call]()


class ByHand(nn.Module):
    """Instance normalisation written out: no call of torch says that it is one."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True) + 1e-5).sqrt()


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over channels at each position."""

    def __init__(self) -> None:
        super().__init__(C)

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


class Positional(nn.Module):
    """An embedding and a positional one, both in the same forward, before a norm over channels."""

    def __init__(self, embed: bool = True) -> None:
        super().__init__()
        self.conv, self.norm = conv(), ChannelNorm()
        self.embed = Embedding() if embed else None
        self.map = nn.Parameter(torch.randn(1, 1, 8, 8))

    def forward(self, t: Tensor, x: Tensor) -> Tensor:
        h = self.conv(x)
        if self.embed is not None:
            h = h + self.embed(t)
        return self.norm(h + t * self.map)


class Diluted(nn.Module):
    """Time enters early, and each layer mixes what came before with ten times as much that is free of it."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Linear(1, C)
        self.layers = nn.ModuleList(nn.Conv2d(C, C, 1) for _ in range(8))
        self.norm = nn.GroupNorm(2, C)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = x + self.emb(t.reshape(-1, 1))[..., None, None]
        for layer in self.layers:
            h = 0.1 * h + layer(x)
        return self.norm(h)


class Residual(nn.Module):
    """The branch's norm erases what goes around it."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.norm, self.conv, self.embed = conv(), nn.InstanceNorm2d(C), conv(), Embedding()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = self.enter(x) + self.embed(t)
        return h + self.conv(self.norm(h))


class Gated(nn.Module):
    """A factor right before a norm, or behind it; a positive one, or one of either sign that hardly moves."""

    def __init__(self, before: bool, positive: bool = True) -> None:
        super().__init__()
        self.conv, self.norm, self.embed = conv(), nn.InstanceNorm2d(C), Embedding()
        self.level = nn.Parameter(torch.randn(C, 1, 1))
        self.before, self.positive = before, positive

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        gate = torch.sigmoid(self.embed(t)) if self.positive else self.level + 1e-4 * self.embed(t)
        return self.norm(self.conv(x) * gate) if self.before else self.norm(self.conv(x)) * gate


class Broadcast(nn.Module):
    """Adds t as it comes: t[B] would go along the last axis of a map that is as wide as the batch is large."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.conv(x) + t


class Modulated(nn.Module):
    """Adaptive norm: scale and shift are one source."""

    def __init__(self, zero: bool = False) -> None:
        super().__init__()
        self.conv, self.norm, self.map = conv(), nn.InstanceNorm2d(C), nn.Linear(1, 2 * C)
        if zero:
            nn.init.zeros_(self.map.weight)
            nn.init.zeros_(self.map.bias)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        scale, shift = self.map(t[:, None])[:, :, None, None].chunk(2, 1)
        return self.norm(self.conv(x)) * (1 + scale) + shift


class HalfSilent(nn.Module):
    """Two embeddings, one of which starts at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.one, self.two = conv(), Block(), Block()
        nn.init.zeros_(self.two.embed.net[2].weight)
        nn.init.zeros_(self.two.embed.net[2].bias)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.two(self.one(x, t), t)


class ZeroOut(Block):
    """The last convolution starts at zero."""

    def __init__(self) -> None:
        super().__init__()
        nn.init.zeros_(self.out.weight)


class Dropped(nn.Module):
    """Dropout between embedding and norm keeps t alive in training, and only there."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.embed, self.drop, self.norm = conv(), Embedding(), nn.Dropout(0.3), nn.InstanceNorm2d(C)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.norm(self.drop(self.conv(x) + self.embed(t)))


class Ignoring(nn.Module):
    """Takes t, and leaves it, or uses it for what leads nowhere."""

    def __init__(self, cut: bool = False) -> None:
        super().__init__()
        self.conv, self.embed, self.cut = conv(), Embedding(), cut

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        if self.cut:
            _ = x + self.embed(t)
        return self.conv(x)


class Number(nn.Module):
    """t leaves torch: what follows cannot be followed, and can be measured."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.conv, self.norm = conv(0), norm

    def forward(self, t: Tensor, x: Tensor) -> Tensor:
        return self.norm(self.conv(x) + float(t) * torch.arange(float(C), device=x.device)[:, None, None])


class OnTimeAlone(nn.Module):
    """A norm over the one feature of t makes a constant of it before it enters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.squash, self.embed = conv(), nn.LayerNorm(1), Embedding()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.conv(x) + self.embed(self.squash(t[:, None]))


class InPlace(nn.Module):
    """Time is written into memory: added in place, and copied into a channel of a larger tensor."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.conv, self.embed, self.norm = nn.Conv2d(C + 1, C, 3, padding=0), Embedding(), norm

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        whole = x.new_zeros(len(x), C + 1, *x.shape[2:])
        whole[:, :1] = t[:, None, None, None]
        whole[:, 1:] = x
        h = self.conv(whole)
        h += self.embed(t)
        return self.norm(h)


class OnTop(nn.Module):
    """What x gives is added into the memory of what t gives; a second embedding comes behind."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.first, self.norm, self.second = conv(), Embedding(), nn.InstanceNorm2d(C), Embedding()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        h = self.first(t).repeat(1, 1, *x.shape[2:])
        h.add_(self.conv(x))
        return self.norm(h) + self.second(t)


class Early(nn.Module):
    """BatchNorm before time enters has nothing to do with it."""

    def __init__(self) -> None:
        super().__init__()
        self.early, self.late, self.embed, self.conv = nn.BatchNorm2d(C), nn.BatchNorm2d(C), Embedding(), conv()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.late(self.conv(self.early(x)) + self.embed(t))


class Plain(Block):
    """A kernel that no one registered stays float32 when the model becomes float64."""

    def __init__(self) -> None:
        super().__init__(nn.GroupNorm(C, C))
        self.kernel = torch.randn(C, C, 1, 1)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return super().forward(F.conv2d(x, self.kernel), t)


class Solving(nn.Module):
    """A model with its own solver: what takes time is inside."""

    def __init__(self) -> None:
        super().__init__()
        self.field = Field(nn.GroupNorm(1, C))

    def forward(self, x: Tensor) -> Tensor:
        for step in range(4):
            x = x + 0.25 * self.field(torch.tensor(step / 4), x)
        return x


def block(norm: str = "GroupNorm", groups: int = 1) -> Block:
    """A factory for the command line."""
    return Block(nn.GroupNorm(groups, C) if norm == "GroupNorm" else getattr(nn, norm)(C))


def broken() -> nn.Module:
    raise RuntimeError("no weights here")


def number() -> int:
    return 3
