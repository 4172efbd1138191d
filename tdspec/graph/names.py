"""Names that the compiled code can hold: a word that is taken there gets an underscore behind it.

Nodes become attributes of modules and variables of their code, so a step called `forward` would
replace the very function that runs it. Renaming is silent: the name is right in the spec, and the
spec's own findings keep it.
"""

from __future__ import annotations

import keyword
from collections.abc import Container

# Variables and modules of the compiled code, and of an emitted file.
OURS = {"self", "x", "t", "emb", "embed", "input", "torch", "nn", "F", "operator", "math"}

# Public attributes of torch's Module and of fx's GraphModule, whose place a module of that name would take;
# a test holds them against the torch that is installed.
NAMES = """
T_destination add_module add_submodule apply bfloat16 buffers call_super_init children code compile cpu cuda
delete_all_unused_submodules delete_submodule double dump_patches eval extra_repr float forward get_buffer
get_extra_state get_parameter get_submodule graph half ipu load_state_dict meta modules mtia named_buffers
named_children named_modules named_parameters parameters print_readable recompile register_backward_hook
register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
set_extra_state set_submodule shape_env share_memory state_dict to to_empty to_folder train training type xpu
zero_grad
"""
TORCH = frozenset(NAMES.split())


def node_name(name: str, taken: Container[str] = ()) -> str:
    """The name of a node for a name of the spec.

    Names that begin with an underscore are torch's and Python's own, which change from version to
    version (and Python renames those with two inside a class): they begin with `own` instead.
    """
    if name.startswith("_"):
        name = f"own{name}"
    while keyword.iskeyword(name) or name in OURS or name in TORCH or name in taken:
        name += "_"
    return name


def input_names(names: tuple[str, ...]) -> dict[str, str]:
    """The nodes of a graph's inputs by their names in the spec; `input` is called x in the code."""
    found: dict[str, str] = {}
    for name in names:
        plain = name == "input" or (name == "x" and "input" not in names)
        found[name] = name if plain else node_name(name, found.values())
    return found
