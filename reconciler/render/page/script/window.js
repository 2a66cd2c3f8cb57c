// A long table of which only the rows in sight are there: ten thousand certificates take the time of forty.
const BEYOND = 12; // rows kept above and below what is in sight
const PRINTED = 2000; // rows that are printed at most

class WindowedTable {
  constructor(region, table, render) {
    Object.assign(this, { region, table, render, rows: [], drawn: new Map(), height: 0, active: 0, all: false });
    this.body = table.tBodies[0];
    this.above = spacer();
    this.below = spacer();
    region.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(region);
  }

  show(rows) {
    this.rows = rows;
    this.active = 0;
    this.table.setAttribute("aria-rowcount", rows.length + 1);
    this.region.scrollTop = 0;
    this.redraw();
  }

  redraw() {
    this.drawn.clear();
    this.body.replaceChildren(this.above, this.below);
    this.draw();
  }

  draw() {
    if (this.region.clientHeight === 0) return; // in a view that is not shown
    if (!this.height) this.measure();
    const [first, last] = this.range();
    // what is new comes before what is old goes: a table that was shorter for a moment would scroll up
    this.above.firstChild.style.height = `${first * this.height}px`;
    this.below.firstChild.style.height = `${(this.rows.length - last) * this.height}px`;
    this.above.hidden = first === 0;
    this.below.hidden = last === this.rows.length;
    let next = this.below;
    for (let index = last - 1; index >= first; index -= 1) {
      if (!this.drawn.has(index)) this.body.insertBefore(this.line(index), next);
      next = this.drawn.get(index);
    }
    for (const [index, line] of this.drawn) {
      if (index < first || index >= last) this.drop(index, line);
    }
  }

  drop(index, line) {
    if (line.contains(document.activeElement)) this.region.focus({ preventScroll: true });
    line.remove();
    this.drawn.delete(index);
  }

  range() {
    if (this.all) return [0, Math.min(PRINTED, this.rows.length)];
    const top = Math.floor(this.region.scrollTop / this.height), most = Math.ceil(this.region.clientHeight / this.height);
    return [Math.max(0, Math.min(top, this.rows.length) - BEYOND), Math.min(this.rows.length, top + most + BEYOND)];
  }

  line(index) {
    const line = this.render(this.rows[index], index);
    line.setAttribute("aria-rowindex", index + 2);
    this.drawn.set(index, line);
    return line;
  }

  measure() {
    if (!this.rows.length) { this.height = 40; return; }
    const line = this.render(this.rows[0], 0);
    this.body.append(line);
    this.height = line.getBoundingClientRect().height || 40;
    line.remove();
  }

  // Bring a row into sight, below the headings, and return it.
  reveal(index) {
    this.active = Math.max(0, Math.min(this.rows.length - 1, index));
    const head = this.table.tHead.offsetHeight, top = this.active * this.height, region = this.region;
    const shown = region.clientHeight - head;
    if (top < region.scrollTop) region.scrollTop = top;
    else if (top + this.height > region.scrollTop + shown) region.scrollTop = top + this.height - shown;
    this.draw();
    return this.drawn.get(this.active);
  }

  page() {
    return Math.max(1, Math.floor((this.region.clientHeight - this.table.tHead.offsetHeight) / this.height) - 1);
  }

  print(all) {
    this.all = all;
    this.redraw();
  }
}

function spacer() {
  return make("tr", { class: "space", "aria-hidden": "true" }, make("td"));
}

// Where a key leads from a place in a table; null for a key that leads nowhere.
function step(key, at, rowCount, page, ctrl) {
  const [row, cell] = at;
  const to = {
    ArrowDown: [row + 1, cell], ArrowUp: [row - 1, cell], ArrowRight: [row, cell + 1], ArrowLeft: [row, cell - 1],
    PageDown: [row + page, cell], PageUp: [row - page, cell],
    Home: ctrl ? [0, 0] : [row, 0], End: ctrl ? [rowCount - 1, Infinity] : [row, Infinity],
  }[key];
  return to ? [Math.max(0, Math.min(rowCount - 1, to[0])), to[1]] : null;
}
