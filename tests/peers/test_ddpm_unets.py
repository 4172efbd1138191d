"""The shipped specs are the same functions of the same weights as the published code, in both directions."""

from __future__ import annotations

import pytest
import torch

import tdspec
from tdspec.backend.network import Network
from tdspec.backend.published import load_published, published_state
from tests.peers import ddpm_unets as peers

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]  # of what others deprecate, their copies say much

SPECS = {"diffusers": "ddpm-cifar10", "ddim": "ddpm-cifar10", "score_sde": "ddpm-cifar10-scoresde"}
TIMES = torch.tensor([3.0, 977.0])


@pytest.fixture(params=SPECS)
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def compiled(layout: str) -> Network:
    return tdspec.compile(f"specs/diffusion/{SPECS[layout]}.yaml").eval()


def difference(peer: peers.Peer, ours: Network, t: torch.Tensor, x: torch.Tensor) -> float:
    with torch.no_grad():
        expected, found = peer.call(x, t), ours(x, t)
    assert expected.abs().max() > 0.3, "weights that give nothing compare nothing"
    return float((expected - found).abs().max())


def test_their_weights_give_their_output(layout: str) -> None:
    peer, ours = peers.PEERS[layout](), compiled(layout)
    peers.redraw(peer.network.eval())
    load_published(ours, peer.network.state_dict(), layout)
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    found = difference(peer, ours, TIMES, x)
    print(f"{layout}: float32 {found:.2e}")
    assert found < 1e-5


def test_our_weights_give_our_output(layout: str) -> None:
    peer, ours = peers.PEERS[layout](), compiled(layout)
    peer.network.eval()
    peers.redraw(ours)
    missing, left = peer.network.load_state_dict(published_state(ours, layout), strict=False)
    assert set(missing) <= {"sigmas"} and not left
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    assert difference(peer, ours, TIMES, x) < 1e-5


def test_output_and_gradients_in_float64(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        peer, ours = peers.PEERS[layout](), compiled(layout)
    finally:
        torch.set_default_dtype(torch.float32)
    monkeypatch.setattr(*peer.patched, peers.sinusoid)
    peers.redraw(peer.network.eval().double())
    load_published(ours, peer.network.state_dict(), layout)
    x = torch.randn(1, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    expected, found = peer.call(x, TIMES[1:]), ours(x, TIMES[1:])
    assert found.dtype == torch.float64
    print(f"{layout}: float64 {float((expected - found).abs().max()):.2e}")
    assert (expected - found).abs().max() < 1e-10
    expected.square().sum().backward()
    found.square().sum().backward()
    # A gradient has the layout of its weight, so it travels by the same map.
    gradients = {name: parameter.grad for name, parameter in peer.network.named_parameters()}
    twin = compiled(layout).double()
    load_published(twin, gradients, layout)
    for (name, mine), theirs in zip(ours.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.data, rtol=1e-8, atol=1e-9, msg=name)
