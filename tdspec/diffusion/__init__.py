"""The mathematics of noise: how images become noise, what a network predicts of it, and the way back.

process.py   x_t = alpha(t) x_0 + sigma(t) noise, for each kind of noise in the language
predict.py   noise, x_0, v, velocity: each from the others; the weights of a loss
sampler.py   from noise to images
"""
