// The bar about this page's own connection, not to be mixed up with the technician's: shown after five seconds without
// contact, and for three seconds when it is back.
import { rich } from "./say.js";
import { stamp } from "./time.js";

const AFTER_MS = 5_000;
const BACK_MS = 3_000;

export class ConnectionBar {
  #bar;
  #timer = 0;
  #since = null; // the server's time of the last contact, while there is none

  constructor(bar) {
    this.#bar = bar;
  }

  /** The server's time up to which the page is true, or null while it is connected. */
  get since() {
    return this.#bar.hidden ? null : this.#since;
  }

  /** No contact since `lost` (of performance.now()); the page is true up to `lastContact` (the server's time). */
  down(lost, lastContact, zone, shown) {
    clearTimeout(this.#timer);
    this.#since = lastContact;
    this.#timer = setTimeout(() => {
      this.#bar.replaceChildren(...rich(`Reconnecting. What you see is from ${stamp(lastContact, zone, true)}.`));
      this.#bar.hidden = false;
      shown();
    }, Math.max(0, AFTER_MS - (performance.now() - lost)));
  }

  up() {
    clearTimeout(this.#timer);
    this.#since = null;
    if (this.#bar.hidden) return;
    this.#bar.replaceChildren("Up to date again.");
    this.#timer = setTimeout(() => {
      this.#bar.hidden = true;
    }, BACK_MS);
  }
}
