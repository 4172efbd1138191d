"""The network of a diffusion task does not take t, or does not give back the shape of its input.

## What
`task: {kind: diffuse}` calls the network as model(x_t, t) and compares what it gives with noise, an image or a
velocity of the same shape as x_t; with `variance: learned` there are twice the channels. This network takes no t of its
own, or ends in another shape.

## Why
How much noise there is to be taken away is known by t alone (arXiv 2006.11239, section 3.2). A neural ODE's t is the
solver's: the network around it is called with images alone.

## Cure
Use a `unet`, or an embedding and steps that take it; end in as many channels as the input has.

```yaml bad
tdspec: 1
time: {argument: 1000*t, embed: [Sinusoid(32)–FC(64)–Act]}
model:
  input: [1, 8, 8]
  pipeline: [Conv(32)–Emb–GN(1)–Act–Conv(2)]
task: {kind: diffuse}
data: {name: digits}
```

```yaml good
tdspec: 1
time: {argument: 1000*t, embed: [Sinusoid(32)–FC(64)–Act]}
model:
  input: [1, 8, 8]
  pipeline: [Conv(32)–Emb–GN(1)–Act–Conv(1)]
task: {kind: diffuse}
data: {name: digits}
```
"""
