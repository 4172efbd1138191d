"""An allowance names no rule, or gives no reason.

## What
`allow` maps the code or the name of a finding to the reason why it is meant to be. Either there is no such
code, or the reason is empty. Or it names what cannot be meant: a mistake behind which there is no network,
such as an op that does not exist (TD030) or channels that do not fit (TD202).

## Why
An allowance silences a finding for whoever reads the spec next. They should learn why, and a misspelt code
silences nothing.

## Cure
Write `allow: {TD104: "the paper's ablation"}`; `tdspec explain` lists the codes.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    allow: {TD1044: "to see what BN costs"}
    field: [GN(1)–Act–ConcatConv–PosEmb–GN(1)]
  head: [GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  stem: [Conv(16)]
  ode:
    allow: {TD104: "to see what BN costs"}
    field: [GN(1)–Act–ConcatConv–PosEmb–BN]
  head: [GAP–FC]
data: {name: digits}
```
"""
