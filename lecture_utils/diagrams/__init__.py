"""Drawings of networks, read off the torch module in hand, and of a window that moves.

Each function returns a figure and its alt text, made from the same facts; notebooks show it by
`show(*draw_network(model, x))`.
"""

from lecture_utils.diagrams.convolutions import draw_convolution, draw_transposed_convolution
from lecture_utils.diagrams.map_of_types import draw_map_of_types
from lecture_utils.diagrams.networks import draw_network, draw_variational

__all__ = [
    "draw_convolution",
    "draw_map_of_types",
    "draw_network",
    "draw_transposed_convolution",
    "draw_variational",
]
