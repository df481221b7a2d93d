"""Slides: one deck a lecture, built from the notebook's cells and their stored outputs."""

from tools.slides.deck import render_deck

__all__ = ["render_deck"]
