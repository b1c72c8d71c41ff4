// What is known of the trip under way: taken from the panel's facts, then from frames. Keeps to the two-minute rule.
import { Way, decode, distance } from "./geo.js";
import { rangeOf, tell } from "./story.js";
import { MINUTE } from "./time.js";

const ON_THE_WAY_M = 150;

export class Trip {
  #way = null;
  #along = 0;
  #shown = null;
  #shownLevel = null;

  /** `facts`: what the server wrote into the panel (live_page.py, panel_facts). */
  constructor(facts) {
    this.place = facts.place;
    this.heard = false; // until a frame came, the server's own words stand
    this.position = null;
    this.facts = {
      name: facts.name,
      zone: facts.zone,
      booked: facts.booked,
      planned: facts.planned,
      pausedSince: facts.paused,
      reason: facts.reason,
      closed: facts.closed,
      forStaff: facts.forStaff,
      arriving: facts.arriving,
      tracked: facts.tracked,
      street: facts.street,
      seen: null,
      eta: null,
      distance: null,
    };
  }

  /** Takes what a frame says; true if it brought another way ahead (`points`). */
  hear(frame) {
    const whole = frame.type === "snapshot";
    this.heard = true;
    if ("position" in frame) this.#setPosition(frame.position);
    if (frame.eta || whole) this.facts.eta = frame.eta ?? null;
    if (whole) {
      this.facts.arriving = frame.arriving;
      this.facts.tracked = frame.reason !== "tracking_off";
    }
    const another = "route" in frame || whole;
    if (another) this.#setWay(frame.route ?? null);
    this.facts.distance = this.#distance();
    return another;
  }

  /** The story at `now`. The shown range stays until an end moves by two minutes, or the level changes, or its end is past. */
  tell(now) {
    const range = rangeOf(this.facts, now);
    const level = tell(this.facts, now, range).level;
    const moved = !range || !this.#shown || range.some((end, i) => Math.abs(end - this.#shown[i]) >= 2 * MINUTE);
    if (moved || level !== this.#shownLevel || this.#shown[1] <= now) this.#shown = range;
    this.#shownLevel = level;
    return tell(this.facts, now, this.#shown);
  }

  #setPosition(position) {
    this.position = position && { ...position, interval: position.interval ?? this.position?.interval ?? 5 };
    const { fix, contact, acc, interval } = this.position ?? {};
    this.facts.seen = position && { fix, contact, acc, interval };
    this.facts.reason = position?.reason ?? null;
  }

  #setWay(route) {
    this.points = route ? decode(route) : null;
    this.#way = this.points && this.points.length > 1 ? new Way(this.points) : null;
    this.#along = 0;
  }

  #distance() {
    if (!this.position) return null;
    const here = [this.position.lat, this.position.lon];
    if (!this.#way) return distance(here, this.place);
    const { along, off } = this.#way.project(here, this.#along);
    if (off > ON_THE_WAY_M) return this.facts.distance;
    this.#along = along;
    return this.#way.length - along + off;
  }
}
