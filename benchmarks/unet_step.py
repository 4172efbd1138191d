"""Step time of the compiled ddpm-cifar10 spec over that of diffusers' UNet2DModel, same weights.

    python -m benchmarks.unet_step --pairs 30 --batch 2 [--compile]

Forward and backward, one after the other in turn, the order alternating; prints the median of the
paired ratios with its quartiles, and the same for a second copy of diffusers' as a check of the method.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import tdspec
from tdspec.backend.published import load_published
from tests.peers import unets as peers

Subject = tuple[nn.Module, Callable[[Tensor, Tensor], Tensor]]


def step(subject: Subject, x: Tensor, t: Tensor, noise: Tensor) -> float:
    network, call = subject
    start = time.perf_counter()
    F.mse_loss(call(x, t), noise).backward()
    elapsed = time.perf_counter() - start
    network.zero_grad()
    return elapsed


def compare(one: Subject, other: Subject, pairs: int, batch: int) -> str:
    x, noise, t = torch.randn(batch, 3, 32, 32), torch.randn(batch, 3, 32, 32), torch.randint(1000, (batch,))
    for subject in (one, other) * 2:
        step(subject, x, t, noise)
    ratios, own = [], []
    for index in range(pairs):
        if index % 2:
            b, a = step(other, x, t, noise), step(one, x, t, noise)
        else:
            a, b = step(one, x, t, noise), step(other, x, t, noise)
        ratios.append(a / b)
        own.append(a)
    low, middle, high = statistics.quantiles(ratios, n=4)
    own_time = statistics.median(own) * 1e3
    return f"{middle:.3f} (quartiles {low:.3f} to {high:.3f}, {pairs} pairs, {own_time:.0f} ms a step)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="both through torch.compile")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, batch {arguments.batch}")
    torch.manual_seed(0)
    theirs, twin = peers.diffusers().network, peers.diffusers().network
    twin.load_state_dict(theirs.state_dict())
    # Without dropout, as that configuration has it.
    pipeline = "blocks.Res.pipeline=[GN–Act–Conv–Emb–GN–Act–Conv(init=zeros)]"
    ours = tdspec.compile("specs/diffusion/ddpm-cifar10.yaml", overrides=[pipeline])
    load_published(ours, theirs.state_dict())
    for network in (ours, theirs, twin):
        if arguments.compile:
            network.compile()
    subjects: list[Subject] = [(ours, ours), *((net, lambda x, t, net=net: net(x, t).sample) for net in (theirs, twin))]
    print(f"tdspec / diffusers    {compare(subjects[0], subjects[1], arguments.pairs, arguments.batch)}")
    print(f"diffusers / diffusers {compare(subjects[2], subjects[1], arguments.pairs, arguments.batch)}")


if __name__ == "__main__":
    main()
