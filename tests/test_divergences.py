"""The divergences against independent oracles: scipy, mpmath at 50 digits, closed forms."""

import subprocess
import sys

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr
from scipy.stats import norm, uniform

from lecture_utils.divergences import (
    cross_entropy,
    entropy,
    js_divergence,
    kl_divergence,
    kl_divergence_bernoulli,
    kl_divergence_gaussian,
    kl_divergence_gaussian_1d,
    kl_divergence_monte_carlo,
    kl_divergence_quadrature,
    quadrature_grid,
)

mpmath.mp.dps = 50


def exact_kl(p, q):
    """KL of two weight vectors at 50 digits, in the form that does not need them to sum to one."""
    total = mpmath.mpf(0)
    for a, b in zip(p, q, strict=True):
        a, b = mpmath.mpf(float(a)), mpmath.mpf(float(b))
        total += b - a + (a * mpmath.log(a / b) if a else 0)
    return total


def gaussian_kl(mean_p, std_p, mean_q, std_q):
    """The deck's closed form."""
    return np.log(std_q / std_p) + (std_p**2 + (mean_p - mean_q) ** 2) / (2 * std_q**2) - 0.5


weights = st.lists(st.floats(0, 1), min_size=2, max_size=8).filter(lambda w: sum(w) > 1e-3)


@st.composite
def pairs(draw):
    """Two distributions on the same outcomes: unrelated, nearly equal, or with q far below p."""
    p = np.array(draw(weights))
    kind = draw(st.sampled_from(["unrelated", "near", "far"]))
    if kind == "unrelated":
        q = np.array(draw(st.lists(st.floats(0, 1), min_size=len(p), max_size=len(p))))
        q = q if q.sum() > 1e-3 else np.ones(len(p))
    elif kind == "near":
        q = p * (1 + 1e-8 * np.random.default_rng(draw(st.integers(0, 99))).normal(size=len(p)))
    else:
        q = p * 10.0 ** -np.array(
            draw(st.lists(st.integers(0, 300), min_size=len(p), max_size=len(p)))
        )
        q[0] += 1e-3
    return p / p.sum(), q / q.sum()


@given(pairs())
def test_kl_is_never_negative_and_never_nan(pair):
    assert kl_divergence(*pair) >= 0


@given(pairs())
def test_kl_agrees_with_mpmath(pair):
    p, q = pair
    if ((q == 0) & (p > 0)).any():
        assert kl_divergence(p, q) == np.inf
        return
    exact = float(exact_kl(p, q))
    assert kl_divergence(p, q) == pytest.approx(exact, rel=1e-12, abs=1e-15)


def test_kl_of_near_pairs_keeps_its_digits():
    rng = np.random.default_rng(0)
    for eps in (1e-3, 1e-5, 1e-7):
        p = rng.dirichlet(np.ones(5))
        h = rng.normal(size=5)
        q = p + eps * (h - h.mean()) * p.min()
        assert kl_divergence(p, q) == pytest.approx(float(exact_kl(p, q)), rel=1e-6, abs=0)


def test_kl_where_q_is_tiny():
    p, q = [0.5, 0.5], [1.0, 1e-300]
    assert kl_divergence(p, q) == pytest.approx(float(exact_kl(p, q)), rel=1e-12)
    assert kl_divergence([0.5, 0.5], [1.0, 5e-324]) == pytest.approx(
        float(exact_kl([0.5, 0.5], [1.0, 5e-324])), rel=1e-12
    )


def test_kl_agrees_with_scipy_in_batches():
    p, q = np.random.default_rng(1).dirichlet(np.ones(7), size=(2, 4, 5))
    assert kl_divergence(p, q).shape == (4, 5)
    np.testing.assert_allclose(kl_divergence(p, q), rel_entr(p, q).sum(-1), rtol=1e-11)


def test_zeros():
    assert kl_divergence([0, 1], [0.5, 0.5]) == pytest.approx(np.log(2), rel=1e-15)
    assert kl_divergence([0.5, 0.5], [0, 1]) == np.inf
    assert kl_divergence([0, 1], [0, 1]) == 0
    assert kl_divergence([1 - 1e-9, 1e-9], [1, 0]) == np.inf


def test_entropies_agree_with_kl():
    p, q = np.random.default_rng(2).dirichlet(np.ones(6), size=(2, 100))
    np.testing.assert_allclose(cross_entropy(p, q) - entropy(p), kl_divergence(p, q), atol=1e-14)
    np.testing.assert_allclose(entropy(np.full(6, 1 / 6)), np.log(6), rtol=1e-15)
    assert entropy([0, 1]) == 0
    assert cross_entropy([0.5, 0.5], [0, 1]) == np.inf


@pytest.mark.parametrize("function", [kl_divergence, cross_entropy])
@pytest.mark.parametrize(
    ("p", "q", "words"),
    [
        ([0.5, 0.5], [0.2, 0.3, 0.5], "shape"),
        ([0.5, 0.5], [[0.5, 0.5]], "shape"),
        ([1.5, -0.5], [0.5, 0.5], "p holds -0.5"),
        ([0.5, 0.5], [0.5, np.nan], "q holds NaN"),
        ([2, 2], [0.5, 0.5], "p sums to 4"),
        ([0.5, 0.5], [0.5, 0.5 + 1e-8], "q sums to 1.00000001"),
        ([np.inf, 0], [0.5, 0.5], "p sums to inf"),
        ([[0.5, 0.5], [0.5, 0.6]], [[0.5, 0.5], [0.5, 0.5]], "p sums to 1.1"),
        ([], [], "at least one outcome"),
        (1.0, 1.0, "at least one outcome"),
    ],
)
def test_bad_distributions_are_refused(function, p, q, words):
    with pytest.raises(ValueError, match=words):
        function(p, q)


def test_entropy_refuses_counts():
    with pytest.raises(ValueError, match="divide counts"):
        entropy([3, 4])


@pytest.mark.parametrize("pair", [(0, 1, 0, 1), (0, 1, 1, 1.5), (2, 0.3, -1, 2), (0, 1, 0, 0.1)])
def test_quadrature_agrees_with_the_closed_form(pair):
    measured = kl_divergence_quadrature(norm(*pair[:2]).logpdf, norm(*pair[2:]).logpdf, -25, 25)
    assert measured == pytest.approx(gaussian_kl(*pair), rel=1e-11, abs=1e-12)


def test_quadrature_is_never_negative_for_near_pairs():
    for shift in (0, 1e-12, 1e-9, 1e-6):
        measured = kl_divergence_quadrature(norm(0, 1).logpdf, norm(shift, 1).logpdf, -15, 15)
        assert measured >= 0
        assert measured == pytest.approx(shift**2 / 2, rel=1e-3, abs=1e-30)


def test_quadrature_knows_zeros_of_a_density():
    half, whole = uniform(0, 0.5).logpdf, uniform(0, 1).logpdf
    assert kl_divergence_quadrature(half, whole, 0, 1) == pytest.approx(np.log(2), rel=1e-12)
    assert kl_divergence_quadrature(whole, half, 0, 1) == np.inf


def test_quadrature_survives_densities_that_underflow():
    measured = kl_divergence_quadrature(norm(0, 1).logpdf, norm(40, 1).logpdf, -30, 70)
    assert measured == pytest.approx(800, rel=1e-11)


def test_quadrature_grid_integrates_polynomials():
    x, weight = quadrature_grid(-1, 2)
    assert weight @ x**5 == pytest.approx((2**6 - 1) / 6, rel=1e-13)
    with pytest.raises(ValueError, match="below upper"):
        quadrature_grid(2, 2)


@pytest.mark.parametrize(
    ("log_p", "log_q", "words"),
    [
        (norm(0, 1).logpdf, norm(0, 9).logpdf, r"exp\(log_q\) integrates to"),
        (norm(0, 1).pdf, norm(0, 1).logpdf, r"exp\(log_p\) integrates to"),
        (norm(0, 1e-5).logpdf, norm(0, 1).logpdf, r"exp\(log_p\) integrates to"),
        (lambda x: np.full_like(x, np.nan), norm(0, 1).logpdf, "NaN"),
        (lambda x: 0.0, norm(0, 1).logpdf, "shape"),
    ],
)
def test_quadrature_refuses_what_is_no_density(log_p, log_q, words):
    with pytest.raises(ValueError, match=words):
        kl_divergence_quadrature(log_p, log_q, -10, 10)


def test_monte_carlo_is_within_its_error():
    x = norm(0, 1).rvs(100_000, random_state=np.random.default_rng(0))
    estimate, error = kl_divergence_monte_carlo(norm(0, 1).logpdf, norm(1, 1.5).logpdf, x)
    log_ratio = norm(0, 1).logpdf(x) - norm(1, 1.5).logpdf(x)
    assert error == pytest.approx(np.sqrt(np.var(log_ratio) / (len(x) - 1)), rel=1e-12)
    assert abs(estimate - gaussian_kl(0, 1, 1, 1.5)) < 4 * error


def test_monte_carlo_sees_an_impossible_sample():
    inside = uniform(0, 1).logpdf
    x = np.array([0.2, 0.7])
    assert kl_divergence_monte_carlo(inside, uniform(0, 0.5).logpdf, x) == (np.inf, np.inf)
    with pytest.raises(ValueError, match="drawn from Q"):
        kl_divergence_monte_carlo(uniform(0, 0.5).logpdf, inside, x)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros(1), "at least 2"),
        (np.zeros((3, 2)), "one value for each sample"),
        (np.full(3, np.nan), "NaN"),
    ],
)
def test_monte_carlo_refuses_bad_samples(x, words):
    with pytest.raises(ValueError, match=words):
        kl_divergence_monte_carlo(norm(0, 1).logpdf, norm(0, 1).logpdf, x)


@given(pairs())
def test_js_is_between_zero_and_log_2_and_symmetric(pair):
    p, q = (np.where(d < 1e-300, 0, d) for d in pair)  # below 1e-307 one half rounds to zero
    assert 0 <= js_divergence(p, q) <= np.log(2) * (1 + 1e-12)
    assert js_divergence(p, q) == pytest.approx(js_divergence(q, p), rel=1e-12, abs=1e-300)


def test_js_agrees_with_scipy():
    p, q = np.random.default_rng(3).dirichlet(np.ones(6), size=(2, 200))
    np.testing.assert_allclose(js_divergence(p, q), jensenshannon(p, q, axis=-1) ** 2, rtol=1e-9)
    assert js_divergence([1, 0], [0, 1]) == pytest.approx(np.log(2), rel=1e-15)


def random_gaussian(rng, k, condition):
    """Mean and covariance with the given condition number in a random orientation."""
    axes, _ = np.linalg.qr(rng.normal(size=(k, k)))
    return rng.normal(size=k), (axes * np.geomspace(1, condition, k)) @ axes.T


def exact_gaussian_kl(mean_p, cov_p, mean_q, cov_q):
    """The deck's formula at 50 digits."""
    S_p, S_q = mpmath.matrix(cov_p.tolist()), mpmath.matrix(cov_q.tolist())
    S_p, S_q = (S_p + S_p.T) / 2, (S_q + S_q.T) / 2
    z = mpmath.matrix((mean_q - mean_p).tolist())
    inverse = S_q**-1
    trace = sum((inverse * S_p)[i, i] for i in range(len(mean_p)))
    log_ratio = mpmath.log(mpmath.det(S_q) / mpmath.det(S_p))
    return float((trace + (z.T * inverse * z)[0] - len(mean_p) + log_ratio) / 2)


@pytest.mark.parametrize(("condition", "rel"), [(10, 1e-11), (1e4, 1e-9), (1e7, 1e-6)])
@pytest.mark.parametrize("k", [2, 5, 12])
def test_gaussian_kl_agrees_with_mpmath(k, condition, rel):
    rng = np.random.default_rng(k)
    mean_p, cov_p = random_gaussian(rng, k, condition)
    mean_q, cov_q = random_gaussian(rng, k, condition)
    cov_p, cov_q = (cov_p + cov_p.T) / 2, (cov_q + cov_q.T) / 2
    exact = exact_gaussian_kl(mean_p, cov_p, mean_q, cov_q)
    assert exact > 0.1
    assert kl_divergence_gaussian(mean_p, cov_p, mean_q, cov_q) == pytest.approx(exact, rel=rel)


def test_gaussian_kl_agrees_with_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(5)
    (mean_p, cov_p), (mean_q, cov_q) = random_gaussian(rng, 4, 10), random_gaussian(rng, 4, 10)
    normal = [
        torch.distributions.MultivariateNormal(torch.tensor(mean), torch.tensor(cov))
        for mean, cov in ((mean_p, cov_p), (mean_q, cov_q))
    ]
    theirs = torch.distributions.kl_divergence(*normal).item()
    assert kl_divergence_gaussian(mean_p, cov_p, mean_q, cov_q) == pytest.approx(theirs, rel=1e-10)


def test_the_order_of_arguments_in_torch_is_what_lecture_05_says():
    torch = pytest.importorskip("torch")
    p, q = [0.5, 0.5], [0.9, 0.1]
    log_q = torch.tensor(q, dtype=torch.float64).log()
    target = torch.tensor(p, dtype=torch.float64)
    theirs = torch.nn.functional.kl_div(log_q, target, reduction="sum").item()
    assert kl_divergence(p, q) == pytest.approx(theirs, rel=1e-12)


def test_gaussian_kl_of_near_pairs_is_never_negative():
    rng = np.random.default_rng(6)
    for _ in range(200):
        mean, cov = random_gaussian(rng, 6, 1e4)
        cov = (cov + cov.T) / 2
        near = cov * (1 + 1e-9 * rng.normal())
        assert kl_divergence_gaussian(mean, cov, mean * (1 + 1e-9), near) >= 0
    assert kl_divergence_gaussian(mean, cov, mean, cov) == pytest.approx(0, abs=1e-30)


def test_gaussian_kl_in_900_dimensions():
    k = 900
    var_p, var_q = np.linspace(0.5, 2, k), np.linspace(2, 1, k)
    rotation, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(k, k)))
    cov_p, cov_q = ((rotation * var) @ rotation.T for var in (var_p, var_q))
    cov_p, cov_q = (cov_p + cov_p.T) / 2, (cov_q + cov_q.T) / 2
    one_by_one = kl_divergence_gaussian_1d(0, np.sqrt(var_p), 0, np.sqrt(var_q)).sum()
    measured = kl_divergence_gaussian(np.zeros(k), cov_p, np.zeros(k), cov_q)
    assert measured == pytest.approx(one_by_one, rel=1e-9)


@pytest.mark.parametrize("pair", [(0, 1, 0, 1), (0, 1, 1, 1.5), (2, 0.3, -1, 2), (0, 1, 0, 1e-9)])
def test_gaussian_kl_in_one_dimension(pair):
    exact = float(
        mpmath.log(mpmath.mpf(pair[3]) / pair[1])
        + (mpmath.mpf(pair[1]) ** 2 + (pair[0] - pair[2]) ** 2) / (2 * mpmath.mpf(pair[3]) ** 2)
        - mpmath.mpf(1) / 2
    )
    assert kl_divergence_gaussian_1d(*pair) == pytest.approx(exact, rel=1e-12)
    cov = [np.array([[pair[i] ** 2]]) for i in (1, 3)]
    in_k = kl_divergence_gaussian([pair[0]], cov[0], [pair[2]], cov[1])
    assert in_k == pytest.approx(exact, rel=1e-9)


@given(st.floats(1e-6, 1e6), st.floats(-1e-7, 1e-7), st.floats(-1e3, 1e3))
def test_gaussian_kl_1d_is_never_negative(std, change, mean):
    assert kl_divergence_gaussian_1d(mean, std, mean, std * (1 + change)) >= 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 0, 0, 1), "std_p holds 0"),
        ((0, 1, 0, -1), "std_q holds -1"),
        ((0, 1, 0, np.nan), "std_q holds nan"),
        ((np.nan, 1, 0, 1), "mean_p holds NaN"),
    ],
)
def test_gaussian_kl_1d_refuses(arguments, words):
    with pytest.raises(ValueError, match=words):
        kl_divergence_gaussian_1d(*arguments)


@pytest.mark.parametrize(
    ("cov", "words"),
    [
        (np.diag([1.0, 0.0]), "cov_q is not positive definite"),
        (np.array([[1.0, 2.0], [2.0, 1.0]]), "cov_q is not positive definite"),
        (np.array([[1.0, 0.1], [0.2, 1.0]]), "cov_q is not symmetric"),
        (np.eye(3), "cov_q has shape"),
        (np.full((2, 2), np.nan), "cov_q holds NaN"),
    ],
)
def test_gaussian_kl_refuses(cov, words):
    with pytest.raises(ValueError, match=words):
        kl_divergence_gaussian(np.zeros(2), np.eye(2), np.zeros(2), cov)


@pytest.mark.parametrize("k", [2, 5, 40])
def test_gaussian_kl_refuses_what_only_rounding_makes_regular(k):
    rng = np.random.default_rng(k)
    for _ in range(50):
        factor = rng.normal(size=(k, rng.integers(1, k)))  # of rank k - 1 at most
        with pytest.raises(ValueError, match="cov_q is not positive definite"):
            kl_divergence_gaussian(np.zeros(k), np.eye(k), np.zeros(k), factor @ factor.T)


def test_divergences_do_not_import_torch():
    code = "import sys, lecture_utils.divergences; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_bernoulli_against_the_formula():
    rho_hat = np.linspace(0.01, 0.99, 50)
    expected = 0.05 * np.log(0.05 / rho_hat) + 0.95 * np.log(0.95 / (1 - rho_hat))
    np.testing.assert_allclose(kl_divergence_bernoulli(0.05, rho_hat), expected, rtol=1e-10)


def test_bernoulli_at_the_edges():
    assert kl_divergence_bernoulli(0.3, 0.3) == 0
    assert kl_divergence_bernoulli(0, 0.5) == pytest.approx(np.log(2))
    assert kl_divergence_bernoulli(0.3, [0.0, 1.0]).tolist() == [np.inf, np.inf]


@pytest.mark.parametrize(
    ("rho", "rho_hat", "message"),
    [
        (1.2, 0.5, r"rho holds a number outside \[0, 1\]"),
        (0.5, [-0.1, 0.2], r"rho_hat holds a number outside"),
        (0.5, np.nan, "rho_hat holds a number outside .* or NaN"),
        ([0.1, 0.2], [0.1, 0.2, 0.3], r"shapes \(2,\) and \(3,\)"),
    ],
)
def test_bernoulli_refuses_what_is_no_probability(rho, rho_hat, message):
    with pytest.raises(ValueError, match=message):
        kl_divergence_bernoulli(rho, rho_hat)
