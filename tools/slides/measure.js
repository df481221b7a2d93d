/* What a deck shows, screen by screen, as measured in the browser: sizes in pixels of the canvas of
   1280 x 720. Evaluates to a list of screens; leaves the deck on its last one. */
() => {
  const BOXES = 'h1, h2, h3, p, li, td, th, pre, img, iframe, blockquote, .value, .formula, .answer, mjx-container > svg';
  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const shown = (element) => !element.closest('aside, mjx-assistive-mml')
    && element.checkVisibility({opacityProperty: true, visibilityProperty: true});

  function texts(root) {
    const found = [], walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const {data, parentElement} = walker.currentNode;
      if (data.trim() && shown(parentElement) && !parentElement.closest('script, style, mjx-container')) found.push([data.trim(), parentElement]);
    }
    return found;
  }

  const typeOf = (element) => {
    const size = parseFloat(getComputedStyle(element).fontSize);
    const drawn = element.closest('svg');
    return drawn ? size * element.getScreenCTM().a : size;
  };

  /* The smallest type of an explorer, in its frame. */
  function typeInFrame(frame) {
    const sizes = texts(frame.contentDocument.body).map(([, element]) => typeOf(element));
    return sizes.length ? Math.min(...sizes) : null;
  }

  /* What passes an edge of the slide, runs into the title or the minutes, or lies on something else. */
  function collisions(slide, boxes) {
    const head = slide.querySelector(':scope > h2')?.getBoundingClientRect().bottom ?? 40;
    const complaints = [];
    const name = (element) => `${element.tagName.toLowerCase()} "${(element.alt || element.textContent).trim().slice(0, 30)}"`;
    for (const [element, box] of boxes) {
      if (box.right > 1240) complaints.push(`${name(element)} passes the right edge`);
      if (box.left < 40) complaints.push(`${name(element)} passes the left edge`);
      if (box.bottom > 696) complaints.push(`${name(element)} runs into the minutes`);
      if (element.tagName !== 'H2' && !element.closest('h2') && box.top < head - 8) complaints.push(`${name(element)} runs into the title`);
      if (element.tagName === 'PRE' && element.scrollWidth > element.clientWidth + 1) complaints.push(`${name(element)} is cut`);
      if (element.tagName === 'PRE' && element.scrollHeight > element.clientHeight + 1) complaints.push(`${name(element)} is cut`);
    }
    boxes.forEach(([one, a], index) => boxes.slice(index + 1).forEach(([other, b]) => {
      if (one.contains(other) || other.contains(one)) return;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 4 && down > 8) complaints.push(`${name(one)} and ${name(other)} overlap`);
    }));
    return complaints;
  }

  /* Pictures that stand above or below words, though they would have room beside them. */
  function stackedPictures(slide, boxes) {
    const words = boxes.filter(([element]) => element.matches('.body p, .body li') && !element.closest('.title'));
    return boxes.filter(([image, box]) => image.tagName === 'IMG' && image.naturalWidth < 2.2 * image.naturalHeight
      && image.closest('.figure').querySelectorAll('img').length === 1
      && words.some(([, other]) => Math.min(box.right, other.right) > Math.max(box.left, other.left))).length;
  }

  function screen(slide) {
    const boxes = all(slide, BOXES).filter((element) => shown(element) && !element.closest('.running'))
      .map((element) => [element, element.getBoundingClientRect()]);
    const written = texts(slide).filter(([, element]) => !element.closest('.running'));
    const pictures = boxes.filter(([element]) => element.tagName === 'IMG');
    const rows = all(slide, 'pre.code .row').filter((row) => shown(row) && row.textContent.trim());
    const look = (item) => { const {color, backgroundColor, borderColor, fontWeight} = getComputedStyle(item); return `${color} ${backgroundColor} ${borderColor} ${fontWeight}`; };
    const options = all(slide, '.options li'), answer = slide.querySelector('.answer');
    return {
      slide: Reveal.getSlides().indexOf(slide) + 1,
      title: slide.querySelector('h1, h2')?.textContent ?? '',
      layout: slide.className.split(' ')[0],
      repeated: 'repeated' in slide.dataset,
      minute: 'minute' in slide.dataset ? Number(slide.dataset.minute) : null,
      note: [...slide.querySelectorAll('aside.notes p:not(.minute), aside.notes li')].map((e) => e.textContent).join(' ').trim(),
      words: written.filter(([, element]) => !element.closest('pre.code'))
        .flatMap(([text]) => text.split(/\s+/)).filter((word) => /\p{L}/u.test(word)).length,
      smallest: Math.min(...written.map(([, element]) => typeOf(element))),
      code_lines: rows.length,
      code_size: rows.length ? parseFloat(getComputedStyle(rows[0]).fontSize) : null,
      pictured: all(slide, 'img, iframe, table, .body svg:not(mjx-container svg)').some(shown),
      picture_types: pictures.filter(([image]) => image.dataset.type).map(([image, box]) => image.dataset.type * box.width),
      explorer_types: all(slide, 'iframe').filter(shown).map(typeInFrame),
      bottom: Math.max(...boxes.map(([, box]) => box.bottom)) / 720,
      collisions: collisions(slide, boxes),
      stacked_pictures: stackedPictures(slide, boxes),
      asks: !!answer,
      answered: !!answer && shown(answer),
      looks: options.map(look),
      right: options.findIndex((item) => item.matches('.right')),
    };
  }

  // What a step shows is there at once, not after a while.
  const style = document.head.appendChild(document.createElement('style'));
  style.textContent = '.reveal .slides section .fragment { transition: none !important }';
  const screens = [];
  Reveal.slide(0);
  for (let before = ''; before !== JSON.stringify(Reveal.getState()); Reveal.next()) {
    before = JSON.stringify(Reveal.getState());
    screens.push(screen(Reveal.getCurrentSlide()));
  }
  style.remove();
  return screens;
}
