"use strict";
// Tables can be sorted, and the leaderboard filtered. Without this file they are plain tables.

/** What a cell is sorted by: its value or the number it begins with; null where it has none. */
function sortKey(cell, numeric) {
  const text = cell.dataset.v ?? cell.textContent.trim();
  if (!numeric) return text.toLowerCase();
  const number = parseFloat(text.replace("−", "-").replace(/,/g, ""));
  return Number.isNaN(number) ? null : number;
}

function compare(a, b, direction) {
  if (a === null || b === null) return (a === null) - (b === null); // undefined stays below
  const order = typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
  return direction * order;
}

function sortBy(table, head) {
  const heads = table.tHead.rows[table.tHead.rows.length - 1].cells;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of heads) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = table.tBodies[0];
  const numeric = head.classList.contains("n");
  const rows = Array.from(body.rows, (row) => [sortKey(row.cells[head.cellIndex], numeric), row]);
  rows.sort((a, b) => compare(a[0], b[0], down ? -1 : 1));
  body.append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const head of table.tHead.rows[table.tHead.rows.length - 1].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(table, head));
    head.append(button);
  }
}

/** Whether a row passes a choice: "=all of it", or "~its beginning". */
function passes(value, choice) {
  if (!choice) return true;
  return choice[0] === "=" ? value === choice.slice(1) : value.startsWith(choice.slice(1));
}

function filter(form, rows) {
  const chosen = Array.from(form.querySelectorAll("select"), (select) => [select.name, select.value]);
  const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !(
      chosen.every(([name, choice]) => passes(row.dataset[name], choice)) &&
      words.every((word) => text.includes(word))
    );
    shown += !row.hidden;
  }
  form.elements.count.value = `${shown} of ${rows.length} rows`;
}

const form = document.getElementById("filters");
if (form) {
  const rows = Array.from(form.parentElement.querySelector("table").tBodies[0].rows);
  const apply = () => filter(form, rows);
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
}
