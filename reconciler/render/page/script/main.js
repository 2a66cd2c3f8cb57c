// Everything together: what is chosen, keys, the theme, and paper.
const VIEWS = ["list", "matrix", "authorities"];
const THEMES = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
let shownFor = "";

function refresh() {
  showFields();
  for (const view of VIEWS) {
    byId(`view-${view}`).hidden = choice.view !== view;
    const tab = byId(`tab-${view}`), selected = choice.view === view;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
  }
  openNamed(choice.open);
  const { open, ...rest } = choice, wanted = JSON.stringify(rest);
  if (wanted === shownFor) return; // what is open changes nothing in the tables
  shownFor = wanted;
  showChosen();
}

function showChosen() {
  const chosen = chosenRows();
  showSorting();
  const all = chosen.length === rows.length;
  byId("count").textContent = all ? many(rows.length, "certificate") : `${NUMBER.format(chosen.length)} of ${many(rows.length, "certificate")}`;
  if (choice.view === "list") list.show(chosen);
  if (choice.view === "matrix") showMatrix(chosen);
  if (choice.view === "authorities") showAuthorities(chosen);
  byId("list").classList.toggle("empty", chosen.length === 0);
}

function showFields() {
  if (byId("search").value !== choice.q) byId("search").value = choice.q;
  for (const id of ["status", "issuer", "target", "expires"]) select(id, choice[id]);
  byId("clear").disabled = !isFiltered();
}

function startFields() {
  byId("search").addEventListener("input", (event) => choose({ q: event.target.value.trim() === "" ? "" : event.target.value }));
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && choice.view === "list" && list.rows.length) {
      event.preventDefault();
      list.reveal(0).querySelector(".name").focus();
    }
  });
  for (const id of ["status", "issuer", "target", "expires"]) {
    byId(id).addEventListener("change", (event) => choose({ [id]: event.target.value }));
  }
  byId("clear").addEventListener("click", () => { chooseOnly({}); byId("search").focus(); });
}

function startTabs() {
  VIEWS.forEach((view, place) => {
    byId(`tab-${view}`).addEventListener("click", () => choose({ view }));
    byId(`tab-${view}`).addEventListener("keydown", (event) => {
      const turn = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!turn) return;
      event.preventDefault();
      const next = VIEWS[(place + turn + VIEWS.length) % VIEWS.length];
      choose({ view: next });
      byId(`tab-${next}`).focus();
    });
  });
}

function startKeys() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, dialog");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    byId("search").focus();
    byId("search").select();
  });
}

// Remembered where the browser lets a page remember anything.
function startTheme() {
  let theme = "auto";
  try {
    theme = localStorage.getItem("certform-theme") ?? "auto";
  } catch { /* it is not remembered then */ }
  const show = () => {
    if (!Object.hasOwn(THEMES, theme)) theme = "auto";
    document.documentElement.dataset.theme = theme;
    byId("theme").textContent = THEMES[theme];
  };
  byId("theme").addEventListener("click", () => {
    const names = Object.keys(THEMES);
    theme = names[(names.indexOf(theme) + 1) % names.length];
    try {
      localStorage.setItem("certform-theme", theme);
    } catch { /* likewise */ }
    show();
  });
  show();
}

function startPrinting() {
  const tables = () => (choice.view === "list" ? [list] : choice.view === "matrix" ? [matrix.table] : []);
  addEventListener("beforeprint", () => {
    for (const table of tables()) table.print(true);
    const cut = choice.view !== "authorities" && chosenRows().length > PRINTED;
    document.body.dataset.printed = cut ? `Only the first ${PRINTED} rows are printed; filter to print others.` : "";
  });
  addEventListener("afterprint", () => { for (const table of tables()) table.print(false); });
  byId("print").addEventListener("click", () => print());
}

startTheme();
readAddress();
fillSelects();
showHeader();
showNotices();
showTiles();
showAttention();
showTimeline();
startList();
startMatrix();
startFields();
startTabs();
startKeys();
startDetails();
startPrinting();
listeners.push(refresh);
addEventListener("hashchange", () => { readAddress(); refresh(); });
matchMedia("(max-width: 44rem)").addEventListener("change", () => { list.height = 0; matrix.table.height = 0; list.redraw(); matrix.table.redraw(); });
refresh();
