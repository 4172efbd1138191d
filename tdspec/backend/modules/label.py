"""The embedding of labels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LabelEmbedding(nn.Embedding):
    """A learned vector for each class, and a last one for none.

    Labels are i64[B]; `classes` itself means none, and so does None.
    """

    def __init__(self, classes: int, dim: int) -> None:
        super().__init__(classes + 1, dim)

    def forward(self, labels: Tensor | None) -> Tensor:
        if labels is None:
            labels = torch.full((1,), self.num_embeddings - 1, device=self.weight.device)
        return super().forward(labels)
