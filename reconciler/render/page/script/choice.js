// What is shown of everything: the address of the page says it, so that a link can be sent.
const EXPIRES = [["", "Any time"], ["overdue", "Over already"], ["7", "Within 7 days"], ["14", "Within 14 days"],
  ["30", "Within 30 days"], ["60", "Within 60 days"], ["90", "Within 90 days"], ["365", "Within a year"]];
const GROUPS = [["broken", "Needs repair"], ["unseen", "Could not check"], ["unsettled", "Not in order"]];
const DEFAULTS = { q: "", status: "", issuer: "", target: "", place: "", expires: "", sort: "end", order: "up", view: "list", open: "" };
const FILTERS = ["q", "status", "issuer", "target", "place", "expires"];
const choice = { ...DEFAULTS };
const listeners = [];

const GROUP_TESTS = {
  broken: (row) => row.broken,
  unseen: (row) => row.unseen,
  unsettled: (row) => !row.settled,
};

const SORTS = {
  name: (row) => row.name,
  state: (row) => STATE_RANK.get(row.state) ?? 0,
  end: (row) => row.end ?? Infinity,
  names: (row) => row.names[0] ?? "",
  issuer: (row) => row.issuer,
  targets: (row) => row.worst,
  sha256: (row) => row.sha256,
};

function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  for (const [key, value] of Object.entries(DEFAULTS)) choice[key] = said.get(key) ?? value;
  if (!Object.hasOwn(SORTS, choice.sort)) choice.sort = DEFAULTS.sort;
  if (!["list", "matrix", "authorities"].includes(choice.view)) choice.view = DEFAULTS.view;
}

function writeAddress() {
  const changed = Object.entries(choice).filter(([key, value]) => value !== DEFAULTS[key]);
  const hash = `#${new URLSearchParams(changed)}`;
  if (hash === (location.hash || "#")) return;
  try {
    history.replaceState(null, "", hash);
  } catch {
    location.hash = hash; // where a page may not touch its history
  }
}

function choose(changes) {
  Object.assign(choice, changes);
  writeAddress();
  for (const listener of listeners) listener();
}

function chooseOnly(changes) {
  choose({ ...Object.fromEntries(FILTERS.map((name) => [name, ""])), ...changes });
}

function isFiltered() {
  return FILTERS.some((name) => choice[name] !== "");
}

function chosenRows() {
  const kept = rows.filter(isChosen);
  const key = SORTS[choice.sort], sign = choice.order === "down" ? -1 : 1;
  return kept.sort((a, b) => sign * compare(key(a), key(b)) || compare(a.key, b.key));
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isChosen(row) {
  if (choice.status && !hasStatus(row)) return false;
  if (choice.issuer && !isBelow(row, choice.issuer)) return false;
  if (choice.target && !row.byTarget.has(choice.target)) return false;
  if (choice.place && !row.places.some(isChosenPlace)) return false;
  if (choice.expires && !expiresThen(row)) return false;
  return words().every((word) => row.hay.includes(word));
}

function isChosenPlace(place) {
  return place.state === choice.place && (!choice.target || place.target === choice.target);
}

function hasStatus(row) {
  const test = GROUP_TESTS[choice.status];
  return test ? test(row) : row.state === choice.status;
}

function words() {
  if (words.of !== choice.q) {
    words.of = choice.q;
    words.found = choice.q.toLowerCase().split(/\s+/).filter(Boolean).map(plainHex);
  }
  return words.found;
}

// A serial or fingerprint is often written with colons.
function plainHex(word) {
  return /^[0-9a-f]{2}(:[0-9a-f]{2})+:?$/.test(word) ? word.replaceAll(":", "") : word;
}

// "overdue", a number of days, or FROM/TO as dates, where TO is not meant any more.
function expiresThen(row) {
  if (!row.matters) return false;
  if (choice.expires === "overdue") return row.end <= now;
  if (/^\d+$/.test(choice.expires)) return row.end <= now + Number(choice.expires) * DAY;
  const [from, to] = choice.expires.split("/").map((date) => Date.parse(date));
  return row.end > now && !(row.end < from) && !(row.end >= to);
}

function fillSelects() {
  const states = counted(rows.map((row) => row.state), STATE_RANK);
  options("status", [["", "Any"], ...GROUPS.map(([value, label]) => [value, label, rows.filter(GROUP_TESTS[value]).length]),
    ...states.map(([state, count]) => [state, capital(state), count])]);
  const issuers = counted(rows.filter((row) => row.issuer && row.issuer !== "itself").map((row) => row.issuer));
  options("issuer", [["", "Any"], ...issuers.map(([name]) => [name, name])]);
  const used = new Set([...targets.map((target) => target.name), ...rows.flatMap((row) => [...row.byTarget.keys()])]);
  options("target", [["", "Any"], ...[...used].sort().map((name) => [name, name])]);
  options("expires", EXPIRES);
}

function counted(values, rank) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const place = (name) => rank?.get(name) ?? 0;
  return [...counts].sort(([a], [b]) => place(a) - place(b) || compare(a, b));
}

function options(id, entries) {
  const made = entries.map(([value, label, count]) =>
    make("option", { value, text: count === undefined ? label : `${label} (${NUMBER.format(count)})` }));
  byId(id).replaceChildren(...made);
}

// Show in a select what the address says, also what is not among its options.
function select(id, value) {
  const field = byId(id);
  field.querySelector("option[data-extra]")?.remove();
  if (value && ![...field.options].some((option) => option.value === value)) {
    field.append(make("option", { value, text: spelt(id, value), "data-extra": "" }));
  }
  field.value = value;
  field.classList.toggle("set", value !== "");
}

function spelt(id, value) {
  if (id === "issuer") return value.replace(/^authority\//, "").replace("#", ", generation ");
  if (id !== "expires") return value;
  const [from, to] = value.split("/").map((date) => Date.parse(date));
  if (Number.isNaN(from)) return value;
  return Number.isNaN(to) || to === undefined ? `From ${day(from)}` : `${day(from)} to ${day(to - DAY)}`;
}
