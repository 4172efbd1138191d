"""What every JSON Schema validator should say about a BN in an ODE's field, from the schema alone."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schemas" / "tdspec.schema.json"
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))

UNQUOTED = "[GN–Act–ConcatConv–BN–Act]"
FIELDS = {
    "unquoted": UNQUOTED,
    "quoted": f"'{UNQUOTED}'",
    "with hyphens": "[GN - Act - ConcatConv - BN - Act]",
    "split at a comma": "[GN–Act–ConcatConv3x3(64, position=last)–BN–Act]",
    "with arguments": "[GN–Act–ConcatConv–BN(affine=false)–Act]",
}
ALLOWED = {"by code": "allow: {TD104: an ablation}", "by name": "allow: {batch-norm-in-ode: an ablation}"}


def spec(field: str, *, root: str = "", model: str = "", ode: str = "") -> str:
    """A spec with a field, and a line more at the top, in `model` or in `ode`."""
    lines = ["tdspec: 1", root, "model:", "  input: [3, 32, 32]", f"  {model}" if model else "", "  ode:",
             f"    field: {field}", f"    {ode}" if ode else ""]  # fmt: skip
    return "\n".join(line for line in lines if line) + "\n"


def refused() -> dict[str, str]:
    """Specs that have the direct case and say nothing to allow it."""
    found = {form: spec(field) for form, field in FIELDS.items()}
    found["another rule allowed"] = spec(UNQUOTED, ode="allow: {TD103: an ablation}")
    found["in an extending spec"] = spec(UNQUOTED, root="extends: other.yaml")
    return found


def passed() -> dict[str, str]:
    """Specs that any validator should pass: allowed, free of t, or without a BN; and all that are shipped."""
    found = {
        f"{form}, allowed {how} in {scope}": spec(field, **{scope: allow})
        for form, field in FIELDS.items()
        for how, allow in ALLOWED.items()
        for scope in ("root", "model", "ode")
    }
    found["a spec free of t"] = spec(UNQUOTED, root="time: none")
    found["a field free of t"] = spec(UNQUOTED, ode="time: none")
    found["a group norm"] = spec("[GN–Act–ConcatConv–GN–Act]")
    found["a word that holds BN"] = spec("[GN–Act–ConcatConv–BNet–Act]")
    found["part of a spec"] = (
        "tdspec: 1\nextends: other.yaml\nmodel: {ode: {t: [0, 2]}}\ntrain: {optimizer: {lr: 0.1}}\n"
    )
    found["a wired field"] = spec("{steps: {a: {from: h, do: [ConcatConv]}}, output: a}")
    found |= {path.stem: path.read_text(encoding="utf-8") for path in SPECS}
    return found


def incomplete() -> dict[str, str]:
    """Specs that extend nothing and lack what is required."""
    return {
        "no version": "model: {input: [1, 8, 8], pipeline: [Conv]}\n",
        "no input": "tdspec: 1\nmodel: {pipeline: [Conv]}\n",
        "no field": "tdspec: 1\nmodel: {input: [1, 8, 8], ode: {t: [0, 1]}}\n",
        "no kind": "tdspec: 1\nmodel: {input: [1, 8, 8], pipeline: [Conv]}\ntrain: {epochs: 1, optimizer: {lr: 0.1}}\n",
        "neither epochs nor iterations": "tdspec: 1\nmodel: {input: [1, 8, 8], pipeline: [Conv]}\ntrain: {seed: 1}\n",
    }
