"""Compiling: counts, names, copies, the emitted source, and what torch can do with the result."""

from __future__ import annotations

import copy
import functools
import io
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import fx, nn

import tdspec
from tdspec.check import check_path, check_text
from tests.torch.emitted import emitted, sourced

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("name", "count"),
    [("node-cifar10", 3_688_970), ("node-cifar100", 3_712_100), ("odenet-mnist", 232_970)],
)
def test_published_parameter_counts(name: str, count: int) -> None:
    (path,) = [path for path in SPECS if path.stem == name]
    assert parameters(tdspec.compile(path)) == count


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_emitted_source_is_the_same_module(path: Path) -> None:
    torch.manual_seed(0)
    ours = tdspec.compile(path).eval()
    torch.manual_seed(0)
    theirs = emitted(check_path(str(path))).eval()
    state = ours.state_dict()
    assert state.keys() == theirs.state_dict().keys()
    for name, value in theirs.state_dict().items():
        assert torch.equal(value, state[name]), f"{name} starts differently"
    inputs = [torch.randn(2, *tdspec.load(path).input), torch.tensor([3.0, 800.0])][: len(ours.inputs)]
    with torch.no_grad():
        assert torch.equal(ours(*inputs), theirs(*inputs))


def test_names_come_from_the_spec_and_stay() -> None:
    text = "tdspec: 1\nmodel:\n  input: [1, 8, 8]\n  stem: [Conv(8)]\n  ode: {field: [%s]}\n"
    before = tdspec.compile(text % "ConcatConv–Act–ConcatConv–GN(1)").state_dict()
    after = tdspec.compile(text % "ConcatConv–GN(1)–Act–ConcatConv–GN(1)").state_dict()
    assert "ode.field.concat_conv_2.weight" in before
    assert before.keys() - after.keys() == set()  # a norm put in between moves no convolution's key


def test_a_copy_is_whole() -> None:
    network = tdspec.compile(ROOT / "specs/node/node-digits.yaml")
    twin = copy.deepcopy(network)
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(network(x), twin(x)) and twin.spec_text == network.spec_text
    with torch.no_grad():
        next(twin.parameters()).add_(1)
    assert not torch.equal(network(x), twin(x))


def test_state_dict_travels_without_pickle_of_code() -> None:
    network = tdspec.compile(ROOT / "specs/node/node-digits.yaml")
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    network.load_state_dict(torch.load(file, weights_only=True))


def test_places_reach_the_compiled_module() -> None:
    network = tdspec.compile(ROOT / "specs/node/node-digits.yaml")
    field = network.get_submodule("ode.field")
    assert isinstance(field, fx.GraphModule)
    places = [node.meta["spec"] for node in field.graph.nodes if node.op == "call_module"]
    assert all("node-digits.yaml:" in place for place in places) and len(set(places)) == len(places)


def test_a_field_reads_as_source() -> None:
    network = tdspec.compile(ROOT / "specs/node/odenet-mnist.yaml")
    field = network.get_submodule("ode.field")
    assert isinstance(field, fx.GraphModule)
    assert "concat_conv_1 = self.concat_conv_1(act_1, t)" in field.code


def test_shared_blocks_share_weights() -> None:
    text = """
tdspec: 1
blocks: {Res: {pipeline: [Conv–Act], residual: true%s}}
model: {input: [4, 8, 8], pipeline: [Res*3]}
"""
    once, thrice = tdspec.compile(text % ", share: true"), tdspec.compile(text % "")
    assert 3 * parameters(once) == parameters(thrice)


def test_final_softmax_is_left_to_the_loss() -> None:
    text = "tdspec: 1\nmodel: {input: [4, 8, 8], pipeline: [GAP–FC%s]}\ndata: {name: parquet, classes: 10}\n"
    torch.manual_seed(0)
    plain = tdspec.compile(text % "")
    torch.manual_seed(0)
    ended = tdspec.compile(text % "–Softmax")
    x = torch.randn(3, 4, 8, 8)
    assert torch.equal(plain(x), ended(x)) and plain(x).shape == (3, 10)


def test_torch_compile_takes_the_field_whole() -> None:
    network = tdspec.compile(ROOT / "specs/node/node-digits.yaml")
    field = network.get_submodule("ode.field")
    compiled = torch.compile(field, backend="eager", fullgraph=True)
    t, h = torch.tensor(0.3), torch.randn(2, 64, 4, 4)
    torch.testing.assert_close(compiled(t, h), field(t, h))


def test_torch_compile_leaves_the_solver_out_and_agrees() -> None:
    network = tdspec.compile(ROOT / "specs/node/node-digits.yaml").eval()
    x = torch.randn(2, 1, 8, 8)
    with torch.no_grad():
        expected = network(x)
        torch.testing.assert_close(torch.compile(network, backend="eager")(x), expected)
        network.get_submodule("ode.field").compile(backend="eager", fullgraph=True)
        torch.testing.assert_close(network(x), expected)


def test_torch_export_takes_a_field() -> None:
    field = tdspec.compile(ROOT / "specs/node/node-digits.yaml").get_submodule("ode.field").eval()
    inputs = (torch.tensor(0.3), torch.randn(2, 64, 4, 4))
    torch.testing.assert_close(torch.export.export(field, inputs).module()(*inputs), field(*inputs))


def test_torch_export_takes_a_network_without_solver() -> None:
    text = "tdspec: 1\nmodel: {input: [1, 8, 8], pipeline: [Conv(8)–GN(2)–Act–GAP–FC]}\ndata: {name: digits}\n"
    network = tdspec.compile(text).eval()
    x = torch.randn(2, 1, 8, 8)
    exported = torch.export.export(network, (x,))
    torch.testing.assert_close(exported.module()(x), network(x))


def test_an_erroneous_spec_is_refused_with_its_report() -> None:
    with pytest.raises(tdspec.SpecError) as caught:
        tdspec.compile("tdspec: 1\nmodel: {input: [1, 8, 8], pipeline: [Cnov(3)]}\n")
    assert [item.code for item in caught.value.report.findings] == ["TD030"]
    assert "did you mean `Conv`" in str(caught.value)


def test_a_named_state_of_two_parts_is_solved() -> None:
    text = """
tdspec: 1
time: none
model:
  input: [3, 4, 4]
  ode:
    state: {z: 3, v: 3}
    init: {z: [], v: [Conv1x1]}
    field:
      steps:
        dz: {from: v, do: [Scale(1)]}
        dv: {from: z, do: [Scale(-1)]}
      output: {z: dz, v: dv}
    read: z
    t: [0, 1]
    solver: {rtol: 1e-6, atol: 1e-6}
"""
    network = tdspec.compile(text)
    x = torch.randn(2, 3, 4, 4)
    v, _ = network.get_submodule("ode.init")(x)  # parts stand in the order of their names
    # z'' = -z has z(1) = z cos 1 + v sin 1.
    expected = x * torch.cos(torch.tensor(1.0)) + v * torch.sin(torch.tensor(1.0))
    torch.testing.assert_close(network(x), expected, rtol=1e-4, atol=1e-4)


def test_text_and_dict_compile_alike() -> None:
    text = "tdspec: 1\nmodel: {input: [4, 8, 8], pipeline: '[Conv(8, stride=2)–GAP–FC(3)]'}\n"
    data = {"tdspec": 1, "model": {"input": [4, 8, 8], "pipeline": ["Conv(8", "stride=2)–GAP–FC(3)"]}}
    torch.manual_seed(0)
    one = tdspec.compile(text)
    torch.manual_seed(0)
    other = tdspec.compile(data)
    x = torch.randn(2, 4, 8, 8)
    assert torch.equal(one(x), other(x))
    assert check_text(text).graph is not None


def test_emitted_source_imports_what_its_functions_need() -> None:
    """Also of an op that nobody has thought of yet."""
    from tdspec.backend.emit import _Emitter
    from tdspec.graph.graph import Node
    from tdspec.ops.activation import ACT
    from tdspec.ops.op import Call, Lowered, Site
    from tdspec.ops.shape import Shape

    op = ACT._replace(lower=lambda site: Lowered(function=Call("operator:neg")))
    emitter = _Emitter()
    node = Node("n", "op", ("input",), Shape(1), op, Site({}, (Shape(1),), output=Shape(1)))
    call = emitter.function(node)
    assert call == "operator.neg(x)" and "import operator" in emitter.imports(call)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_emitted_source_is_in_order(path: Path) -> None:
    """As ruff formats it, with no line too long outside a header, and no import that is not used."""
    source = sourced(check_path(str(path)))
    body = source.split('"""', 2)[2]
    options = ["--isolated", "--line-length", "120", "--target-version", "py311", "-"]
    ruff = functools.partial(subprocess.run, input=body, capture_output=True, text=True, check=True)
    assert ruff([sys.executable, "-m", "ruff", "format", *options]).stdout == body.lstrip("\n")
    ruff([sys.executable, "-m", "ruff", "check", "--select", "E,F,W,I,UP", *options])


def test_activations_have_the_names_people_expect() -> None:
    text = "tdspec: 1\nmodel: {input: [1, 8, 8], pipeline: [ReLU–SiLU–LeakyReLU–GELU–ConcatConv]}\ntime: none\n"
    graph = check_text(text.replace("–ConcatConv", "")).graph
    assert graph is not None and graph["body"].graph is not None
    names = [node.name for node in graph["body"].graph if node.kind == "op"]
    assert names == ["relu_1", "silu_1", "leaky_relu_1", "gelu_1"]


def test_a_call_with_the_wrong_tensors_says_which_there_are() -> None:
    network = tdspec.compile("tdspec: 1\ntime: {embed: [Sinusoid(8)]}\nmodel: {input: [2, 4], pipeline: [Conv–Emb]}\n")
    with pytest.raises(TypeError, match=r"called as network\(x, t\), found 1 tensors"):
        network(torch.randn(2, 2, 4))
