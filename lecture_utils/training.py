"""Training: one loop for every model of the course. Lecture 08 shows it."""

import math
import os
from contextlib import contextmanager

import torch
from tqdm import tqdm


def set_up(seed):
    """Make what follows repeatable: torch's seed, and COURSE_THREADS threads, one by default."""
    torch.manual_seed(seed)
    torch.set_num_threads(int(os.environ.get("COURSE_THREADS") or "1"))


@contextmanager
def subnormals_as_zero():
    """Let this thread count numbers below about 1e-38 as zero (1e-308 in float64), then no longer.

    Processors compute with them much more slowly, and units in saturation give many. Where a
    processor cannot do that, nothing changes but the seconds.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@subnormals_as_zero()
def fit(model, loss, x, epochs, max_lr=3e-3, batch_size=128):
    """Train `model` in place with AdamW and a one-cycle schedule.

    Parameters
    ----------
    model : torch.nn.Module
    loss : callable, (model, batch) -> scalar tensor
        Summed over dimensions, averaged over the examples of the batch.
    x : tensor, shape (n, ...)
        All training examples, in memory.
    epochs : int
    max_lr : float
        The largest learning rate of the schedule.

    Returns
    -------
    list of float: the average loss of each epoch.

    Raises
    ------
    FloatingPointError
        At the first loss that is not finite.

    Source: Smith and Topin, "Super-Convergence" (2018), for the schedule; Loshchilov and Hutter,
    "Decoupled Weight Decay Regularization" (2019), for AdamW.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=max_lr, fused=True)
    steps = epochs * math.ceil(len(x) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr, total_steps=steps)
    history = []
    for epoch in (bar := tqdm(range(epochs), unit="epoch")):
        total = 0.0
        for index in torch.randperm(len(x)).split(batch_size):
            value = loss(model, x[index])
            if not torch.isfinite(value):
                raise FloatingPointError(
                    f"the loss is {value.item()} in epoch {epoch + 1}: try a smaller max_lr, and "
                    "look for NaN in the data or a logarithm of zero in the loss"
                )
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            total += value.item() * len(index)
        history.append(total / len(x))
        bar.set_postfix(loss=f"{history[-1]:.4g}")
    return history
