"use strict";
// What every explorer shares. Its own script draws with the functions below, keeps what can be
// moved in `state`, and ends with start(draw): draw() shows the state, after every change.
const byId = id => document.getElementById(id), root = document.documentElement;
const clip = (v, low, high, step = 0) =>
  Math.min(high, Math.max(low, step ? +(Math.round(v / step) * step).toFixed(9) : v));
const minus = text => String(text).replaceAll("-", "−");
const fixed = (v, digits = 2) => minus((+v.toFixed(digits) + 0).toFixed(digits));
const percent = (v, digits = 1) => fixed(100 * v, digits) + " %";
const range = (low, high, n) => Array.from({length: n + 1}, (_, i) => low + (high - low) * i / n);
const sum = values => values.reduce((a, b) => a + b, 0);
const frame = window.frameElement, deck = frame?.closest(".reveal");  // a deck of slides around it
const XML = document.querySelector("svg").namespaceURI;
let redraw = () => {};

// An element in `parent`. Stroke and fill go to the style, where var(--P) follows the dark mode.
function add(parent, tag, values = {}, text = "") {
  const drawn = tag === "svg" || parent.namespaceURI === XML;
  const node = drawn ? document.createElementNS(XML, tag) : document.createElement(tag);
  put(node, values);
  if (text !== "") node.textContent = text;
  return parent.appendChild(node);
}

function put(node, values) {
  for (const [key, value] of Object.entries(values))
    if (key === "stroke" || key === "fill") node.style[key] = value;
    else node.setAttribute(key, value);
  return node;
}

// A drawing, `width` units wide, in which handles can be dragged.
function drawing(width, height, label) {
  const box = {viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label};
  const svg = add(byId("drawing"), "svg", box);
  const distance = (handle, e) => {
    const box = handle.querySelector(".disc").getBoundingClientRect();
    return Math.hypot(e.clientX - box.x - box.width / 2, e.clientY - box.y - box.height / 2);
  };
  let held = null;
  svg.onpointerdown = e => {
    if (!e.target.closest("[role=slider]")) return;
    // Where handles overlap, the nearest is meant; of two in one place, the one on top.
    const all = [...svg.querySelectorAll("[role=slider]")].map(handle => [distance(handle, e), handle]);
    const handle = all.reduce((a, b) => a[0] < b[0] ? a : b)[1];
    held = {handle, x: e.clientX, y: e.clientY, start: structuredClone(handle.spec.value())};
    handle.focus({preventScroll: true});
    svg.setPointerCapture(e.pointerId);
    e.preventDefault();
  };
  svg.onpointermove = e => {
    if (!held) return;
    const unit = scale(svg), dx = (e.clientX - held.x) / unit, dy = (e.clientY - held.y) / unit;
    // The first steps decide: sideways or up and down, so that one number moves without the other.
    if (Math.hypot(dx, dy) > 5) held.axis ??= Math.abs(dx) >= Math.abs(dy) ? "x" : "y";
    held.handle.spec.drag(held.start, dx, dy, held.axis);
    update();
  };
  svg.onpointerup = svg.onpointercancel = () => { held = null };
  // So that no finger scrolls the page instead: Chromium does not heed touch-action on shapes.
  const stop = e => { if (e.target.closest("[role=slider]")) e.preventDefault() };
  svg.addEventListener("touchstart", stop, {passive: false});
  return svg;
}

// Pixels a unit of the drawing, which keeps its shape whatever its room.
function scale(svg) {
  const room = svg.getBoundingClientRect(), box = svg.viewBox.baseVal;
  return Math.min(room.width / box.width, room.height / box.height);
}

// A handle. spec: value() -> what a drag starts from, at() -> [x, y], drag(start, dx, dy, axis),
// press(right, up, fast), text() for screen readers, range [low, high, () => now], color, size.
function handle(svg, id, name, spec) {
  const node = add(svg, "g", {id, role: "slider", tabindex: 0, "aria-label": spec.label || name,
    "aria-valuemin": spec.range[0], "aria-valuemax": spec.range[1], stroke: spec.color, "stroke-width": 3});
  node.spec = spec;
  spec.draw?.(node);
  add(node, "circle", {r: 27, "fill-opacity": 0, stroke: "none"});
  add(node, "circle", {class: "disc", r: spec.size || 16, "stroke-dasharray": spec.dash || "none"});
  add(node, "text", {y: ".35em", stroke: "none", "font-weight": 600}, name);
  node.onkeydown = e => {
    const arrow = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[e.key];
    if (!arrow) return;
    spec.press(...arrow, e.shiftKey);
    update();
    e.preventDefault();
    e.stopPropagation();
  };
  return node;
}

// Axes in the box [left, top, right, bottom]: the scales, and a path through points.
function axes(svg, [left, top, right, bottom], [x0, x1], [y0, y1],
  {xs = [], ys = [], xName, yName, base = true} = {}) {
  const x = v => left + (right - left) * (v - x0) / (x1 - x0);
  const y = v => bottom - (bottom - top) * (v - y0) / (y1 - y0);
  const lines = add(svg, "g", {stroke: "var(--line)"}), words = add(svg, "g", {class: "small"});
  const word = (values, text) => add(words, "text", {...values, fill: "var(--quiet)"}, text);
  for (const v of ys) {
    add(lines, "path", {d: `M${left} ${y(v)}H${right}`});
    word({x: left - 5, y: y(v), dy: ".35em", "text-anchor": "end"}, minus(v));
  }
  for (const v of xs) word({x: x(v), y: bottom + 5, dy: ".9em"}, minus(v));
  if (base) add(lines, "path", {d: `M${left} ${bottom}H${right}`, stroke: "var(--axis)"});
  if (xName) word({x: (left + right) / 2, y: bottom + 5, dy: "2.2em"}, xName);
  if (yName) word({x: left, y: top - 8, "text-anchor": "start"}, yName);
  const path = points => "M" + points.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("L");
  return {x, y, path, unit: (right - left) / (x1 - x0), tall: (bottom - top) / (y1 - y0)};
}

// An arrow between two points of the drawing, its head no longer than half of it.
function arrow([a, b], [c, d], head = 9) {
  const length = Math.hypot(a - c, b - d), back = Math.min(head, length / 2) / (length || 1);
  const wing = side => [c + back * (a - c - side * (b - d)), d + back * (b - d + side * (a - c))];
  const text = point => point.map(v => v.toFixed(1)).join(" ");
  return `M${text([a, b])}L${text([c, d])}M${text(wing(0.5))}L${text([c, d])}L${text(wing(-0.5))}`;
}

// A table, one row for each [id or ids, name]; tell({id: text}) fills these and any other element.
function rows(...names) {
  const table = add(byId("numbers"), "table");
  for (const [id, name, kind = ""] of names) {
    const row = add(table, "tr", {class: kind});
    add(row, "th", {scope: "row"}, name);
    for (const one of [id].flat()) add(row, "td", {id: one});
  }
}

function tell(texts) {
  for (const [id, text] of Object.entries(texts))
    if (byId(id).textContent !== text) byId(id).textContent = text;
}

// A slider below the numbers, and a choice of one among several: each calls `set` with its value.
function slider(id, name, [low, high, step], value, set) {
  const label = add(byId("numbers"), "label", {for: id, id: id + "-label"}, name);
  const input = add(byId("numbers"), "input", {id, type: "range", min: low, max: high, step, value});
  input.oninput = () => { set(+input.value); update() };
  return {input, label};
}

function choice(id, name, options, chosen, set) {
  const box = add(byId("numbers"), "fieldset", {id});
  add(box, "legend", {}, name);
  for (const [value, text] of options) {
    const label = add(box, "label"), input = add(label, "input", {type: "radio", name: id, value});
    input.checked = value === chosen;
    input.onchange = () => { set(value); update() };
    label.append(text);
  }
}

function update() {
  redraw();
  for (const node of document.querySelectorAll("g[role=slider]")) {
    const {at, text, range} = node.spec;
    const place = at().map(v => v.toFixed(1)).join(" ");
    put(node, {transform: `translate(${place})`, "aria-valuenow": range[2](), "aria-valuetext": text()});
  }
}

function start(draw) {
  redraw = draw;
  add(byId("numbers"), "p", {id: "verdict", "aria-live": "polite"});
  root.classList.toggle("slide", !!deck);
  if (frame) dress();
  update();
  // No type in the drawing gets too small to read: 20 pixels on a slide, 13 elsewhere.
  const fit = () => {
    for (const svg of document.querySelectorAll("#drawing svg"))
      if (scale(svg) > 0) svg.style.fontSize = Math.max(15, (deck ? 23.1 : 15) / scale(svg)) + "px";
    if (frame && !deck && innerWidth) frame.style.height = root.offsetHeight + "px";
  };
  new ResizeObserver(fit).observe(document.body);
  if (deck) document.addEventListener("keydown", handOn);
}

// As dark as the page around the frame, whether JupyterLab's theme or the system makes it so.
function dress() {
  const host = frame.ownerDocument, view = host.defaultView;
  const system = view.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    let color = "", node = frame.parentElement;
    const opaque = c => /^rgb\(|, 1\)$/.test(c);
    for (; node && !opaque(color); node = node.parentElement) color = view.getComputedStyle(node).backgroundColor;
    const scheme = view.getComputedStyle(host.documentElement).colorScheme;
    const bright = opaque(color) ? sum(color.match(/[\d.]+/g).slice(0, 3).map(Number)) / 765
      : scheme.includes("dark") && (!scheme.includes("light") || system.matches) ? 0 : 1;
    root.classList.toggle("dark", bright < 0.4);
    // The very colour of the host, where the palette can be read on it.
    const same = opaque(color) && (bright < 0.2 || bright > 0.94);
    if (same) root.style.setProperty("--paper", color); else root.style.removeProperty("--paper");
  };
  follow();
  system.addEventListener("change", follow);
  for (const node of [host.documentElement, host.body])
    new view.MutationObserver(follow).observe(node, {attributes: true});
}

// In a talk, every key that the explorer does not use belongs to the slides around its frame.
function handOn(e) {
  const ours = e.key.startsWith("Arrow") && e.target.matches("input, [role=slider]");
  if (ours || e.ctrlKey || e.metaKey || ["Tab", "Shift"].includes(e.key)) return;
  frame.dispatchEvent(new KeyboardEvent("keydown", e));
  e.preventDefault();
}
