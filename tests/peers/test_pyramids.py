"""Pyramids and low-pass filters are score_sde's, in every way that its NCSN++ combines them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

import tdspec
from tdspec.backend.modules.low_pass import LowPass, LowPassUp
from tdspec.backend.published import load_published, published_state
from tests.peers import unets as peers

pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]

SPEC = """
tdspec: 1
defaults: {{Act: SiLU, GN: {{groups: "min(C/4, 32)", eps: 1e-6}}}}
time: {{argument: 999*t, embed: [Sinusoid(8)–FC(32)–Act–FC(32)]}}
blocks:
  Res: {{pipeline: [GN–Act–Conv–Emb–GN–Act–Conv], shortcut: [Conv1x1], scale: 1/sqrt(2)}}
  ResDown: {{pipeline: [GN–Act–Down{fir}–Conv–Emb–GN–Act–Conv], shortcut: [Down{fir}–Conv1x1], scale: 1/sqrt(2)}}
  ResUp: {{pipeline: [GN–Act–Up{fir}–Conv–Emb–GN–Act–Conv], shortcut: [Up{fir}–Conv1x1], scale: 1/sqrt(2)}}
  Attn: {{pipeline: [GN–SelfAttn], residual: true, scale: 1/sqrt(2)}}
model:
  input: [3, 16, 16]
  unet:
    width: 8
    multipliers: [1, 2, 2]
    blocks_per_level: 1
    block: Res
    attention: {{block: Attn, at: [8], up: last}}
    middle: [Res–Attn–Res]
    down: [ResDown]
    up: [ResUp]
    {pyramid}
  {head}
"""
HEAD = "head: [GN–Act–Conv(3)]"
WAYS = {
    "input residual, filtered": (
        {"progressive_input": "residual", "fir": True},
        "input_pyramid: {kind: residual, down: '[Blur–Conv(stride=2, padding=0)]', scale: 1/sqrt(2)}",
        HEAD,
    ),
    "input residual": (
        {"progressive_input": "residual"},
        "input_pyramid: {kind: residual, down: '[Conv(stride=2, padding=same_upper)]', scale: 1/sqrt(2)}",
        HEAD,
    ),
    "input skip, sum": (
        {"progressive_input": "input_skip", "fir": True},
        "input_pyramid: {kind: skip, down: [Down(fir)], project: [Conv1x1]}",
        HEAD,
    ),
    "input skip, concat": (
        {"progressive_input": "input_skip", "progressive_combine": "cat"},
        "input_pyramid: {kind: skip, down: [Down], project: [Conv1x1], join: concat}",
        HEAD,
    ),
    "output skip": (
        {"progressive": "output_skip", "fir": True},
        "output_pyramid: {kind: skip, project: [GN–Act–Conv(3)], up: [Up(fir)]}",
        "",
    ),
    "output residual": (
        {"progressive": "residual"},
        "output_pyramid: {kind: residual, start: [GN–Act–Conv], up: [Up–Conv], scale: 1/sqrt(2)}",
        HEAD,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_pyramid(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, pyramid, head = WAYS[way]
    theirs, module = peers.ncsnpp(
        size=16, nf=8, ch_mult=(1, 2, 2), num_res_blocks=1, attn_resolutions=(8,), **{"fir": False, **model}
    )
    monkeypatch.setattr(module.layers, "get_timestep_embedding", peers.sinusoid)
    # Their Upsample hands the mode over as the third argument, which is torch's `scale_factor`.
    functional = SimpleNamespace(**vars(F))
    functional.interpolate = lambda x, size, mode: F.interpolate(x, size, mode=mode)
    monkeypatch.setattr(module.layerspp, "F", functional)
    peers.redraw(theirs.double().eval())
    torch.set_default_dtype(torch.float64)
    try:
        ours = tdspec.compile(SPEC.format(fir="(fir)" if model.get("fir") else "", pyramid=pyramid, head=head)).eval()
    finally:
        torch.set_default_dtype(torch.float32)
    load_published(ours, theirs.state_dict(), "ncsnpp")
    state = published_state(ours, "ncsnpp")
    assert all(torch.equal(state[key], value) for key, value in theirs.state_dict().items() if key != "sigmas")
    x, t = torch.randn(2, 3, 16, 16, dtype=torch.float64), torch.tensor([0.2, 0.9], dtype=torch.float64)
    with torch.no_grad():
        expected, found = theirs(x, 999 * t), ours(x, t)
    assert expected.std() > 0.1
    print(f"{way}: {float((expected - found).abs().max()):.2e}")
    assert (expected - found).abs().max() < 1e-10


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("size", [(2, 2), (4, 6), (7, 8), (32, 32)], ids=str)
def test_filters(size: tuple[int, int], dtype: torch.dtype) -> None:
    filters = peers.ncsnpp()[1].layerspp.up_or_down_sampling
    x = torch.randn(2, 5, *size, dtype=dtype)
    taps = [1, 3, 3, 1]
    torch.testing.assert_close(LowPassUp().to(dtype)(x), filters.upsample_2d(x, taps))
    if size[0] % 2 == 0:
        torch.testing.assert_close(LowPass(stride=2).to(dtype)(x), filters.downsample_2d(x, taps))
        weight = torch.randn(4, 5, 3, 3, dtype=dtype)
        expected = filters.conv_downsample_2d(x, weight, taps)
        found = F.conv2d(LowPass(padding=2).to(dtype)(x), weight, stride=2)
        torch.testing.assert_close(found, expected)
