// The best guess of a point of the unit circle that was seen with noise of size sigma.

// I1(s) / I0(s), the mean of cos t where t has a density proportional to exp(s cos t): a sum over
// equally spaced t is exact to rounding, and dividing by exp(s) keeps it finite.
function besselRatio(s) {
  let above = 0, below = 0;
  for (let i = 0; i < 600; i++) {
    const cos = Math.cos((i + 0.5) * Math.PI / 600), weight = Math.exp(s * (cos - 1));
    above += weight * cos;
    below += weight;
  }
  return above / below;
}

function denoise(y, sigma) {
  const size = Math.hypot(...y), scale = size && besselRatio(size / sigma ** 2) / size;
  return y.map(v => v * scale);
}
