"""`Up(fir)`, `Down(fir)` and `Blur`: a low-pass filter on a map with zeros around it, and the border that they make."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import tdspec
from tdspec.backend.modules.low_pass import LowPass, LowPassUp
from tests.torch.emitted import both
from tests.torch.test_witness import measure

TAPS = (1.0, 3.0, 3.0, 1.0)


def filtered(x: Tensor, gain: float, before: int, behind: int) -> Tensor:
    """Each position the sum of the four taps on every axis, position by position."""
    x = F.pad(x, (before, behind, before, behind))
    height, width = x.shape[2] - 3, x.shape[3] - 3
    found = torch.zeros(*x.shape[:2], height, width, dtype=x.dtype)
    for (i, a), (j, b) in itertools.product(enumerate(TAPS), enumerate(TAPS)):
        found += gain * a * b / 64 * x[:, :, i : i + height, j : j + width]
    return found


@pytest.mark.parametrize("size", [(1, 1), (2, 4), (6, 4)])
def test_filters_are_what_they_say(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    between = torch.zeros(2, 3, 2 * size[0], 2 * size[1], dtype=torch.float64)
    between[:, :, ::2, ::2] = x
    torch.testing.assert_close(LowPassUp()(x.float()), filtered(between, 4, 2, 1).float())
    torch.testing.assert_close(LowPassUp().double()(x), filtered(between, 4, 2, 1), rtol=0, atol=1e-14)
    torch.testing.assert_close(LowPass(padding=2).double()(x), filtered(x, 1, 2, 2), rtol=0, atol=1e-14)
    if min(size) > 1:
        expected = filtered(x, 1, 1, 1)[:, :, ::2, ::2]
        torch.testing.assert_close(LowPass(stride=2).double()(x), expected, rtol=0, atol=1e-14)


def test_a_constant_stays_one_but_at_the_border() -> None:
    x = torch.ones(1, 1, 8, 8)
    for module in (LowPassUp(), LowPass(stride=2), LowPass(padding=2)):
        found = module(x)[0, 0]
        assert torch.equal(found[2:-2, 2:-2], torch.ones_like(found[2:-2, 2:-2])) and found[0, 0] < 0.8


FIELD = "tdspec: 1\nmodel: {input: [4, 8, 8], ode: {field: '[%s]'}}\n"
MODEL = "tdspec: 1\ntime: {embed: [Sinusoid(8, period=10)–FC(8)]}\nmodel: {input: [4, 8, 8], pipeline: '[%s]'}\n"


def test_emitted_source_has_them() -> None:
    both(MODEL % "Conv–Emb–GN(1)–Up(fir)–Shift(-0.5)–Conv–Blur–Shift(2)–Conv(stride=2, padding=0)–Down(fir)")


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("Up(fir)", "TD103"), ("Up(bilinear)", "TD101"), ("Down(fir)", "TD103"), ("Down", "TD101"), ("Blur", "TD103"),
        ("Blur(1)", "TD103"), ("Blur(0)", "TD101"), ("Shift(3)", "TD101"),
    ],
)  # fmt: skip
def test_their_zeros_are_a_border_for_time(step: str, code: str) -> None:
    """As `validate` says, as the audit finds where it wraps the map around, and as is measured."""
    field = f"Conv–Emb–{step}–IN"
    told = {item.code for item in tdspec.validate(MODEL % field).findings} & {"TD101", "TD103"}
    torch.manual_seed(0)
    network = tdspec.compile(MODEL.replace("8, 8]", f"8, 8], allow: {{{code}: a test}}") % field)
    found = {item.code for item in tdspec.audit(network, (4, 8, 8)).findings} & {"TD101", "TD103"}
    assert told == {code} == found
    assert not measure(FIELD % field, 0)


def test_of_two_positions_it_takes_both_alike() -> None:
    """So that the one that is left behind `IN` is the mean that `IN` has taken out."""
    text = "tdspec: 1\nmodel: {input: [4, 2, 2], pipeline: '[IN(affine=false)–Down(fir)]', allow: {TD205: a test}}\n"
    assert "TD205" in {item.code for item in tdspec.validate(text.replace(", allow: {TD205: a test}", "")).findings}
    assert tdspec.compile(text)(torch.randn(3, 4, 2, 2)).abs().max() < 1e-6
