"""The witness: what is left of time in a model, measured.

`share` defines the measure; `tdspec.witness.probe` measures a compiled spec, `tdspec.witness.audit` any module.
"""
