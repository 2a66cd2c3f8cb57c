// The data, and what is computed from it here: ages and days left are those of whoever looks, not of
// whoever made the page.
const DAY = 86400000;
const data = JSON.parse(document.getElementById("data").textContent);
const now = Date.now();
const made = Date.parse(data.made_at);

// How bad a state is, the worst first; its tone is a colour, and the words always stand beside it.
const STATES = {
  expired: "bad",
  blocked: "bad",
  "out of date": "bad",
  "not yet valid": "bad",
  revoked: "bad",
  unknown: "unsure",
  due: "warn",
  pending: "warn",
  "not yet in": "warn",
  "to be issued": "warn",
  "to be removed": "warn",
  "not asked for": "warn",
  "kept ready": "quiet",
  adopted: "quiet",
  "no longer managed": "quiet",
  removed: "quiet",
  foreign: "quiet",
  ok: "good",
};
const PLACES = {
  drift: ["bad", "Drift", "something else is there, or it was changed"],
  missing: ["bad", "Missing", "it was there, and is gone"],
  occupied: ["bad", "Occupied", "something that is not ours is in its place"],
  failed: ["bad", "Failed", "the place could not issue it"],
  unknown: ["unsure", "Could not check", "the target did not answer completely"],
  outdated: ["warn", "Outdated", "one of ours that is superseded is there"],
  pending: ["warn", "Pending", "on its way, or not seen working yet"],
  unwanted: ["warn", "Not wanted", "ours, and no document asks for it there"],
  assumed: ["quiet", "Assumed", "nobody looked; the ledger says so"],
  "not-here": ["quiet", "Not here", "the target is on another host"],
  adopted: ["quiet", "Adopted", "somebody else's, taken over until it is due"],
  foreign: ["quiet", "Foreign", "not ours, and not touched"],
  ok: ["good", "OK", "the right certificate is there"],
};
const STATE_RANK = new Map(Object.keys(STATES).map((state, rank) => [state, rank]));
const PLACE_RANK = new Map(Object.keys(PLACES).map((state, rank) => [state, rank]));
const BROKEN_STATES = new Set(["expired", "blocked", "not yet valid"]);
const BROKEN_PLACES = new Set(["drift", "missing", "occupied", "failed"]);
// What nobody relies on any more: its end is no event.
const GONE = new Set(["revoked", "removed", "no longer managed", "to be removed"]);
const SETTLED = new Set(["ok", "adopted", "foreign", "removed", "no longer managed"]);
const SETTLED_PLACES = new Set(["ok", "assumed", "not-here", "adopted", "foreign"]);

const targets = data.targets;
const targetNamed = new Map(targets.map((target) => [target.name, target]));
const unchecked = targets.filter((target) => target.status === "unknown");
const assumed = targets.filter((target) => target.status === "assumed");
const stepsOf = new Map();
for (const step of data.changes) {
  const owner = step.address.split(/[@#]/, 1)[0];
  if (!stepsOf.has(owner)) stepsOf.set(owner, []);
  stepsOf.get(owner).push(step);
}

const rows = data.certificates.map(enriched);
const rowNamed = new Map(rows.map((row) => [row.key, row]));
const authorities = rows.filter((row) => row.isAuthority);
for (const row of rows) row.above = chainOf(row);

function enriched(told) {
  const row = { issuer: "", serial: "", sha256: "", names: [], labels: {}, places: [], ...told };
  row.isAuthority = row.address.startsWith("authority/");
  row.isBundle = row.address.startsWith("bundle/");
  row.keyType = told.key ?? "";
  row.key = row.isAuthority ? keyOf(row.name, row.generation) : row.address;
  row.end = row.not_after ? Date.parse(row.not_after) : null;
  row.days = row.end === null ? null : Math.floor((row.end - now) / DAY);
  row.lapsed = !row.isBundle && row.state !== "expired" && row.end !== null && row.end <= now && !GONE.has(row.state);
  if (row.lapsed && row.state !== "foreign") {
    row.state = "expired";
    row.status = "expired after this page was made";
  }
  row.matters = !row.isBundle && row.end !== null && !GONE.has(row.state); // a bundle outlives its anchors
  row.renewal = row.renewal ? Date.parse(row.renewal) : null;
  row.urgency = urgencyOf(row);
  row.places = row.places.map((place) => placed(place, row));
  row.byTarget = new Map();
  for (const place of row.places) {
    if (!row.byTarget.has(place.target)) row.byTarget.set(place.target, []);
    row.byTarget.get(place.target).push(place);
  }
  for (const there of row.byTarget.values()) there.sort((a, b) => placeRank(a) - placeRank(b));
  row.worst = row.places.reduce((least, place) => Math.min(least, placeRank(place)), PLACE_RANK.size);
  row.crlUntil = row.crl_until ? Date.parse(row.crl_until) : null;
  row.crlOver = row.crlUntil !== null && row.crlUntil <= now;
  row.broken = BROKEN_STATES.has(row.state) || row.crlOver || row.places.some((place) => BROKEN_PLACES.has(place.state));
  row.unseen = row.state === "unknown" || row.places.some((place) => place.state === "unknown");
  row.settled = SETTLED.has(row.state) && !row.broken && row.places.every((place) => SETTLED_PLACES.has(place.state));
  row.hay = haystack(row);
  return row;
}

// A place is told with what differs from the certificate's own.
function placed(told, row) {
  const place = { detail: "", object_name: row.name, id: "", serial: "", sha256: "", ...told };
  if (place.same) Object.assign(place, { serial: row.serial, sha256: row.sha256 });
  if (place.verified_at) place.verified_serial ??= row.serial;
  return place;
}

// An end that is near alarms only where no renewal will come first: many certificates live for days.
function urgencyOf(row) {
  if (!row.matters) return "";
  if (row.end <= now) return "bad";
  if (row.renewal !== null && row.renewal > now) return "";
  return row.days < 7 ? "bad" : row.days < 30 || row.renewal !== null ? "warn" : "";
}

function keyOf(name, generation) {
  return generation === undefined ? `authority/${name}` : `authority/${name}#${generation}`;
}

function placeRank(place) {
  return PLACE_RANK.get(place.state) ?? 0;
}

function haystack(row) {
  const labels = Object.entries(row.labels).map(([key, value]) => `${key}=${value}`);
  const places = row.places.flatMap((p) => [p.target, p.object_name, p.id, p.serial, p.sha256]);
  const source = row.source ? `${row.source.file}:${row.source.line}` : "";
  const words = [row.address, row.key, row.issuer, row.serial, row.sha256, row.keyType, row.status, source];
  return [...words, ...row.names, ...labels, ...places].filter(Boolean).join("\n").toLowerCase();
}

// The CAs above a certificate, from its issuer upwards, as far as they are listed here.
function chainOf(row) {
  const above = [];
  let at = row;
  while (at && at.issuer && at.issuer !== "itself") {
    at = rowNamed.get(keyOf(at.issuer, at.issuer_generation));
    if (!at || above.includes(at)) break;
    above.push(at);
  }
  return above;
}

function isBelow(row, authority) {
  if (row.issuer === authority) return true;
  return row.above.some((above) => above.key === authority || above.name === authority);
}
