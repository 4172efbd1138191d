"""The optimizer of a spec."""

from __future__ import annotations

import torch
from torch import nn

from tdspec.language.training import Adam, AdamW, Optimizer, Sgd


def make_optimizer(section: Optimizer, model: nn.Module) -> torch.optim.Optimizer:
    """torch's optimizer with the section's settings, over all parameters that are trained."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    match section:
        case Sgd():
            return torch.optim.SGD(
                parameters, lr=section.lr, momentum=section.momentum, nesterov=section.nesterov,
                weight_decay=section.weight_decay,
            )  # fmt: skip
        case Adam() | AdamW():
            kind = torch.optim.AdamW if isinstance(section, AdamW) else torch.optim.Adam
            beta1, beta2 = section.betas
            return kind(
                parameters, lr=section.lr, betas=(beta1, beta2), eps=section.eps, weight_decay=section.weight_decay
            )
