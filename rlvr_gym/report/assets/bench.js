"use strict";
(() => {
  // tables sort by a click on a heading: first what is more, for numbers; names from a to z; empty cells stay last
  const keyOf = (row, column) => row.cells[column].dataset.sort;
  const compare = (numeric, sign) => (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (numeric ? Number(a) - Number(b) : a.localeCompare(b));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.firstElementChild.addEventListener("click", () => {
        const numeric = head.dataset.kind === "number";
        const now = head.getAttribute("aria-sort");
        const next = now === "none" ? (numeric ? "descending" : "ascending")
          : now === "ascending" ? "descending" : "ascending";
        for (const other of heads) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", next);
        const order = compare(numeric, next === "ascending" ? 1 : -1);
        const rows = [...table.tBodies[0].rows].sort((a, b) => order(keyOf(a, column), keyOf(b, column)));
        table.tBodies[0].append(...rows);
      });
    });
  }

  const onChoice = (group, act) => {
    group.hidden = false;
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      for (const other of group.querySelectorAll("button")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      act(button.dataset.value);
    });
  };

  // claims by verdict
  for (const group of document.querySelectorAll('[data-filters="claims"]')) {
    onChoice(group, (value) => {
      for (const row of document.querySelectorAll("#claims tbody tr")) {
        row.hidden = value !== "" && row.dataset.verdict !== value;
      }
    });
  }

  // the same task under two arms
  for (const part of document.querySelectorAll(".rollouts")) {
    const sides = [...part.querySelectorAll("select.side")];
    const none = part.querySelector(".none");
    let verdict = "";
    const fits = ([left, right]) => {
      if (!left || !right) return false;
      const [a, b] = [left, right].map((attempt) => attempt.classList.contains("good"));
      if (verdict === "differ") return a !== b;
      if (verdict === "right") return a && b;
      return verdict === "" || (!a && !b);
    };
    const update = () => {
      let shown = 0;
      for (const task of part.querySelectorAll(".task")) {
        const attempts = [...task.querySelectorAll(".attempt")];
        const pair = sides.map((side) => attempts.find((attempt) => attempt.dataset.arm === side.value));
        task.hidden = !fits(pair);
        shown += !task.hidden;
        for (const attempt of attempts) attempt.hidden = !pair.includes(attempt);
        pair.forEach((attempt, i) => { if (attempt) attempt.style.order = i; });
      }
      none.hidden = shown > 0;
    };
    for (const side of sides) side.addEventListener("change", update);
    onChoice(part.querySelector('[data-filters="rollouts"]'), (value) => { verdict = value; update(); });
    // begin with two arms that share tasks
    const both = (i, j) => [...part.querySelectorAll(".task")].some((task) =>
      [i, j].every((arm) => task.querySelector(`.attempt[data-arm="${arm}"]`)));
    const arms = [...sides[0].options].map((option) => option.value);
    const first = arms.flatMap((i) => arms.filter((j) => Number(j) > Number(i)).map((j) => [i, j])).find(([i, j]) => both(i, j));
    if (first) sides.forEach((side, i) => { side.value = first[i]; });
    update();
  }
})();
