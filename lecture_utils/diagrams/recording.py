"""What a network does, written down while one example passes through it."""

import math
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class State:
    """One tensor between two steps: `values` of one example, (units,) or (channels, rows, columns).

    `part` is "encoder", "code", "decoder", or "network" where a model has no parts.
    """

    part: str
    values: np.ndarray

    @property
    def size(self):
        """Its shape as it is written: 784, or 16×14×14."""
        return times(self.values.shape)

    @property
    def n_on(self):
        """How many units are not exactly zero; None where none is off."""
        n_on = np.count_nonzero(self.values)
        return n_on if n_on < self.values.size else None


@dataclass(frozen=True)
class Step:
    """What lies between two states: modules in the order in which they run."""

    part: str
    modules: tuple

    @property
    def lines(self):
        """What is written over it, from the modules' own attributes."""
        return [line for module in self.modules for line in _names(module)]


@dataclass(frozen=True)
class Recording:
    """A network as it ran: one more state than steps; `n_parameters` of each part."""

    states: list
    steps: list
    n_parameters: dict


def times(sizes):
    """A shape as it is written."""
    return "×".join(map(str, sizes))


def _names(module):
    if isinstance(module, nn.Linear):
        return ["linear"]
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        name = "conv" if isinstance(module, nn.Conv2d) else "convᵀ"
        strides = sorted(set(module.stride))
        lines = [f"{name} {times(module.kernel_size)}", f"stride {times(strides)}"]
        return lines if set(module.dilation) == {1} else [*lines, f"dilation {module.dilation[0]}"]
    if isinstance(module, nn.Identity):
        return []
    if isinstance(module, nn.Sigmoid | nn.Tanh):
        return [type(module).__name__.lower()]
    return [type(module).__name__]


@contextmanager
def undisturbed(model):
    """Evaluation mode without gradients; modes and torch's random state are then as before."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def one_example(model, x):
    """`x` as a batch of one, in the model's number type; for None zeros, as many as it takes."""
    weights, n_in = next(model.parameters(), torch.zeros(1)), _n_in(model)
    if x is None:
        if n_in is None:
            raise ValueError("how much goes in cannot be read off this model: give an example x")
        return weights.new_zeros(1, n_in)
    x = torch.as_tensor(x, dtype=weights.dtype)
    if x.dim() not in (1, 3) or x.numel() != (n_in or x.numel()):
        wanted = "" if n_in is None else f" of {n_in} numbers"
        raise ValueError(
            f"x has the shape {tuple(x.shape)}: give one example{wanted}, as x_test[0]"
        )
    return x[None]


def _n_in(model):
    for module in model.modules():
        if isinstance(module, nn.Unflatten):
            return math.prod(module.unflattened_size)
        if isinstance(module, nn.Linear):
            return module.in_features
        if next(module.parameters(recurse=False), None) is not None:
            return None
    return None


def probes(x):
    """`x`, (1, ...), and 16 random examples: at x alone a relu of positive numbers is not seen."""
    generator = torch.Generator().manual_seed(0)
    return torch.cat([x, torch.randn(16, *x.shape[1:], generator=generator, dtype=x.dtype)])


def same(a, b):
    """Whether two tensors are equal but for rounding."""
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=1e-5)


def chain(network, x, part):
    """States and steps of `network` at `x`, shape (1, ...), and its output.

    A step ends where the next weights begin. What only changes the shape is no step: it is seen in
    the sizes.

    Raises
    ------
    ValueError
        When the modules, run one after the other, do not give what the network gives.
    """
    ran = []
    hooks = [
        module.register_forward_hook(lambda module, _, output: ran.append((module, output)))
        for module in network.modules()
        if not list(module.children())
    ]
    try:
        output = network(x)
    finally:
        for hook in hooks:
            hook.remove()
    _confirm_chain(network, [module for module, _ in ran], x, part)
    tensors, steps = [x], []
    for module, after in ran:
        if isinstance(module, nn.Unflatten):
            tensors[-1] = after
        elif not isinstance(module, nn.Flatten):
            if not steps or (_has_weights(module) and any(map(_has_weights, steps[-1]))):
                steps.append([])
                tensors.append(None)
            steps[-1].append(module)
            tensors[-1] = after
    states = [State(part, tensor[0].double().numpy()) for tensor in tensors]
    return states, [Step(part, tuple(modules)) for modules in steps], output


def _has_weights(module):
    return next(module.parameters(), None) is not None


def _confirm_chain(network, modules, x, part):
    asked = replayed = probes(x)
    try:
        for module in modules:
            replayed = module(replayed)
    except (RuntimeError, TypeError):  # sizes that do not follow one another
        replayed = asked[:0]
    if not same(replayed, network(asked)):
        raise ValueError(
            f"the {part} does more than its modules one after the other (a relu or a sum in "
            "forward?): write each step as a module in an nn.Sequential, as nn.ReLU()"
        )


def n_parameters(module):
    """How many numbers are learned."""
    return sum(weights.numel() for weights in module.parameters())


def record(model, x):
    """The recording of an autoencoder, or of a network without parts, at x, shape (1, ...)."""
    if not hasattr(model, "encoder") or not hasattr(model, "decoder"):
        states, steps, _ = chain(model, x, "network")
        return Recording(states, steps, {"network": n_parameters(model)})
    left, left_steps, z = chain(model.encoder, x, "encoder")
    right, right_steps, _ = chain(model.decoder, z, "decoder")
    some = probes(x)
    if not same(model.decoder(model.encoder(some)), model(some)):
        raise ValueError(
            "the model is more than its decoder after its encoder (a shortcut?): draw the parts "
            "alone, as draw_network(model.encoder)"
        )
    counts = {part: n_parameters(getattr(model, part)) for part in ("encoder", "decoder")}
    code = State("code", left[-1].values)
    return Recording([*left[:-1], code, *right[1:]], left_steps + right_steps, counts)


def record_variational(model, x, seed):
    """Recordings of the encoder and of the decoder at x, shape (1, ...), with one draw between.

    Returns
    -------
    left, right : Recording
        The last state of `left` holds mean and log-variance, the first of `right` is the code.
    """
    if not hasattr(model, "encode"):
        raise ValueError("a model without encode(x) has no mean and log-variance: draw_network")
    left, left_steps, both = chain(model.encoder, x, "encoder")
    some = probes(x)
    if not same(torch.cat(model.encode(some), -1), model.encoder(some)):
        raise ValueError(
            "encode must give the halves of what the encoder gives, the mean, then the log-variance"
        )
    mean, log_var = both.chunk(2, -1)
    generator = torch.Generator().manual_seed(seed)
    eps = torch.randn(mean.shape, generator=generator, dtype=mean.dtype)
    right, right_steps, _ = chain(model.decoder, mean + torch.exp(0.5 * log_var) * eps, "decoder")
    right[0] = State("code", right[0].values)
    return (
        Recording(left, left_steps, {"encoder": n_parameters(model.encoder)}),
        Recording(right, right_steps, {"decoder": n_parameters(model.decoder)}),
    )


def in_words(recording):
    """A sentence for each part, for the alt text."""
    names = {"encoder": "Encoder f", "decoder": "Decoder g", "network": "Layers"}
    path, sentences = list(zip(recording.steps, pairwise(recording.states), strict=True)), []
    for part, count in recording.n_parameters.items():
        told = [(step, states) for step, states in path if step.part == part]
        sentence = f"{names[part]}, {count:,} parameters: {told[0][1][0].size if told else 'none'}"
        for step, (_, after) in told:
            sentence += f"; {', '.join(step.lines)} to {after.size}"
        sentences.append(sentence.replace("convᵀ", "transposed conv") + ".")
    return " ".join(sentences)
