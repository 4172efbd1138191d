"""The task `diffuse` in the language: what goes together, and what is said where it does not."""

from __future__ import annotations

from typing import get_args

import pytest

import tdspec
from tdspec.check import check_text
from tdspec.language.diffusion import NOISES, Diffuse, Prediction
from tdspec.report.finding import Finding, Severity

SPEC = """\
tdspec: 1
time: {{argument: 1000*t, embed: [Sinusoid(32)–FC(64)–Act]}}
model:
  input: [1, 8, 8]
  pipeline: [{model}]
task: {{kind: diffuse, {task}}}
data: {{name: digits, augment: [{augment}]}}
train: {{epochs: 1, {train}}}
"""
MODEL = "Conv(32)–Emb–GN(1)–Act–Conv(1)"


def text(model: str = MODEL, task: str = "x-a: 1", augment: str = "HorizontalFlip", train: str = "seed: 0") -> str:
    return SPEC.format(model=model, task=task, augment=augment, train=train)


def errors(spec: str) -> list[Finding]:
    return [item for item in check_text(spec).report.findings if item.severity is Severity.ERROR]


def test_a_diffusion_spec_holds_without_classes() -> None:
    assert errors(text()) == []
    assert {item.code for item in errors(text().replace("kind: diffuse", "kind: classify"))} == {"TD206"}
    spec = tdspec.load(text())
    assert spec.classes is None and not spec.classifies


def test_a_last_fc_keeps_its_channels_and_a_softmax_stays() -> None:
    """What is left to a classifier's loss is a step like any other here."""
    spec = text(model="FC(16)–Emb–Act–FC(8)–Softmax").replace("[1, 8, 8]", "[8]")
    graph = check_text(spec[: spec.index("data:")]).graph
    assert graph is not None and graph.output.shape is not None and graph.output.shape.channels == 8
    assert any(node.title == "Softmax" for _, node in graph.walk())


@pytest.mark.parametrize("noise", NOISES)
def test_the_noise_says_what_is_predicted_where_the_spec_does_not(noise: type) -> None:
    task = tdspec.load(text(task=f"noise: {{kind: {noise.kind}}}")).task
    assert isinstance(task, Diffuse) and task.predicts == noise.fits[0]
    for word in get_args(Prediction):
        found = errors(text(task=f"noise: {{kind: {noise.kind}}}, predict: {word}"))
        if word in noise.fits:
            assert found == []
        else:
            (item,) = found
            assert item.code == "TD025" and item.where == "task.predict" and item.span is not None
            assert item.span.text == word and item.help is not None and f"`{noise.fits[0]}`" in item.help


def test_the_default_is_ddpms() -> None:
    task = tdspec.load(text()).task
    assert task == Diffuse() and task.noise.steps == 1000 and task.noise.beta_max == 20
    again = tdspec.load(tdspec.load(text()).text).task
    assert again == task
    continuous = tdspec.load(text(task="noise: {kind: vp}"))
    assert continuous.task.noise.steps is None and tdspec.load(continuous.text).task == continuous.task


@pytest.mark.parametrize(
    ("change", "code", "where", "says"),
    [
        ({"task": "noise: {kind: vp, steps: 20}"}, "TD024", "task.noise.steps", "more than 20"),
        ({"task": "noise: {kind: vp, beta_min: 30}"}, "TD024", "task.noise.beta_max", "should be 30"),
        ({"task": "noise: {kind: ve, sigma_max: 0.01}"}, "TD024", "task.noise.sigma_max", "more than 0.02"),
        ({"task": "noise: {kind: edm, sigma_min: 80}"}, "TD024", "task.noise.sigma_max", "more than 80"),
        ({"task": "noise: {kind: sigmoid, end: -3}"}, "TD024", "task.noise.end", "more than -3"),
        ({"task": "noise: {kind: sigmoid, temperature: 0.1}"}, "TD024", "task.noise.temperature", "be 0.15 or more"),
        ({"task": "weighting: {kind: likelihood}"}, "TD025", "task.weighting", "continuous time"),
        ({"task": "times: {kind: importance}"}, "TD025", "task.times", "continuous time"),
        ({"task": "times: {kind: lognormal}"}, "TD025", "task.times", "continuous time"),
        ({"task": "variance: learned"}, "TD207", "model", "should end in f32[B,2,8,8]"),
        ({"task": "variance: learned, noise: {kind: flow}", "model": MODEL.replace("Conv(1)", "Conv(2)")},
         "TD025", "task.variance", "steps of discrete time"),
        ({"task": "noise: {kind: cosin}"}, "TD022", "task.noise.kind", "cosin"),
        ({"task": "weighting: {kind: simple, gamma: 5}"}, "TD020", "task.weighting", "gamma"),
        ({"augment": "Normalize"}, "TD025", "data.augment", "scales images"),
        ({"train": "schedule: {kind: plateau, metric: accuracy}"}, "TD025", "train.schedule.metric", "no accuracy"),
        ({"model": "Conv(32)–Emb–GN(1)–Act–Conv(2)"}, "TD207", "model", "f32[B,2,8,8]"),
        ({"model": "Conv(32)–Emb–GN(1)–Act–GAP–FC(1)"}, "TD207", "model", "f32[B,1]"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(change: dict[str, str], code: str, where: str, says: str) -> None:
    (item,) = errors(text(**change))
    assert (item.code, item.where) == (code, where) and item.span is not None and item.help
    assert says in item.message


def test_a_network_whose_t_is_the_solvers_is_no_denoiser() -> None:
    spec = text().replace(f"pipeline: [{MODEL}]", "stem: [Conv(8)]\n  ode: {field: [Conv–Emb]}\n  head: [Conv(1)]")
    (item,) = errors(spec)
    assert item.code == "TD207" and "takes t" not in item.message and "has to take t" in item.message


def test_the_argument_of_a_models_embedding_is_judged() -> None:
    """A model's t is in [0, 1]: fed to the sinusoid as it is, most features stand still."""

    def found(spec: str) -> list[str]:
        return [item.message for item in check_text(spec).report.findings if item.code == "TD112"]

    assert found(text()) == []
    (message,) = found(text().replace("argument: 1000*t, ", ""))
    assert "over [0, 1]" in message
    edm = text(task="noise: {kind: edm, sigma_min: 0.01, sigma_max: 10}")
    (message,) = found(edm.replace("argument: 1000*t", "argument: log(sigma)/4"))
    assert "over [-1.15129, 0.575646]" in message
