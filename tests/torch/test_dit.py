"""DiT as a spec: its silence at the start, and the ops that tokens need."""

from __future__ import annotations

import math
from pathlib import Path

import torch

import tdspec
from tdspec.backend.modules.positions import Positions

SPECS = Path(__file__).parents[2] / "specs/diffusion"


@torch.no_grad()
def test_at_the_start_a_layer_is_the_identity() -> None:
    """adaLN-Zero: gates of zero leave the residual alone (arXiv 2212.09748, section 3.2)."""
    network = tdspec.compile(SPECS / "dit-cifar10.yaml").eval()
    body = network.get_submodule("body")
    x, e = torch.randn(1, 384, 16, 16), torch.randn(1, 384)
    assert torch.equal(body.get_submodule("layer_7")(x, e), x)
    assert (network(torch.randn(1, 3, 32, 32), torch.tensor([0.4])) == 0).all()


def test_positions_are_sines_and_cosines_of_column_and_row() -> None:
    added = Positions(8, (3, 5))(torch.zeros(1, 8, 3, 5))[0]
    for row, column in ((0, 0), (2, 1), (1, 4)):
        waves = [wave(place * frequency) for place in (column, row) for wave in (math.sin, math.cos)
                 for frequency in (1, 0.01)]  # fmt: skip
        torch.testing.assert_close(added[:, row, column], torch.tensor(waves))
