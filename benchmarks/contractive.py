"""the contractive penalty in three ways, value and gradient, for one sigmoid layer.

64 inputs, 32 and 128 units, a batch of 128, float64, one thread. "to ours" is seconds over those of
`autoencoders.contractive_penalty`: below 1 is faster. The errors are relative to the closed form:
the Jacobian by torch.func is exact for every encoder, the closed form for this one only, and
Hutchinson's estimate, here with one probe an example, is right on average alone. Ours costs more
because it computes every entry of every Jacobian.
"""

import torch
from torch import nn

from benchmarks.stopwatch import best_seconds
from lecture_utils.autoencoders import contractive_penalty
from lecture_utils.training import set_up

HEADER = ("way", "units", "ms", "to ours", "error of value", "error of gradient")


def closed_form(encoder, x):
    """For code sigmoid(Wx + b): the derivative of unit j is h_j (1 - h_j) times row j of W."""
    h = encoder(x)
    return ((h * (1 - h)) ** 2 @ (encoder[0].weight ** 2).sum(1)).mean()


def hutchinson(encoder, x):
    """E |J' v|^2 over signs v is the squared Frobenius norm of J; one v an example."""
    x = x.requires_grad_()
    h = encoder(x)
    signs = torch.randint(0, 2, h.shape).to(h) * 2 - 1
    (product,) = torch.autograd.grad(h, x, signs, create_graph=True)
    return (product**2).sum(1).mean()


WAYS = {
    "torch.func, ours": contractive_penalty,
    "closed form": closed_form,
    "Hutchinson, one probe": hutchinson,
}


def rows():
    return [row for units in (32, 128) for row in compare(units)]


def compare(units):
    set_up(0)
    encoder = nn.Sequential(nn.Linear(64, units), nn.Sigmoid()).double()
    x = torch.rand(128, 64, dtype=torch.float64)

    def value_and_gradient(way):
        value = way(encoder, x.detach())
        weight_gradient, _ = torch.autograd.grad(value, list(encoder.parameters()))
        return value.detach(), weight_gradient

    seconds = best_seconds([lambda w=way: value_and_gradient(w) for way in WAYS.values()], 50)
    truth = value_and_gradient(closed_form)
    for (name, way), best in zip(WAYS.items(), seconds, strict=True):
        results = zip(value_and_gradient(way), truth, strict=True)
        errors = [f"{(result - true).norm() / true.norm():.1e}" for result, true in results]
        yield (name, str(units), f"{1000 * best:.2f}", f"{best / seconds[0]:.2f}", *errors)
