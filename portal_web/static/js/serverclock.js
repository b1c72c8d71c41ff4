// The server's time on the page's own monotonic clock: ages run on between frames and do not follow a changed system clock.

const REMEMBERED = 8;

export class ServerClock {
  #offsets = [];
  #offset;

  constructor(now) {
    this.#offset = now - performance.now();
  }

  /** The server's time now, ms since the epoch. */
  now() {
    return performance.now() + this.#offset;
  }

  /** A frame said `now` when it was sent. It was under way for a while, so of the last few the greatest offset is nearest. */
  hear(now) {
    this.#offsets.push(now - performance.now());
    if (this.#offsets.length > REMEMBERED) this.#offsets.shift();
    this.#offset = Math.max(...this.#offsets);
  }
}
