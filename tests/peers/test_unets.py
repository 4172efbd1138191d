"""The shipped specs are the same functions of the same weights as the published code, in both directions."""

from __future__ import annotations

import pytest
import torch

import tdspec
from tdspec.backend.network import Network
from tdspec.backend.published import load_published, published_state
from tests.peers import unets as peers

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]  # of what others deprecate, their copies say much

# The shipped spec of every peer, and the layout of the peer's weights.
SPECS = {
    "diffusers": ("ddpm-cifar10", "diffusers"),
    "ddim": ("ddpm-cifar10", "ddim"),
    "score_sde": ("ddpm-cifar10-scoresde", "score_sde"),
    "improved_ddpm": ("improved-ddpm-cifar10", "diffusers"),
    "ddpmpp": ("ddpmpp-cifar10", "ncsnpp"),
    "ncsnpp_ve": ("ncsnpp-cifar10-ve", "ncsnpp"),
}


@pytest.fixture(params=SPECS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def compiled(name: str) -> Network:
    return tdspec.compile(f"specs/diffusion/{SPECS[name][0]}.yaml").eval()


def difference(peer: peers.Peer, ours: Network, x: torch.Tensor) -> float:
    # In float64, so that both feed their features with the same numbers.
    t = torch.tensor(peer.times, dtype=torch.float64)[: len(x)]
    with torch.no_grad():
        expected, found = peer.call(x, t), ours(x, t)
    assert expected.abs().max() > 0.3, "weights that give nothing compare nothing"
    return float((expected - found).abs().max())


def test_their_weights_give_their_output(name: str) -> None:
    peer, ours = peers.PEERS[name](), compiled(name)
    peers.redraw(peer.network.eval())
    load_published(ours, peer.network.state_dict(), SPECS[name][1])
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    found = difference(peer, ours, x)
    print(f"{name}: float32 {found:.2e}")
    assert found < 1e-5


def test_our_weights_give_our_output(name: str) -> None:
    peer, ours = peers.PEERS[name](), compiled(name)
    peer.network.eval()
    peers.redraw(ours)
    missing, left = peer.network.load_state_dict(published_state(ours, SPECS[name][1]), strict=False)
    assert set(missing) <= {"sigmas"} and not left
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    assert difference(peer, ours, x) < 1e-5


def test_output_and_gradients_in_float64(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        peer, ours = peers.PEERS[name](), compiled(name)
    finally:
        torch.set_default_dtype(torch.float32)
    monkeypatch.setattr(*peer.patched, peers.sinusoid)
    peers.redraw(peer.network.eval().double())
    load_published(ours, peer.network.state_dict(), SPECS[name][1])
    x = torch.randn(1, 3, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    t = torch.tensor(peer.times[1:], dtype=torch.float64)
    expected, found = peer.call(x, t), ours(x, t)
    assert found.dtype == torch.float64
    print(f"{name}: float64 {float((expected - found).abs().max()):.2e}")
    assert (expected - found).abs().max() < 1e-10
    expected.square().sum().backward()
    found.square().sum().backward()
    # A gradient has the layout of its weight, so it travels by the same map.
    gradients = {
        key: value.grad if value.requires_grad else value.data for key, value in peer.network.named_parameters()
    }
    twin = compiled(name).double()
    load_published(twin, gradients, SPECS[name][1])
    for (key, mine), theirs in zip(ours.named_parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.data, rtol=1e-8, atol=1e-9, msg=key)
