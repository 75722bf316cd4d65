"use strict";
// Tables of changes: which questions and rows are shown, in which order, and what a row opens to.
for (const root of document.querySelectorAll(".changes")) {
  const form = root.querySelector("form"), body = root.querySelector("tbody"), fold = body.querySelector(".fold");
  const heads = [...root.querySelector("thead tr").cells];
  const pairs = [...body.querySelectorAll(".row")].map((row) => [row, row.nextElementSibling]);
  let folded = Boolean(fold);
  const show = () => {
    const { workload, mode, decided, find } = form.elements;
    const kinds = new Set();
    const visible = heads.map(({ dataset }) => {
      if (!dataset.kind) return true;
      if (mode.value && dataset.mode && dataset.mode !== mode.value) return false;
      if (workload.value !== "main") return !workload.value || dataset.workload === workload.value;
      return !kinds.has(dataset.kind) && Boolean(kinds.add(dataset.kind));
    });
    const cut = (row) => visible.forEach((seen, i) => { row.cells[i].hidden = !seen; });
    cut(heads[0].parentElement);
    for (const [row, opened] of pairs) {
      cut(row);
      const says = [...row.cells].some((cell) => !cell.hidden && /\b(better|worse)\b/.test(cell.className));
      const named = !find || row.cells[0].textContent.toLowerCase().includes(find.value.toLowerCase());
      row.hidden = (decided.checked && !says) || !named || (folded && !find?.value && row.classList.contains("idle"));
      opened.hidden = row.hidden || row.querySelector(".open").ariaExpanded !== "true";
    }
    if (fold) fold.hidden = !folded;
  };
  const sort = (head) => {
    const at = heads.indexOf(head), down = head.ariaSort === "ascending" ? -1 : 1;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.ariaSort = down > 0 ? "ascending" : "descending";
    const key = ([row]) => (at ? Number(row.cells[at].dataset.key ?? NaN) : row.cells[0].innerText);
    const order = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (!at) return down * x.localeCompare(y);
      return Number.isNaN(x) - Number.isNaN(y) || down * (x - y) || 0;
    };
    folded = false;
    body.append(...[...pairs].sort(order).flat());
    show();
  };
  root.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    if (button.className === "sort") return sort(button.parentElement);
    if (button.className === "open") button.ariaExpanded = String(button.ariaExpanded !== "true");
    else folded = false;
    show();
  });
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  const follow = () => {
    const row = document.getElementById(location.hash.slice(1));
    if (!pairs.some(([one]) => one === row)) return;
    form.reset();
    row.querySelector(".open").ariaExpanded = "true";
    folded = false;
    show();
    row.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
  follow();
}
// Planes: every change on two axes to choose; places come as shares of the width and the height.
const make = (parent, tag, name, style, text = "") => {
  const made = Object.assign(document.createElement(tag), { className: name, textContent: text });
  Object.assign(made.style, style);
  return parent.appendChild(made);
};
const percent = (share) => `${100 * share}%`;
for (const root of document.querySelectorAll(".plane")) {
  const { axes, points } = JSON.parse(root.dataset.plane);
  const frame = root.querySelector(".frame"), form = root.querySelector("form");
  root.closest("figure").classList.add("moving");
  const draw = () => {
    const at = { left: form.elements.x.value, bottom: form.elements.y.value };
    frame.replaceChildren();
    for (const [side, size, ends] of [["left", "width", "right"], ["bottom", "height", "top"]]) {
      const { title, context, better, none, band, ticks } = axes[at[side]];
      make(frame, "i", `band ${side}`, { [side]: percent(band[0]), [size]: percent(band[1] - band[0]) });
      make(frame, "i", `zero ${side}`, { [side]: percent(none) });
      for (const [place, label] of ticks) make(frame, "span", `tick ${side}`, { [side]: percent(place) }, label);
      make(frame, "span", `title ${side}`, {}, `${title} (${better} is better) — ${context}`);
    }
    const taken = [];
    const free = (label) => {
      const box = label.getBoundingClientRect(), edge = frame.getBoundingClientRect();
      const hit = taken.some((b) => b.left < box.right && box.left < b.right && b.top < box.bottom && box.top < b.bottom);
      if (hit || box.right > edge.right || box.left < edge.left) label.classList.add("crowded");
      else taken.push(box);
    };
    const spots = points.filter(({ spots }) => spots[at.left] && spots[at.bottom]).map(({ name, spots }) => {
      const across = spots[at.left], upright = spots[at.bottom];
      for (const [spot, side, size, other, fixed] of [
        [across, "left", "width", "bottom", upright], [upright, "bottom", "height", "left", across]]) {
        if (spot.low === null || spot.high === null) continue;
        const reach = { [side]: percent(spot.low), [size]: percent(spot.high - spot.low), [other]: percent(fixed.at) };
        make(frame, "i", `reach ${side}`, reach);
      }
      const out = `${"← →"[across.outside + 1].trim()}${"↓ ↑"[upright.outside + 1].trim()}`;
      const place = { left: percent(across.at), bottom: percent(upright.at) };
      const spot = make(frame, "button", `spot${across.at > 0.7 ? " back" : ""}`, place, out);
      Object.assign(spot, { type: "button" });
      const label = make(spot, "span", "name", {}, name);
      const tip = make(spot, "span", "tip", {}, name);
      make(tip, "span", "", {}, `${axes[at.left].title}: ${across.text}`);
      make(tip, "span", "", {}, `${axes[at.bottom].title}: ${upright.text}`);
      return label;
    });
    make(frame, "i", "spot base", { left: percent(axes[at.left].none), bottom: percent(axes[at.bottom].none) });
    spots.forEach(free);
  };
  form.addEventListener("change", draw);
  addEventListener("resize", draw);
  draw();
}
