// What an engineer on call asks first: how old is this, what is broken, what ends soon, what nobody saw.
const STALE = 36 * 3600000; // a page that is made every night is younger
const OLD = 7 * DAY;
const LATE = 2 * DAY; // a renewal that fell due before was missed by a night, or more
const FIRST = 8; // how many troubles are shown at once,
const MOST = 200; // and when all are asked for

function showHeader() {
  byId("project").textContent = data.project;
  tellAge();
  setInterval(tellAge, 60000);
  const revision = data.revision ? revisionLink() : "no commit yet";
  const changed = data.uncommitted ? " with uncommitted changes" : "";
  const shown = data.selection.length ? [" · only ", make("strong", { text: data.selection.join(", ") })] : [];
  byId("made").append(" · documents at ", revision, changed, ...shown);
  byId("foot").textContent = `Made by certform ${data.certform_version} from the documents, the ledger and the targets;`
    + " it holds no key. It names hosts: share it with those who may read the repository.";
}

function tellAge() {
  const passed = Date.now() - made, when = byId("made");
  const tone = passed > OLD ? "bad" : passed > STALE || passed < -300000 ? "warn" : "";
  const words = passed < -300000 ? "later than this computer's clock" : age(passed);
  const told = make("span", { id: "age", class: `age ${tone}`, text: words });
  if (byId("age")) byId("age").replaceWith(told);
  else when.append("As of ", make("time", { datetime: data.made_at, text: minute(made) }), ", ", told);
}

function revisionLink() {
  const commit = make("code", { text: data.revision.slice(0, 10), title: data.revision });
  const at = data.blob_url ?? "";
  if (!/^https?:\/\//.test(at) || !at.includes(data.revision)) return commit;
  const anchor = link(at.replace("/blob/", "/tree/"), "");
  anchor.append(commit);
  return anchor;
}

function showNotices() {
  const notices = [], passed = now - made;
  if (passed > STALE) {
    notices.push(notice(passed > OLD ? "bad" : "warn", `This page is ${age(passed).replace(" ago", "")} old.`,
      "What it says of targets may no longer be so. Days left are counted from now."));
  }
  if (unchecked.length) {
    const list = make("ul", {}, ...unchecked.map((target) =>
      make("li", {}, make("strong", { text: target.name }), target.detail ? `: ${target.detail}` : "")));
    notices.push(notice("unsure", `${many(unchecked.length, "target")} could not be checked.`,
      "Nobody knows what is there; it is neither fine nor missing.", list));
  }
  if (assumed.length) {
    notices.push(notice("quiet", `${many(assumed.length, "target")} ${assumed.length === 1 ? "was" : "were"} not looked at.`,
      `Assumed to hold what the ledger last verified there: ${some(assumed.map((target) => target.name), 12)}.`));
  }
  byId("notices").replaceChildren(...notices);
}

function notice(tone, title, words, more = null) {
  return make("div", { class: `notice ${tone}` }, make("p", {}, make("strong", { text: title }), ` ${words}`), more);
}

function showTiles() {
  const count = (test) => rows.filter(test).length, within = (days) => (row) => row.matters && row.end <= now + days * DAY;
  const bundles = count((row) => row.isBundle), all = rows.length - bundles, leaves = all - authorities.length, fine = count((row) => row.settled);
  const month = count(within(30)), week = count(within(7)), over = count((row) => row.matters && row.end <= now);
  const urgent = (tone) => rows.some((row) => row.urgency === tone);
  const broken = count((row) => row.broken), unseen = count((row) => row.unseen);
  byId("tiles").replaceChildren(
    tile("Certificates", all, `${many(leaves, "leaf", "leaves")}, ${many(authorities.length, "CA certificate")}`
      + (bundles ? `; and ${many(bundles, "bundle")} of anchors` : ""), "", {}),
    tile("In order", fine, rows.length ? `${Math.floor((100 * fine) / rows.length)} % of all` : "", "good", null),
    tile("Over, or within 30 days", month, `${NUMBER.format(over)} over, ${NUMBER.format(week - over)} within 7 days`,
      urgent("bad") ? "bad" : urgent("warn") ? "warn" : "good", { expires: "30" }),
    tile("Need repair", broken, broken ? "expired, blocked, or not as it should be" : "nothing is broken", broken ? "bad" : "good", { status: "broken" }),
    tile("Could not check", unseen, unchecked.length ? `in ${many(unchecked.length, "target")}` : "every target answered", unchecked.length || unseen ? "unsure" : "good", { status: "unseen" }),
  );
}

function tile(title, count, words, tone, filter) {
  const parts = [make("span", { class: "tile-title", text: title }), make("span", { class: "tile-count", text: NUMBER.format(count) }),
    make("span", { class: "tile-words", text: words })];
  if (!filter) return make("li", {}, make("div", { class: `tile ${tone}` }, ...parts));
  return make("li", {}, make("button", { type: "button", class: `tile ${tone}`, on: { click: () => showFiltered(filter) } }, ...parts));
}

function showFiltered(filter, view = choice.view === "authorities" ? "list" : choice.view) {
  chooseOnly({ ...filter, view });
  byId("search").closest("section").scrollIntoView({ block: "start" });
}

function showAttention() {
  const found = troubles(), list = byId("attention-list");
  list.replaceChildren(...found.slice(0, FIRST).map(troubleItem));
  byId("attention").classList.toggle("calm", found.length === 0);
  if (!found.length) list.append(make("li", { class: "fine" }, ...calmWords()));
  if (found.length <= FIRST) return;
  const more = button(`Show all ${NUMBER.format(found.length)}`, () => {
    showAllTroubles(found);
    list.querySelectorAll(".link")[FIRST]?.focus();
  }, { class: "plain" });
  list.append(make("li", { class: "more" }, more));
  addEventListener("beforeprint", () => showAllTroubles(found));
}

function showAllTroubles(found) {
  const list = byId("attention-list");
  list.replaceChildren(...found.slice(0, MOST).map(troubleItem));
  if (found.length > MOST) list.append(make("li", { class: "more", text: `and ${NUMBER.format(found.length - MOST)} more: filter the list below` }));
}

function calmWords() {
  const waiting = rows.filter((row) => !row.settled).length;
  if (!waiting) return ["Nothing: everything that was looked at is as the documents ask."];
  const show = button(`${many(waiting, "certificate")} not as the documents ask yet`, () => showFiltered({ status: "unsettled" }), { class: "link" });
  return ["Nothing is broken. ", show];
}

// Each trouble: how bad, its tone and word, what it is of, and what is known about it.
function troubles() {
  const found = [];
  const add = (rank, tone, word, row, words) => found.push({ rank, tone, word, row, words, name: row ? row.name : "" });
  for (const row of rows) {
    const steps = stepsOf.get(row.address) ?? [];
    const wrong = row.places.find((place) => BROKEN_PLACES.has(place.state));
    if (row.state === "expired") add(0, "bad", "Expired", row, `${left(row.days)}${row.lapsed ? ", after this page was made" : ""}`);
    else if (row.state === "blocked") add(1, "bad", "Blocked", row, steps.find((step) => step.action === "blocked")?.message ?? whyWrong(wrong));
    else if (wrong) add(2, "bad", PLACES[wrong.state][1], row, whyWrong(wrong));
    else if (row.state === "not yet valid") add(2, "bad", "Not yet valid", row, `from ${day(Date.parse(row.not_before))}`);
    else if (row.urgency === "bad") add(3, "bad", "Ends soon", row, `${left(row.days)}, on ${day(row.end)}`);
    else if (row.matters && row.renewal !== null && row.renewal < now - LATE) add(4, "warn", "Renewal is late", row, `due since ${day(row.renewal)}`);
    if (row.crlOver) add(1, "bad", "CRL is over", row, `since ${minute(row.crlUntil)}${row.crlUntil > made ? ", after this page was made" : ""}`);
  }
  const listed = new Set(rows.map((row) => row.address));
  for (const step of data.changes) {
    const told = listed.has(step.address.split(/[@#]/, 1)[0]) || step.reason === "TargetUnknown";
    if (step.action !== "blocked" || told) continue;
    found.push({ rank: 1, tone: "bad", word: "Blocked", row: null, name: step.address, words: step.message });
  }
  return found.sort((a, b) => a.rank - b.rank || (a.row?.end ?? 0) - (b.row?.end ?? 0) || compare(a.name, b.name));
}

function whyWrong(place) {
  return place ? `in ${place.target}${place.detail ? `: ${place.detail}` : ""}` : "";
}

function troubleItem({ tone, word, row, name, words }) {
  const what = row ? button(title(row), () => openDetails(row), { class: "link" }) : make("strong", { text: name });
  return make("li", {}, chip(tone, word), what, make("span", { class: "about", text: words ?? "" }));
}

function title(row) {
  return row.isAuthority && row.generation !== undefined ? `${row.name}, generation ${row.generation}` : row.name;
}
