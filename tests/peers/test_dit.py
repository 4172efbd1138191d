"""DiT beside its published code: models.py of github.com/facebookresearch/DiT, in the folder TDSPEC_PEERS as `DiT`.

It needs timm, whose attention it uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import tdspec
from tests.peers.unets import folder, imported

pytest.importorskip("timm", reason="DiT's code needs timm: pip install timm")
pytestmark = [pytest.mark.peer, pytest.mark.filterwarnings("ignore")]
SPEC = Path(__file__).parents[2] / "specs/diffusion/dit-s-2.yaml"
PATCH, HIDDEN = 2, 384


@pytest.fixture(scope="module")
def published() -> Iterator[nn.Module]:
    with imported(folder() / "DiT", "models") as module:
        torch.manual_seed(0)
        network = module.DiT(depth=12, hidden_size=HIDDEN, patch_size=PATCH, num_heads=6)
    for parameter in network.parameters():
        if parameter.requires_grad:  # its start is zero at so many places that little would count
            parameter.data = torch.randn_like(parameter) / (parameter[0].numel() ** 0.5 if parameter.dim() > 1 else 10)
    yield network.eval()


def ours(theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Published weights under the names of the compiled spec."""
    found = {"embed.label_embedding_1.weight": theirs["y_embedder.embedding_table.weight"]}

    def take(name: str, weight: Tensor, bias: Tensor) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = weight, bias

    def pair(name: str) -> tuple[Tensor, Tensor]:
        return theirs[f"{name}.weight"], theirs[f"{name}.bias"]

    def modulated(name: str, of: str, *rows: int) -> None:
        """Parts of the one map that makes shift, scale and gate of both halves of a layer."""
        weight, bias = pair(of)
        each = [(weight.split(HIDDEN)[row], bias.split(HIDDEN)[row]) for row in rows]
        take(f"{name}.projection", torch.cat([w for w, _ in each]), torch.cat([b for _, b in each]))

    for index in (1, 2):
        take(f"embed.fc_{index}", *pair(f"t_embedder.mlp.{2 * index - 2}"))
    take("body.conv_1", *pair("x_embedder.proj"))
    for k in range(12):
        block, layer = f"blocks.{k}", f"body.layer_{k + 1}"
        modulation = f"{block}.adaLN_modulation.1"
        modulated(f"{layer}.attend_1.scale_shift_1", modulation, 1, 0)
        modulated(f"{layer}.attend_1.gate_1", modulation, 2)
        modulated(f"{layer}.mlp_1.scale_shift_1", modulation, 4, 3)
        modulated(f"{layer}.mlp_1.gate_1", modulation, 5)
        weights, biases = (part.split(HIDDEN) for part in pair(f"{block}.attn.qkv"))
        for part, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
            take(f"{layer}.attend_1.self_attn_1.{part}", weight, bias)
        take(f"{layer}.attend_1.self_attn_1.out", *pair(f"{block}.attn.proj"))
        for index in (1, 2):
            weight, bias = pair(f"{block}.mlp.fc{index}")
            take(f"{layer}.mlp_1.conv_{index}", weight[..., None, None], bias)
    modulated("body.scale_shift_1", "final_layer.adaLN_modulation.1", 1, 0)
    # Theirs gives a patch's positions one after the other, each with its channels; a shuffle takes channel by channel.
    weight, bias = (
        part.unflatten(0, (PATCH**2, -1)).transpose(0, 1).flatten(0, 1) for part in pair("final_layer.linear")
    )
    take("body.conv_2", weight[..., None, None], bias)
    return found


@torch.no_grad()
@pytest.mark.parametrize(("dtype", "within"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_the_output_is_that_of_the_published_code(
    published: nn.Module, dtype: torch.dtype, within: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = tdspec.compile(SPEC).to(dtype).eval()
    network.load_state_dict(ours(published.state_dict()))
    published.to(dtype)
    x, t, labels = torch.randn(2, 4, 32, 32, dtype=dtype), torch.tensor([3.0, 700.0]), torch.tensor([7, 1000])
    if (
        dtype == torch.float64
    ):  # its sinusoid is of float32: it gets ours, whose order and frequencies float32 has judged
        sinusoid = network.get_submodule("embed.sinusoid_1")
        monkeypatch.setattr(published.t_embedder, "timestep_embedding", lambda t, dim: sinusoid(t.double()))
    found, expected = network(x, t.to(dtype), labels), published(x, t, labels)
    torch.testing.assert_close(found, expected, rtol=0, atol=within * expected.abs().max().item())
