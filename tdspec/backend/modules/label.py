"""The embedding of labels."""

from __future__ import annotations

from torch import Tensor, nn


class LabelEmbedding(nn.Embedding):
    """A learned vector for each class, and a last one for none.

    Labels are i64[B]; `classes` itself means none, and so does None.
    """

    def __init__(self, classes: int, dim: int) -> None:
        super().__init__(classes + 1, dim)

    def forward(self, labels: Tensor | None) -> Tensor:
        return self.weight[-1:] if labels is None else super().forward(labels)
