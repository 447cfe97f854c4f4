"""A wrapper and a model in a file whose annotations are texts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .wrappers import PassThrough, card


class Late(nn.Module):
    """Delays by a sample."""

    last: Tensor
    count: int

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("last", torch.zeros(2, 1))
        self.count = 0

    def forward(self, x: Tensor) -> Tensor:
        late = torch.cat([self.last, x[:, :-1]], dim=1)
        self.last = x[:, -1:]
        self.count += 1
        return late


class Wrapper(PassThrough):
    """Adds up the blocks."""

    total: Tensor | None

    def __init__(self) -> None:
        super().__init__(Late(), card=card())
        self.total = None

    def reset_model(self) -> bool:
        self.total = None
        self.model.last = torch.zeros(2, 1)
        return True

    def do_forward_pass(self, x: Tensor, params: dict[str, Tensor]) -> Tensor:
        total = self.total
        y = self.model(x) if total is None else self.model(x) + total
        self.total = y
        return y
