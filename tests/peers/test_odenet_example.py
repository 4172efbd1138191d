"""The compiled spec and torchdiffeq's own example are the same function of the same weights."""

from __future__ import annotations

import pytest
import torch

import tdspec
from tests.peers import odenet_example as peer

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(
        not peer.path().exists(), reason="set TDSPEC_PEERS to a folder with torchdiffeq's odenet_mnist.py"
    ),
]


def test_same_output_gradient_and_evaluations() -> None:
    torch.manual_seed(0)
    theirs = peer.network(peer.load())
    ours = tdspec.compile("specs/node/odenet-mnist.yaml")
    ours.load_state_dict(peer.renamed(theirs.state_dict()))
    x = torch.randn(4, 1, 28, 28)
    expected, found = theirs(x), ours(x)
    assert (expected - found).abs().max() < 1e-6
    assert ours.ode.counts["forward_evaluations"] == theirs[3].nfe
    expected.square().sum().backward()
    found.square().sum().backward()
    gradients = peer.renamed({name: parameter.grad for name, parameter in theirs.named_parameters()})
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name], rtol=1e-3, atol=1e-4)
