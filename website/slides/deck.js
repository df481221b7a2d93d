/* Fits every slide into 1280 x 720, then starts reveal.js.
   A body's type is as large as its slide allows; a picture gets the room that its column leaves. */
(function () {
  const LARGEST = {title: 30, ask: 30, define: 30, split: 31, wide: 30, code: 30, remember: 33, quote: 56, plain: 38};
  const SMALLEST = 12;  // px; the tests ask for much more, this keeps a slide that is too full readable
  const slides = () => [...document.querySelectorAll('.slides > section')];
  const all = (root, selector) => [...root.querySelectorAll(selector)];

  // ---- fitting ----

  const kindOf = (slide) => slide.classList[0];

  /* Give the pictures of a column the height that its other parts leave. */
  function fitPictures(column) {
    const rows = all(column, ':scope > .figure');
    if (!rows.length) return;
    rows.forEach((row) => { row.style.display = 'none'; });
    const others = [...column.children].filter((part) => part.offsetHeight);
    const style = getComputedStyle(column), gap = parseFloat(style.rowGap) || 0;
    const margins = others.reduce((sum, part) => sum + parseFloat(getComputedStyle(part).marginTop) + parseFloat(getComputedStyle(part).marginBottom), 0);
    const used = others.reduce((sum, part) => sum + part.offsetHeight, margins) + gap * (others.length + rows.length - 1);
    const padding = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
    const free = Math.max(0, column.clientHeight - padding - used) / rows.length;
    for (const row of rows) {
      const images = all(row, 'img');
      const shapes = images.map((image) => image.naturalWidth / image.naturalHeight);
      const width = column.clientWidth - 28 * (images.length - 1);
      const height = Math.min(free, width / shapes.reduce((sum, shape) => sum + shape, 0));
      images.forEach((image, index) => {
        image.style.height = `${Math.floor(height)}px`;
        image.style.width = `${Math.floor(height * shapes[index])}px`;
      });
      row.dataset.share = (height / column.clientHeight).toFixed(2);
      row.style.display = '';
    }
  }

  /* Whether something in the body passes the edge of the body or of its own column. Words stay a
     little away from the title and the minutes. */
  function overflows(slide) {
    const body = slide.querySelector('.body'), room = body.getBoundingClientRect();
    for (const column of body.children) {
      const own = column.getBoundingClientRect();
      for (const part of all(column, '*')) {
        if (part.closest('mjx-assistive-mml') || part.parentElement.closest('svg, .stage')) continue;
        const box = part.getBoundingClientRect();
        if (!box.width && !box.height) continue;
        const away = part.matches('p, li, pre, table') ? 7 : -1;
        if (box.bottom > room.bottom - away || box.top < room.top + away || box.right > own.right + 1 || box.left < own.left - 1) return true;
      }
    }
    return false;
  }

  /* A picture that only gets a strip is no picture: then the type gives way, down to 24 px. */
  function squeezed(slide, size) {
    const least = size <= 24 ? .15 : {wide: .45, split: .4, title: .4, ask: .35, remember: .35}[kindOf(slide)] ?? .25;
    return all(slide, '.figure').some((row) => {
      const image = row.querySelector('img'), column = row.parentElement;
      const full = image && image.offsetWidth >= .9 * column.clientWidth;
      return image && !full && Number(row.dataset.share) < least;
    });
  }

  const fits = (slide, size) => {
    all(slide, '.column').forEach(fitPictures);
    return !overflows(slide) && !squeezed(slide, size);
  };

  /* Two columns: the right one as wide as its picture asks for, narrower where the words need room. */
  function shares(slide) {
    const body = slide.querySelector('.body');
    const images = all(body, ':scope > .column:last-child > .figure img');
    const natural = images.reduce((sum, image) => sum + image.naturalWidth / image.naturalHeight, 0) * body.clientHeight / body.clientWidth;
    const widest = images.length ? Math.min(62, Math.round(100 * natural)) : 60;
    const narrowest = images.length ? Math.min(widest, 44) : 40;
    const tried = [];
    for (let share = widest; share >= narrowest; share -= 2) tried.push(`${share}%`);
    if (!images.length) tried.sort((a, b) => Math.abs(parseInt(a) - 50) - Math.abs(parseInt(b) - 50));
    return tried;
  }

  /* The column of code is as wide as its longest line, but not a narrow strip. */
  function fitCode(slide, size) {
    const longest = Math.max(...all(slide, 'pre.code .row').map((row) => row.textContent.length));
    slide.style.setProperty('--code-width', `max(46%, ${Math.ceil(longest * .8 * size * .6021 + 46)}px)`);
  }

  function fitFormula(slide) {
    const band = slide.querySelector('.formula'), drawn = band?.querySelector('svg');
    if (!drawn) return;
    const free = band.clientWidth - 68, width = drawn.getBoundingClientRect().width;
    if (width > free) band.style.fontSize = `${Math.floor(50 * free / width)}px`;
  }

  function fit(slide) {
    const kind = kindOf(slide), body = slide.querySelector('.body');
    const columns = slide.matches('.split, .pictured') ? shares(slide) : [''];
    if (kind === 'define') fitFormula(slide);
    for (let size = LARGEST[kind]; size >= SMALLEST; size -= 1) {
      body.style.fontSize = `${size}px`;
      if (kind === 'code') {
        fitCode(slide, size);
        // While code is larger than 22 px, it leaves a third of the width to its result.
        const code = body.querySelector('.column').clientWidth;
        if (!slide.classList.contains('over') && size > 28 && code > .66 * body.clientWidth) continue;
      }
      for (const share of columns) {
        if (share) slide.style.setProperty('--share', share);
        if (fits(slide, size)) return;
      }
    }
  }

  // ---- formulas ----

  /* A line may break beside a formula, but not between it and its full stop or bracket. */
  function keepPunctuation() {
    for (const formula of all(document, 'mjx-container:not([display])')) {
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

  // ---- steps ----

  /* reveal.js reads a whole slide aloud to a screen reader. What has not been shown yet is left out. */
  function tellReaders(event) {
    for (const part of all(document, '.fragment')) {
      if (part.classList.contains('visible')) part.removeAttribute('aria-hidden');
      else part.setAttribute('aria-hidden', 'true');
    }
    if (event?.type === 'fragmentshown')
      document.querySelector('.aria-status').textContent = event.fragments.map((part) => part.textContent).join(' ');
  }

  // ---- keys ----

  /* An explorer that has the focus hands on the keys of a presenter's remote control. */
  const KEYS = {PageUp: 33, PageDown: 34, End: 35, Home: 36, Escape: 27, '.': 190, b: 66, f: 70, s: 83};
  window.addEventListener('message', (event) => {
    const key = KEYS[event.data?.courseKey];
    if (key && all(document, 'iframe').some((frame) => frame.contentWindow === event.source)) Reveal.triggerKey(key);
  });

  // ---- start ----

  MathJax.startup.promise.then(async () => {
    // The notes window has no MathJax styles and would show the hidden copy for screen readers.
    all(document, 'aside.notes mjx-assistive-mml').forEach((copy) => copy.remove());
    keepPunctuation();
    await Promise.allSettled([
      ...['400 1em "Course Sans"', 'italic 400 1em "Course Sans"', '600 1em "Course Sans"', '400 1em "Course Mono"', '600 1em "Course Mono"']
        .map((font) => document.fonts.load(font)),
      ...[...document.images].map((image) => image.decode()),
    ]);
    document.documentElement.classList.add('measuring');
    slides().forEach(fit);
    document.documentElement.classList.remove('measuring');
    if (!location.search.includes('print-pdf')) {
      tellReaders();
      ['fragmentshown', 'fragmenthidden', 'slidechanged', 'ready'].forEach((event) => Reveal.on(event, tellReaders));
    }
    Reveal.on('pdf-ready', () => { document.documentElement.dataset.printReady = '1'; });
    return Reveal.initialize({
      width: 1280, height: 720, margin: 0, minScale: .2, maxScale: 3, center: false, display: 'grid',
      transition: 'none', hash: true, controls: false, progress: false, scrollActivationWidth: null,
      pdfSeparateFragments: false, plugins: [RevealNotes],
    });
  }).then(() => { document.documentElement.dataset.ready = '1'; });
}());
