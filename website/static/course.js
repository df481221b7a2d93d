// What is wider than its box scrolls in it, and the keyboard reaches it.
function markWide() {
  for (const formula of document.querySelectorAll('mjx-container:not([display])')) {
    formula.classList.remove('wide');
    const room = formula.closest('p, li, td, th, dd, summary, h1, h2, h3, div').clientWidth;
    formula.classList.toggle('wide', formula.getBoundingClientRect().width > room && room > 0);
  }
  const boxes = 'article pre, .pst-scrollable-table-container, .output.text_html, mjx-container[display], .wide';
  for (const box of document.querySelectorAll(boxes)) {
    const scrolls = box.scrollWidth > box.clientWidth || box.matches('.wide');
    if (scrolls) box.tabIndex = 0; else box.removeAttribute('tabindex');
  }
}

// The sidebar's triangles say nothing to those who do not see them.
for (const summary of document.querySelectorAll('.bd-links summary')) {
  const lecture = summary.closest('li').querySelector('a').textContent.trim();
  summary.setAttribute('aria-label', `More on ${lecture}`);
}

// A browser runs the course only when the pages come from a server, not from a disk.
if (location.protocol === 'file:') {
  for (const link of document.querySelectorAll('.needs-server')) link.hidden = true;
}

// The empty corner of a table is no header.
for (const corner of document.querySelectorAll('article th')) {
  if (!corner.textContent.trim()) corner.replaceWith(document.createElement('td'));
}

addEventListener('load', async () => {
  await window.MathJax?.startup?.promise;
  markWide();
  addEventListener('resize', markWide);
  document.addEventListener('toggle', markWide, true);  // what was folded had no width
  document.documentElement.dataset.ready = '1';
});
