// When certificates end: one bar for each week from today on, one for what is over, one for what is later.
const WEEKS = 53;
const today = Math.floor(now / DAY) * DAY;
const MARKS = [7, 30];
const TOLD = 40; // how many names a bar tells

function showTimeline() {
  const bars = weeks();
  const most = Math.max(1, ...bars.map((bar) => bar.rows.length));
  byId("chart").replaceChildren(...bars.map((bar, place) => column(bar, place, most)));
  const first = byId("chart").querySelector("button");
  if (first) first.tabIndex = 0;
  byId("chart").addEventListener("keydown", walkBars);
  byId("chart-note").textContent = chartNote(bars);
  byId("timeline-legend").replaceChildren(chip("bad", "over, or within 7 days"), chip("warn", "within 30 days"), chip("accent", "later"));
  byId("chart-table").replaceChildren(weekTable(bars));
}

function weeks() {
  const bars = [{ label: "Over", words: "Over already", expires: "overdue", rows: [], tone: "bad" }];
  for (let week = 0; week < WEEKS; week += 1) bars.push(weekFrom(today + 7 * week * DAY, week));
  const end = isoDate(today + 7 * WEEKS * DAY);
  bars.push({ label: "Later", words: `After ${day(today + 7 * WEEKS * DAY - DAY)}`, expires: `${end}/`, rows: [], tone: "accent" });
  const ending = rows.filter((row) => row.matters).sort((a, b) => a.end - b.end);
  for (const row of ending) {
    const week = Math.floor((row.end - today) / (7 * DAY));
    bars[row.end <= now ? 0 : Math.min(week, WEEKS) + 1].rows.push(row);
  }
  return bars;
}

function weekFrom(start, week) {
  const from = new Date(start), month = new Date(start + 6 * DAY);
  const begins = month.getUTCMonth() !== new Date(start - DAY).getUTCMonth();
  return {
    label: begins ? new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" }).format(month) : "",
    words: `${day(from)} to ${day(start + 6 * DAY)}`,
    expires: `${isoDate(start)}/${isoDate(start + 7 * DAY)}`,
    rows: [],
    tone: week === 0 ? "bad" : week <= 4 ? "warn" : "accent",
  };
}

function isoDate(moment) {
  return new Date(moment).toISOString().slice(0, 10);
}

function column(bar, place, most) {
  const cell = make("div", { class: place === 0 || place > WEEKS ? "column apart" : "column" });
  if (bar.rows.length) cell.append(barButton(bar, most));
  for (const days of MARKS) {
    if (place === 1 + Math.floor(days / 7)) cell.append(mark(days));
  }
  cell.append(make("span", { class: "axis", text: bar.label, "aria-hidden": "true" }));
  return cell;
}

function barButton(bar, most) {
  const names = some(bar.rows.map(title), TOLD);
  const told = `${bar.words}: ${many(bar.rows.length, "certificate")}: ${names}`;
  const show = () => { byId("chart-note").textContent = told; };
  const shape = make("span", { class: `bar ${bar.tone}` });
  shape.style.height = `${Math.max(4, (100 * bar.rows.length) / most)}%`;
  return make("button", {
    type: "button", class: "week", tabindex: "-1", "aria-label": told,
    on: { focus: show, mouseenter: show, click: () => showFiltered({ expires: bar.expires }) },
  }, make("span", { class: "week-count", text: NUMBER.format(bar.rows.length), "aria-hidden": "true" }), shape);
}

// A line at so many days from now, in the column of its week.
function mark(days) {
  const line = make("span", { class: "mark", "aria-hidden": "true" }, make("span", { text: `${days} d` }));
  line.style.left = `${(100 * (days % 7)) / 7}%`;
  return line;
}

function walkBars(event) {
  const bars = [...byId("chart").querySelectorAll("button")], at = bars.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: bars.length - 1 }[event.key];
  if (to === undefined || at < 0 || !bars[to]) return;
  event.preventDefault();
  bars[at].tabIndex = -1;
  bars[to].tabIndex = 0;
  bars[to].focus();
}

function chartNote(bars) {
  const next = rows.filter((row) => row.matters && row.end > now).reduce((a, b) => (a && a.end <= b.end ? a : b), null);
  if (!next && !bars[0].rows.length) return "Nothing ends: no certificate has been issued yet.";
  return next ? `Next: ${title(next)} on ${day(next.end)}, ${left(next.days)}. Point at a bar for its names, choose it to filter.` : "Everything is over.";
}

function weekTable(bars) {
  const head = make("tr", {}, ...["Ends", "Certificates", "Names"].map((text) => make("th", { scope: "col", text })));
  const body = bars.filter((bar) => bar.rows.length).map((bar) => make("tr", {}, make("th", { scope: "row", text: bar.words }),
    make("td", { class: "number", text: NUMBER.format(bar.rows.length) }), make("td", { text: some(bar.rows.map(title), TOLD) })));
  return make("table", { class: "plain-table" }, make("caption", { class: "hidden", text: "Certificates by the week they end" }),
    make("thead", {}, head), make("tbody", {}, ...body));
}
