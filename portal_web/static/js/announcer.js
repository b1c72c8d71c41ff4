// What is spoken, by one policy: a change of state; freshness turning stale, lost, paused, or live again; being at the door; an
// arrival that moved by two minutes or more, at most once a minute. Nothing twice, also after a reconnect. Cancellation is the only loud one.

const EVERY_MS = 60_000;
const SPOKEN = new Set(["stale", "lost", "paused"]);

export class Announcer {
  #polite;
  #loud;
  #level = null;
  #range = null;
  #last = "";
  #at = -Infinity;

  constructor(polite, loud) {
    this.#polite = polite;
    this.#loud = loud;
  }

  /** The story as it is now shown. The first one is on the page already, so it is not spoken. */
  follow(story, now) {
    const level = SPOKEN.has(story.level) ? story.level : story.there ? "there" : "good";
    const range = `${story.low} ${story.high} ${story.by}`;
    const first = this.#level === null;
    const worse = !first && level !== this.#level;
    const moved = !first && range !== this.#range && now - this.#at >= EVERY_MS;
    if (first) this.#at = now;
    if (worse || moved) this.say(story.announce, now);
    this.#level = level;
    if (first || worse || moved) this.#range = range;
  }

  /** The visit came into another state. */
  state(state, name, now) {
    const words = {
      scheduled: "The visit is confirmed again.",
      traveling: `${name} is on the way.`,
      in_progress: `${name} has arrived and started work.`,
      completed: "The visit is completed.",
      canceled: "This visit has been canceled.",
    };
    this.#level = null;
    if (state === "canceled") this.#loud.textContent = words.canceled;
    else this.say(words[state] ?? "", now);
  }

  say(text, now) {
    if (text === this.#last) return;
    this.#last = text;
    this.#at = now;
    this.#polite.textContent = text;
  }
}
