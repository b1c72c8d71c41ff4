// The panel beside the map: puts a story into the places that the server's template left for it, and touches only what
// changed. Everything is set as text or as elements made here; no string is ever read as markup.
import { RibbonView } from "./ribbonview.js";
import { element, icon, rich, time } from "./say.js";
import { clock } from "./time.js";

const PILLS = {
  standing: ["live", "pin"],
  delayed: ["delayed", "clock"],
  stale: ["stale", "clock-alert"],
  lost: ["lost", "signal-off"],
  paused: ["paused", "pause"],
  hidden: ["paused", "eye-off"],
};

const REASONS = { connection: "wifi-off", battery: "battery", location: "locate" };

export class Panel {
  #root;
  #sprite;
  #said = new Map();
  #ribbon = null;

  /** `root`: the element around all places ([data-sub], [data-range], …); `sprite`: the address of the icons. */
  constructor(root, sprite) {
    this.#root = root;
    this.#sprite = sprite;
  }

  /** Shows a story; `away` are the words for "this page is cut off itself", which stand instead of the freshness then. */
  show(story, { zone, now, reason = null, desk = null, away = null }) {
    this.#put("eta", String(story.uncertain), (place) => place.classList.toggle("is-uncertain", story.uncertain));
    this.#put("fresh", `${story.level} ${story.pill} ${away}`, (place) => this.#pill(place, story, away));
    this.#put("label", story.label, (place) => place.replaceChildren(story.label));
    const soon = story.low !== null && story.low <= now;
    this.#put("range", `${story.low} ${story.high} ${story.by} ${soon}`, (place) => this.#range(place, story, soon, zone));
    this.#put("sub", story.sub, (place) => place.replaceChildren(...rich(story.sub)));
    this.#put("ribbon", JSON.stringify(story.ribbon), (place) => this.#band(place, story.ribbon));
    this.#put("notice", `${story.level} ${story.notice}`, (place) => this.#notice(place, story, reason, desk));
    this.#put("rule", String(Boolean(story.notice)), (place) => place.toggleAttribute("hidden", Boolean(story.notice)));
    this.#put("privacy", story.privacy, (place) => place.lastElementChild.replaceChildren(...rich(story.privacy)));
    this.#put("words", String(story.words), (place) => {
      place.hidden = !story.words;
      place.lastElementChild.replaceChildren(...rich(story.words ?? ""));
    });
  }

  #put(name, text, write) {
    if (this.#said.get(name) === text) return;
    const place = this.#root.querySelector(`[data-${name}]`);
    if (!place) return;
    this.#said.set(name, text);
    write(place);
  }

  #pill(place, story, away) {
    const live = story.level === "live" && !away;
    const [css, sign] = away ? ["lost", "wifi-off"] : live ? ["live", null] : PILLS[story.level];
    const [word, age] = away ?? story.pill;
    const mark = live ? element("span", { class: "fresh__dot", "aria-hidden": "true" }) : icon(this.#sprite, sign);
    place.className = `fresh fresh--${css}`;
    place.replaceChildren(mark, element("span", {}, element("b", {}, word), " · ", ...rich(age)));
  }

  #range(place, story, soon, zone) {
    const at = (instant) => time(instant, clock(instant, zone));
    place.hidden = story.low === null && story.by === null;
    place.classList.toggle("eta__range--sm", story.low === null);
    place.classList.toggle("eta__range--soon", soon);
    if (story.low === null) place.replaceChildren(...(story.by === null ? [] : [element("span", {}, "Expected by "), at(story.by)]));
    else if (soon) place.replaceChildren(element("span", {}, "Any minute, latest "), at(story.high));
    else if (story.low === story.high) place.replaceChildren(at(story.low));
    else {
      const dash = element("span", { class: "dash", role: "img", "aria-label": "and" }, "–");
      place.replaceChildren(at(story.low), dash, at(story.high));
    }
  }

  #band(place, ribbon) {
    if (!ribbon) {
      this.#ribbon = null;
      place.replaceChildren();
      return;
    }
    if (this.#ribbon === null) {
      this.#ribbon = new RibbonView();
      place.replaceChildren(this.#ribbon.element);
    }
    this.#ribbon.show(ribbon);
  }

  #notice(place, story, reason, desk) {
    place.hidden = !story.notice;
    if (!story.notice) {
      place.replaceChildren();
      return;
    }
    const stale = story.level === "stale";
    const sign = stale ? (REASONS[reason] ?? "clock-alert") : "info";
    const body = element("div", {}, element("p", {}, ...rich(story.notice)));
    if (!stale && desk) {
      const number = element("span", {}, "Call ", element("bdi", { class: "phone" }, desk.shown));
      const call = element("a", { class: "btn btn--secondary", href: `tel:${desk.dialed}` }, icon(this.#sprite, "phone"), number);
      body.append(element("p", { class: "actions" }, call));
    }
    const css = `notice notice--${stale ? "warn" : "plain"}`;
    place.replaceChildren(element("div", { class: css }, icon(this.#sprite, sign), body));
  }
}
