"""The past of a stream, for layers that need it at every block."""

from typing import Any, Final

import torch
from torch import Tensor, nn

from neutone_sdk.block_checks import check_block, check_counts, next_batch_size, starts_stream
from neutone_sdk.stream_state import renew


class PaddingCached(nn.Module):
    """Puts the latest frames of the stream before each block: ``(batch, n_ch, padding_l + padding_r + n)`` comes out.

    Args:
        n_ch: Channels, at least 1.
        padding_l: Frames to remember, at least 0.
        padding_r: As many more; the two are told apart for older code only.
        use_dynamic_bs: A batch of another size starts a new stream; otherwise it is refused.
        batch_size: Expected size of the batch, at least 1.
        debug_mode: Accepted for older code; arguments are always checked.

    Raises:
        InvalidTypeError: A number is no integer.
        InvalidArgumentError: A number is too small.
    """

    RING_FROM: Final = 1024  # frames: about where copying all of the past costs more than keeping a ring
    ROOM: Final = 2048  # frames of a block that fit into a ring beside the past; a longer one is joined to it by a copy

    past: Tensor
    cursor: Tensor

    def __init__(
        self,
        n_ch: int,
        padding_l: int,
        padding_r: int = 0,
        use_dynamic_bs: bool = True,
        batch_size: int = 1,
        debug_mode: bool = True,
    ) -> None:
        super().__init__()
        check_counts(1, n_ch=n_ch, batch_size=batch_size)
        check_counts(0, padding_l=padding_l, padding_r=padding_r)
        self.n_ch = n_ch
        self.padding_l = padding_l
        self.padding_r = padding_r
        self.use_dynamic_bs = use_dynamic_bs
        self.batch_size = batch_size
        self.debug_mode = debug_mode
        self.n_past = padding_l + padding_r
        self.has_ring = self.n_past >= self.RING_FROM
        # Without a ring the past is shifted at every block. A ring lies twice side by side: each frame is written to
        # both, so that the latest ones are in one piece somewhere. There is no batch until the first block: a model
        # that has heard nothing makes no large file.
        shape = [2, self.n_past + self.ROOM] if self.has_ring else [self.n_past]
        self.register_buffer("past", torch.zeros(0, n_ch, *shape), persistent=False)
        self.register_buffer("cursor", torch.zeros(1, dtype=torch.int64), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return what came before ``x``, ``(batch, n_ch, n)``, and ``x``; fresh, or ``x`` itself without padding.

        Raises:
            InvalidTypeError: ``x`` has another dtype or device than the module.
            InvalidAudioError: ``x`` has another shape, or another batch size without ``use_dynamic_bs``.
        """
        check_block(x, self.n_ch, self.past)
        padded = self.push(x)
        return padded.clone() if self.has_ring else padded

    @torch.jit.export
    def push(self, x: Tensor) -> Tensor:
        """As `forward` without its checks, but the next call may overwrite what is returned.

        Raises:
            InvalidAudioError: ``x`` has another batch size without ``use_dynamic_bs``.
        """
        if x.size(0) != self.past.size(0):
            self.fit_batch(x.size(0))
        n, n_past = x.size(2), self.n_past
        if n_past == 0:
            return x
        if not self.has_ring:
            padded = torch.cat([self.past, x], dim=2)
            latest = padded.narrow(2, n, n_past)
            self.past.copy_(latest.detach() if torch.is_grad_enabled() else latest)
            return padded
        ring = self.past.view(x.size(0), self.n_ch, 2 * self.past.size(3))
        start = int(self.cursor)  # of the past in the ring; where it ends the next frame goes
        if n <= self.ROOM and not torch.is_grad_enabled():
            self._write(start + n_past, x)
            return ring.narrow(2, start, n_past + n)
        padded = torch.cat([ring.narrow(2, start, n_past), x], dim=2)  # gradients need one that stays as it is
        n_written = min(n, n_past)
        self._write(start + n_past + n - n_written, padded.detach().narrow(2, n_past + n - n_written, n_written))
        return padded

    def _write(self, position: int, x: Tensor) -> None:
        """Put frames where the one of number ``position`` goes, and let the past end behind them."""
        n, size = x.size(2), self.past.size(3)
        first = position % size
        n_head = min(n, size - first)
        frames = x.unsqueeze(2)
        self.past.narrow(3, first, n_head).copy_(frames.narrow(3, 0, n_head))
        if n_head < n:
            self.past.narrow(3, 0, n - n_head).copy_(frames.narrow(3, n_head, n - n_head))
        self.cursor.fill_((position + n - self.n_past) % size)

    @torch.jit.export
    def fit_batch(self, batch_size: int) -> bool:
        """Return whether a batch of this size starts a new stream; if so, all is forgotten.

        Raises:
            InvalidAudioError: It would, without ``use_dynamic_bs``.
        """
        if not starts_stream(batch_size, self.past.size(0), self.batch_size, self.use_dynamic_bs):
            return False
        self.reset(batch_size)
        return True

    @torch.jit.export
    def reset(self, batch_size: int | None = None) -> None:
        """Forget all audio; with a ``batch_size``, expect batches of it from now on.

        Raises:
            InvalidArgumentError: ``batch_size`` is negative.
        """
        n_batch = next_batch_size(batch_size, self.past.size(0))
        renew(self.past, [n_batch] + list(self.past.shape[1:]))  # noqa: RUF005  # TorchScript knows no star
        self.cursor.zero_()

    def prepare_for_inference(self) -> None:
        """Forget all audio, with its memory, and leave training mode."""
        self.reset(0)
        self.eval()

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        for name in ("pad_l_buf", "pad_r_buf"):  # 1.x saved its caches
            state_dict.pop(prefix + name, None)
        super()._load_from_state_dict(state_dict, prefix, *args)
