"""A character looks like one of the notation, and is another.

## What
Steps are separated by an en dash, `–` (U+2013), or by a hyphen, `-`, and by nothing else. Em dashes, minus
signs, non-breaking hyphens, arrows, commas and bars are refused by name, and so are fullwidth parentheses
and the sign `×`. Inside parentheses a minus is a hyphen.

## Why
Word processors and PDF files change dashes at will. On a screen they look the same; in a file they are
different characters, and a reader that took some of them would leave one to guess which.

## Cure
Write `–` or `-` between steps, `Conv3x3` with the letter x, and `Res*4` for a repeat.

```yaml bad
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)—GN(4)—Act—GAP—FC]
data: {name: digits}
```

```yaml good
tdspec: 1
model:
  input: [1, 8, 8]
  pipeline: [Conv(16)-GN(4)-Act-GAP-FC]
data: {name: digits}
```
"""
