"""The table of ops: every word of the pipeline notation that is not a block of the spec.

An op is one constant in a file of this folder and one line here; a test compares the two.
"""

from __future__ import annotations

from tdspec.ops.activation import ACTIVATION_OPS
from tdspec.ops.attention import SELF_ATTN
from tdspec.ops.channels import AUGMENT, SPLIT
from tdspec.ops.concat_conv import CONCAT_CONV
from tdspec.ops.convolution import CONV
from tdspec.ops.dense import FC
from tdspec.ops.dropout import CHANNEL_DROPOUT, DROPOUT
from tdspec.ops.embedding import EMB, POS_EMB
from tdspec.ops.features import FEATURES
from tdspec.ops.label import LABEL
from tdspec.ops.merge import MERGES
from tdspec.ops.modulation import GATE, SCALE_SHIFT
from tdspec.ops.normalization import NORMS
from tdspec.ops.op import Op
from tdspec.ops.pooling import POOLINGS
from tdspec.ops.resample import RESAMPLINGS
from tdspec.ops.scale import SCALE, SHIFT
from tdspec.ops.softmax import SOFTMAX
from tdspec.ops.tokens import PIXEL_SHUFFLE, PIXEL_UNSHUFFLE, POSITIONS

TABLE: tuple[Op, ...] = (
    CONV,
    CONCAT_CONV,
    EMB,
    POS_EMB,
    SCALE_SHIFT,
    GATE,
    *NORMS,
    *ACTIVATION_OPS,
    DROPOUT,
    CHANNEL_DROPOUT,
    FC,
    SOFTMAX,
    *POOLINGS,
    SELF_ATTN,
    *RESAMPLINGS,
    POSITIONS,
    PIXEL_SHUFFLE,
    PIXEL_UNSHUFFLE,
    *FEATURES,
    *MERGES,
    SPLIT,
    SCALE,
    SHIFT,
    AUGMENT,
)

# What PyTorch calls them: pointed to, where one of these words is met in a pipeline.
TORCH_NAMES = {
    "Linear": "FC",
    "BatchNorm": "BN",
    "BatchNorm2d": "BN",
    "GroupNorm": "GN",
    "InstanceNorm2d": "IN",
    "LayerNorm": "LN",
    "RMSNorm": "RMSN",
    "Conv2d": "Conv",
    "Upsample": "Up",
    "AdaptiveAvgPool2d": "GAP",
    "AvgPool2d": "AvgPool",
    "MaxPool2d": "MaxPool",
    "MultiheadAttention": "SelfAttn",
}
UNCLEAR_TORCH_NAMES = {"LayerNorm", "Upsample", "MultiheadAttention"}  # `LN` or `ChannelLN`? up by which way?

OPS: dict[str, Op] = {name: op for op in TABLE for name in (op.name, *op.aliases)}
NODES: dict[str, Op] = {**OPS, LABEL.name: LABEL}  # with what a graph may hold and nobody writes
