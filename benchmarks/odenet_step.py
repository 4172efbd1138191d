"""Step time of the compiled odenet spec over that of torchdiffeq's own example, same weights.

    TDSPEC_PEERS=<folder with odenet_mnist.py> python -m benchmarks.odenet_step --pairs 30

Forward and backward, one after the other in turn, the order alternating; prints the median of the
paired ratios with its quartiles, and the same for a second copy of the example as a check of the method.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

import tdspec
from tests.peers import odenet_example as peer


def step(network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    start = time.perf_counter()
    F.cross_entropy(network(x), y).backward()
    elapsed = time.perf_counter() - start
    network.zero_grad()
    return elapsed


def compare(one: nn.Module, other: nn.Module, pairs: int, batch: int) -> str:
    x, y = torch.randn(batch, 1, 28, 28), torch.randint(10, (batch,))
    for network in (one, other):
        step(network, x, y)
    ratios = []
    for index in range(pairs):
        if index % 2:
            b, a = step(other, x, y), step(one, x, y)
        else:
            a, b = step(one, x, y), step(other, x, y)
        ratios.append(a / b)
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.3f} (quartiles {low:.3f} to {high:.3f}, {pairs} pairs)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, batch {arguments.batch}")
    for adjoint in (False, True):
        torch.manual_seed(0)
        example = peer.load(adjoint)
        theirs, twin = peer.network(example), peer.network(example)
        gradient = "adjoint" if adjoint else "direct"
        ours = tdspec.compile("specs/node/odenet-mnist.yaml", overrides=[f"model.ode.solver.gradient={gradient}"])
        ours.load_state_dict(peer.renamed(theirs.state_dict()))
        twin.load_state_dict(theirs.state_dict())
        print(f"{gradient}: tdspec / example {compare(ours, theirs, arguments.pairs, arguments.batch)}")
        print(f"{gradient}: example / example {compare(twin, theirs, arguments.pairs, arguments.batch)}")


if __name__ == "__main__":
    main()
