// The ribbon as one SVG that stays: its parts move (in 360 ms, see site.css), so a changed range is seen to change.
import { svg } from "./marks.js";

export class RibbonView {
  constructor() {
    this.past = svg("rect", { class: "rb-past", x: 0, y: 22, height: 10, rx: 5 });
    this.band = svg("rect", { y: 19, height: 16, rx: 8 });
    this.tick = svg("svg", { y: 0, overflow: "visible" }, svg("path", { class: "rb-book", d: "M0 17v20" }));
    this.booked = svg("text", { y: 51 });
    this.ring = svg("circle", { class: "rb-now", cy: 27, r: 7 });
    this.now = svg("text", { y: 12, "text-anchor": "middle" }, "now");
    this.low = svg("text", { class: "rb-strong", y: 51 });
    this.high = svg("text", { class: "rb-strong", y: 51 });
    const track = svg("rect", { class: "rb-track", x: 0, y: 22, width: "100%", height: 10, rx: 5 });
    const parts = [track, this.past, this.band, this.tick, this.booked, this.ring, this.now, this.low, this.high];
    this.element = svg("svg", { class: "ribbon", role: "img" }, ...parts);
  }

  /** `ribbon`: what `draw` of ribbon.js says. */
  show(ribbon) {
    this.element.setAttribute("aria-label", ribbon.label);
    this.past.setAttribute("width", `${ribbon.now}%`);
    this.band.setAttribute("class", `rb-band${ribbon.doubtful ? " rb-band--doubt" : ""}`);
    this.band.setAttribute("x", `${ribbon.bandX}%`);
    this.band.setAttribute("width", `${ribbon.bandWidth}%`);
    this.tick.setAttribute("display", ribbon.book === null ? "none" : "inline");
    this.tick.setAttribute("x", `${ribbon.book ?? 0}%`);
    this.ring.setAttribute("cx", `${ribbon.now}%`);
    this.now.setAttribute("x", `${ribbon.now}%`);
    for (const name of ["booked", "low", "high"]) this.#mark(this[name], ribbon[name]);
  }

  #mark(text, mark) {
    text.setAttribute("display", mark ? "inline" : "none");
    if (!mark) return;
    text.setAttribute("x", `${mark.x}%`);
    text.setAttribute("text-anchor", mark.anchor);
    if (text.textContent !== mark.text) text.textContent = mark.text;
  }
}
