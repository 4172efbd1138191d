"""Labels: a vector beside the embedding of t, left out of some images in training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import tdspec
from tdspec.check import check_text
from tdspec.language.diffusion import Diffuse
from tdspec.report.finding import Severity
from tdspec.training.data.images import Images, Splits
from tdspec.training.diffusion import Diffusion
from tdspec.training.errors import DataError, TrainError
from tdspec.training.plan import Plan
from tests.torch.emitted import emitted
from tests.torch.small_diffusion import SPEC

TOLD = SPEC.replace("blocks:\n", "condition: {labels: {}}\nblocks:\n", 1)


def told() -> nn.Module:
    torch.manual_seed(0)
    network = tdspec.compile(TOLD).eval()
    for parameter in network.parameters():
        parameter.data = 0.3 * torch.randn_like(parameter)
    return network


X, T = torch.randn(3, 1, 8, 8), torch.tensor([0.1, 0.5, 0.9])
LABELS = torch.tensor([0, 4, 9])


@torch.no_grad()
def test_labels_count_and_their_absence_is_a_class_of_its_own() -> None:
    network = told()
    assert network.inputs == ("input", "t", "labels")
    assert not torch.allclose(network(X, T, LABELS), network(X, T, LABELS.flip(0)), atol=1e-3)
    torch.testing.assert_close(network(X, T), network(X, T, torch.full((3,), 10)))
    with pytest.raises(TypeError, match=r"network\(x, t, labels\), found 1"):
        network(X)


@torch.no_grad()
def test_the_vector_is_added_to_the_embedding_of_t() -> None:
    network = told()
    embed = network.get_submodule("embed")
    vectors = embed.get_parameter("label_embedding_1.weight")
    torch.testing.assert_close(embed(T, LABELS) - embed(T, None), vectors[LABELS] - vectors[10])


@torch.no_grad()
def test_emitted_source_takes_labels() -> None:
    network = told()
    other = emitted(check_text(TOLD)).eval()
    other.load_state_dict(network.state_dict())
    assert torch.equal(other(X, T, LABELS), network(X, T, LABELS)) and torch.equal(other(X, T), network(X, T))


@torch.no_grad()
def test_torch_compiles_and_exports_it_whole() -> None:
    network = told()
    expected = network(X, T, LABELS)
    torch.testing.assert_close(torch.compile(network, backend="eager", fullgraph=True)(X, T, LABELS), expected)
    torch.testing.assert_close(torch.export.export(network, (X, T, LABELS)).module()(X, T, LABELS), expected)


def test_labels_change_no_verdict() -> None:
    found = []
    for text in (SPEC, TOLD):
        report = check_text(text.replace("GN: {groups: 1}", "GN: {groups: C}")).report
        found.append([(item.code, item.where) for item in report.findings])
    assert found[0] == found[1] and "TD101" in {code for code, _ in found[0]}


class Seen(nn.Module):
    def forward(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        self.labels = labels
        return x


def test_a_share_of_the_labels_is_dropped_in_training_alone() -> None:
    torch.manual_seed(0)
    task, model = Diffusion(Diffuse(), classes=10, drop=0.25), Seen()
    labels = torch.arange(10).repeat(400)
    task.measure(model, torch.zeros(4000, 1, 2, 2), labels)
    dropped = model.labels == 10
    assert dropped.float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert torch.equal(model.labels[~dropped], labels[~dropped])
    task.measure(model, torch.zeros(4000, 1, 2, 2), labels, fixed=0)
    assert torch.equal(model.labels, labels)


class Class(nn.Module):
    """Gives the label's number, and 0.5 for none."""

    def forward(self, x: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        number = torch.where(labels == 10, 0.5, labels.float())
        return number.view(-1, 1, 1, 1).expand_as(x)


@pytest.mark.parametrize(("guidance", "calls", "expected"), [(1, 1, 3), (0, 1, 0.5), (4, 1, 0.5 + 4 * 2.5)])
def test_guidance_goes_beyond_what_is_said_without_a_label(guidance: float, calls: int, expected: float) -> None:
    task = Diffusion(Diffuse(predict="x0"), classes=10)
    seen: list[int] = []
    model = Class()
    model.register_forward_hook(lambda *_: seen.append(1))
    found = task.denoise(
        model, torch.zeros(2, 1, 2, 2), 0.5, clip=False, labels=torch.tensor([3, 3]), guidance=guidance
    )
    assert len(seen) == calls and found.x0.unique().tolist() == [expected]


def test_images_get_their_labels_in_turn(tmp_path: Path) -> None:
    """By the run's folder, as a user does it; guidance and labels are said, and refused where there are none."""
    told_run, plain_run = (
        Path(
            tdspec.train(text.replace("iterations: 24", "iterations: 1"), out=tmp_path, quiet=True, device="cpu").folder
        )
        for text in (TOLD.replace("name: small", "name: told"), SPEC)
    )
    how = {"sampler": "ddim", "device": "cpu"}
    three = tdspec.sample(told_run, 3, labels=(3,), **how)
    turns = tdspec.sample(told_run, 3, labels=(3, 4), guidance=2.0, **how)
    assert "labels 3, 50 eval" in str(three) and "labels 3,4, guidance 2, 100 eval" in str(turns)
    every = tdspec.sample(told_run, 12, batch=5, **how)
    again = tdspec.sample(told_run, 12, batch=5, labels=tuple(range(10)), **how)
    assert torch.equal(every.images, again.images) and every.evaluations == 50
    with pytest.raises(TrainError, match="labels 0 to 9, not -1"):
        tdspec.sample(told_run, 1, labels=(3, -1, 5), **how)
    with pytest.raises(TrainError, match="nothing to guide"):
        tdspec.sample(plain_run, 1, guidance=2.0, **how)


def test_guidance_needs_a_share_without_labels(tmp_path: Path) -> None:
    """Nothing has taught the network what it says then."""
    text = TOLD.replace("iterations: 24", "iterations: 1").replace("labels: {}", "labels: {drop: 0}")
    assert "drop: 0" in text
    folder = tdspec.train(text, out=tmp_path, quiet=True, device="cpu").folder  # type: ignore[union-attr]
    with pytest.raises(TrainError, match=r"was never trained without a label \(`drop: 0`\)"):
        tdspec.sample(folder, 1, guidance=2.0, device="cpu")


def test_a_run_with_labels_is_planned() -> None:
    """Its operations are counted, which asks of every operation that it has a gradient where its weights have one."""
    plan = tdspec.train(TOLD, dry_run=True, device="cpu")
    assert isinstance(plan, Plan) and plan.flops_per_image > 0


def test_data_of_more_classes_are_refused() -> None:
    data = Images(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.zeros(4, dtype=torch.long), 11)
    with pytest.raises(DataError, match="has 10 classes, the data have 11"):
        Diffusion(Diffuse(), classes=10).check(torch.zeros(1, 1, 8, 8), Splits(data, data))


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("time: {argument: 1000*t, embed: [Sinusoid(8)–FC(16)–Act]}\n", "", "TD025", "no `time.embed`"),
        ("data: {name: digits,", "data: {name: image-folder, root: x,", "TD023", "how many classes"),
        ("{labels: {}}", "{labels: {drop: 1}}", "TD024", "drop"),
        ("{labels: {}}", "{labels: {clases: 3}}", "TD020", "clases"),
    ],
)
def test_what_does_not_go_with_labels(old: str, new: str, code: str, says: str) -> None:
    assert old in TOLD
    errors = [item for item in check_text(TOLD.replace(old, new)).report.findings if item.severity is Severity.ERROR]
    (item,) = errors
    assert item.code == code and says in item.message and item.span is not None


def test_a_classifier_is_not_told_the_class() -> None:
    text = """\
tdspec: 1
time: {argument: 1000*t, embed: [Sinusoid(8)–FC(16)–Act]}
condition: {labels: {}}
model: {input: [1, 8, 8], pipeline: [Conv(8)–Emb–Act–GAP–FC]}
task: {kind: classify}
data: {name: digits}
"""
    (item,) = [item for item in check_text(text).report.findings if item.severity is Severity.ERROR]
    assert item.code == "TD025" and "nothing left" in item.message
