"""The emitted source of a spec, run as a module."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

import tdspec
from tdspec.backend.emit import emit_source
from tdspec.check import Checked, check_text


def sourced(checked: Checked) -> str:
    """The emitted source."""
    assert checked.spec is not None and checked.graph is not None, [item.message for item in checked.report.findings]
    return emit_source(checked.spec, checked.graph)


def emitted(checked: Checked) -> nn.Module:
    """The network that the emitted source defines; the source must not need tdspec."""
    source = sourced(checked)
    assert "tdspec." not in source.split('"""', 2)[2], "the source must not need tdspec"
    names: dict[str, Any] = {"__name__": "model"}
    exec(compile(source, "model.py", "exec"), names)
    network: nn.Module = names["Network"]()
    return network


def both(text: str) -> nn.Module:
    """The compiled network, which the emitted one equals in weights, their names and the output."""
    torch.manual_seed(0)
    ours = tdspec.compile(text)
    torch.manual_seed(0)
    theirs = emitted(check_text(text))
    state = ours.state_dict()
    assert state.keys() == theirs.state_dict().keys()
    assert [name for name, value in theirs.state_dict().items() if not torch.equal(value, state[name])] == []
    assert len(list(ours.parameters())) == len(list(theirs.parameters())), "they share different weights"
    inputs = [torch.randn(2, *tdspec.load(text).input), torch.rand(2)][: len(ours.inputs)]
    with torch.no_grad():
        assert torch.equal(ours.eval()(*inputs), theirs.eval()(*inputs))
    return ours
