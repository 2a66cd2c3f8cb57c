// How elements are made. Data only ever becomes text: there is no markup in it, and none is parsed.
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const TIME = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC",
});
const NUMBER = new Intl.NumberFormat("en-GB");

function byId(id) {
  return document.getElementById(id);
}

function make(tag, { text, on, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  for (const [event, listener] of Object.entries(on ?? {})) element.addEventListener(event, listener);
  if (text !== undefined) element.textContent = text;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function button(text, listener, attributes = {}) {
  return make("button", { type: "button", text, on: { click: listener }, ...attributes });
}

function chip(tone, words) {
  return make("span", { class: `chip ${tone}`, text: capital(words) });
}

function statusChip(row) {
  return chip(STATES[row.state] ?? "quiet", row.status);
}

function capital(words) {
  return words === "ok" ? "OK" : words.charAt(0).toUpperCase() + words.slice(1);
}

function many(count, one, more = `${one}s`) {
  return `${NUMBER.format(count)} ${count === 1 ? one : more}`;
}

function day(moment) {
  return DATE.format(moment);
}

function minute(moment) {
  return `${TIME.format(moment)} UTC`;
}

function left(days) {
  if (days === null) return "";
  if (days < 0) return `${many(-days, "day")} ago`;
  return days === 0 ? "within a day" : `in ${many(days, "day")}`;
}

// The first eight digits of a fingerprint tell certificates apart; the whole is in the details.
function short(fingerprint) {
  return fingerprint ? `${fingerprint.slice(0, 4)} ${fingerprint.slice(4, 8)}` : "";
}

function age(milliseconds) {
  const minutes = Math.floor(milliseconds / 60000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${many(minutes, "minute")} ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${many(hours, "hour")} ago` : `${many(Math.floor(hours / 24), "day")} ago`;
}

function some(names, most) {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${NUMBER.format(names.length - most)} more` : shown;
}

// A file of the repository, as a link where the page was told where files are.
function sourceLink(source) {
  const words = `${source.file}:${source.line}`;
  if (!/^https?:\/\//.test(data.blob_url ?? "")) return make("code", { text: words });
  const path = source.file.split("/").map(encodeURIComponent).join("/");
  return link(`${data.blob_url.replace(/\/+$/, "")}/${path}#L${source.line}`, words);
}

function link(address, words) {
  return make("a", { href: address, rel: "noreferrer noopener", target: "_blank", text: words });
}

function say(words) {
  byId("said").textContent = words;
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}.`);
    return true;
  } catch {
    say(`This browser does not let a page copy; select ${what} by hand.`);
    return false;
  }
}

function copyable(text, what) {
  const control = button("Copy", async () => {
    control.textContent = (await copy(text, what)) ? "Copied" : "Select it by hand";
    setTimeout(() => { control.textContent = "Copy"; }, 2000);
  }, { class: "copy", "aria-label": `Copy ${what}` });
  return make("span", { class: "copyable" }, make("code", { text }), control);
}
