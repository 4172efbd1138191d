"""`padding=same_upper`: TensorFlow's SAME in torch, and the border that it makes for time."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

import tdspec
from tdspec.backend.lower import construct
from tdspec.ops import OPS
from tdspec.ops.op import Site
from tdspec.ops.shape import Shape
from tests.torch.emitted import both


def tensorflow(extent: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """What TensorFlow adds before and behind, by its guide to neural network ops."""
    kernel = (kernel - 1) * dilation + 1
    rest = extent % stride
    total = max(kernel - stride, 0) if rest == 0 else max(kernel - rest, 0)
    return total // 2, total - total // 2


def made(name: str, kernel: int, map_: tuple[int, ...], **values: object) -> torch.nn.Module:
    op = OPS[name]
    given = {param.name: param.default for param in op.params} | {"kernel": (kernel,), "out": 3} | values
    site = Site({**given, "padding": "same_upper"}, (Shape(2, map_),))
    call = op.lower(replace(site, output=op.infer(site))).module
    module = construct(call)
    assert isinstance(module, torch.nn.Module)
    return module


GRID = list(itertools.product((3, 4, 7, 8), (1, 2, 3, 4), (1, 2, 3), (1, 2)))


@pytest.mark.parametrize("mode", ["zeros", "circular", "replicate"])
def test_is_tensorflows_same(mode: str) -> None:
    torch.manual_seed(0)
    for extent, kernel, stride, dilation in GRID:
        module = made("Conv", kernel, (extent, 5), stride=stride, dilation=dilation, pad_mode=mode)
        x = torch.randn(2, 2, extent, 5)
        pad = (*tensorflow(5, kernel, stride, dilation), *tensorflow(extent, kernel, stride, dilation))
        if mode != "zeros" and max(pad) > 3:
            continue
        padded = F.pad(x, pad, mode="constant" if mode == "zeros" else mode)
        expected = F.conv2d(padded, module.weight, module.bias, stride=stride, dilation=dilation)
        found = module(x)
        assert found.shape[2:] == (-(-extent // stride), -(-5 // stride))
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("mode", ["zeros", "circular"])
@pytest.mark.parametrize("position", ["first", "last"])
def test_concat_conv_pads_the_input_and_t_alike(position: str, mode: str) -> None:
    module = made("ConcatConv", 3, (8, 6), stride=2, position=position, pad_mode=mode)
    x, t = torch.randn(2, 2, 8, 6), torch.tensor([0.3, 2.0])
    time = t.reshape(2, 1, 1, 1).expand(2, 1, 8, 6)
    joined = torch.cat((time, x) if position == "first" else (x, time), dim=1)
    padded = F.pad(joined, (0, 1, 0, 1), mode="constant" if mode == "zeros" else mode)
    torch.testing.assert_close(module(x, t), F.conv2d(padded, module.weight, module.bias, stride=2))


MODEL = "tdspec: 1\ntime: {embed: [Sinusoid(8, period=10)–FC(8)]}\nmodel: {input: [3, 32, 32], pipeline: '[%s]'}\n"


def test_emitted_source_has_it() -> None:
    both(MODEL % "Conv(4, stride=2, padding=same_upper)–Emb–GN(1)")
    both("tdspec: 1\nmodel: {input: [3, 8, 8], ode: {field: '[ConcatConv2x2(padding=same_upper)–Act]'}}\n")


@pytest.mark.parametrize(
    ("conv", "code"),
    [
        ("Conv(stride=2, padding=same_upper)", "TD103"),  # a row and a column of zeros: a border
        ("Conv(stride=2, padding=same_upper, pad_mode=circular)", "TD101"),
        ("Conv4x4(stride=4, padding=same_upper)", "TD101"),  # nothing to add on 32 positions
        ("Conv2x2(padding=same_upper)", "TD103"),
    ],
)
def test_its_zeros_are_a_border_for_time(conv: str, code: str) -> None:
    report = tdspec.validate(MODEL % f"Conv(8)–Emb–{conv}–IN")
    assert code in {item.code for item in report.findings} & {"TD101", "TD103"}


def test_other_words_are_refused_by_name() -> None:
    (found,) = [
        item for item in tdspec.validate(MODEL % "Conv(padding=same_uper)–Emb").findings if item.code == "TD032"
    ]
    assert "did you mean `same_upper`?" in found.help and found.fix is not None
    (found,) = [
        item for item in tdspec.validate(MODEL % "Emb–AvgPool(padding=same_upper)").findings if item.code == "TD032"
    ]
    assert "should be a whole number, `same`" in found.message
