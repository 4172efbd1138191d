"""What a trained run is worth: figures with the conditions under which they hold.

figures.py    the metrics there are, their figures, the table and the JSON of an evaluation; torch-free
run.py        from a run to an evaluation; the table of the functions that measure
subject.py    what a metric may ask for: images drawn or read, the data, the network
frechet.py    Frechet distance in the features of a small classifier, and what that recognises
extractor.py  that classifier, trained on the data's own training images and kept
inception.py  FID, IS and KID, by torch-fidelity
likelihood.py bits per dimension, by the probability flow
loss.py       loss and accuracy on the test images, as in training
"""
