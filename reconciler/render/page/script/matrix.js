// Certificates by target: in each cell what stands there, and whether it is what should.
const matrix = { columns: [], cell: 0, table: null };

function startMatrix() {
  matrix.table = new WindowedTable(byId("matrix-region"), byId("matrix"), matrixLine);
  byId("matrix-region").addEventListener("keydown", walkMatrix);
  byId("targets-table").replaceChildren(targetsTable());
}

function showMatrix(chosen) {
  const shown = chosen.filter((row) => row.places.length);
  matrix.columns = columnsOf(shown);
  matrix.cell = 0;
  const head = make("tr", { "aria-rowindex": "1" }, make("th", { scope: "col", class: "corner", text: "Certificate" }), ...matrix.columns.map(heading));
  byId("matrix").tHead.replaceChildren(head);
  byId("matrix").setAttribute("aria-colcount", matrix.columns.length + 1);
  matrix.table.show(shown);
  showMatrixLegend(shown);
}

// Targets in the order of their names; only those that what is shown has to do with.
function columnsOf(shown) {
  if (choice.target) return [choice.target];
  const used = new Set(shown.flatMap((row) => [...row.byTarget.keys()]));
  return [...used].sort(compare);
}

const FOUND = { observed: ["good", "Checked"], assumed: ["quiet", "Assumed"], "not-here": ["quiet", "Not here"], unknown: ["unsure", "Could not check"] };

function heading(name) {
  const target = targetNamed.get(name);
  const [tone, words] = target ? FOUND[target.status] : ["warn", "No such Target"];
  return make("th", { scope: "col" }, make("span", { class: "target-name", text: name, title: name }), make("span", { class: `dot ${tone}`, text: words }));
}

function matrixLine(row, index) {
  const name = make("th", { scope: "row", class: "corner", tabindex: "-1" }, make("span", { class: "name", text: title(row) }),
    row.state === "ok" ? null : make("span", { class: `dot ${STATES[row.state] ?? "quiet"}`, text: capital(row.state) }));
  const cells = matrix.columns.map((target) => matrixCell(row, row.byTarget.get(target)));
  const line = make("tr", {}, name, ...cells);
  [...line.cells].forEach((cell, column) => {
    cell.addEventListener("focus", () => activateCell(index, column));
    cell.addEventListener("click", () => openDetails(row, matrix.columns[column - 1]));
    if (index === matrix.table.active && column === matrix.cell) cell.tabIndex = 0;
  });
  return line;
}

function matrixCell(row, there) {
  if (!there) return make("td", { class: "none", tabindex: "-1" }, make("span", { class: "hidden", text: "not wanted there" }));
  const [place] = there, [tone, words] = PLACES[place.state] ?? ["bad", place.state];
  const more = there.length > 1 ? ` +${there.length - 1}` : "";
  return make("td", { class: tone, tabindex: "-1" }, make("span", { class: `dot ${tone}`, text: words + more }), ...cellWords(row, place));
}

function cellWords(row, place) {
  const seen = place.sha256 ? short(place.sha256) : place.serial ? `serial ${place.serial.slice(0, 8)}` : "";
  if (seen) {
    const wanted = ["drift", "outdated", "occupied"].includes(place.state) && row.sha256 && row.sha256 !== place.sha256;
    return [make("code", { text: seen }), wanted ? make("span", { class: "want", text: `want ${short(row.sha256)}` }) : null];
  }
  if (!place.verified_serial) return [];
  const same = place.verified_serial === row.serial;
  return [make("span", { class: "want", text: same ? "last seen right" : `last seen ${place.verified_serial.slice(0, 8)}` })];
}

function activateCell(index, column) {
  const before = matrix.table.drawn.get(matrix.table.active)?.cells[matrix.cell];
  if (before) before.tabIndex = -1;
  matrix.table.active = index;
  matrix.cell = column;
  matrix.table.drawn.get(index).cells[column].tabIndex = 0;
}

function walkMatrix(event) {
  const table = matrix.table, row = table.rows[table.active];
  if (!row || event.target.closest("thead") || event.altKey || event.metaKey) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    openDetails(row, matrix.columns[matrix.cell - 1]);
  } else if (event.key === "c" && !event.ctrlKey) {
    const place = row.byTarget.get(matrix.columns[matrix.cell - 1])?.[0];
    const found = place ? place.sha256 : row.sha256;
    if (found) copy(found, `the fingerprint of ${title(row)}`);
  } else {
    moveCell(event);
  }
}

function moveCell(event) {
  const table = matrix.table;
  const to = step(event.key, [table.active, matrix.cell], table.rows.length, table.page(), event.ctrlKey);
  if (!to) return;
  event.preventDefault();
  const line = table.reveal(to[0]), column = Math.max(0, Math.min(matrix.columns.length, to[1]));
  const old = table.body.querySelector('[tabindex="0"]');
  if (old) old.tabIndex = -1;
  const cell = line.cells[column];
  cell.tabIndex = 0;
  cell.focus({ preventScroll: true });
  showSideways(cell, table.region, line.cells[0].offsetWidth);
}

// The first column stays in sight, so a cell may be under it.
function showSideways(cell, region, covered) {
  if (cell.cellIndex === 0) { region.scrollLeft = 0; return; }
  const from = cell.offsetLeft - covered, to = cell.offsetLeft + cell.offsetWidth - region.clientWidth;
  if (region.scrollLeft > from) region.scrollLeft = from;
  else if (region.scrollLeft < to) region.scrollLeft = to;
}

function showMatrixLegend(shown) {
  const counts = new Map();
  for (const row of shown) {
    for (const place of row.places) {
      if (!choice.target || place.target === choice.target) counts.set(place.state, (counts.get(place.state) ?? 0) + 1);
    }
  }
  if (choice.place && !counts.has(choice.place)) counts.set(choice.place, 0);
  const states = [...counts].sort(([a], [b]) => (PLACE_RANK.get(a) ?? 0) - (PLACE_RANK.get(b) ?? 0));
  byId("matrix-legend").replaceChildren(...states.map(([state, count]) => {
    const [tone, words, about] = PLACES[state] ?? ["bad", state, ""];
    const set = choice.place === state;
    return make("li", {}, button(`${words} ${NUMBER.format(count)}`, () => choose({ place: set ? "" : state }),
      { class: `chip ${tone}`, "aria-pressed": String(set), title: about }));
  }));
}

function targetsTable() {
  const head = make("tr", {}, ...["Target", "Found", "Ours", "Of others", "Remarks"].map((text) => make("th", { scope: "col", text })));
  const body = targets.map((target) => {
    const [tone, words] = FOUND[target.status];
    const seen = target.status === "observed";
    return make("tr", {}, make("th", { scope: "row", text: target.name }), make("td", {}, chip(tone, words)),
      make("td", { class: "number", text: seen ? NUMBER.format(target.certificates ?? 0) : "–" }),
      make("td", { class: "number", text: seen ? NUMBER.format(target.foreign ?? 0) : "–" }), make("td", { text: target.detail ?? "" }));
  });
  return make("table", { class: "plain-table" }, make("caption", { class: "hidden", text: "How each target was found" }),
    make("thead", {}, head), make("tbody", {}, ...body));
}
