"""A file is larger than any spec.

## What
The file has more than 4 MB, or more than 200,000 keys and values. It is not read to its end.

## Why
A spec of a thousand lines has 40 kB. What is larger is a data file, a log or a checkpoint given by mistake,
and the answer should come at once.

## Cure
Give the path of the spec. Repeat blocks by `[Res*8]` instead of writing out what a program made; the largest
pipeline may have 100,000 steps, repeats included.
"""
