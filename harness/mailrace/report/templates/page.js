"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);
  const SVG = "http://www.w3.org/2000/svg";

  // Copy: the clipboard where the browser gives it, else the selection.
  const copy = async (text, node) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(node);
      const chosen = getSelection();
      chosen.removeAllRanges();
      chosen.addRange(range);
      return document.execCommand("copy");
    }
  };
  for (const button of all(".copy")) {
    button.addEventListener("click", async () => {
      const node = one("code", button.parentElement);
      const done = await copy(node.textContent, node);
      button.textContent = done ? "Copied" : "Select it";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  // Filter: every word must stand in an entry, or in the scenario that holds it; a number as a whole.
  const has = (text, word) => (/^\d+$/.test(word) ? text.split(/\s+/).includes(word) : text.includes(word));
  const find = one("#find");
  if (find) {
    const hits = one("#hits");
    const shown = one("#shown");
    const entries = all("[data-find]").filter((e) => !e.matches(".scenario"));
    const filter = () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      const counts = { round: 0, seen: 0 };
      for (const entry of entries) {
        const place = entry.closest(".scenario");
        const text = `${entry.dataset.find} ${place ? place.dataset.find : ""}`.toLowerCase();
        const isRound = place !== null;
        entry.hidden = !words.every((w) => has(text, w)) || (hits.checked && isRound && !("hit" in entry.dataset));
        if (isRound) {
          counts.round += 1;
          counts.seen += entry.hidden ? 0 : 1;
        }
      }
      const filtering = words.length > 0 || hits.checked;
      for (const place of all(".scenario")) {
        const own = all("[data-find]", place);
        const text = place.dataset.find.toLowerCase();
        place.hidden = filtering && !own.some((e) => !e.hidden) && !words.every((w) => has(text, w));
      }
      for (const more of all("details.more")) more.hidden = !all("tr[data-find]", more).some((e) => !e.hidden);
      shown.textContent = filtering ? `${counts.seen} of ${counts.round} entries` : "";
    };
    find.addEventListener("input", filter);
    hits.addEventListener("change", filter);
    one(".filter").addEventListener("submit", (event) => event.preventDefault());
    one("#expand").addEventListener("click", () => { for (const d of all(".round:not([hidden])")) d.open = true; });
    one("#collapse").addEventListener("click", () => { for (const d of all(".round")) d.open = false; });
  }
  addEventListener("beforeprint", () => { for (const d of all("details")) d.open = true; });

  // Timelines: places follow from data-t and data-a/-b, in µs; zoom and pan change the range only.
  const step = (span, count) => {
    const rough = span / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough);
  };
  class Timeline {
    constructor(root) {
      this.root = root;
      this.svg = one("svg.lanes", root);
      this.views = root.dataset.views.split(";").map((v) => v.split(",").map(Number));
      [this.begin, this.end] = this.views[0];
      this.marks = all(".mark", this.svg);
      this.detail = one(".detail", root);
      this.pinned = null;
      if (this.marks.length) this.marks[0].tabIndex = 0;
      for (const button of all("[data-zoom]", root)) button.addEventListener("click", () => this.zoom(Number(button.dataset.zoom)));
      for (const button of all("[data-view]", root)) button.addEventListener("click", () => this.show(...this.views[Number(button.dataset.view)]));
      this.marks.forEach((mark) => {
        mark.addEventListener("focus", () => this.tell(mark));
        mark.addEventListener("mouseenter", () => { if (!this.pinned) this.tell(mark); });
        mark.addEventListener("click", () => { this.pinned = mark; this.rove(mark); });
      });
      this.svg.addEventListener("keydown", (event) => this.key(event));
      this.svg.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.at(event.offsetX));
      }, { passive: false });
      this.drag();
      new ResizeObserver(() => this.draw()).observe(one(".frame", root));
    }

    width() { return Math.max(300, one(".frame", this.root).clientWidth); }
    x(t) { return 10 + ((t - this.begin) / (this.end - this.begin)) * (this.width() - 20); }
    at(x) { return this.begin + ((x - 10) / (this.width() - 20)) * (this.end - this.begin); }

    show(begin, end) {
      const [low, high] = this.views[this.views.length - 1];
      const span = Math.min(Math.max(end - begin, 5), (high - low) * 1.5);
      this.begin = Math.min(Math.max(begin, low - span * 0.5), high - span * 0.5);
      this.end = this.begin + span;
      this.draw();
    }
    zoom(factor, around = this.pinned ? Number(this.pinned.dataset.t) : (this.begin + this.end) / 2) {
      this.show(around - (around - this.begin) * factor, around + (this.end - around) * factor);
    }
    pan(share) {
      const by = (this.end - this.begin) * share;
      this.show(this.begin + by, this.end + by);
    }

    draw() {
      const width = this.width();
      this.svg.setAttribute("width", width);
      for (const rect of all("[data-a]", this.svg)) {
        const from = Math.max(-20, this.x(Number(rect.dataset.a)));
        const to = Math.min(width + 20, this.x(Number(rect.dataset.b)));
        rect.setAttribute("x", from);
        rect.setAttribute("width", Math.max(to - from, to < -10 || from > width + 10 ? 0 : 1));
      }
      for (const item of all("[data-t]", this.svg)) {
        const moved = item.getAttribute("transform") || "";
        const y = (/translate\([^ )]+ ([^)]+)\)/.exec(moved) || [0, 0])[1];
        item.setAttribute("transform", `translate(${this.x(Number(item.dataset.t)).toFixed(1)} ${y})`);
      }
      let last = [null, 0];
      for (const mark of this.marks.filter((m) => m.matches(".tick"))) {
        const x = this.x(Number(mark.dataset.t));
        const crowded = last[0] === mark.parentNode && Math.abs(x - last[1]) < 11;
        mark.classList.toggle("crowded", crowded);
        if (!crowded) last = [mark.parentNode, x];
      }
      const axis = one(".axis", this.svg);
      axis.replaceChildren();
      const size = step(this.end - this.begin, Math.max(3, width / 110));
      for (let t = Math.ceil(this.begin / size) * size; t <= this.end; t += size) {
        const line = document.createElementNS(SVG, "path");
        line.setAttribute("d", `M${this.x(t)} 20V${this.svg.getAttribute("height")}`);
        const text = document.createElementNS(SVG, "text");
        text.setAttribute("x", Math.min(Math.max(this.x(t), 24), width - 24));
        text.setAttribute("y", 14);
        text.setAttribute("text-anchor", "middle");
        text.textContent = `${Number((t / 1000).toPrecision(6))} ms`;
        axis.append(line, text);
      }
      for (const button of all("[data-view]", this.root)) {
        const [begin, end] = this.views[Number(button.dataset.view)];
        button.setAttribute("aria-pressed", String(Math.abs(begin - this.begin) < 1 && Math.abs(end - this.end) < 1));
      }
    }

    tell(mark) {
      for (const other of this.marks) other.classList.toggle("on", other === mark);
      this.detail.textContent = mark.getAttribute("aria-label");
    }
    rove(mark) {
      for (const other of this.marks) other.tabIndex = other === mark ? 0 : -1;
      mark.focus();
      this.tell(mark);
      const t = Number(mark.dataset.t);
      if (t < this.begin || t > this.end) this.show(t - (this.end - this.begin) / 2, t + (this.end - this.begin) / 2);
    }
    key(event) {
      const here = this.marks.indexOf(document.activeElement);
      const go = (place) => this.rove(this.marks[(place + this.marks.length) % this.marks.length]);
      const acts = {
        ArrowRight: () => (event.shiftKey ? this.pan(0.2) : go(here + 1)),
        ArrowLeft: () => (event.shiftKey ? this.pan(-0.2) : go(here - 1)),
        ArrowDown: () => go(here + 1),
        ArrowUp: () => go(here - 1),
        Home: () => go(0),
        End: () => go(-1),
        Enter: () => { this.pinned = document.activeElement; this.tell(this.pinned); },
        Escape: () => { this.pinned = null; },
        "+": () => this.zoom(0.5),
        "=": () => this.zoom(0.5),
        "-": () => this.zoom(2),
        0: () => this.show(...this.views[0]),
      };
      acts[" "] = acts.Enter;
      if (!(event.key in acts) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      acts[event.key]();
    }
    drag() {
      let from = null;
      this.svg.addEventListener("pointerdown", (event) => {
        if (!event.target.closest(".mark")) from = { x: event.clientX, begin: this.begin, end: this.end };
      });
      addEventListener("pointermove", (event) => {
        if (!from) return;
        const by = ((from.x - event.clientX) / (this.width() - 20)) * (from.end - from.begin);
        this.show(from.begin + by, from.end + by);
      });
      for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => { from = null; });
    }
  }
  for (const root of all(".timeline")) new Timeline(root);
})();
