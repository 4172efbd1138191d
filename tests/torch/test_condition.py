"""Labels: a vector beside the embedding of t, left out of some images in training."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import tdspec
from tdspec.check import check_text
from tdspec.language.diffusion import Diffuse
from tdspec.report.finding import Severity
from tdspec.training.data.images import Images, Splits
from tdspec.training.diffusion import Diffusion
from tdspec.training.errors import DataError
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
