"use strict";
(() => {
  // a click on a column's name sorts by it, another one the other way round
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const order = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
        heads.forEach((other) => other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", order);
        const value = (row) => row.cells[column].dataset.value;
        const compare = head.dataset.kind === "number"
          ? (a, b) => value(a) - value(b)
          : (a, b) => value(a).localeCompare(value(b));
        const sign = order === "ascending" ? 1 : -1;
        body.replaceChildren(...[...body.rows].sort((a, b) => sign * compare(a, b)));
      });
    });
  }

  // findings by kind
  const filters = document.querySelector(".filters");
  if (!filters) return;
  const cards = [...document.querySelectorAll(".card")];
  filters.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    for (const other of filters.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
    for (const card of cards) card.hidden = Boolean(button.dataset.kind) && card.dataset.kind !== button.dataset.kind;
  });
  filters.hidden = false;
})();
