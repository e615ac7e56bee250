"use strict";
(() => {
  // values under the pointer
  const tip = document.getElementById("tip");
  const svgNS = "http://www.w3.org/2000/svg";
  const nearest = (points, x) => points.reduce((a, b) => (Math.abs(b[1] - x) < Math.abs(a[1] - x) ? b : a));

  for (const svg of document.querySelectorAll("svg[data-chart]")) {
    const chart = JSON.parse(svg.dataset.chart);
    const cursor = document.createElementNS(svgNS, "line");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("y1", chart.top);
    cursor.setAttribute("y2", chart.bottom);
    const hide = () => { tip.hidden = true; cursor.remove(); };
    const show = (event) => {
      const box = svg.getBoundingClientRect();
      const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      const lines = chart.lines.filter((line) => line.points.length);
      if (!lines.length) return;
      const found = lines.map((line) => [line.label, nearest(line.points, x)]);
      const middle = found.map((pair) => pair[1]).reduce((a, b) => (Math.abs(b[1] - x) < Math.abs(a[1] - x) ? b : a));
      cursor.setAttribute("x1", middle[1]);
      cursor.setAttribute("x2", middle[1]);
      svg.append(cursor);
      tip.replaceChildren();
      for (const [label, [step, , value]] of found.reverse()) {
        const row = document.createElement("div");
        row.textContent = `${label}: ${value} (${chart.x} ${step})`;
        tip.append(row);
      }
      tip.hidden = false;
      const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
      tip.style.left = `${Math.max(8, left)}px`;
      tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 12)}px`;
    };
    svg.addEventListener("pointermove", show);
    svg.addEventListener("pointerdown", show);
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("pointercancel", hide);
  }

  // rollouts by verdict, a page at a time
  const filters = document.querySelector(".filters");
  if (!filters) return;
  const cards = [...document.querySelectorAll(".card")];
  const more = document.getElementById("more");
  const page = 12;
  let verdict = "";
  let shown = page;
  const update = () => {
    let matching = 0;
    for (const card of cards) {
      const fits = !verdict || card.dataset.verdict === verdict;
      matching += fits;
      card.hidden = !fits || matching > shown;
    }
    more.hidden = matching <= shown;
    more.textContent = `Show ${Math.min(page * 2, matching - shown)} more of ${matching}`;
    for (const button of filters.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict));
    }
  };
  filters.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    verdict = button.dataset.verdict;
    shown = page;
    update();
  });
  more.addEventListener("click", () => { shown += page * 2; update(); });
  filters.hidden = false;
  update();
})();
