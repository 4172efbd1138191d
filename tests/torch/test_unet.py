"""U-Nets: DDPM's for CIFAR-10 as published, its skips, and time in its verdicts."""

from __future__ import annotations

import pytest
import torch

import tdspec
from tdspec.check import check_text
from tdspec.report.finding import Severity
from tests.torch.emitted import both

# Ho et al., arXiv 2006.11239, appendix B: attention behind every block of the 16x16 level.
DDPM = """
tdspec: 1
defaults: {Act: SiLU, GN: {groups: 32, eps: 1e-6}}
init: {operand: {weight: fan_avg_uniform, bias: zeros}}
time: {embed: [Sinusoid(128)–FC(512)–Act–FC(512)]}
blocks:
  Res:
    pipeline: [GN–Act–Conv–Emb–GN–Act–Dropout(0.1)–Conv(init=zeros)]
    shortcut: [Conv1x1]
  Attn: {pipeline: [GN–SelfAttn(init=zeros)], residual: true}
model:
  input: [3, 32, 32]
  unet:
    stem: [Conv(128)]
    width: 128
    multipliers: [1, 2, 2, 2]
    blocks_per_level: 2
    block: Res
    attention: {block: Attn, at: [16]}
    middle: [Res–Attn–Res]
    down: [Conv(stride=2, padding=same_upper)]
    up: [Up(nearest)–Conv]
  head: [GN–Act–Conv(3, init=zeros)]
"""
SMALL = (
    DDPM.replace("groups: 32", "groups: 4")
    .replace("width: 128", "width: 32")
    .replace("Conv(128)", "Conv(32)")
    .replace("[1, 2, 2, 2]", "[1, 2]")
)


@pytest.mark.parametrize(("after", "count"), [("every", 35_746_307), ("last", 35_218_947)])
def test_published_parameter_counts(after: str, count: int) -> None:
    # score_sde attends once per level on the way up only: 527,360 parameters, two blocks, fewer.
    text = DDPM.replace("at: [16]}", f"at: [16], up: {after}}}")
    with torch.device("meta"):
        network = tdspec.compile(text)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_small_unet_runs_and_depends_on_time() -> None:
    network = tdspec.compile(SMALL).eval()
    torch.manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    x, t = torch.randn(2, 3, 32, 32), torch.tensor([3.0, 500.0])
    with torch.no_grad():
        one, other = network(x, t), network(x, t.flip(0))
    assert one.shape == x.shape and not torch.allclose(one, other)


def test_torch_compiles_and_exports_it_whole() -> None:
    network = tdspec.compile(SMALL).eval()
    inputs = (torch.randn(2, 3, 32, 32), torch.tensor([3.0, 500.0]))
    with torch.no_grad():
        expected = network(*inputs)
        torch.testing.assert_close(torch.compile(network, backend="eager", fullgraph=True)(*inputs), expected)
        torch.testing.assert_close(torch.export.export(network, inputs).module()(*inputs), expected)


def test_attention_where_no_level_is_is_an_error() -> None:
    found = check_text(SMALL.replace("at: [16]", "at: [16, 12]")).report.findings
    (item,) = (item for item in found if item.severity is Severity.ERROR)
    assert item.code == "TD024" and "maps of 12" in item.message and item.help == "the levels have 32, 16"


def test_levels_must_halve() -> None:
    report = check_text(SMALL.replace("[3, 32, 32]", "[3, 30, 30]").replace("[1, 2]", "[1, 2, 2]")).report
    assert {item.code for item in report.findings if item.severity is Severity.ERROR} >= {"TD203"}


def test_instance_norm_behind_the_embedding_is_an_error() -> None:
    text = SMALL.replace("Emb–GN–Act", "Emb–IN–Act")
    assert "TD101" in {item.code for item in check_text(text).report.findings}


def test_batch_norm_behind_the_embedding_is_none() -> None:
    """Every sample has its own t here, so BN keeps it: a rule that cries wolf would be wrong."""
    text = SMALL.replace("Emb–GN–Act", "Emb–BN–Act")
    codes = {item.code for item in check_text(text).report.findings if item.severity is Severity.ERROR}
    assert codes == set()


def test_a_unet_takes_t_also_where_it_is_meant_to_be_free_of_it() -> None:
    text = SMALL[: SMALL.index("time:")] + "time: none\n" + SMALL[SMALL.index("blocks:") :].replace("–Emb", "")
    network = both(text).eval()
    assert network.inputs == ("input", "t")
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(network(x, torch.tensor([0.0, 0.0])), network(x, torch.tensor([3.0, 500.0])))


UNET = """\
  Net:
    unet: {width: 2, multipliers: [1, 2], blocks_per_level: 1, block: Res, down: [Conv(stride=2)], up: [Up–Conv]}
  Res: {pipeline: [Conv–Act%s], shortcut: [Conv1x1]}
  Flow: {ode: {field: [%s]}}
"""


@pytest.mark.parametrize(
    ("model", "embed", "inputs"),
    [
        ("pipeline: [Conv(2)–GAP–FC(3)]", False, ("input",)),  # neither the U-Net nor the ODE is used
        ("pipeline: [Conv(2)–Emb–GAP–FC(3)]", True, ("input", "t")),
        ("pipeline: [Net]", False, ("input", "t")),
        ("stem: [Conv(2)]\n  head: [Net]", False, ("input", "t")),
        ("steps: {a: {do: [Net]}}\n  output: a", False, ("input", "t")),
        ("pipeline: [Conv(2)–Flow]", True, ("input",)),
        ("stem: [Conv(2)]\n  ode: {field: [Net]}", False, ("input",)),  # a U-Net whose t is the solver's
    ],
)
def test_what_is_used_decides_who_takes_t(model: str, embed: bool, inputs: tuple[str, ...]) -> None:
    time = "time: {embed: [Sinusoid(4)–FC(4)]}\n" if embed else ""
    blocks = UNET % ("–ConcatConv", "ConcatConv–Act–Emb" if embed else "ConcatConv–Act")
    network = both(f"tdspec: 1\n{time}blocks:\n{blocks}model:\n  input: [2, 8, 8]\n  {model}\n")
    assert network.inputs == inputs


BIGGAN = """
tdspec: 1
defaults: {Act: SiLU, GN: {groups: 4}}
time: {argument: log(sigma/2), embed: [Fourier(8)–FC(32)–Act–FC(32)]}
blocks:
  Res: {pipeline: [GN–Act–Conv–Emb–GN–Act–Conv], shortcut: [Conv1x1], scale: 1/sqrt(2)}
  ResDown: {pipeline: [GN–Act–Down(fir)–Conv–Emb–GN–Act–Conv], shortcut: [Down(fir)–Conv1x1], scale: 1/sqrt(2)}
  ResUp: {pipeline: [GN–Act–Up(fir)–Conv–Emb–GN–Act–Conv], shortcut: [Up(fir)–Conv1x1], scale: 1/sqrt(2)}
model:
  input: [3, 16, 16]
  unet:
    width: 8
    multipliers: [1, 2, 2]
    blocks_per_level: 1
    block: Res
    down: [ResDown]
    up: [ResUp]
    input_pyramid: {kind: residual, down: "[Blur–Conv(stride=2, padding=0)]", scale: 1/sqrt(2)}
    output_pyramid: {kind: skip, project: [GN–Act–Conv(3)], up: [Up(fir)]}
task: {kind: diffuse, noise: {kind: ve, sigma_min: 0.02, sigma_max: 100}}
"""


def test_resampling_blocks_pyramids_and_log_sigma_are_emitted_alike() -> None:
    network = both(BIGGAN)
    inputs = (torch.randn(2, 3, 16, 16), torch.tensor([0.2, 0.9]))
    with torch.no_grad():
        expected = network(*inputs)
        torch.testing.assert_close(torch.compile(network, backend="eager", fullgraph=True)(*inputs), expected)


def test_the_embedding_is_fed_with_the_logarithm_of_sigma() -> None:
    network = tdspec.compile(BIGGAN)
    seen: list[torch.Tensor] = []
    network.get_submodule("embed.fourier_1").register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    t = torch.tensor([0.0, 0.4, 1.0], dtype=torch.float64)
    network(torch.randn(3, 3, 16, 16), t)
    torch.testing.assert_close(seen[0], (0.01 * 5000**t).log())


def test_resampling_blocks_keep_their_channels_and_take_time() -> None:
    """A use of a block in `down` or `up` goes on in as many channels as enter it, with a shortcut all the same."""
    graph = check_text(BIGGAN).graph
    assert graph is not None and graph["unet"].graph is not None
    found = {node.name: node for node in graph["unet"].graph}
    shapes = {
        name: str(found[name].shape)
        for name in ("down_0_res_down_1", "down_1_res_down_1", "up_2_res_up_1", "up_1_res_up_1")
    }
    assert list(shapes.values()) == ["f32[B,8,8,8]", "f32[B,16,4,4]", "f32[B,16,8,8]", "f32[B,16,16,16]"]
    for name in shapes:
        inner = found[name].graph
        assert inner is not None and {"emb_1", "shortcut_conv_1", "scale_1"} <= {node.name for node in inner}
