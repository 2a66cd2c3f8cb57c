// The CAs as a tree: each generation below the one that signed it, and how many certificates are below.
function showAuthorities(chosen) {
  const below = childrenOf(), counts = leafCounts(), kept = keptAuthorities(chosen);
  const tops = authorities.filter((row) => !row.above.length).sort(byName);
  const branches = tops.filter((row) => kept.has(row.key)).map((row) => branch(row, below, counts, kept));
  const others = otherIssuers(chosen);
  const parts = [];
  if (branches.length) parts.push(make("h3", { text: "Our own" }), make("ul", { class: "tree" }, ...branches));
  if (others.length) parts.push(make("h3", { text: "Of others" }), make("ul", { class: "tree" }, ...others));
  if (!parts.length) parts.push(make("p", { class: "empty", text: "No authority has to do with what is chosen." }));
  byId("tree").replaceChildren(...parts);
}

function byName(a, b) {
  return compare(a.name, b.name) || (b.generation ?? 0) - (a.generation ?? 0);
}

function childrenOf() {
  const below = new Map();
  for (const row of authorities) {
    if (row.above.length) below.set(row.above[0].key, [...(below.get(row.above[0].key) ?? []), row]);
  }
  return below;
}

// Leaves by CA: those it issued itself, and all that hang below it.
function leafCounts() {
  const counts = new Map(authorities.map((row) => [row.key, { own: 0, all: 0 }]));
  for (const row of rows) {
    if (row.isAuthority) continue;
    row.above.forEach((above, height) => {
      const count = counts.get(above.key);
      count.all += 1;
      if (height === 0) count.own += 1;
    });
  }
  return counts;
}

// The CAs that are chosen, or have to do with a certificate that is.
function keptAuthorities(chosen) {
  const kept = new Set();
  for (const row of chosen) {
    if (row.isAuthority) kept.add(row.key);
    for (const above of row.above) kept.add(above.key);
  }
  return kept;
}

function branch(row, below, counts, kept) {
  const children = (below.get(row.key) ?? []).filter((child) => kept.has(child.key)).sort(byName);
  const inner = children.length ? make("ul", {}, ...children.map((child) => branch(child, below, counts, kept))) : null;
  const { own, all } = counts.get(row.key);
  const node = make("div", { class: "node" },
    inner ? fold(inner, row) : make("span", { class: "fold-space" }),
    make("div", { class: "node-text" },
      make("div", { class: "node-title" }, button(title(row), () => openDetails(row), { class: "link name" }), statusChip(row),
        make("span", { class: "kind", text: row.above.length ? "intermediate" : "root" })),
      make("div", { class: "node-words" }, ...nodeWords(row, own, all))));
  return make("li", {}, node, inner);
}

function fold(inner, row) {
  const control = button("", () => {
    inner.hidden = !inner.hidden;
    control.setAttribute("aria-expanded", String(!inner.hidden));
  }, { class: "fold", "aria-expanded": "true", "aria-label": `What is below ${title(row)}` });
  return control;
}

function nodeWords(row, own, all) {
  const words = [];
  if (row.names[0]) words.push(make("span", { class: "common-name", text: row.names[0] }));
  if (row.end !== null) words.push(make("span", { text: `${day(Date.parse(row.not_before))} to ${day(row.end)}` }), make("span", { text: left(row.days) }), lifeBar(row));
  if (row.crlUntil) words.push(make("span", { class: row.crlOver ? "bad" : "", text: `CRL until ${day(row.crlUntil)}` }));
  const text = own === all || !own ? `${many(all, "certificate")} below` : `${many(all, "certificate")} below, ${NUMBER.format(own)} its own`;
  words.push(all ? button(text, () => showFiltered({ issuer: row.key }, "list"), { class: "link" }) : make("span", { text: "nothing below" }));
  return words;
}

// How much of its life is over; the dates beside it say the same.
function lifeBar(row) {
  const from = Date.parse(row.not_before), share = Math.min(1, Math.max(0, (now - from) / (row.end - from)));
  const inner = make("span", { class: "life-over" });
  inner.style.width = `${Math.round(100 * share)}%`;
  return make("span", { class: "life", "aria-hidden": "true" }, inner);
}

function otherIssuers(chosen) {
  const known = new Set(authorities.map((row) => row.name));
  const counts = new Map();
  for (const row of chosen) {
    if (!row.isAuthority && row.issuer && !known.has(row.issuer)) counts.set(row.issuer, (counts.get(row.issuer) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => compare(a, b)).map(([name, count]) => make("li", {}, make("div", { class: "node" },
    make("span", { class: "fold-space" }), make("div", { class: "node-text" },
      make("div", { class: "node-title" }, make("strong", { text: name }), make("span", { class: "kind", text: "issuer" })),
      make("div", { class: "node-words" }, button(many(count, "certificate"), () => showFiltered({ issuer: name }, "list"), { class: "link" }))))));
}
