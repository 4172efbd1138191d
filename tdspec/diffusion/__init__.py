"""The mathematics of noise: how images become noise, what a network predicts of it, and the way back.

process.py   x_t = alpha(t) x_0 + sigma(t) noise, for each kind of noise in the language
predict.py   noise, x_0, v, velocity: each from the others; the weights of a loss
sampler.py   from noise to images, step by step; grid.py has the times, schedulers.py what comes from diffusers
ode.py       the flow that samplers without noise follow, by an adaptive solver
likelihood.py bits per dimension by that flow
"""
