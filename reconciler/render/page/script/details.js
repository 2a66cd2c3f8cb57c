// All about one certificate, beside the list.
let opener = null;

function openDetails(row, target = "") {
  const dialog = byId("details");
  if (!dialog.open) opener = { element: document.activeElement, row };
  dialog.dataset.shown = row.key;
  dialog.replaceChildren(...detailsOf(row));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  const place = target ? dialog.querySelector(`[data-target="${CSS.escape(target)}"]`) : null;
  if (place) place.scrollIntoView({ block: "center" });
  (place ?? dialog.querySelector(".close")).focus({ preventScroll: place !== null });
  choose({ open: row.key });
}

function startDetails() {
  const dialog = byId("details");
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    choose({ open: "" });
    returnFocus();
  });
}

// To where it came from; a line that was drawn anew meanwhile is found by its row.
function returnFocus() {
  const from = opener;
  opener = null;
  if (!from) return;
  if (from.element?.isConnected && from.element !== document.body) {
    from.element.focus();
    return;
  }
  const index = list.rows.indexOf(from.row);
  if (choice.view === "list" && index >= 0) list.reveal(index)?.querySelector(".name").focus();
  else byId("search").focus();
}

function openNamed(key) {
  const row = rowNamed.get(key), dialog = byId("details");
  if (row && !(dialog.open && dialog.dataset.shown === key)) openDetails(row);
  if (!row && dialog.open) dialog.close();
}

function detailsOf(row) {
  const close = button("Close", () => byId("details").close(), { class: "plain close" });
  const head = make("div", { class: "details-head" }, make("div", {},
    make("h2", { id: "details-title", text: title(row) }), make("p", { class: "address" }, make("code", { text: row.address }))), close);
  return [head, make("p", {}, statusChip(row), " ", make("span", { class: "muted", text: row.end === null ? "" : `${left(row.days)}` })),
    ...nextSteps(row), facts(row), ...placesOf(row)];
}

function nextSteps(row) {
  const steps = stepsOf.get(row.address) ?? [];
  if (!steps.length) return [];
  return [make("h3", { text: "The next apply" }), make("ul", { class: "steps" }, ...steps.map((each) => {
    const where = each.address.slice(row.address.length).replace(/^@/, "in ").replace(/^#/, "serial ");
    const words = `${capital(each.action)}${where ? ` ${where}` : ""} (${each.reason})`;
    const kind = each.outside ? "changed outside certform" : each.due ? "due by time" : "";
    return make("li", {}, make("strong", { text: words }), each.message ? ` ${each.message}` : "", kind ? make("span", { class: "kind", text: kind }) : null);
  }))];
}

function facts(row) {
  const told = [
    ["Names", row.names.length ? make("ul", { class: "names" }, ...row.names.map((name) => make("li", {}, make("code", { text: name })))) : null],
    ["Valid from", row.not_before ? minute(Date.parse(row.not_before)) : null],
    ["Valid until", row.end === null ? null : minute(row.end)],
    ["Due for renewal", row.renewal ? `${minute(row.renewal)}${row.renewal <= now ? ", which has passed" : ""}` : null],
    ["Serial", row.serial ? copyable(row.serial, "the serial") : null],
    ["SHA-256", row.sha256 ? copyable(row.sha256, "the fingerprint") : null],
    ["Key", row.keyType || null],
    ["Issued by", issuers(row)],
    ["CRL", row.crlUntil ? `until ${minute(row.crlUntil)}${row.crlOver ? ", which has passed" : ""}` : null],
    ["Labels", labelsOf(row)],
    ["Written in", row.source ? sourceLink(row.source) : "no document asks for it"],
  ];
  const pairs = told.filter(([, value]) => value).flatMap(([term, value]) => [make("dt", { text: term }), make("dd", {}, value)]);
  return make("dl", {}, ...pairs);
}

function issuers(row) {
  if (!row.issuer) return null;
  if (row.issuer === "itself") return "itself: a root";
  if (!row.above.length) return `${row.issuer}${row.issuer_generation ? `, generation ${row.issuer_generation}` : ""}`;
  return make("ol", { class: "chain" }, ...row.above.map((above) => make("li", {},
    button(title(above), () => openDetails(above), { class: "link" }), above.end === null ? "" : ` until ${day(above.end)}`)));
}

function labelsOf(row) {
  const labels = Object.entries(row.labels);
  return labels.length ? make("ul", { class: "names" }, ...labels.map(([key, value]) => make("li", {}, make("code", { text: `${key}=${value}` })))) : null;
}

function placesOf(row) {
  if (!row.places.length) return row.isAuthority ? [] : [make("h3", { text: "Targets" }), make("p", { class: "muted", text: "It is installed nowhere." })];
  return [make("h3", { text: "Targets" }), ...row.places.map((place) => placeCard(row, place))];
}

function placeCard(row, place) {
  const [tone, words] = PLACES[place.state] ?? ["bad", place.state];
  const found = place.sha256 ? copyable(place.sha256, `the fingerprint found in ${place.target}`) : place.serial ? `serial ${place.serial}` : null;
  const wanted = place.sha256 && row.sha256 && place.sha256 !== row.sha256 ? copyable(row.sha256, `the fingerprint wanted in ${place.target}`) : null;
  const told = [
    ["Found", found], ["Wanted", wanted], ["Found valid until", place.not_after && place.sha256 !== row.sha256 ? minute(Date.parse(place.not_after)) : null],
    ["Called", place.object_name && place.object_name !== row.name ? place.object_name : null], ["Identity", place.id || null],
    ["Last seen right", place.verified_at ? `${minute(Date.parse(place.verified_at))}${place.verified_serial === row.serial ? "" : `, serial ${place.verified_serial}`}` : null],
  ];
  const pairs = told.filter(([, value]) => value).flatMap(([term, value]) => [make("dt", { text: term }), make("dd", {}, value)]);
  return make("section", { class: "place", "data-target": place.target, tabindex: "-1", "aria-label": `In ${place.target}` },
    make("h4", {}, make("span", { text: place.target }), chip(tone, words)), place.detail ? make("p", { text: place.detail }) : null, make("dl", {}, ...pairs));
}
