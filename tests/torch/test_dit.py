"""DiT as a spec: its count, its silence at the start, and the ops that tokens need."""

from __future__ import annotations

import math
from pathlib import Path

import torch

import tdspec
from tdspec.backend.modules.positions import Positions
from tdspec.check import check_path

SPECS = Path(__file__).parents[2] / "specs/diffusion"


def test_it_has_as_many_parameters_as_published() -> None:
    network = tdspec.compile(SPECS / "dit-s-2.yaml")
    assert sum(parameter.numel() for parameter in network.parameters()) == 32_865_056


def test_nothing_can_take_time_out_but_it_is_silent_at_first() -> None:
    codes = {item.code for item in check_path(SPECS / "dit-s-2.yaml").report.findings}
    assert "TD111" in codes and not codes & {"TD101", "TD102", "TD103", "TD106"}


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
