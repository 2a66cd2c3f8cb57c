// The list: a certificate a line, what is asked of it most often in columns that sort.
const COLUMNS = [["name", "Certificate"], ["state", "State"], ["end", "Expires"], ["names", "Names"], ["issuer", "Issuer"],
  ["targets", "Targets"], ["sha256", "SHA-256"]];
let list;

function startList() {
  const table = byId("list");
  table.tHead.append(make("tr", {}, ...COLUMNS.map(([key, words]) =>
    make("th", { scope: "col", class: `c-${key}`, "data-sort": key }, button(words, () => sortBy(key), { class: "sort" })))));
  list = new WindowedTable(byId("list-region"), table, listLine);
  byId("list-region").addEventListener("keydown", walkList);
}

function sortBy(key) {
  const again = choice.sort === key && choice.order === "up";
  choose({ sort: key, order: again ? "down" : "up" });
}

function showSorting() {
  for (const heading of byId("list").tHead.querySelectorAll("th")) {
    const sorted = heading.dataset.sort === choice.sort;
    if (sorted) heading.setAttribute("aria-sort", choice.order === "down" ? "descending" : "ascending");
    else heading.removeAttribute("aria-sort");
  }
}

function listLine(row, index) {
  const name = button(title(row), () => openDetails(row), { class: "link name", tabindex: index === list.active ? "0" : "-1" });
  const line = make("tr", { class: `line ${STATES[row.state] ?? ""}`, on: { click: (event) => clickLine(event, row) } },
    make("th", { scope: "row", class: "c-name" }, name, kindOf(row)),
    make("td", { class: "c-state" }, statusChip(row)),
    make("td", { class: "c-end" }, ...expiry(row)),
    make("td", { class: "c-names", text: row.names.length > 1 ? `${row.names[0]} and ${row.names.length - 1} more` : row.names[0] ?? "" }),
    make("td", { class: "c-issuer", text: row.issuer }),
    make("td", { class: "c-targets" }, ...targetWords(row)),
    make("td", { class: "c-sha256" }, make("code", { text: short(row.sha256) })));
  name.addEventListener("focus", () => activate(index));
  return line;
}

// A press anywhere on a line opens it, unless text was being selected.
function clickLine(event, row) {
  if (event.target.closest("button") || String(getSelection())) return;
  openDetails(row);
}

function activate(index) {
  const before = list.drawn.get(list.active)?.querySelector(".name");
  if (before) before.tabIndex = -1;
  list.active = index;
  const name = list.drawn.get(index)?.querySelector(".name");
  if (name) name.tabIndex = 0;
}

function expiry(row) {
  if (row.end === null) return [];
  return [make("span", { class: "date", text: day(row.end) }), make("span", { class: `days ${row.urgency}`, text: left(row.days) })];
}

function targetWords(row) {
  const wrong = row.places.filter((place) => place.state !== "ok");
  if (!row.places.length) return [];
  if (!wrong.length) return [make("span", { class: "targets-ok", text: some([...row.byTarget.keys()], 2) })];
  const worst = wrong.reduce((a, b) => (placeRank(a) <= placeRank(b) ? a : b));
  const [tone, words] = PLACES[worst.state];
  const where = wrong.length > 1 ? `${NUMBER.format(wrong.length)} of ${NUMBER.format(row.places.length)}` : worst.target;
  return [make("span", { class: `dot ${tone}`, text: words }), make("span", { class: "where", text: where })];
}

function walkList(event) {
  if (!list.rows.length || event.target.closest("thead")) return;
  const to = step(event.key, [list.active, 0], list.rows.length, list.page(), true);
  if (!to || ["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  event.preventDefault();
  const before = list.drawn.get(list.active)?.querySelector(".name");
  if (before) before.tabIndex = -1;
  const name = list.reveal(to[0]).querySelector(".name");
  name.tabIndex = 0;
  name.focus({ preventScroll: true });
}

function kindOf(row) {
  const kind = row.isAuthority ? "CA" : row.isBundle ? "bundle" : "";
  return kind ? make("span", { class: "kind", text: kind }) : null;
}
