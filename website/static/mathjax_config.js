// MathJax draws the formulas when the page has loaded. Undefined macros are errors, not red text.

// A line may break beside a formula, but not between it and its full stop or bracket.
function keepPunctuation() {
  for (const drawn of document.querySelectorAll('mjx-container:not([display])')) {
    const formula = drawn.closest('span.math') ?? drawn;
    const before = formula.previousSibling?.data?.match(/[(“"]+$/)?.[0] ?? '';
    const after = formula.nextSibling?.data?.match(/^[.,:;!?)”"’]+/)?.[0] ?? '';
    if (!before && !after) continue;
    const together = document.createElement('span');
    together.style.whiteSpace = 'nowrap';
    if (before) formula.previousSibling.data = formula.previousSibling.data.slice(0, -before.length);
    if (after) formula.nextSibling.data = formula.nextSibling.data.slice(after.length);
    formula.replaceWith(together);
    together.append(before, formula, after);
  }
}

window.MathJax = {
  tex: {
    inlineMath: [['$', '$'], ['\\(', '\\)']],
    displayMath: [['$$', '$$'], ['\\[', '\\]']],
    processEscapes: true,
    packages: {'[-]': ['noerrors', 'noundefined']},
  },
  svg: {scale: 0.92, fontCache: 'local', displayAlign: 'left', displayIndent: '1.5em'},
  options: {enableMenu: false},
  startup: {pageReady: () => MathJax.startup.defaultPageReady().then(keepPunctuation)},
};
