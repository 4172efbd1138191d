"""The text is not YAML.

## What
A bracket or a quote stays open, a line is indented like no line above it, a colon is missing or there is one
too many, an alias stands for nothing. Reading ends at such a place, since what follows could mean anything.

## Why
YAML has uses of its own for `#`, `: `, `*`, `&`, `!` and `%`. Behind a blank, `#` begins a comment, even in
an unquoted pipeline; at the start of a word, `*` is an alias. Tags and the merge key `<<` are not understood.

## Cure
The message says what was expected. Quotes around a whole value keep YAML from reading anything in it. Share
values between specs by `extends`, and between ops by `defaults`.

```yaml bad
tdspec: 1
about: digits: a first try
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
```

```yaml good
tdspec: 1
about: "digits: a first try"
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)–GN(4)–Act–GAP–FC]
data: {name: digits}
```
"""
